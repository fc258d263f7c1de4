//! What can go wrong between `xm`, `xmd` and the control domain.

use std::process::Stdio;

use xendless_core::protocol::{Failure, Request};
use xendless_core::rights::Rights;

use crate::server::{Server, run};
use crate::world::{Fault, World};

fn faulty(fault: Fault) -> World {
    World { fault, ..World::default() }
}

fn refusing(refuse: fn(&Request<'_>) -> Option<Failure>) -> World {
    World { refuse, ..World::default() }
}

/// These texts are for root, as whom tests run; those for others are tested with the texts.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn xmd_is_down() {
    let server = Server::start(World::default());
    let output = server.command(&["list"]).env("XM_SERVER", "/nonexistent/xmd.sock").output().unwrap();
    let text = if is_root() {
        "Error: Unable to connect to xmd: No such file or directory. Is xmd running?\n"
    } else {
        "Error: Most commands need root access. Please try again as root.\n"
    };
    assert_eq!(crate::parts(&output), (1, String::new(), text.into()));
}

#[test]
fn nobody_listens_any_more() {
    let server = Server::start(World::default());
    let stale = server.folder.path().join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let output = server.command(&["list"]).env("XM_SERVER", stale).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    if is_root() {
        let text = "Error: Unable to connect to xmd: Connection refused. Is xmd running?\n";
        assert_eq!(crate::parts(&output).2, text);
    }
}

#[test]
fn attack_e02_a_server_that_talks_nonsense_is_left_with_one_line() {
    for fault in [
        Fault::NoWelcome,
        Fault::Garbage,
        Fault::Endless,
        Fault::HalfAnswer,
        Fault::NoAnswer,
        Fault::WrongAnswer,
        Fault::Circle,
    ] {
        let (status, out, err) = run(faulty(fault), "list");
        assert_eq!((status, out.as_str(), err.lines().count()), (1, "", 1), "{fault:?}: {err}");
        if is_root() {
            assert!(
                err.starts_with("xmd has probably crashed!  It sent no valid answer: "),
                "{fault:?}: {err}"
            );
        }
    }
}

#[test]
fn another_version_is_told_so() {
    let (status, out, err) = run(faulty(Fault::OtherVersion), "list");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("Error: ") && err.contains("same release"), "{err}");
}

#[test]
fn the_ring_is_down() {
    let (status, out, err) = run(refusing(|_| Some(Failure::Disconnected)), "destroy guest");
    let text = "Error: the connection to the control domain is down\n";
    assert_eq!((status, out.as_str(), err.as_str()), (1, "", text));
}

#[test]
fn attack_e01_the_caller_has_no_rights() {
    let (status, out, err) =
        run(refusing(|_| Some(Failure::Forbidden { needs: Rights::Everything })), "dmesg");
    assert_eq!((status, out.as_str()), (1, ""));
    assert_eq!(err, "Error: this takes the right to everything, which the caller does not have\n");
}

#[test]
fn the_domain_does_not_exist() {
    for line in [
        "console gust",
        "destroy gust",
        "domid gust",
        "domname gust",
        "domstate gust",
        "list gust",
        "list -l gust",
        "pause gust",
        "reboot gust",
        "rename gust x",
        "shutdown gust",
        "shutdown -w gust",
        "start gust",
        "delete gust",
        "unpause gust",
        "uptime gust",
    ] {
        let (status, out, err) = run(World::default(), line);
        let text = "Error: Domain 'gust' does not exist.\nDid you mean 'guest'?\n";
        assert_eq!((status, out.as_str(), err.as_str()), (3, "", text), "{line}");
    }
    assert_eq!(run(World::default(), "pause 99").2, "Error: Domain '99' does not exist.\n");
}

#[test]
fn a_domain_that_is_only_defined_is_not_started() {
    let world = World::default().with_definition("name = 'dormant'\nkernel = '/k'");
    for line in ["console dormant", "destroy dormant", "pause dormant", "unpause dormant"] {
        let (status, out, err) = run(world.clone(), line);
        assert_eq!((status, err.as_str()), (1, "Error: Domain 'dormant' is not started\n"), "{line}");
        assert!(out.starts_with("Usage: xm "), "{line}");
    }
}

#[test]
fn what_cannot_be_done_with_the_control_domain() {
    for (line, status, text) in [
        ("destroy 0", 1, "Cannot destroy privileged domain 0"),
        ("pause Domain-0", 1, "Cannot pause privileged domain Domain-0"),
        ("unpause 0", 1, "Cannot unpause privileged domain 0"),
        ("shutdown Domain-0", 1, "Domain 0 cannot be shutdown"),
        ("console 0", 22, "Can't specify Domain-0"),
    ] {
        let (found, _, err) = run(World::default(), line);
        assert_eq!((found, err), (status, format!("Error: {text}\n")), "{line}");
    }
}

#[test]
fn names_that_cannot_be() {
    let server = Server::start(World::default());
    let (status, _, err) = crate::parts(&server.command(&["rename", "guest", "a b"]).output().unwrap());
    assert_eq!((status, err.as_str()), (1, "Error: Invalid VM Name\n"));
    let (status, _, err) = crate::parts(&server.command(&["rename", "guest", ""]).output().unwrap());
    assert_eq!((status, err.as_str()), (1, "Error: Missing VM Name\n"));
    assert_eq!(server.seen.all(), [""; 0]);
    assert_eq!(crate::parts(&server.xm("rename guest web")), (0, String::new(), String::new()));
    assert!(server.seen.all().contains(&"rename guest web".to_owned()), "{:?}", server.seen.all());
    let taken = refusing(|request| {
        matches!(request, Request::Rename { .. }).then_some(Failure::NameTaken { domid: Some(3) })
    });
    let (status, _, err) = run(taken, "rename guest web");
    assert_eq!((status, err.as_str()), (1, "Error: VM name 'web' already exists as domain 3\n"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let server = Server::start(World { text: vec![b'x'; 1 << 20], ..World::default() });
    for line in [vec!["dmesg"], vec!["help"], vec!["list"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = server.command(&line).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]), "{line:?}");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = server.command(&["list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(crate::parts(&output).2, "Error: Cannot write: No space left on device.\n");
}
