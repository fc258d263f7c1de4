//! Domains coming and going, features, limits and commands.

use super::*;

#[test]
fn introduction_is_asked_of_the_platform_and_told() {
    let mut scene = Scene::new();
    let root = scene.root;
    assert_eq!(scene.err(root, Kind::INTRODUCE, "5|1|2|"), "ENOENT");
    assert_eq!(scene.err(root, Kind::INTRODUCE, "0|1|2|"), "EINVAL");
    assert_eq!(scene.err(root, Kind::INTRODUCE, "5|1|0|"), "EINVAL");
    scene.watch(root, "@introduceDomain", "i");
    scene.ok(root, Kind::WATCH, "@introduceDomain|n|1|");
    assert_eq!(scene.events(root), ["@introduceDomain n"]);
    scene.machine.domains.insert(5);
    scene.machine.fails = Some(XsError::EIO);
    assert_eq!(scene.err(root, Kind::INTRODUCE, "5|1|2|"), "EIO");
    assert_eq!(scene.ok(root, Kind::IS_DOMAIN_INTRODUCED, "5|"), "F|");
    scene.machine.fails = None;
    assert_eq!(scene.ok(root, Kind::INTRODUCE, "5|1|2|"), "OK|");
    assert_eq!(scene.ok(root, Kind::IS_DOMAIN_INTRODUCED, "5|"), "T|");
    assert_eq!(scene.events(root), ["@introduceDomain i", "@introduceDomain/5 n"]);
    assert_eq!(scene.machine.log.last().unwrap(), "introduce 5 ConnId(3) 1 2");
    assert_eq!(scene.ok(root, Kind::GET_DOMAIN_PATH, "5|"), "/local/domain/5|");
}

#[test]
fn introducing_again_resets_the_connection() {
    let (mut scene, [guest]) = Scene::with_guests([5]);
    scene.watch(guest, "a", "t");
    let tx = scene.start(guest);
    scene.ok(scene.root, Kind::INTRODUCE, "5|1|9|");
    assert_eq!(scene.machine.log.last().unwrap(), "reintroduce 5 ConnId(2) 9");
    assert_eq!(scene.end(guest, tx, true), Err("ENOENT".into()));
    scene.write(guest, "a", "1");
    assert_eq!(scene.events(guest), [""; 0]);
}

