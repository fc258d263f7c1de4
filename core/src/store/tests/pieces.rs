//! What takes long is done in pieces, and nobody can tell.

use super::*;

/// A transaction that creates so many nodes below the guest's home.
fn big(scene: &mut Scene, guest: ConnId, nodes: usize) -> u32 {
    let tx = scene.start(guest);
    for i in 0..nodes {
        scene.in_tx(guest, Kind::WRITE, tx, &format!("n{i}|{i}")).unwrap();
    }
    tx
}

/// Works until nothing is left; returns how many steps that took.
fn rest(scene: &mut Scene) -> usize {
    let mut steps = 1;
    while scene.server.step() {
        scene.server.check().unwrap();
        steps += 1;
        assert!(steps < 1000, "it never rests");
    }
    steps
}

#[test]
fn attack_a22_a_long_commit_is_made_in_pieces_and_seen_whole() {
    let (mut scene, [guest, other]) = Scene::with_guests([1, 2]);
    let (root, home) = (scene.root, "/local/domain/1");
    let tx = big(&mut scene, guest, 900);
    assert_eq!(scene.end(guest, tx, true), Err("wait".into()));
    assert!(!scene.server.is_ready(guest));
    let mut pieces = 1;
    // Nobody sees a half of it, not even who may do everything.
    while scene.read(root, home) == Err("wait".into()) {
        assert_eq!(scene.ask(other, Kind::WRITE, "x|"), Err("wait".into()));
        pieces += 2;
    }
    assert!((10..100).contains(&pieces), "{pieces}");
    assert!(scene.server.is_ready(guest));
    assert_eq!(scene.end(guest, tx, true), Ok("OK|".into()));
    assert_eq!(scene.end(guest, tx, true), Err("ENOENT".into()));
    for i in [0, 450, 899] {
        assert_eq!(scene.read(root, &format!("{home}/n{i}")), Ok(i.to_string()));
    }
}

#[test]
fn attack_a22_a_long_commit_that_fails_changes_nothing() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let tx = big(&mut scene, guest, 900);
    scene.write(scene.root, "/local/domain/1/n899", "taken");
    assert_eq!(scene.end(guest, tx, true), Err("wait".into()));
    rest(&mut scene);
    assert_eq!(scene.end(guest, tx, true), Err("EAGAIN".into()));
    assert_eq!(scene.ok(scene.root, Kind::DIRECTORY, "/local/domain/1|"), "n899|");
}

#[test]
fn attack_a22_who_dies_within_a_long_commit_leaves_nothing() {
    for pieces in 0..40 {
        let (mut scene, [guest]) = Scene::with_guests([1]);
        let tx = big(&mut scene, guest, 900);
        assert_eq!(scene.end(guest, tx, true), Err("wait".into()));
        for _ in 0..pieces {
            scene.server.step();
        }
        scene.server.domain_died(&mut scene.machine, DomId(1));
        rest(&mut scene);
        scene.server.check().unwrap();
        assert_eq!(scene.ok(scene.root, Kind::DIRECTORY, "/local/domain|"), "", "after {pieces} pieces");
        assert_eq!(scene.server.usage(DomId(1)), None);
        let newcomer = scene.introduce(1);
        assert_eq!(scene.ok(newcomer, Kind::DIRECTORY, "/local/domain/1|"), "");
    }
}

#[test]
fn attack_a22_a_reset_within_a_long_commit_leaves_no_answer_behind() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let tx = big(&mut scene, guest, 900);
    assert_eq!(scene.end(guest, tx, true), Err("wait".into()));
    scene.server.reset(guest);
    rest(&mut scene);
    assert_eq!(scene.read(guest, "n1"), Ok("1".into()), "what was asked is done");
    let tx = scene.start(guest);
    assert_eq!(scene.end(guest, tx, true), Ok("OK|".into()));
}

#[test]
fn attack_a22_a_thousand_watchers_are_told_in_pieces() {
    let (mut scene, [guest, watcher]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    scene.perms("/local/domain/1", "r1");
    scene.ok(root, Kind::SET_QUOTA, "watches|2000|");
    let watch = |i: usize| format!("/local/domain/1|{i}|");
    (0..1000).for_each(|i| drop(scene.ok(watcher, Kind::WATCH, &watch(i))));
    scene.events(watcher);
    scene.write(guest, "data", "1");
    let first = scene.events(watcher).len();
    assert!((1..500).contains(&first), "{first}");
    // Until all are told there is nothing new to tell, but for the privileged.
    assert_eq!(scene.ask(guest, Kind::WRITE, "data|2"), Err("wait".into()));
    assert_eq!(scene.read(guest, "data"), Ok("1".into()));
    scene.ok(watcher, Kind::UNWATCH, &watch(999));
    let steps = rest(&mut scene);
    let told = first + scene.events(watcher).len();
    assert_eq!(told, 999, "in {steps} steps; who no longer watches is told nothing");
    scene.write(guest, "data", "2");
    rest(&mut scene);
    assert_eq!(scene.events(watcher).len(), 999);
}

#[test]
fn attack_a22_watchers_below_a_removed_node_are_told_in_pieces() {
    let (mut scene, [guest, watcher]) = Scene::with_guests([1, 2]);
    scene.perms("/local/domain/1", "r1");
    scene.write(guest, "a/b", "");
    scene.ok(scene.root, Kind::SET_QUOTA, "watches|2000|");
    let (root, below) = (scene.root, "/local/domain/1/a/b");
    (0..1000).for_each(|i| drop(scene.ok(watcher, Kind::WATCH, &format!("{below}|{i}|"))));
    scene.watch(root, below, "r");
    scene.events(watcher);
    scene.ok(guest, Kind::RM, "a|");
    assert!(scene.server.step(), "not all are told");
    rest(&mut scene);
    assert_eq!(scene.events(root), ["/local/domain/1/a/b r"]);
    let told = scene.events(watcher);
    assert_eq!((told.len(), told[0].as_str()), (1000, "/local/domain/1/a/b 0"));
}

#[test]
fn attack_a22_a_long_path_counts_more_than_once_in_a_transaction() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.ok(scene.root, Kind::SET_QUOTA, "transaction-nodes|20|");
    let tx = scene.start(guest);
    let name = "n".repeat(300);
    assert_eq!(scene.in_tx(guest, Kind::WRITE, tx, &format!("{name}|")), Ok("OK|".into()));
    assert_eq!(scene.in_tx(guest, Kind::WRITE, tx, &format!("{name}x|")), Err("ENOSPC".into()));
}

/// Room that removals make is made once, however often what is below was removed before.
#[test]
fn attack_a10_nested_removals_make_room_once() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.write(guest, "a/b/c/d", "");
    scene.write(guest, "keep-1", "");
    let tx = scene.start(guest);
    for path in ["a/b/c/d", "a/b/c", "a/b", "a"] {
        scene.in_tx(guest, Kind::RM, tx, &format!("{path}|")).unwrap();
    }
    for i in 0..6 {
        scene.in_tx(guest, Kind::MKDIR, tx, &format!("new-{i}|")).unwrap();
    }
    // The home, five nodes in it, and four that go.
    scene.ok(scene.root, Kind::SET_QUOTA, "1|nodes|6|");
    assert_eq!(scene.end(guest, tx, true), Err("ENOSPC".into()));
    assert_eq!(scene.server.usage(DomId(1)).unwrap().nodes, 6);
}
