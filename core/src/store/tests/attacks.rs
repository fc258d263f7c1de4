//! What has been done to XenStore servers before. Rows and advisories: `docs/attacks.md`.

use super::*;
use crate::store::wire::{ABS_PATH_MAX, PAYLOAD_MAX};
use proptest::prelude::*;

const NODE_VERBS: [(Kind, &str); 8] = [
    (Kind::READ, ""),
    (Kind::DIRECTORY, ""),
    (Kind::DIRECTORY_PART, "0|"),
    (Kind::GET_PERMS, ""),
    (Kind::WRITE, "x"),
    (Kind::MKDIR, ""),
    (Kind::RM, ""),
    (Kind::SET_PERMS, "b1|"),
];

#[test]
fn attack_a01_a_watcher_learns_only_what_it_may_read() {
    let (mut scene, [spy, victim]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    for path in [
        "/",
        "/local/domain/2",
        "/local/domain/2/key",
        "@introduceDomain",
        "@releaseDomain",
        "@releaseDomain/2",
    ] {
        scene.watch(spy, path, "spy");
    }
    scene.write(victim, "key", "1");
    scene.ok(victim, Kind::RM, "key|");
    scene.introduce(3);
    scene.server.domain_shutdown(DomId(2));
    scene.ok(root, Kind::RELEASE, "2|");
    scene.ok(root, Kind::RM, "/local/domain/2|");
    assert_eq!(scene.events(spy), [""; 0]);
    assert_eq!(scene.err(spy, Kind::SET_PERMS, "@releaseDomain|r1|"), "EACCES");
    assert_eq!(scene.err(spy, Kind::GET_PERMS, "@releaseDomain|"), "EACCES");
    scene.perms("@releaseDomain", "n0|r1");
    scene.ok(root, Kind::RELEASE, "3|");
    assert_eq!(scene.events(spy), ["@releaseDomain spy"]);
    assert_eq!(scene.ok(spy, Kind::GET_PERMS, "@releaseDomain|"), "n0|r1|");
}

#[test]
fn attack_a02_transactions_are_limited_and_a_conflict_hurts_only_its_own() {
    let (mut scene, [bad, good]) = Scene::with_guests([1, 2]);
    let open: Vec<_> = (0..10).map(|_| scene.start(bad)).collect();
    assert_eq!(scene.err(bad, Kind::TRANSACTION_START, "|"), "ENOSPC");
    let good_tx = scene.start(good);
    scene.in_tx(good, Kind::WRITE, good_tx, "a|1").unwrap();
    for tx in &open {
        scene.in_tx(bad, Kind::READ, *tx, "a|").unwrap_err();
        scene.in_tx(bad, Kind::READ, *tx, "/local/domain/2/a|").unwrap_err();
    }
    scene.write(bad, "a", "1");
    for tx in open {
        assert_eq!(scene.end(bad, tx, true), Err("EAGAIN".into()));
    }
    assert_eq!(scene.end(good, good_tx, true), Ok("OK|".into()));
    assert_eq!(scene.server.usage(DomId(1)).unwrap().transactions, 0);
}

#[test]
fn attack_a02_a_guest_cannot_starve_a_privileged_commit() {
    let (mut scene, [guest, other]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    scene.write(guest, "state", "0");
    let mut attempts = 0;
    let mut waiting = None;
    loop {
        attempts += 1;
        let tx = scene.start(root);
        scene.in_tx(root, Kind::READ, tx, "/local/domain/1/state|").unwrap();
        if scene.server.is_ready(guest) {
            let text = format!("state|{attempts}");
            if scene.outcome(guest, Kind::WRITE, 0, &text) == Outcome::Wait {
                waiting = Some(text);
            }
        }
        assert!(scene.server.is_ready(other), "only who is in the way waits");
        scene.write(other, "state", "1");
        scene.in_tx(root, Kind::WRITE, tx, "/seen|1").unwrap();
        if scene.end(root, tx, true).is_ok() {
            break;
        }
    }
    assert_eq!(attempts, 2);
    assert!(scene.server.is_ready(guest));
    assert_eq!(scene.ask(guest, Kind::WRITE, &waiting.unwrap()), Ok("OK|".into()));
}

#[test]
fn attack_a03_nodes_and_permissions_of_the_dead_are_not_inherited() {
    let (mut scene, [first]) = Scene::with_guests([5]);
    let root = scene.root;
    scene.write(root, "/shared", "secret");
    scene.perms("/shared", "n0|b5");
    scene.perms("@releaseDomain", "n0|r5");
    scene.write(first, "mine", "1");
    scene.write(first, "/shared/mine", "1");
    scene.server.domain_died(&mut scene.machine, DomId(5));
    assert_eq!(scene.read(root, "/shared/mine"), Err("ENOENT".into()));
    let second = scene.introduce(5);
    assert_eq!(scene.read(second, "/shared"), Err("EACCES".into()));
    assert_eq!(scene.err(second, Kind::WRITE, "/shared/x|1"), "EACCES");
    assert_eq!(scene.read(second, "mine"), Err("ENOENT".into()));
    assert_eq!(scene.ok(root, Kind::GET_PERMS, "/shared|"), "n0|");
    assert_eq!(scene.err(second, Kind::GET_PERMS, "@releaseDomain|"), "EACCES");
}

#[test]
fn attack_a05_an_event_always_fits_a_message() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let token = "t".repeat(PAYLOAD_MAX - ABS_PATH_MAX - 2);
    scene.watch(guest, "d", &token);
    assert_eq!(scene.err(guest, Kind::WATCH, &format!("d|{token}x|")), "EINVAL");
    let deep = format!("d/{}", "n".repeat(2000));
    scene.write(guest, &deep, "");
    assert_eq!(scene.events(guest), [format!("{deep} {token}")]);
}

#[test]
fn attack_a06_cleaning_up_needs_no_help_from_the_dead() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let before = scene.server.usage(DomId(0)).unwrap();
    scene.write(guest, "a/b", "1");
    scene.watch(guest, "a", "t");
    let tx = scene.start(guest);
    scene.in_tx(guest, Kind::WRITE, tx, "a/c|1").unwrap();
    // The transport has cut the connection's ring; its end comes later, or never.
    scene.server.reset(guest);
    scene.server.reset(guest);
    scene.server.check().unwrap();
    scene.server.domain_died(&mut scene.machine, DomId(1));
    scene.server.domain_died(&mut scene.machine, DomId(1));
    scene.server.check().unwrap();
    assert_eq!(scene.server.usage(DomId(1)), None);
    assert_eq!(scene.machine.log.iter().filter(|line| line.starts_with("release")).count(), 1);
    scene.ok(scene.root, Kind::DIRECTORY, "/local/domain|");
    assert_eq!(scene.server.usage(DomId(0)).unwrap(), before);
}

