//! What guests do with devices (`docs/attacks.md`, rows c01 to c05).

use super::*;

#[test]
fn attack_c01_what_the_guest_writes_about_its_backend_decides_nothing() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let victim = "/local/domain/3/backend/vbd/9/51712";
    world.store.set("/local/domain/3", "");
    world.store.set(&format!("{victim}/state"), "4");
    world.store.set(&format!("{FRONTEND}/backend"), victim);
    world.store.set(&format!("{FRONTEND}/backend-id"), "3");
    world.devices.detach(name, true).unwrap();
    world.run();
    world.let_go();
    assert_eq!(world.store.get(&format!("{victim}/state")), Some("4"));
    assert_eq!(world.store.get(&format!("{victim}/online")), None);
    assert!(world.store.get(HOME).is_none());
}

#[test]
fn attack_c02_nonsense_of_either_end_is_no_state_and_force_still_works() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    let huge = "9".repeat(4000);
    for state in ["99", "", "six", "-6", "6 ", &huge] {
        world.store.set(&format!("{FRONTEND}/state"), state);
        world.store.set(&format!("{HOME}/state"), state);
        world.store.remove(&format!("{HOME}/hotplug-status"));
        world.run();
        assert_eq!(world.came(), [], "{state}");
    }
    world.devices.detach(name, true).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn attack_c03_a_guest_that_never_lets_go_costs_a_bounded_time_and_force_works() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Held(Problem::Held)]);
    assert_eq!(world.now, CLOSE_NS);
    world.devices.detach(name, true).unwrap();
    world.run();
    assert!(world.store.get(FRONTEND).is_none(), "the guest has lost it");
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn attack_c04_only_a_mode_with_a_w_can_be_written_and_a_disc_never_has_one() {
    let mode = |disk: Disk| {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk).unwrap();
        world.run();
        world.store.get(&format!("{HOME}/mode")).unwrap().to_string()
    };
    assert_eq!(mode(disk("/a", Access::ReadOnly)), "r");
    assert_eq!(mode(disk("/a", Access::ReadWrite)), "w");
    assert_eq!(mode(disk("/a", Access::ReadWriteShared)), "w!");
    assert_eq!(mode(Disk { access: Access::ReadWrite, ..drive(Some("/a")) }), "r");
}

#[test]
fn attack_c05_numbers_at_their_limits_are_numbers_or_refused() {
    use crate::config::devices::VirtualDevice;
    for odd in ["536870912", "4294967295", "4294967296", "-1", "0x20000000", "99999999999999999999"] {
        assert!(odd.parse::<VirtualDevice>().is_err(), "{odd}");
    }
    let vdev: VirtualDevice = "536870911".parse().unwrap();
    let highest = Disk { vdev, ..disk("/a.img", Access::ReadWrite) };
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, highest.clone()).unwrap();
    world.run();
    assert_eq!(
        world.devices.of(FRONT, Class::Vbd).map(|(name, _)| name.id).collect::<Vec<_>>(),
        [536_870_911]
    );
    world.devices.detach(name, true).unwrap();
    world.wait();
    world.assert_nothing_left();
    // Nor does one come in by another way.
    let highest = Equipment::Disk(highest);
    let mut bytes = highest.encode().unwrap();
    assert_eq!(Equipment::decode(&bytes), Ok(highest));
    let number = bytes.windows(5).position(|five| five == [0xff, 0xff, 0xff, 0xff, 0x01]).unwrap();
    bytes[number + 4] = 0x0f;
    assert!(Equipment::decode(&bytes).is_err());
}
