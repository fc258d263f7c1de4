//! `shell`, at a terminal and with a script.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::Server;
use crate::terminal::{is_cooked, on_terminal, read_until, terminal};
use crate::world::World;

const BANNER: &str = "The Xen Master. Type \"help\" for a list of functions.";
/// An empty prompt, with the cursor put back behind it.
const PROMPT: &str = "xm> \r";

fn shell(server: &Server) -> Command {
    let mut command = server.command(&["shell"]);
    command.env("XDG_STATE_HOME", server.folder.path().join("state")).env("TERM", "vt100");
    command
}

/// Has a script carried out. Gives exit status, standard output and standard error.
fn script(world: World, text: &str) -> (i32, String, String) {
    let server = Server::start(world);
    let mut child =
        shell(&server).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    crate::parts(&child.wait_with_output().unwrap())
}

#[test]
fn a_script_has_a_sub_command_in_each_line() {
    let text = "domid guest\n\n  # nothing\nxm domname 7 # guest\ndomname \"7\"\n";
    assert_eq!(script(World::default(), text), (0, "7\nguest\nguest\n".into(), String::new()));
}

#[test]
fn a_script_goes_on_after_a_failure_and_ends_as_its_last_line() {
    let (status, out, err) = script(World::default(), "domid nobody\ndomid 'a\ndomid guest\n");
    let text = "Error: Domain 'nobody' does not exist.\nError: No closing quotation\n";
    assert_eq!((status, out.as_str(), err.as_str()), (0, "7\n", text));
    assert_eq!(script(World::default(), "domid guest\ndomid nobody").0, 3);
    assert_eq!(script(World::default(), ""), (0, String::new(), String::new()));
}

#[test]
fn unknown_words_are_named() {
    let (status, out, err) = script(World::default(), "lst -l\n\u{1b}[2J\nexit\n");
    let text = "*** Unknown command: lst\nDid you mean 'list'?\n*** Unknown command: \\u{1b}[2J\n\
                *** Unknown command: exit\nCtrl-D leaves the shell.\n";
    assert_eq!((status, out.as_str(), err.as_str()), (1, text, ""));
}

#[test]
fn help_is_for_all_or_for_one() {
    let short = crate::server::run(World::default(), "").1;
    for line in ["help", "?", "xm", "xm help"] {
        assert_eq!(script(World::default(), line), (0, short.clone(), String::new()), "{line}");
    }
    let pause = crate::server::run(World::default(), "help pause").1;
    for line in ["help pause", "? pause", "xm help pause", "pause -h"] {
        assert_eq!(script(World::default(), line), (0, pause.clone(), String::new()), "{line}");
    }
}

#[test]
fn a_script_is_not_read_by_what_it_starts() {
    let world = World { text: b"end\n".to_vec(), ..World::default() };
    let (status, out, _) = script(world, "dmesg\nshell\ndomid guest\n");
    assert_eq!((status, out.as_str()), (0, "end\n7\n"));
}

/// Types these keys and waits until `text` and, behind it, an empty prompt was shown. What is typed earlier may meet a
/// terminal that is not the shell's yet.
fn type_in(far: &mut File, keys: &str, text: &str) {
    far.write_all(keys.as_bytes()).unwrap();
    let mut shown = read_until(far, text);
    while !shown.split_once(text).unwrap().1.contains(PROMPT) {
        shown.push_str(&read_until(far, PROMPT));
    }
}

#[test]
fn a_person_types_completes_abandons_and_leaves() {
    let server = Server::start(World::default());
    let (mut far, near) = terminal();
    let mut child = on_terminal(&mut shell(&server), &near);
    type_in(&mut far, "", BANNER);
    // A sub-command, then a domain that xmd knows.
    type_in(&mut far, "domi\tgue\t\r", "\n7\r\n");
    type_in(&mut far, "destroy guest\x03", "destroy guest");
    // The line before, with its end changed.
    type_in(&mut far, "\x1b[A\x7f\x7f\x7f\x7f\x7f\x7f7\r", "\n7\r\n");
    far.write_all(b"\x04").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(is_cooked(&near));
    assert!(!server.seen.all().iter().any(|line| line.starts_with("destroy")), "it was abandoned");

    let history = server.folder.path().join("state/xendless/xm-history");
    let text = std::fs::read_to_string(&history).unwrap();
    assert!(text.contains("domid guest") && !text.contains("destroy"), "{text}");
    assert_eq!(std::fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn ctrl_c_and_a_console_end_only_the_sub_command() {
    let server = Server::start(World::default());
    let (mut far, near) = terminal();
    let mut child = on_terminal(&mut shell(&server), &near);
    type_in(&mut far, "", BANNER);
    far.write_all(b"console guest\r").unwrap();
    read_until(&mut far, "(XEN) hello\n");
    // As the terminal would send it to all that run there.
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    type_in(&mut far, "\x1d", "");
    type_in(&mut far, "domid guest\r", "\n7\r\n");
    far.write_all(b"\x04").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
