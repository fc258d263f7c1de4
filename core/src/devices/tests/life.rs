//! Coming, working and going, with partners that do what they should or nothing at all.

use super::*;

#[test]
fn both_ends_are_made_with_their_rights_and_states_come_last() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    let value = |path: String| world.store.get(&path).map(str::to_string);
    for (name, wanted) in [
        ("frontend", FRONTEND),
        ("frontend-id", "7"),
        ("online", "1"),
        ("state", "1"),
        ("dev", "xvda"),
        ("mode", "w"),
        ("type", "file"),
        ("params", "/a.img"),
        ("device-type", "disk"),
        ("removable", "0"),
    ] {
        assert_eq!(value(format!("{HOME}/{name}")).as_deref(), Some(wanted), "{name}");
    }
    for (name, wanted) in
        [("backend", HOME), ("backend-id", "1"), ("state", "1"), ("virtual-device", "51712")]
    {
        assert_eq!(value(format!("{FRONTEND}/{name}")).as_deref(), Some(wanted), "{name}");
    }
    assert_eq!(world.store.perms[HOME], "[n1, r7]");
    assert_eq!(world.store.perms[FRONTEND], "[n7, r1]");
    assert_eq!(world.store.perms["/libxl/7/device/vbd/51712"], "[n0, r0]");
    let nodes = nodes::of(
        &DeviceName::first(FRONT, Class::Vbd),
        BACK,
        DomId(0),
        &disk("/a.img", Access::ReadWrite).into(),
    );
    let at = |what: &str| nodes.iter().position(|node| node.path.ends_with(what)).unwrap();
    assert!(at("/state") > at("/params").max(at("/device-type")).max(at("/virtual-device")));
}

#[test]
fn it_works_when_hotplug_and_driver_are_ready_and_not_before() {
    for order in [["2", "connected"], ["connected", "2"]] {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        for value in order {
            world.run();
            assert_eq!(world.came(), []);
            assert!(!world.devices.all_work(FRONT));
            let node = if value == "2" { "state" } else { "hotplug-status" };
            world.store.set(&format!("{HOME}/{node}"), value);
        }
        world.run();
        assert_eq!(world.came(), [Outcome::Connected]);
        assert!(world.devices.all_work(FRONT));
        assert_eq!(world.devices.due(world.now), None, "an idle device costs nothing");
    }
}

#[test]
fn what_hotplug_complains_of_is_said_and_nothing_is_left() {
    let complaint = |status: &str, error: Option<&str>| {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        world.run();
        error.into_iter().for_each(|error| world.store.set(&format!("{HOME}/hotplug-error"), error));
        world.store.set(&format!("{HOME}/hotplug-status"), status);
        world.wait();
        world.assert_nothing_left();
        world.came()
    };
    let detail = |text: &str| Detail::new(text.as_bytes());
    let why = "/a.img: No such file or directory";
    assert_eq!(complaint("error", Some(why)), [Outcome::Failed(Problem::Backend(detail(why)))]);
    assert_eq!(complaint("error", None), [Outcome::Failed(Problem::Backend(detail("")))]);
    assert_eq!(complaint("busy", Some("x")), [Outcome::Failed(Problem::Taken(detail("x")))]);
}

#[test]
fn who_does_not_answer_is_named_after_a_bounded_time() {
    // Only a driver that took it on gets time to let go of it.
    for (prepared, driver, more) in [(false, false, 0), (true, false, 0), (false, true, RELEASE_NS)] {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        world.run();
        if prepared {
            world.store.set(&format!("{HOME}/hotplug-status"), "connected");
        }
        if driver {
            world.store.set(&format!("{HOME}/state"), "2");
        }
        world.wait();
        assert_eq!(world.came(), [Outcome::Failed(Problem::NoAnswer { back: BACK, prepared })]);
        assert_eq!(world.now, CONNECT_NS + more);
        world.assert_nothing_left();
    }
}

#[test]
fn a_driver_that_gives_up_says_why() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.store.set("/local/domain/1/error/backend/vbd/7/51712/error", "19 creating vbd structure");
    world.store.set(&format!("{HOME}/state"), "5");
    world.store.set(&format!("{HOME}/hotplug-status"), "connected");
    world.wait();
    let why = Detail::new(b"19 creating vbd structure");
    assert_eq!(world.came(), [Outcome::Failed(Problem::Backend(why))]);
    world.assert_nothing_left();
}

#[test]
fn a_guest_is_asked_to_let_go_and_then_nothing_is_left() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/online")), Some("0"));
    assert_eq!(world.store.get(&format!("{HOME}/state")), Some("5"));
    assert!(world.store.get(FRONTEND).is_some(), "the guest still has it");
    world.store.set(&format!("{HOME}/state"), "6");
    world.run();
    assert_eq!(world.came(), [], "its loop device is still there");
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_backend_that_connects_meanwhile_is_told_again() {
    for force in [false, true] {
        let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
        world.devices.detach(name, force).unwrap();
        world.run();
        for state in ["3", "4"] {
            world.store.set(&format!("{HOME}/state"), state);
            world.run();
            assert_eq!(world.store.get(&format!("{HOME}/state")), Some("5"), "{force}");
        }
        world.let_go();
        assert_eq!(world.came(), [Outcome::Gone]);
        world.assert_nothing_left();
    }
}

#[test]
fn a_guest_that_lets_go_late_is_waited_for_without_a_timer() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.wait();
    world.came();
    assert_eq!(world.devices.due(world.now), None);
    world.now += 5000 * SECOND;
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_backend_that_never_lets_go_is_told_from_a_guest_and_force_is_over_soon() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.store.set(&format!("{FRONTEND}/state"), "6");
    world.wait();
    assert_eq!(world.came(), [Outcome::Held(Problem::Kept(BACK))]);
    let then = world.now;
    world.devices.detach(name, true).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Gone]);
    assert_eq!(world.now, then + RELEASE_NS);
    world.assert_nothing_left();
}

#[test]
fn another_disc_comes_into_a_drive() {
    let (mut world, name) = World::with_disk(drive(None));
    world.devices.change(FRONT, drive(Some("/disc.iso"))).unwrap();
    world.run();
    world.let_go();
    assert_eq!(world.store.left(), Vec::<&String>::new(), "its guest is to see that it went");
    world.now += AWAY_NS;
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/params")), Some("/disc.iso"));
    world.serve();
    assert_eq!(world.came(), [Outcome::Changed]);
    assert_eq!(world.devices.equipment(&name), Some(&drive(Some("/disc.iso")).into()));
}

#[test]
fn a_disc_that_does_not_work_leaves_the_old_one_in_the_drive() {
    let (mut world, name) = World::with_disk(drive(Some("/old.iso")));
    world.devices.change(FRONT, drive(Some("/new.iso"))).unwrap();
    world.run();
    world.let_go();
    world.now += AWAY_NS;
    world.run();
    world.store.set(&format!("{HOME}/hotplug-status"), "error");
    world.run();
    world.let_go();
    world.now += AWAY_NS;
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/params")), Some("/old.iso"));
    world.serve();
    assert!(matches!(world.came()[..], [Outcome::NotChanged(Problem::Backend(_))]));
    assert_eq!(world.devices.equipment(&name), Some(&drive(Some("/old.iso")).into()));
}

#[test]
fn a_device_nobody_waits_for_is_taken_back() {
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.devices.withdraw(name);
    world.wait();
    assert_eq!(world.came(), [Outcome::Failed(Problem::Withdrawn)]);
    world.assert_nothing_left();
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.withdraw(name);
    world.wait();
    assert_eq!(world.came(), [], "one that works stays");
}
