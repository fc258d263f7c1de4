//! What is refused, by this record and by a store that fails.

use super::*;

#[test]
fn the_same_disk_is_not_written_by_two() {
    let (mut world, _) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let mut refused = |access, target: &str, backend| {
        let other = world.devices.attach(DomId(8), backend, disk(target, access));
        if let Ok(name) = other {
            world.devices.detach(name, true).unwrap();
            world.run();
        }
        other.err().map(|error| error.to_string())
    };
    let used = Some("The file \"/a.img\" is already used".to_string());
    assert_eq!(refused(Access::ReadWrite, "/a.img", BACKEND), used);
    assert_eq!(refused(Access::ReadOnly, "/a.img", BACKEND), used);
    assert_eq!(refused(Access::ReadWriteShared, "/a.img", BACKEND), None);
    assert_eq!(refused(Access::ReadWrite, "/b.img", BACKEND), None);
    let elsewhere = Backend { domid: DomId(2), handle: [2; 16] };
    assert_eq!(refused(Access::ReadWrite, "/a.img", elsewhere), None, "that is another domain's file");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let problem = |outcome: Result<DeviceName, DeviceError>| outcome.unwrap_err().problem;
    let nodes = world.store.nodes.clone();
    assert_eq!(
        problem(world.devices.attach(FRONT, BACKEND, disk("/b.img", Access::ReadWrite))),
        Problem::Exists
    );
    let own = Backend { domid: FRONT, handle: [7; 16] };
    let other = Disk { vdev: "xvdb".parse().unwrap(), ..disk("/b.img", Access::ReadWrite) };
    assert!(matches!(problem(world.devices.attach(FRONT, own, other)), Problem::Unsupported(_)));
    assert_eq!(problem(world.devices.change(FRONT, drive(None))), Problem::Fixed);
    let missing = DeviceName { id: 1, ..name };
    assert_eq!(world.devices.detach(missing, true).unwrap_err().problem, Problem::Missing);
    world.run();
    assert_eq!(world.store.nodes, nodes);
    world.devices.detach(name, false).unwrap();
    assert_eq!(world.devices.detach(name, false).unwrap_err().problem, Problem::Busy);
}

#[test]
fn a_domain_has_a_bounded_number_of_disks() {
    let mut world = World::new();
    let mut attach = |number: u32| {
        let vdev = crate::config::devices::VirtualDevice::from_number(number).unwrap();
        let target = format!("/{number}");
        world.devices.attach(FRONT, BACKEND, Disk { vdev, ..disk(&target, Access::ReadOnly) })
    };
    assert!((0..256).all(|number| attach(number).is_ok()));
    assert_eq!(attach(256).unwrap_err().problem, Problem::Full);
}

/// Each request of an attach and of a detach fails once, for the moment or for good.
#[test]
fn every_refusal_of_the_store_is_got_over_or_taken_back() {
    let course = |fail| {
        let mut world = World::new();
        world.store.fail = fail;
        let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        for _ in 0..3 {
            world.now += RELEASE_NS;
            world.run();
        }
        if world.store.get(HOME).is_some() {
            world.serve();
            world.now += RELEASE_NS;
            world.run();
        }
        let connected = world.came();
        if world.devices.detach(name, false).is_ok() {
            for _ in 0..3 {
                world.now += SECOND;
                world.run();
            }
            if world.store.get(HOME).is_some() {
                world.let_go();
            }
        }
        world.wait();
        // What could not be removed when it had to be is all that may be left.
        (connected, world)
    };
    let (_, clean) = course(None);
    let requests = clean.store.asked;
    assert!(requests > 40, "{requests}");
    for at in 1..=requests {
        let (connected, world) = course(Some((at, Refused::Later)));
        assert_eq!(connected, [Outcome::Connected], "request {at}");
        world.assert_nothing_left();
        let (connected, world) = course(Some((at, Refused::Error(XsError::ENOMEM))));
        let failed = Outcome::Failed(Problem::Store(XsError::ENOMEM));
        assert!(
            matches!(&connected[..], [one] if *one == failed || *one == Outcome::Connected),
            "request {at}: {connected:?}"
        );
        assert!(world.devices.devices.is_empty() && world.devices.due(world.now).is_none(), "{at}");
    }
}
