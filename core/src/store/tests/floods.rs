//! Guests that want more than their share: every resource has its limit, and what is given back is free again.

use super::*;
use crate::store::quota::{Quota, Usage};

fn usage(scene: &Scene, domid: u16) -> Usage {
    scene.server.usage(DomId(domid)).unwrap()
}

/// Repeats a request until it is refused; returns how often it went well, and the error.
fn until_refused(
    scene: &mut Scene,
    conn: ConnId,
    kind: Kind,
    text: impl Fn(usize) -> String,
) -> (usize, String) {
    for i in 0.. {
        if let Err(error) = scene.ask(conn, kind, &text(i)) {
            return (i, error);
        }
    }
    unreachable!("every request was granted")
}

#[test]
fn attack_a07_watches_set_and_reset_leave_nothing() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let fresh = usage(&scene, 1);
    for round in 0..50 {
        for i in 0..10 {
            scene.ok(guest, Kind::WATCH, &format!("a/{round}/{i}|token|"));
        }
        scene.ok(guest, Kind::UNWATCH, &format!("a/{round}/3|token|"));
        scene.ok(guest, Kind::RESET_WATCHES, "|");
        assert_eq!(usage(&scene, 1), fresh);
        assert!(scene.server.watches.is_empty());
        assert_eq!(scene.events(guest), [""; 0]);
    }
}

#[test]
fn attack_a10_every_resource_has_a_limit() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let root = scene.root;
    scene.ok(root, Kind::SET_QUOTA, "nodes|40|");
    let free = 40 - usage(&scene, 1).nodes as usize;
    let nodes = until_refused(&mut scene, guest, Kind::WRITE, |i| format!("n{i}|"));
    assert_eq!(nodes, (free, "ENOSPC".into()));
    let watches = until_refused(&mut scene, guest, Kind::WATCH, |i| format!("w{i}|t|"));
    assert_eq!(watches, (128, "E2BIG".into()));
    let transactions = until_refused(&mut scene, guest, Kind::TRANSACTION_START, |_| "|".into());
    assert_eq!(transactions, (10, "ENOSPC".into()));
    // As C xenstored counts: 24 bytes of record and 8 of permission have to stay below 2048.
    let value = |len: usize| format!("n0|{}", "v".repeat(len));
    assert_eq!(scene.ask(guest, Kind::WRITE, &value(2015)), Ok("OK|".into()));
    assert_eq!(scene.err(guest, Kind::WRITE, &value(2016)), "ENOSPC");
    assert_eq!(scene.err(guest, Kind::SET_PERMS, "n0|n1|r0|"), "ENOSPC");
    scene.write(guest, "n0", "");
    assert_eq!(scene.ask(guest, Kind::SET_PERMS, "n0|n1|r0|r0|r0|r0|"), Ok("OK|".into()));
    assert_eq!(scene.err(guest, Kind::SET_PERMS, "n0|n1|r0|r0|r0|r0|r0|"), "ENOSPC");
    assert_eq!(scene.err(guest, Kind::READ, &format!("{}|", "p".repeat(2049))), "EINVAL");
    let path = format!("/{}|", "p".repeat(2048));
    assert_eq!(scene.err(guest, Kind::READ, &path), "EINVAL");
    assert_eq!(scene.err(root, Kind::READ, &path), "EINVAL", "what one may name, all can");
}

#[test]
fn attack_a10_memory_is_counted_in_bytes() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.ok(scene.root, Kind::SET_QUOTA, "memory|20000|");
    let value = "v".repeat(900);
    let (nodes, error) = until_refused(&mut scene, guest, Kind::WRITE, |i| format!("n{i}|{value}"));
    assert_eq!(error, "ENOMEM");
    assert!((15..20).contains(&nodes));
    assert_eq!(scene.err(guest, Kind::WATCH, &format!("w|{}|", "t".repeat(1000))), "ENOMEM");
    scene.ok(guest, Kind::RM, "n0|");
    scene.ok(guest, Kind::WATCH, &format!("w|{}|", "t".repeat(500)));
    // The privileged may still write what the guest owns.
    scene.write(scene.root, "/local/domain/1/n1", &"v".repeat(3000));
}