#[test]
fn attack_a08_only_the_privileged_change_an_owner() {
    let (mut scene, [one, _]) = Scene::with_guests([1, 2]);
    scene.write(one, "n", "1");
    assert_eq!(scene.err(one, Kind::SET_PERMS, "n|n2|"), "EPERM");
    assert_eq!(scene.err(one, Kind::SET_PERMS, "n|n0|b1|"), "EPERM");
    let tx = scene.start(one);
    assert_eq!(scene.in_tx(one, Kind::SET_PERMS, tx, "n|n2|"), Err("EPERM".into()));
    scene.perms("/local/domain/2", "b2");
    assert_eq!(scene.err(one, Kind::SET_PERMS, "/local/domain/2|b1|"), "EACCES");
    let usage = |scene: &Scene, domid| scene.server.usage(DomId(domid)).unwrap().nodes;
    let before = (usage(&scene, 1), usage(&scene, 2));
    scene.perms("/local/domain/1/n", "n2");
    assert_eq!((usage(&scene, 1) + 1, usage(&scene, 2)), (before.0, before.1 + 1));
}

#[test]
fn attack_a09_every_verb_asks_for_the_right() {
    let (mut scene, [guest, victim]) = Scene::with_guests([1, 2]);
    scene.write(victim, "key", "1");
    for tx in [0, scene.start(guest)] {
        for path in [
            "/",
            "/local",
            "/local/domain",
            "/local/domain/2",
            "/local/domain/2/key",
            "/local/domain/2/new",
            "/new",
        ] {
            for (kind, rest) in NODE_VERBS {
                let answer = scene.in_tx(guest, kind, tx, &format!("{path}|{rest}"));
                assert_eq!(answer, Err("EACCES".into()), "{kind} {path}");
            }
        }
    }
    assert_eq!(scene.read(victim, "key"), Ok("1".into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn attack_a11_nonsense_harms_only_its_sender(
        requests in proptest::collection::vec((0u32..30, 0u32..3, "[a/@|0-9-]{0,12}"), 1..30)
    ) {
        let (mut scene, [bad, good]) = Scene::with_guests([1, 2]);
        for (kind, tx, text) in requests {
            let _ = scene.outcome(bad, Kind(kind), tx, &text);
            while scene.server.next_event(bad).is_some() {}
        }
        scene.write(good, "alive", "1");
        prop_assert_eq!(scene.ok(scene.root, Kind::CONTROL, "check|"), "OK|");
    }
}

#[test]
fn attack_a12_nothing_is_created_below_what_was_removed() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let root = scene.root;
    scene.write(guest, "d/x", "1");
    let (one, two) = (scene.start(guest), scene.start(guest));
    scene.in_tx(guest, Kind::RM, one, "d|").unwrap();
    assert_eq!(scene.in_tx(guest, Kind::READ, one, "d/x|"), Err("ENOENT".into()));
    scene.in_tx(guest, Kind::WRITE, two, "d/y|1").unwrap();
    assert_eq!(scene.end(guest, one, true), Ok("OK|".into()));
    assert_eq!(scene.end(guest, two, true), Err("EAGAIN".into()));
    let three = scene.start(guest);
    scene.in_tx(guest, Kind::WRITE, three, "e/f/g|1").unwrap();
    scene.in_tx(guest, Kind::RM, three, "e|").unwrap();
    scene.in_tx(guest, Kind::WRITE, three, "e/h|1").unwrap();
    assert_eq!(scene.end(guest, three, true), Ok("OK|".into()));
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/local/domain/1|"), "e|");
    assert_eq!(scene.ok(root, Kind::DIRECTORY, "/local/domain/1/e|"), "h|");
}

#[test]
fn attack_a14_a_deep_tree_is_built_searched_and_removed() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.ok(scene.root, Kind::SET_QUOTA, "nodes|5000|");
    let deep = ["d"; 1000].join("/");
    scene.write(guest, &deep, "bottom");
    scene.watch(guest, &deep, "t");
    assert_eq!(scene.read(guest, &deep), Ok("bottom".into()));
    scene.ok(guest, Kind::RM, "d|");
    while scene.server.step() {}
    assert_eq!(scene.events(guest), [format!("{deep} t")]);
    assert_eq!(scene.server.usage(DomId(1)).unwrap().nodes, 1);
    scene.write(guest, &deep, "again");
    scene.server.domain_died(&mut scene.machine, DomId(1));
    scene.server.check().unwrap();
}

