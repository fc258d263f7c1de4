//! `save` and `restore`: the file, the words, and what is left when it comes to nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use xendless_core::protocol::{Failure, Request};
use xendless_core::rights::Rights;
use xendless_core::saved::{BODY, Frame, Piece};

use crate::server::Server;
use crate::world::{World, config};

/// What the server has of a saved domain.
pub(crate) fn pieces() -> Vec<u8> {
    let mut bytes = Piece::Head { translated: true, vcpus: 1, pages: 2 }.header(0).to_vec();
    for (piece, body) in
        [(Piece::Page { frame: Frame::plain(1) }, 4096), (Piece::Platform, 77), (Piece::Platform, BODY)]
    {
        bytes.extend(piece.header(body));
        bytes.extend(vec![9; body]);
    }
    bytes.extend(Piece::End.header(0));
    bytes
}

fn world() -> World {
    let guest = config("name = 'guest'\nkernel = 'k'\nuuid = '07070707-0707-0707-0707-070707070707'");
    World { saved: pieces(), credit: 5000, configs: [(7, guest)].into(), ..World::default() }
}

fn errors(server: &Server, line: &str) -> String {
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!((status, out.split("Usage:").next()), (1, Some("")), "{line}");
    err
}

/// A file of the domain that the server has, and what else there is beside it.
fn saved() -> (Server, Vec<u8>) {
    let server = Server::start(world());
    assert_eq!(crate::parts(&server.xm("save guest file")), (0, String::new(), String::new()));
    let bytes = fs::read(server.folder.path().join("file")).unwrap();
    (server, bytes)
}

fn there(server: &Server, name: &str) -> bool {
    server.folder.path().join(name).exists()
}

#[test]
fn a_saved_domain_is_a_file_and_nothing_else() {
    let (server, bytes) = saved();
    assert_eq!(server.seen.all()[2..], ["save 7 keep=false", "safe", "left"]);
    assert_eq!(&bytes[..16], b"xendless saved\n\0");
    let pieces = pieces();
    assert_eq!(bytes[bytes.len() - 32 - pieces.len()..bytes.len() - 32], pieces);
    let digest = blake3::hash(&bytes[..bytes.len() - 32]);
    assert_eq!(&bytes[bytes.len() - 32..], digest.as_bytes());
    let mode = fs::metadata(server.folder.path().join("file")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds all that the domain had in its memory");
    assert!(!there(&server, "file-incomplete"));
    let server = Server::start(world());
    assert_eq!(crate::parts(&server.xm("save -c guest file")).0, 0);
    assert!(server.seen.all().contains(&"save 7 keep=true".to_owned()));
}

#[test]
fn what_was_saved_is_given_back() {
    let (server, _) = saved();
    server.file("k", vec![1; 1000]);
    for (line, paused) in [("restore file", false), ("restore -p file", true)] {
        assert_eq!(crate::parts(&server.xm(line)), (0, String::new(), String::new()), "{line}");
        let seen = server.seen.all();
        let create = format!("create guest paused={paused} ramdisk=false saved");
        assert!(seen.contains(&create), "{seen:?}");
        assert!(seen.contains(&format!("got what was saved: {} bytes", pieces().len())), "{seen:?}");
    }
}

#[test]
fn attack_d03_what_is_damaged_or_cut_off_makes_no_domain() {
    let (server, bytes) = saved();
    server.file("k", vec![1; 1000]);
    let path = server.folder.path().join("bad").display().to_string();
    let invalid = |what: &str| format!("Error: not a valid guest state file: {what}\n");
    let unreadable = |what: &str| format!("Error: can't read guest state file {path}: {what}\n");
    let start = bytes.len() - 32 - pieces().len();
    let cases: Vec<(Vec<u8>, String)> = vec![
        (Vec::new(), invalid("signature read")),
        (bytes[..15].to_vec(), invalid("signature read")),
        (b"LinuxGuestRecord....".to_vec(), invalid("found 'LinuxGuestRecord'")),
        (bytes[..22].to_vec(), invalid("config size read")),
        (bytes[..30].to_vec(), invalid("config read")),
        ([&bytes[..16], &[2, 0, 0, 0], &bytes[20..]].concat(), invalid("it has version 2")),
        ([&bytes[..20], &[255; 4], &bytes[24..]].concat(), invalid("config size read")),
        ([&bytes[..24], &[255; 9], &bytes[33..]].concat(), invalid("config parse")),
        (bytes[..start + 8].to_vec(), unreadable("it ends too early")),
        (bytes[..bytes.len() - 1].to_vec(), unreadable("it ends too early")),
        (bytes[..bytes.len() - 32].to_vec(), unreadable("it ends too early")),
        ([&bytes[..start + 40], &[0], &bytes[start + 41..]].concat(), unreadable("it is damaged")),
        (
            [&bytes[..start + 16], &[255; 16], &bytes[start + 32..]].concat(),
            unreadable("something in it is no part of a saved domain"),
        ),
    ];
    for (bytes, said) in cases {
        server.file("bad", bytes);
        assert_eq!(errors(&server, "restore bad"), said);
    }
    assert!(
        !server.seen.all().iter().any(|seen| seen.starts_with("got what was saved")),
        "no domain came of it"
    );
}

#[test]
fn nothing_is_left_of_what_cannot_be_saved() {
    let server = Server::start(World { stays_awake: true, ..world() });
    let child = server.command(&["save", "guest", "file"]).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    server.seen.wait_for("save 7 keep=false");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    server.seen.wait_for("cancel");
    assert!(!there(&server, "file") && !there(&server, "file-incomplete"));

    let server = Server::start(World { saved: vec![9; 5000], ..world() });
    let said = errors(&server, "save guest file");
    assert!(said.ends_with("/file: what came is no saved domain\n"), "{said}");
    server.seen.wait_for("cancel");
    assert!(!there(&server, "file") && !there(&server, "file-incomplete"));

    let refuse = |request: &Request<'_>| {
        matches!(request, Request::Save { .. }).then_some(Failure::Forbidden { needs: Rights::Children })
    };
    let server = Server::start(World { refuse, ..world() });
    server.file("file", b"what was there before");
    assert!(errors(&server, "save guest file").starts_with("Error: this takes the right to "));
    let kept = fs::read(server.folder.path().join("file")).unwrap();
    assert_eq!(kept, b"what was there before", "only what is whole takes its place");
}

#[test]
fn who_may_not_move_is_not_saved() {
    let guest = config("name = 'guest'\nkernel = 'k'\nnomigrate = 1");
    let server = Server::start(World { configs: [(7, guest)].into(), ..world() });
    assert_eq!(errors(&server, "save guest file"), "Error: cannot save non-migratable domain\n");
    assert!(!there(&server, "file") && !there(&server, "file-incomplete"));
}

#[test]
fn files_that_cannot_be_are_named() {
    let server = Server::start(world());
    let place = server.folder.path().join("none/file").display().to_string();
    assert_eq!(errors(&server, "save guest none/file"), format!("xm save: Unable to create file {place}\n"));
    assert_eq!(errors(&server, "restore none/file"), format!("xm restore: Unable to read file {place}\n"));
    let said = errors(&server, "restore .");
    assert!(
        said.starts_with("Error: can't read guest state file ") && said.ends_with(": it is no file\n"),
        "{said}"
    );
}