#[test]
fn attack_a10_a_transaction_pays_for_what_it_holds() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.ok(scene.root, Kind::SET_QUOTA, "transaction-nodes|20|");
    let tx = scene.start(guest);
    let refused = (0..30)
        .map(|i| scene.in_tx(guest, Kind::READ, tx, &format!("none{i}|")))
        .position(|answer| answer == Err("ENOSPC".into()));
    // The home, where all of these are missing, is a node looked at, too.
    assert_eq!(refused, Some(19));
    scene.end(guest, tx, false).unwrap();
    scene.ok(scene.root, Kind::SET_QUOTA, "transaction-nodes|1000|");
    scene.ok(scene.root, Kind::SET_QUOTA, "memory|50000|");
    let tx = scene.start(guest);
    let value = "v".repeat(1500);
    let refused = (0..100)
        .map(|i| scene.in_tx(guest, Kind::WRITE, tx, &format!("n{i}|{value}")))
        .position(|answer| answer == Err("ENOMEM".into()));
    assert!(refused.is_some_and(|writes| writes < 33));
    scene.end(guest, tx, true).unwrap();
}

#[test]
fn attack_a10_who_does_not_read_events_is_stopped() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let root = scene.root;
    scene.perms("/local/domain/1", "n1");
    scene.ok(root, Kind::SET_QUOTA, "queued-events|20|");
    scene.watch(guest, "d", "t");
    for i in 0..1000 {
        scene.write(root, &format!("/local/domain/1/d/{i}"), "");
    }
    assert!(!scene.server.is_ready(guest));
    assert!(scene.server.is_ready(root));
    let events = scene.events(guest);
    assert_eq!(events.len(), 21);
    assert_eq!((events[0].as_str(), events[20].as_str()), ("d/0 t", "d t"));
    assert!(scene.server.is_ready(guest));
}

#[test]
fn attack_a10_the_whole_store_has_a_limit() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.ok(scene.root, Kind::SET_QUOTA, "total-memory|30000|");
    let root = scene.root;
    let (_, error) = until_refused(&mut scene, root, Kind::WRITE, |i| format!("/n{i}|{}", "v".repeat(1000)));
    assert_eq!(error, "ENOMEM");
    assert_eq!(scene.err(guest, Kind::WRITE, &format!("n|{}", "v".repeat(1000))), "ENOMEM");
    scene.ok(root, Kind::RM, "/n0|");
    scene.write(guest, "n", "1");
}

#[test]
fn attack_a15_nodes_count_against_who_makes_them() {
    let (mut scene, [victim, bad]) = Scene::with_guests([1, 2]);
    scene.perms("/local/domain/1", "b1");
    let before = usage(&scene, 1);
    let made = until_refused(&mut scene, bad, Kind::MKDIR, |i| format!("/local/domain/1/n{i}/x|"));
    assert_eq!(made.1, "ENOSPC");
    assert_eq!(usage(&scene, 1), before);
    assert!(usage(&scene, 2).nodes >= 999);
    scene.write(victim, "mine", "1");
    scene.server.domain_died(&mut scene.machine, DomId(2));
    while scene.server.step() {}
    scene.server.check().unwrap();
    assert_eq!(scene.ok(scene.root, Kind::DIRECTORY, "/local/domain/1|"), "mine|");
}