#[test]
fn attack_a16_counters_wrap() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    let first = scene.start(guest);
    assert_eq!(first, 1);
    scene.server.conns.get_mut(&guest).unwrap().last_transaction = u32::MAX - 1;
    assert_eq!(scene.start(guest), u32::MAX);
    assert_eq!(scene.start(guest), 2, "0 is no transaction, 1 is still open");
    scene.in_tx(guest, Kind::WRITE, u32::MAX, "a|1").unwrap();
    assert_eq!(scene.end(guest, u32::MAX, true), Ok("OK|".into()));
    assert_eq!(scene.end(guest, first, true), Ok("OK|".into()));
}

#[test]
fn attack_a17_a_number_used_again_starts_clean() {
    let (mut scene, [first]) = Scene::with_guests([5]);
    let fresh = scene.server.usage(DomId(5)).unwrap();
    for i in 0..50 {
        scene.write(first, &format!("n/{i}"), "some value");
        scene.watch(first, &format!("n/{i}"), "t");
    }
    let tx = scene.start(first);
    scene.in_tx(first, Kind::WRITE, tx, "n/x|1").unwrap();
    scene.ok(scene.root, Kind::SET_QUOTA, "5|nodes|3|");
    scene.server.domain_died(&mut scene.machine, DomId(5));
    scene.introduce(5);
    assert_eq!(scene.server.usage(DomId(5)), Some(fresh));
    assert_eq!(scene.ok(scene.root, Kind::GET_QUOTA, "5|nodes|"), "1000|");
}

