//! Transactions: isolation, conflicts, and what others notice.

use super::*;

impl Scene {
    #[track_caller]
    fn tx_ok(&mut self, tx: u32, kind: Kind, text: &str) -> String {
        self.in_tx(self.root, kind, tx, text).unwrap()
    }
}

#[test]
fn a_transaction_is_seen_whole_or_not_at_all() {
    let mut scene = Scene::new();
    let (root, other) = (scene.root, scene.server.connect());
    scene.write(root, "/a", "1");
    scene.write(root, "/old/x", "1");
    scene.watch(other, "/", "t");
    let tx = scene.start(root);
    scene.tx_ok(tx, Kind::WRITE, "/a|2");
    scene.tx_ok(tx, Kind::WRITE, "/new/b|3");
    scene.tx_ok(tx, Kind::RM, "/old|");
    scene.tx_ok(tx, Kind::SET_PERMS, "/a|r0|");
    assert_eq!(scene.tx_ok(tx, Kind::READ, "/a|"), "2");
    assert_eq!(scene.tx_ok(tx, Kind::DIRECTORY, "/|"), "a|new|");
    assert_eq!(scene.read(other, "/a"), Ok("1".into()));
    assert_eq!(scene.events(other), [""; 0]);
    assert_eq!(scene.end(root, tx, true), Ok("OK|".into()));
    assert_eq!(scene.events(other), ["/a t", "/new/b t", "/old t"]);
    assert_eq!(scene.read(other, "/new/b"), Ok("3".into()));
    assert_eq!(scene.ok(other, Kind::DIRECTORY, "/|"), "a|new|");
    assert_eq!(scene.ok(other, Kind::GET_PERMS, "/a|"), "r0|");
    assert_eq!(scene.end(root, tx, true), Err("ENOENT".into()));
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let mut scene = Scene::new();
    let root = scene.root;
    let before = scene.server.usage(DomId(0));
    let tx = scene.start(root);
    scene.tx_ok(tx, Kind::WRITE, "/a/b|2");
    assert_eq!(scene.in_tx(root, Kind::TRANSACTION_START, tx, "|"), Err("EBUSY".into()));
    assert_eq!(scene.end(root, tx, false), Ok("OK|".into()));
    assert_eq!(scene.read(root, "/a"), Err("ENOENT".into()));
    assert_eq!(scene.server.usage(DomId(0)), before);
}

/// Runs `inside` in a transaction and `outside` beside it; says whether the commit fails.
fn conflicts(inside: &[(Kind, &str)], outside: &[(Kind, &str)]) -> bool {
    let mut scene = Scene::new();
    let (root, other) = (scene.root, scene.server.connect());
    for path in ["/d/x/y", "/d/z", "/e"] {
        scene.write(root, path, "0");
    }
    let tx = scene.start(root);
    for (kind, text) in inside {
        scene.in_tx(root, *kind, tx, text).unwrap_or_default();
    }
    for (kind, text) in outside {
        scene.ok(other, *kind, text);
    }
    let verdict = scene.end(root, tx, true);
    assert!(
        ["OK|", "EAGAIN"].contains(&verdict.as_ref().unwrap_or_else(|error| error).as_str()),
        "{verdict:?}"
    );
    verdict.is_err()
}

#[test]
fn only_what_was_looked_at_or_changed_can_conflict() {
    const READ: Kind = Kind::READ;
    const WRITE: Kind = Kind::WRITE;
    const RM: Kind = Kind::RM;
    const PERMS: Kind = Kind::SET_PERMS;
    const LIST: Kind = Kind::DIRECTORY;
    for (inside, outside, expected) in [
        ((READ, "/d/z|"), (WRITE, "/d/z|1"), true),
        ((READ, "/d/z|"), (WRITE, "/d/x|1"), false),
        ((READ, "/d/z|"), (WRITE, "/d/new|1"), false),
        ((READ, "/d/z|"), (RM, "/d|"), true),
        ((READ, "/d/z|"), (PERMS, "/d/z|r0|"), false),
        ((READ, "/d/none|"), (WRITE, "/d/none|1"), true),
        ((READ, "/d/none|"), (WRITE, "/d/none2|1"), false),
        ((WRITE, "/d/z|2"), (WRITE, "/d/z|1"), true),
        ((WRITE, "/d/z|2"), (WRITE, "/d/x|1"), false),
        ((WRITE, "/d/z|2"), (RM, "/d|"), true),
        ((WRITE, "/d/one|2"), (WRITE, "/d/two|1"), false),
        ((WRITE, "/d/one|2"), (WRITE, "/d/one|1"), true),
        ((WRITE, "/d/one|2"), (PERMS, "/d|r0|"), true),
        ((WRITE, "/d/one|2"), (WRITE, "/d|value"), false),
        ((LIST, "/d|"), (WRITE, "/d/new|1"), true),
        ((LIST, "/d|"), (RM, "/d/z|"), true),
        ((LIST, "/d|"), (WRITE, "/d/z|1"), false),
        ((LIST, "/d|"), (WRITE, "/d/x/new|1"), false),
        ((Kind::GET_PERMS, "/e|"), (PERMS, "/e|r0|"), true),
        ((Kind::GET_PERMS, "/e|"), (WRITE, "/e|1"), false),
        ((RM, "/d/x|"), (WRITE, "/d/x/y|1"), true),
        ((RM, "/d/x|"), (WRITE, "/d/x/new|1"), true),
        ((RM, "/d/x|"), (WRITE, "/d/z|1"), false),
        ((RM, "/d/none|"), (WRITE, "/d/none|1"), true),
        ((Kind::MKDIR, "/e|"), (WRITE, "/e|1"), false),
        ((Kind::MKDIR, "/e|"), (RM, "/e|"), true),
    ] {
        assert_eq!(conflicts(&[inside], &[outside]), expected, "{inside:?} beside {outside:?}");
        assert!(!conflicts(&[inside], &[]), "{inside:?} alone");
    }
}

#[test]
fn what_a_transaction_removes_and_makes_again_is_new() {
    let mut scene = Scene::new();
    let root = scene.root;
    scene.write(root, "/a/old", "1");
    scene.write(root, "/a", "1");
    let tx = scene.start(root);
    scene.tx_ok(tx, Kind::RM, "/a|");
    scene.tx_ok(tx, Kind::WRITE, "/a/new|2");
    scene.tx_ok(tx, Kind::WRITE, "/b|2");
    scene.tx_ok(tx, Kind::RM, "/b|");
    scene.end(root, tx, true).unwrap();
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/a|"), "new|");
    assert_eq!(scene.read(root, "/a"), Ok(String::new()));
    assert_eq!(scene.read(root, "/b"), Err("ENOENT".into()));
}

#[test]
fn transactions_are_those_of_their_connection() {
    let (mut scene, [one, two]) = Scene::with_guests([1, 2]);
    let tx = scene.start(one);
    assert_eq!(scene.in_tx(two, Kind::READ, tx, "/|"), Err("ENOENT".into()));
    assert_eq!(scene.in_tx(two, Kind::TRANSACTION_END, tx, "T|"), Err("ENOENT".into()));
    assert_eq!(scene.in_tx(one, Kind::TRANSACTION_END, tx, "X|"), Err("EINVAL".into()));
    assert_eq!(scene.err(one, Kind::TRANSACTION_END, "T|"), "ENOENT");
    // Watches know no transactions.
    assert_eq!(scene.in_tx(one, Kind::WATCH, 77, "a|t|"), Ok("OK|".into()));
    assert_eq!(scene.end(one, tx, true), Ok("OK|".into()));
}