#[test]
fn attack_a20_every_created_node_is_charged() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let nodes = |scene: &Scene| usage(scene, 1).nodes;
    let before = nodes(&scene);
    scene.write(guest, "a/b/c", "");
    assert_eq!(nodes(&scene), before + 3);
    scene.ok(guest, Kind::MKDIR, "d/e|");
    assert_eq!(nodes(&scene), before + 5);
    let tx = scene.start(guest);
    scene.in_tx(guest, Kind::WRITE, tx, "f/g|").unwrap();
    scene.in_tx(guest, Kind::MKDIR, tx, "f/h|").unwrap();
    scene.in_tx(guest, Kind::RM, tx, "a|").unwrap();
    scene.end(guest, tx, true).unwrap();
    assert_eq!(nodes(&scene), before + 5);
    scene.ok(scene.root, Kind::SET_QUOTA, &format!("1|nodes|{}|", before + 6));
    assert_eq!(scene.err(guest, Kind::MKDIR, "i/j|"), "ENOSPC");
    assert_eq!(nodes(&scene), before + 5);
    // Two transactions that fit one by one do not fit together.
    let (one, two) = (scene.start(guest), scene.start(guest));
    assert_eq!(scene.in_tx(guest, Kind::MKDIR, one, "i/j|"), Err("ENOSPC".into()));
    scene.in_tx(guest, Kind::MKDIR, one, "i|").unwrap();
    scene.in_tx(guest, Kind::MKDIR, two, "k|").unwrap();
    assert_eq!(scene.end(guest, one, true), Ok("OK|".into()));
    assert_eq!(scene.end(guest, two, true), Err("ENOSPC".into()));
    // What is made anew in place of what was removed counts, too.
    let four = scene.start(guest);
    scene.ok(scene.root, Kind::SET_QUOTA, "1|nodes|1000|");
    scene.in_tx(guest, Kind::RM, four, "f|").unwrap();
    for name in ["f/g", "f/h", "l", "m"] {
        scene.in_tx(guest, Kind::MKDIR, four, &format!("{name}|")).unwrap();
    }
    scene.ok(scene.root, Kind::SET_QUOTA, &format!("1|nodes|{}|", before + 6));
    assert_eq!(scene.end(guest, four, true), Err("ENOSPC".into()));
    // One that makes room before it takes it does.
    let three = scene.start(guest);
    scene.in_tx(guest, Kind::RM, three, "d|").unwrap();
    assert_eq!(scene.in_tx(guest, Kind::MKDIR, three, "k|"), Err("ENOSPC".into()));
    scene.end(guest, three, true).unwrap();
    scene.ok(guest, Kind::MKDIR, "k|");
}

#[test]
fn a_transaction_cannot_keep_old_nodes_for_ever() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let root = scene.root;
    scene.ok(root, Kind::SET_QUOTA, "transaction-age|100|");
    scene.write(guest, "a", "1");
    let tx = scene.start(guest);
    assert_eq!(scene.in_tx(guest, Kind::READ, tx, "a|"), Ok("1".into()));
    for i in 0..200 {
        scene.write(root, "/n", &format!("{i}"));
    }
    assert_eq!(scene.in_tx(guest, Kind::READ, tx, "a|"), Ok("1".into()));
    scene.in_tx(guest, Kind::WRITE, tx, "b|1").unwrap();
    assert_eq!(scene.end(guest, tx, true), Err("EAGAIN".into()));
    assert_eq!(scene.read(guest, "b"), Err("ENOENT".into()));
}

#[test]
fn a_big_removal_is_settled_in_steps_before_anyone_is_refused() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let root = scene.root;
    scene.ok(root, Kind::SET_QUOTA, "nodes|5000|");
    for i in 0..4990 {
        let made = scene.server.handle(
            &mut scene.machine,
            guest,
            &header(Kind::MKDIR, 0),
            format!("d/{i}\0").as_bytes(),
        );
        assert!(matches!(made, Outcome::Reply(_)));
    }
    assert!(usage(&scene, 1).nodes > 4990);
    scene.ok(root, Kind::RM, "/local/domain/1/d|");
    assert!(usage(&scene, 1).nodes > 2000, "one step does not clear it all");
    scene.ok(root, Kind::SET_QUOTA, "nodes|100|");
    assert!(usage(&scene, 1).nodes > 100);
    // One more step: whoever is over the limit only because of what was removed waits for it.
    while scene.server.step() {}
    assert_eq!(usage(&scene, 1).nodes, 1);
    scene.write(guest, "d", "1");
    assert_eq!(scene.server.limit(guest, Quota::Nodes), Some(100));
}

fn header(kind: Kind, tx_id: u32) -> Header {
    let message = Message::new(kind, 1, tx_id, Payload::new());
    Header::parse(*message.as_bytes().first_chunk().unwrap()).unwrap()
}