#[test]
fn attack_a18_cleaning_up_is_the_same_from_every_state() {
    for end in 0..4 {
        let (mut scene, [guest]) = Scene::with_guests([1]);
        let fresh = scene.server.usage(DomId(1)).unwrap();
        let tx = scene.start(guest);
        scene.watch(guest, "w", "t");
        scene.in_tx(guest, Kind::WRITE, tx, "a/b|1").unwrap();
        match end {
            0 => drop(scene.in_tx(guest, Kind::RESET_WATCHES, tx, "|").unwrap()),
            1 => drop(scene.ok(guest, Kind::RESET_WATCHES, "|")),
            2 => scene.server.reset(guest),
            _ => drop(scene.ok(scene.root, Kind::INTRODUCE, "1|1|1|")),
        }
        scene.server.check().unwrap();
        assert_eq!(scene.server.usage(DomId(1)).unwrap(), fresh);
        assert_eq!(scene.end(guest, tx, true), Err("ENOENT".into()));
        scene.server.disconnect(guest);
        scene.server.disconnect(guest);
        scene.server.check().unwrap();
    }
}

#[test]
fn attack_a19_target_and_stub_may_die_in_either_order() {
    for stub_first in [true, false] {
        let (mut scene, [stub, guest]) = Scene::with_guests([7, 5]);
        scene.ok(scene.root, Kind::SET_TARGET, "7|5|");
        scene.write(stub, "/local/domain/5/by-stub", "1");
        scene.write(guest, "own", "1");
        let order = if stub_first { [7, 5] } else { [5, 7] };
        scene.server.domain_died(&mut scene.machine, DomId(order[0]));
        scene.server.check().unwrap();
        if !stub_first {
            // The stub is nobody's any more, also when the number is used again.
            scene.introduce(5);
            assert_eq!(scene.read(stub, "/local/domain/5"), Err("EACCES".into()));
        }
        scene.server.domain_died(&mut scene.machine, DomId(order[1]));
        scene.server.check().unwrap();
        let released = |domid: u16| {
            let line = format!("release {domid} ");
            scene.machine.log.iter().filter(|entry| entry.starts_with(&line)).count()
        };
        assert_eq!((released(7), released(5)), (1, 1));
    }
}

#[test]
fn attack_a21_no_answer_is_longer_than_a_message() {
    let mut scene = Scene::new();
    let root = scene.root;
    for i in 0..40 {
        scene.write(root, &format!("/d/{}{i:02}", "n".repeat(100)), "");
    }
    assert_eq!(scene.err(root, Kind::DIRECTORY, "/d|"), "E2BIG");
    assert!(scene.ok(root, Kind::DIRECTORY_PART, "/d|0|").len() <= PAYLOAD_MAX);
    let entries = "n0|".repeat(1300);
    scene.ok(root, Kind::SET_PERMS, &format!("/d|{entries}"));
    assert_eq!(scene.ok(root, Kind::GET_PERMS, "/d|"), entries);
    let longest = "v".repeat(PAYLOAD_MAX - 3);
    scene.write(root, "/v", &longest);
    assert_eq!(scene.read(root, "/v"), Ok(longest));
}
