//! Interfaces: their numbers, nodes and addresses. What they have in common with disks is tested with those.

use super::*;
use crate::config::Ranged;
use crate::config::devices::Vif;

const HOME: &str = "/local/domain/1/backend/vif/7/0";
const FRONTEND: &str = "/local/domain/7/device/vif/0";

fn vif(mac: &str) -> Vif {
    Vif { mac: Some(mac.parse().unwrap()), ..Vif::default() }
}

#[test]
fn interfaces_are_counted_and_a_free_number_is_taken_again() {
    let mut world = World::new();
    let mut attach = |mac: &str| world.devices.attach(FRONT, BACKEND, vif(mac)).unwrap();
    let names = [1, 2, 3].map(|last| attach(&format!("00:16:3e:00:00:0{last}")));
    assert_eq!(names.map(|name| (name.class, name.id)), [0, 1, 2].map(|id| (Class::Vif, id)));
    world.devices.detach(names[1], true).unwrap();
    world.run();
    assert_eq!(world.devices.attach(FRONT, BACKEND, vif("00:16:3e:00:00:04")).unwrap(), names[1]);
    assert_eq!(world.devices.attach(DomId(8), BACKEND, vif("00:16:3e:00:00:05")).unwrap().id, 0);
    // A disk with the same number is another device.
    let vdev = crate::config::devices::VirtualDevice::from_number(1).unwrap();
    assert!(world.devices.attach(FRONT, BACKEND, Disk { vdev, ..disk("/a", Access::ReadOnly) }).is_ok());
    assert_eq!(world.devices.of(FRONT, Class::Vif).count(), 3);
    assert_eq!(world.devices.of(FRONT, Class::Vbd).count(), 1);
}

#[test]
fn its_ends_say_what_their_drivers_and_hotplug_have_to_know() {
    let mut world = World::new();
    let all = Vif {
        bridge: Some(Text::new("bridge", "xenbr1").unwrap()),
        gateway_dev: Some(Text::new("gatewaydev", "eth1").unwrap()),
        ip: Some(Text::new("ip", "10.0.0.7").unwrap()),
        script: Some(Text::new("script", "vif-route").unwrap()),
        vifname: Some(Text::new("vifname", "web0").unwrap()),
        rate: Some("10Mb/s".parse().unwrap()),
        mtu: Some(Ranged::new("mtu", 9000).unwrap()),
        untrusted_backend: true,
        ..vif("00:16:3e:00:00:01")
    };
    world.devices.attach(FRONT, BACKEND, all).unwrap();
    world.run();
    for (node, value) in [
        ("frontend", FRONTEND),
        ("frontend-id", "7"),
        ("online", "1"),
        ("handle", "0"),
        ("mac", "00:16:3e:00:00:01"),
        ("bridge", "xenbr1"),
        ("gatewaydev", "eth1"),
        ("ip", "10.0.0.7"),
        ("script", "/etc/xen/scripts/vif-route"),
        ("vifname", "web0"),
        ("rate", "62500,50000"),
        ("mtu", "9000"),
        ("type", "vif"),
        ("hotplug-status", ""),
        ("state", "1"),
    ] {
        assert_eq!(world.store.get(&format!("{HOME}/{node}")), Some(value), "{node}");
    }
    for (node, value) in [
        ("backend", HOME),
        ("backend-id", "1"),
        ("handle", "0"),
        ("mac", "00:16:3e:00:00:01"),
        ("mtu", "9000"),
        ("trusted", "0"),
        ("state", "1"),
    ] {
        assert_eq!(world.store.get(&format!("{FRONTEND}/{node}")), Some(value), "{node}");
    }
    assert_eq!(world.store.nodes.keys().filter(|path| path.starts_with(FRONTEND)).count(), 8);
}

#[test]
fn a_bare_one_has_the_usual_script_and_nothing_that_was_not_said() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, vif("00:16:3e:00:00:01")).unwrap();
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/script")), Some("/etc/xen/scripts/vif-bridge"));
    for node in ["bridge", "ip", "vifname", "rate", "mtu", "gatewaydev"] {
        assert_eq!(world.store.get(&format!("{HOME}/{node}")), None, "{node}");
    }
    assert_eq!(world.store.get(&format!("{FRONTEND}/trusted")), None);
}

/// The empty word that is there from the beginning is none.
#[test]
fn it_works_when_hotplug_has_said_so_and_goes_when_both_have_let_go() {
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, vif("00:16:3e:00:00:01")).unwrap();
    world.run();
    world.store.set(&format!("{HOME}/state"), "2");
    world.run();
    assert_eq!(world.came(), []);
    world.store.set(&format!("{HOME}/hotplug-status"), "connected");
    world.run();
    assert_eq!(world.came(), [Outcome::Connected]);
    world.devices.detach(name, false).unwrap();
    world.run();
    world.store.set(&format!("{HOME}/state"), "6");
    world.run();
    assert_eq!(world.came(), []);
    world.store.remove(&format!("{HOME}/hotplug-status"));
    world.run();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn an_unknown_bridge_takes_it_back_and_says_so() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, vif("00:16:3e:00:00:01")).unwrap();
    world.run();
    world.store.set(&format!("{HOME}/state"), "2");
    world.store.set(&format!("{HOME}/hotplug-error"), "bridge br9: no such bridge");
    world.store.set(&format!("{HOME}/hotplug-status"), "error");
    world.wait();
    let why = Problem::Backend(Detail::new(b"bridge br9: no such bridge"));
    assert_eq!(world.came(), [Outcome::Failed(why)]);
    world.assert_nothing_left();
}

#[test]
fn an_address_is_one_interfaces_in_its_domain_and_on_its_bridge() {
    let mut world = World::new();
    let on =
        |bridge: &str| Vif { bridge: Some(Text::new("bridge", bridge).unwrap()), ..vif("00:16:3e:00:00:01") };
    world.devices.attach(FRONT, BACKEND, on("a")).unwrap();
    let elsewhere = Backend { domid: DomId(2), handle: [2; 16] };
    let mut said = |front, backend, vif| {
        let outcome = world.devices.attach(DomId(front), backend, vif);
        outcome.err().map(|error| error.to_string())
    };
    let own = Some("The mac \"00:16:3e:00:00:01\" is already defined".to_string());
    assert_eq!(said(7, BACKEND, on("b")), own);
    assert_eq!(said(7, elsewhere, on("b")), own);
    let used = Some("The mac \"00:16:3e:00:00:01\" is already used by domain 7".to_string());
    assert_eq!(said(8, BACKEND, on("a")), used);
    assert_eq!(said(8, elsewhere, on("a")), None, "that is another network");
    assert_eq!(said(9, BACKEND, on("b")), None, "and so is that");
}

#[test]
fn there_is_nothing_in_it_to_change() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, vif("00:16:3e:00:00:01")).unwrap();
    assert_eq!(world.devices.change(FRONT, drive(None)).unwrap_err().problem, Problem::Missing);
    assert_eq!(world.devices.addresses().collect::<Vec<_>>(), ["00:16:3e:00:00:01".parse().unwrap()]);
}
