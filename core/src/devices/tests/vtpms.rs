//! TPMs: what is different from disks and interfaces.

use super::*;
use crate::config::devices::Vtpm;

const HOME: &str = "/local/domain/1/backend/vtpm/7/0";
const FRONTEND: &str = "/local/domain/7/device/vtpm/0";
const UUID: &str = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";

fn vtpm(uuid: &str) -> Equipment {
    Equipment::Vtpm(Vtpm { backend: "tpm".parse().unwrap(), uuid: Some(uuid.parse().unwrap()) })
}

fn begun() -> (World, DeviceName) {
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, vtpm(UUID)).unwrap();
    world.run();
    (world, name)
}

#[test]
fn its_ends_say_what_their_drivers_have_to_know() {
    let (world, name) = begun();
    assert_eq!((name.class, name.id), (Class::Vtpm, 0));
    let below = |home: &str| {
        let home = format!("{home}/");
        let nodes = world.store.nodes.iter();
        let nodes = nodes.filter_map(|(path, value)| Some((path.strip_prefix(&home)?, text(value))));
        nodes.map(|(node, value)| format!("{node}={value}")).collect::<Vec<_>>()
    };
    let backend =
        [&format!("frontend={FRONTEND}"), "frontend-id=7", "handle=0", "online=1", "resume=False", "state=1"];
    let backend = backend.into_iter().map(ToString::to_string).chain([format!("uuid={UUID}")]);
    assert_eq!(below(HOME), backend.collect::<Vec<_>>());
    assert_eq!(below(FRONTEND), [&format!("backend={HOME}"), "backend-id=1", "handle=0", "state=1"]);
}

#[test]
fn its_driver_alone_says_that_it_works_and_that_it_is_over() {
    let (mut world, name) = begun();
    assert_eq!(world.came(), []);
    // Nobody has hotplug for it.
    world.store.set(&format!("{HOME}/hotplug-status"), "error");
    world.run();
    assert_eq!(world.came(), []);
    world.store.set(&format!("{HOME}/state"), "2");
    world.run();
    assert_eq!(world.came(), [Outcome::Connected]);
    world.devices.detach(name, false).unwrap();
    world.run();
    assert_eq!(world.came(), []);
    world.store.set(&format!("{HOME}/state"), "6");
    world.run();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn without_a_driver_it_is_taken_back_and_one_that_gives_up_says_why() {
    let (mut world, name) = begun();
    world.wait();
    let problem = Problem::NoAnswer { back: BACK, prepared: true };
    assert_eq!(world.came(), [Outcome::Failed(problem)]);
    let said = DeviceError { name, problem }.to_string();
    assert!(said.ends_with("Does its kernel have a driver for it?"), "{said}");
    world.assert_nothing_left();

    let (mut world, _) = begun();
    world.store.set("/local/domain/1/error/backend/vtpm/7/0/error", "no manager");
    world.store.set(&format!("{HOME}/state"), "6");
    world.wait();
    assert_eq!(world.came(), [Outcome::Failed(Problem::Backend(Detail::new(b"no manager")))]);
    world.assert_nothing_left();
}

#[test]
fn it_ends_with_its_domain_beside_devices_of_other_classes() {
    let (mut world, _) = begun();
    world.devices.attach(FRONT, BACKEND, disk("/a", Access::ReadOnly)).unwrap();
    assert!(!world.devices.all_work(FRONT));
    world.store.set(&format!("{HOME}/state"), "4");
    world.run();
    assert!(!world.devices.close(FRONT));
    world.wait();
    assert!(world.devices.close(FRONT));
    world.assert_nothing_left();
}
