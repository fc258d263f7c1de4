//! Domains that end: those that have devices, and those that serve them.

use super::*;

#[test]
fn what_a_domain_served_goes_with_it_and_comes_again() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.backend_ended(BACK);
    world.store.remove("/local/domain/1");
    world.run();
    assert_eq!(world.came(), [Outcome::Lost]);
    assert_eq!(world.store.left(), Vec::<&String>::new());
    world.devices.backend_runs(Backend { domid: DomId(9), handle: [2; 16] });
    world.run();
    assert_eq!(world.store.left(), Vec::<&String>::new(), "that is somebody else");
    world.devices.backend_runs(Backend { domid: DomId(9), handle: BACKEND.handle });
    world.run();
    assert_eq!(world.store.get(&format!("{FRONTEND}/backend-id")), Some("9"));
    let home = "/local/domain/9/backend/vbd/7/51712";
    world.store.set(&format!("{home}/hotplug-status"), "connected");
    world.store.set(&format!("{home}/state"), "2");
    world.run();
    assert_eq!(world.came(), [Outcome::Connected]);
    world.devices.detach(name, true).unwrap();
    world.wait();
    world.assert_nothing_left();
}

#[test]
fn a_guest_hears_that_its_backend_ended_before_it_loses_the_device() {
    for hears in [true, false] {
        let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
        world.store.set(&format!("{FRONTEND}/state"), "4");
        assert!(!world.devices.backend_ended(BACK));
        world.run();
        assert_eq!(world.store.get(&format!("{HOME}/state")), Some("5"));
        assert_eq!(world.store.get(&format!("{FRONTEND}/state")), Some("4"), "it closes what is still there");
        assert!(!world.devices.backend_ended(BACK), "its nodes are still looked at");
        if hears {
            world.store.set(&format!("{FRONTEND}/state"), "6");
            world.run();
        }
        world.wait();
        assert_eq!((world.came(), world.now), (Vec::from([Outcome::Lost]), if hears { 0 } else { PART_NS }));
        assert!(world.devices.backend_ended(BACK));
        assert_eq!(world.store.left(), Vec::<&String>::new());
        world.devices.detach(name, false).unwrap();
        world.run();
        world.assert_nothing_left();
    }
}

#[test]
fn what_is_to_go_while_its_backend_ends_does_not_come_again() {
    for what in 0..3 {
        let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
        world.store.set(&format!("{FRONTEND}/state"), "4");
        assert!(!world.devices.backend_ended(BACK));
        world.run();
        match what {
            0 => assert!(!world.devices.close(FRONT)),
            1 => world.devices.detach(name, false).unwrap(),
            _ => world.devices.detach(name, true).unwrap(),
        }
        world.wait();
        assert_eq!(world.came(), [Outcome::Gone]);
        assert_eq!(world.now, if what == 1 { PART_NS } else { 0 }, "{what}");
        world.assert_nothing_left();
    }
}

#[test]
fn a_backend_that_ends_is_no_reason_to_wait() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.devices.backend_ended(BACK);
    world.run();
    assert_eq!(world.came(), [Outcome::Failed(Problem::BackendGone(BACK))]);
    world.assert_nothing_left();
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.run();
    world.devices.backend_ended(BACK);
    world.run();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_domain_that_ends_has_nothing_any_more_in_bounded_time() {
    for phase in 0..4 {
        let mut world = World::new();
        let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        match phase {
            0 => {}
            1 => world.run(),
            2 | 3 => {
                world.run();
                world.serve();
                if phase == 3 {
                    world.devices.detach(name, false).unwrap();
                    world.run();
                }
            }
            _ => unreachable!(),
        }
        assert!(!world.devices.close(FRONT));
        world.wait();
        assert!(world.devices.close(FRONT), "{phase}");
        assert!(world.now <= RELEASE_NS);
        world.assert_nothing_left();
    }
}
