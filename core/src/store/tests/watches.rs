//! Watches and their events.

use super::*;

#[test]
fn a_watch_fires_at_once_and_then_for_changes_at_and_below() {
    let mut scene = Scene::new();
    let (root, other) = (scene.root, scene.server.connect());
    scene.watch(root, "/a", "t");
    scene.write(other, "/a/b/c", "1");
    scene.write(other, "/ab", "1");
    scene.ok(other, Kind::RM, "/a/b|");
    scene.ok(other, Kind::SET_PERMS, "/a|r0|");
    scene.ok(other, Kind::MKDIR, "/a|");
    assert_eq!(scene.events(root), ["/a/b/c t", "/a/b t", "/a t"]);
    assert_eq!(scene.err(root, Kind::WATCH, "/a|t|"), "EEXIST");
    assert_eq!(scene.ok(root, Kind::UNWATCH, "/a|t|"), "OK|");
    assert_eq!(scene.err(root, Kind::UNWATCH, "/a|t|"), "ENOENT");
    scene.write(other, "/a", "2");
    assert_eq!(scene.events(root), [""; 0]);
}

#[test]
fn relative_watches_tell_relative_paths() {
    let (mut scene, [guest]) = Scene::with_guests([5]);
    scene.watch(guest, "data", "rel");
    scene.watch(guest, "/local/domain/5/data", "abs");
    scene.write(scene.root, "/local/domain/5/data/x", "1");
    scene.perms("/local/domain/5/data/x", "n5");
    assert_eq!(scene.events(guest), ["data/x rel", "/local/domain/5/data/x abs"]);
}

#[test]
fn removing_a_parent_tells_each_watcher_of_its_own_path() {
    let mut scene = Scene::new();
    let root = scene.root;
    scene.write(root, "/a/b/c", "1");
    for (path, token) in [("/", "0"), ("/a", "1"), ("/a/b", "2"), ("/a/b/c", "3"), ("/a/gone", "4")] {
        scene.watch(root, path, token);
    }
    scene.ok(root, Kind::RM, "/a|");
    assert_eq!(scene.events(root), ["/a/b/c 3", "/a/b 2", "/a 0", "/a 1"]);
}

#[test]
fn a_depth_limits_what_is_told() {
    let mut scene = Scene::new();
    let root = scene.root;
    for depth in 0..3 {
        scene.ok(root, Kind::WATCH, &format!("/a|{depth}|{depth}|"));
    }
    assert_eq!(scene.err(root, Kind::WATCH, "/a|x|-1|"), "EINVAL");
    scene.events(root);
    scene.write(root, "/a/b/c", "");
    scene.write(root, "/a/b", "");
    scene.write(root, "/a", "");
    assert_eq!(scene.events(root), ["/a/b/c 2", "/a/b 1", "/a/b 2", "/a 0", "/a 1", "/a 2"]);
}

#[test]
fn a_depth_needs_the_feature() {
    let mut scene = Scene::new();
    scene.machine.domains.insert(5);
    scene.ok(scene.root, Kind::SET_FEATURE, "5|3|");
    let guest = scene.introduce(5);
    assert_eq!(scene.err(guest, Kind::WATCH, "data|t|1|"), "EINVAL");
    assert_eq!(scene.ok(guest, Kind::GET_FEATURE, ""), "3|");
    scene.watch(guest, "data", "t");
}

#[test]
fn events_are_for_those_who_may_read() {
    let (mut scene, [one, two]) = Scene::with_guests([1, 2]);
    scene.write(scene.root, "/d/open", "1");
    scene.write(scene.root, "/d/secret", "1");
    scene.perms("/d/open", "r0");
    scene.watch(one, "/d", "t");
    scene.write(scene.root, "/d/secret", "2");
    assert_eq!(scene.events(one), [""; 0]);
    scene.write(scene.root, "/d/open", "2");
    assert_eq!(scene.events(one), ["/d/open t"]);
    // Losing and gaining the right is told, too.
    scene.perms("/d/open", "n0");
    assert_eq!(scene.events(one), ["/d/open t"]);
    scene.perms("/d/open", "n0|r1");
    assert_eq!(scene.events(one), ["/d/open t"]);
    scene.ok(scene.root, Kind::RM, "/d/open|");
    assert_eq!(scene.events(one), ["/d/open t"]);
    // Children come and go for all who may list the parent.
    scene.perms("/d", "r0");
    scene.write(scene.root, "/d/new", "");
    scene.perms("/d/new", "n0");
    scene.ok(scene.root, Kind::RM, "/d/new|");
    assert_eq!(scene.events(one), ["/d t", "/d/new t"]);
    assert_eq!(scene.events(two), [""; 0]);
}

#[test]
fn reset_ends_all_watches_and_transactions() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.watch(guest, "a", "1");
    scene.watch(guest, "@releaseDomain", "2");
    let tx = scene.start(guest);
    scene.write(guest, "a", "x");
    assert_eq!(scene.ok(guest, Kind::RESET_WATCHES, "|"), "OK|");
    assert_eq!(scene.end(guest, tx, true), Err("ENOENT".into()));
    assert_eq!(scene.events(guest), [""; 0]);
    scene.write(guest, "a", "y");
    assert_eq!(scene.events(guest), [""; 0]);
    scene.watch(guest, "a", "1");
}

#[test]
fn a_commit_that_takes_a_node_away_and_makes_it_anew_tells_who_could_read_it() {
    let (mut scene, [guest]) = Scene::with_guests([5]);
    scene.watch(guest, "/local", "t");
    let root = scene.root;
    let tx = scene.start(root);
    scene.in_tx(root, Kind::RM, tx, "/local|").unwrap();
    scene.in_tx(root, Kind::MKDIR, tx, "/local/domain/5|").unwrap();
    scene.end(root, tx, true).unwrap();
    assert_eq!(scene.events(guest), ["/local/domain/5 t"]);
}
