//! `console`, on pipes and on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::Server;
use crate::terminal::{is_cooked, on_terminal, read_until, terminal};
use crate::world::World;

#[test]
fn history_comes_first_and_typed_bytes_go_up() {
    let server = Server::start(World::default());
    let mut child =
        server.command(&["console", "guest"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"echo\n").unwrap();
    server.seen.wait_for("typed echo");
    input.write_all(b"x\x1dy").unwrap();
    let output = child.wait_with_output().unwrap();
    let (status, out, _) = crate::parts(&output);
    assert_eq!(status, 0);
    assert!(out.starts_with("(XEN) hello\n"), "{out:?}");
    server.seen.wait_for("left");
    let seen = server.seen.all();
    let typed = seen.iter().position(|line| line == "typed x");
    assert!(typed.is_some(), "what stands before Ctrl-] is still sent: {seen:?}");
    let asked = seen.iter().position(|line| line == "cancel");
    assert!(asked > typed, "and waited for: {seen:?}");
}

#[test]
fn output_goes_on_when_input_ends() {
    let server = Server::start(World::default());
    let mut child = server.command(&["console", "guest"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut hello = [0; 12];
    child.stdout.as_mut().unwrap().read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"(XEN) hello\n");
    assert_eq!(child.try_wait().unwrap(), None);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn it_ends_with_the_console() {
    let server = Server::start(World::default());
    let mut child =
        server.command(&["console", "guest"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"end\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_closed_pipe_ends_it() {
    let server = Server::start(World::default());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = server.command(&["console", "guest"]).stdout(writer).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[test]
fn quiet_fails_without_a_message() {
    let world = World::default().with_definition("name = 'dormant'\nkernel = '/k'");
    let output = Server::start(world).xm("console -q dormant");
    assert_eq!(crate::parts(&output), (1, String::new(), String::new()));
}

#[test]
fn the_terminal_is_raw_meanwhile_and_as_before_afterwards() {
    type Ending = fn(&mut File, &Child) -> Option<i32>;
    let endings: [(&str, Ending); 4] = [
        ("Ctrl-]", |far, _| {
            far.write_all(b"\x1d").unwrap();
            Some(0)
        }),
        ("the console", |far, _| {
            far.write_all(b"end\n").unwrap();
            Some(0)
        }),
        ("a signal", |_, child| {
            kill_process(Pid::from_child(child), Signal::HUP).unwrap();
            Some(129)
        }),
        ("xmd", |far, _| {
            far.write_all(b"crash\n").unwrap();
            Some(1)
        }),
    ];
    for (what, end) in endings {
        let server = Server::start(World::default());
        let (mut far, near) = terminal();
        assert!(is_cooked(&near));
        let mut child = on_terminal(server.command(&["console", "guest"]).stderr(Stdio::null()), &near);
        read_until(&mut far, "(XEN) hello\n");
        assert!(!is_cooked(&near), "{what}");
        // Ctrl-C belongs to the guest.
        far.write_all(b"\x03").unwrap();
        server.seen.wait_for("typed \\x03");
        let status = end(&mut far, &child);
        assert_eq!(child.wait().unwrap().code(), status, "{what}");
        assert!(is_cooked(&near), "{what}");
    }
}
