//! This project's XenStore client against Debian's C xenstored and against this project's server.

use std::os::unix::net::UnixStream;

use embedded_io_adapters::std::FromStd;
use tempfile::TempDir;
use xendless_core::hyper::DomId;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::wire::{Access, Kind, Perm, XsError};
use xendless_hosttools::xenstored::Hosted;
use xendless_tests::differential::reference::Reference;
use xendless_tests::differential::store::{Ask, Store, Who};

type Client = Session<FromStd<UnixStream>>;

/// Runs a test with clients of each server.
fn with_each_server(test: impl Fn(&dyn Fn() -> Client)) {
    let reference = Reference::start().unwrap();
    test(&|| Session::new(FromStd::new(reference.connect().unwrap())));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("socket");
    Hosted::spawn(&path).unwrap();
    test(&|| Session::new(FromStd::new(UnixStream::connect(&path).unwrap())));
}

#[test]
fn nodes_are_written_read_listed_and_removed() {
    with_each_server(|connect| {
        let mut session = connect();
        let mut nodes = session.nodes();
        nodes.write(b"/a/b", b"a value").unwrap();
        nodes.mkdir(b"/a/c").unwrap();
        assert_eq!(nodes.read(b"/a/b").unwrap(), b"a value");
        let mut names = nodes.list(b"/a").unwrap();
        names.sort();
        assert_eq!(names, [b"b", b"c"]);
        let perms = [Perm::new(Access::Read, DomId(0)), Perm::new(Access::Both, DomId(0))];
        nodes.set_perms(b"/a/b", &perms).unwrap();
        assert_eq!(nodes.perms(b"/a/b").unwrap(), perms);
        nodes.remove(b"/a").unwrap();
        assert!(matches!(nodes.read(b"/a/b"), Err(ClientError::Refused(XsError::ENOENT))));
        assert_eq!(session.domain_path(DomId(7)).unwrap(), b"/local/domain/7");
    });
}

#[test]
fn a_listing_longer_than_a_message_comes_in_parts() {
    with_each_server(|connect| {
        let mut session = connect();
        let mut expected: Vec<Vec<u8>> =
            (0..1000).map(|number| format!("node-{number}").into_bytes()).collect();
        for name in &expected {
            session.nodes().mkdir(&[b"/dir/", name.as_slice()].concat()).unwrap();
        }
        let mut names = session.nodes().list(b"/dir").unwrap();
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
    });
}

#[test]
fn a_conflict_is_noticed_and_the_transaction_done_again() {
    with_each_server(|connect| {
        let (mut session, mut other) = (connect(), connect());
        session.nodes().write(b"/count", b"1").unwrap();
        let mut attempts = 0u8;
        session
            .transaction(|nodes| {
                attempts += 1;
                let count = nodes.read(b"/count")?;
                if attempts == 1 {
                    other.nodes().write(b"/count", b"5").unwrap();
                }
                nodes.write(b"/count", &[count[0] + 1])
            })
            .unwrap();
        assert_eq!((attempts, session.nodes().read(b"/count").unwrap()), (2, b"6".to_vec()));
        let given_up = session.transaction(|nodes| {
            nodes.write(b"/count", b"0")?;
            nodes.read(b"/missing")
        });
        assert!(matches!(given_up, Err(ClientError::Refused(XsError::ENOENT))));
        assert_eq!(session.nodes().read(b"/count").unwrap(), b"6");
    });
}

#[test]
fn events_tell_of_changes_by_others() {
    with_each_server(|connect| {
        let (mut session, mut other) = (connect(), connect());
        session.watch(b"/a", b"token").unwrap();
        other.nodes().write(b"/a/b", b"1").unwrap();
        for path in [&b"/a"[..], b"/a/b"] {
            let event = session.next_event().unwrap();
            assert_eq!((&event.path[..], &event.token[..]), (path, &b"token"[..]));
        }
        session.unwatch(b"/a", b"token").unwrap();
        assert!(matches!(session.unwatch(b"/a", b"token"), Err(ClientError::Refused(XsError::ENOENT))));
    });
}

#[test]
fn a_domain_speaks_to_c_xenstored_over_its_ring_and_owns_its_home() {
    let mut reference = Reference::start().unwrap();
    let ask = |kind, payload: &[u8]| Ask { kind, tx_id: 0, payload: payload.to_vec() };
    reference.create(5);
    reference.attach(5);
    let (tool, guest) = (Who::Tool(0), Who::Domain(5));
    for (who, request, answer) in [
        (tool, ask(Kind::MKDIR, b"/local/domain/5\0"), &b"OK\0"[..]),
        (tool, ask(Kind::SET_PERMS, b"/local/domain/5\0n5\0"), b"OK\0"),
        (tool, ask(Kind::INTRODUCE, b"5\x001\x001\0"), b"OK\0"),
        (guest, ask(Kind::WRITE, b"data\0mine"), b"OK\0"),
        (guest, ask(Kind::WRITE, b"/local/domain/6/data\0"), b"EACCES\0"),
        (tool, ask(Kind::READ, b"/local/domain/5/data\0"), b"mine"),
        (tool, ask(Kind::IS_DOMAIN_INTRODUCED, b"5\0"), b"T\0"),
    ] {
        assert_eq!(reference.ask(who, &request).unwrap().payload, answer, "{who:?} {request:?}");
    }
    reference.destroy(5);
    let introduced = reference.ask(tool, &ask(Kind::IS_DOMAIN_INTRODUCED, b"5\0")).unwrap();
    assert_eq!(introduced.payload, b"F\0");
}