#[test]
fn a_release_removes_what_the_domain_owned_and_is_told() {
    let (mut scene, [one, two]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    scene.write(root, "/backend/1", "x");
    scene.perms("/backend/1", "n0|b1");
    scene.write(one, "/backend/1/mine", "1");
    scene.write(one, "data", "1");
    scene.watch(root, "@releaseDomain", "r");
    scene.watch(root, "/backend/1/mine", "m");
    scene.ok(root, Kind::WATCH, "@releaseDomain/2|only-2|");
    scene.ok(root, Kind::WATCH, "@releaseDomain|n|1|");
    scene.events(root);
    assert_eq!(scene.ok(root, Kind::RELEASE, "1|"), "OK|");
    assert_eq!(scene.events(root), ["/backend/1/mine m", "@releaseDomain r", "@releaseDomain/1 n"]);
    assert_eq!(scene.read(root, "/local/domain/1"), Err("ENOENT".into()));
    assert_eq!(scene.read(root, "/backend/1"), Ok("x".into()));
    assert_eq!(scene.read(root, "/backend/1/mine"), Err("ENOENT".into()));
    assert_eq!(scene.ok(root, Kind::GET_PERMS, "/backend/1|"), "n0|");
    assert_eq!(scene.machine.log.last().unwrap(), "release 1 ConnId(2)");
    assert_eq!(scene.err(root, Kind::RELEASE, "1|"), "ENOENT");
    assert_eq!(scene.err(root, Kind::RELEASE, "0|"), "EINVAL");
    assert_eq!(scene.outcome(one, Kind::READ, 0, "data|"), scene.outcome(ConnId(99), Kind::READ, 0, "data|"));
    scene.server.domain_shutdown(DomId(2));
    scene.server.domain_shutdown(DomId(2));
    let told = ["@releaseDomain r", "@releaseDomain/2 n", "@releaseDomain/2 only-2"];
    assert_eq!(scene.events(root), told);
    scene.ok(root, Kind::RESUME, "2|");
    scene.server.domain_shutdown(DomId(2));
    assert_eq!(scene.events(root), told);
    scene.write(two, "still-there", "1");
}

#[test]
fn a_target_lends_its_rights() {
    let (mut scene, [stub, guest]) = Scene::with_guests([7, 5]);
    scene.write(guest, "data", "1");
    assert_eq!(scene.read(stub, "/local/domain/5/data"), Err("EACCES".into()));
    assert_eq!(scene.err(scene.root, Kind::SET_TARGET, "7|9|"), "ENOENT");
    scene.ok(scene.root, Kind::SET_TARGET, "7|5|");
    assert_eq!(scene.read(stub, "/local/domain/5/data"), Ok("1".into()));
    scene.write(stub, "/local/domain/5/data", "2");
    assert_eq!(scene.read(guest, "/local/domain/7"), Err("EACCES".into()));
}

#[test]
fn the_privileged_verbs_are_for_the_privileged() {
    let (mut scene, [guest]) = Scene::with_guests([5]);
    for (kind, text) in [
        (Kind::INTRODUCE, "5|1|2|"),
        (Kind::RELEASE, "5|"),
        (Kind::RESUME, "5|"),
        (Kind::SET_TARGET, "5|5|"),
        (Kind::IS_DOMAIN_INTRODUCED, "5|"),
        (Kind::SET_FEATURE, "5|1|"),
        (Kind::GET_FEATURE, "5|"),
        (Kind::GET_QUOTA, "nodes|"),
        (Kind::SET_QUOTA, "nodes|1|"),
        (Kind::CONTROL, "check|"),
    ] {
        assert_eq!(scene.err(guest, kind, text), "EACCES", "{kind}");
    }
    assert_eq!(scene.err(guest, Kind(20), "5|"), "ENOSYS");
    assert_eq!(scene.err(guest, Kind::WATCH_EVENT, "5|"), "ENOSYS");
}

#[test]
fn a_domain_with_everything_is_privileged_until_its_end() {
    let (mut scene, [admin, guest]) = Scene::with_guests([3, 5]);
    assert_eq!(scene.err(admin, Kind::DIRECTORY, "/|"), "EACCES");
    scene.grant(3, Rights::Everything);
    assert_eq!(scene.ok(admin, Kind::DIRECTORY, "/|"), "local|");
    scene.write(admin, "/local/domain/5/data", "1");
    assert_eq!(scene.ok(admin, Kind::GET_PERMS, "/local/domain/5/data|"), "n5|");
    assert_eq!(scene.ok(admin, Kind::IS_DOMAIN_INTRODUCED, "5|"), "T|");
    scene.watch(admin, "@releaseDomain", "r");
    scene.ok(admin, Kind::RELEASE, "5|");
    assert_eq!(scene.events(admin), ["@releaseDomain r"]);
    assert_eq!(scene.read(guest, "data"), Err("EINVAL".into()));
    scene.ok(scene.root, Kind::RELEASE, "3|");
    let newcomer = scene.introduce(3);
    assert_eq!(scene.err(newcomer, Kind::DIRECTORY, "/|"), "EACCES");
    let unknown = scene.server.grant(&scene.machine, DomId(9), Rights::Everything);
    let control = scene.server.grant(&scene.machine, DomId(0), Rights::Nothing);
    assert_eq!((unknown, control), (Err(XsError::ENOENT), Err(XsError::EINVAL)));
}

#[test]
fn an_observer_sees_all_and_writes_by_permission() {
    for rights in [Rights::Observe, Rights::Children] {
        let (mut scene, [observer, guest]) = Scene::with_guests([3, 5]);
        scene.grant(3, rights);
        scene.write(scene.root, "/secret", "1");
        assert_eq!(scene.read(observer, "/secret"), Ok("1".into()));
        assert_eq!(scene.read(observer, "/missing/node"), Err("ENOENT".into()));
        assert_eq!(scene.ok(observer, Kind::GET_PERMS, "/secret|"), "n0|");
        for (kind, text) in [
            (Kind::WRITE, "/secret|2"),
            (Kind::MKDIR, "/missing|"),
            (Kind::RM, "/secret|"),
            (Kind::SET_PERMS, "/secret|r3|"),
            (Kind::RELEASE, "5|"),
        ] {
            assert_eq!(scene.err(observer, kind, text), "EACCES", "{kind}");
        }
        scene.write(observer, "own", "");
        scene.watch(observer, "/local/domain/5", "w");
        scene.watch(observer, "@introduceDomain", "i");
        scene.watch(observer, "@releaseDomain", "r");
        scene.write(guest, "data", "1");
        scene.introduce(6);
        scene.ok(scene.root, Kind::RELEASE, "5|");
        let expected =
            ["/local/domain/5/data w", "@introduceDomain i", "/local/domain/5 w", "@releaseDomain r"];
        assert_eq!(scene.events(observer), expected);
    }
}

/// Nothing of its transaction is left when a privileged domain ends its own connection within one.
#[test]
fn a_privileged_domain_may_release_itself() {
    let (mut scene, [admin]) = Scene::with_guests([3]);
    scene.grant(3, Rights::Everything);
    let tx = scene.start(admin);
    scene.in_tx(admin, Kind::WRITE, tx, "/x|1").unwrap();
    assert_eq!(scene.in_tx(admin, Kind::RELEASE, tx, "3|"), Ok("OK|".into()));
    assert!(scene.server.by_age.is_empty());
    scene.server.check().unwrap();
}

#[test]
fn features_are_chosen_before_introduction() {
    let (mut scene, _) = Scene::with_guests([5]);
    let root = scene.root;
    assert_eq!(scene.err(root, Kind::SET_FEATURE, "5|1|"), "EBUSY");
    assert_eq!(scene.err(root, Kind::SET_FEATURE, "6|1|"), "ENOENT");
    scene.machine.domains.insert(6);
    assert_eq!(scene.err(root, Kind::SET_FEATURE, "6|16|"), "EINVAL");
    assert_eq!(scene.ok(root, Kind::SET_FEATURE, "6|5|"), "OK|");
    assert_eq!(scene.ok(root, Kind::GET_FEATURE, "6|"), "5|");
    assert_eq!(scene.ok(root, Kind::GET_FEATURE, ""), "15|");
}

#[test]
fn limits_change_at_run_time_for_all_or_one() {
    let (mut scene, [one, two]) = Scene::with_guests([1, 2]);
    let root = scene.root;
    assert!(
        scene.ok(root, Kind::GET_QUOTA, "").starts_with("nodes watches transactions outstanding memory ")
    );
    assert_eq!(scene.ok(root, Kind::GET_QUOTA, "nodes|"), "1000|");
    scene.ok(root, Kind::SET_QUOTA, "nodes|2|");
    scene.ok(root, Kind::SET_QUOTA, "2|nodes|3|");
    assert_eq!(scene.ok(root, Kind::GET_QUOTA, "2|nodes|"), "3|");
    assert_eq!(scene.err(root, Kind::GET_QUOTA, "frogs|"), "EINVAL");
    assert_eq!(scene.err(root, Kind::GET_QUOTA, "9|nodes|"), "ENOENT");
    scene.write(one, "a", "");
    assert_eq!(scene.err(one, Kind::WRITE, "b|"), "ENOSPC");
    scene.write(two, "a", "");
    scene.write(two, "b", "");
    assert_eq!(scene.err(two, Kind::WRITE, "c|"), "ENOSPC");
    scene.ok(root, Kind::CONTROL, "quota|set|nodes|50|");
    scene.write(one, "b", "");
    assert_eq!(scene.err(root, Kind::CONTROL, "quota|set|nodes|0|"), "EINVAL");
    assert!(scene.ok(root, Kind::CONTROL, "quota|").contains("nodes             :       50 "));
    assert!(scene.ok(root, Kind::CONTROL, "quota|1|").contains("nodes           :        3\n"));
}

#[test]
fn commands_answer() {
    let mut scene = Scene::new();
    let root = scene.root;
    assert_eq!(scene.ok(root, Kind::CONTROL, "check|"), "OK|");
    assert_eq!(scene.ok(root, Kind::CONTROL, "print|hello|"), "OK|");
    assert_eq!(scene.machine.log, ["hello"]);
    assert!(scene.ok(root, Kind::CONTROL, "help|").contains("quota"));
    assert_eq!(scene.err(root, Kind::CONTROL, "dance|"), "EINVAL");
}

#[test]
fn a_root_given_away_comes_back() {
    let (mut scene, [guest]) = Scene::with_guests([1]);
    scene.perms("/", "r1");
    scene.write(guest, "/by-guest", "1");
    scene.server.domain_died(&mut scene.machine, DomId(1));
    scene.server.check().unwrap();
    assert_eq!(scene.ok(scene.root, Kind::GET_PERMS, "/|"), "n0|");
    assert_eq!(scene.ok(scene.root, Kind::DIRECTORY, "/|"), "local|");
}
