//! Interfaces, as a backend's driver and the control domain have them.

use super::*;
use crate::links::Link;

const A: &str = "backend/vif/7/0";
const B: &str = "backend/vif/8/0";

impl Store {
    /// A device as the control domain writes it, not looked at by a driver yet.
    fn interface(&mut self, home: &str, nodes: &[(&str, &str)]) {
        let script = ("script", "/etc/xen/scripts/vif-bridge");
        self.write(home, &[script, ("hotplug-status", ""), ("online", "1")]);
        self.write(home, nodes);
        self.write(home, &[("state", "1")]);
    }

    /// What the driver does with it then.
    fn probed(&mut self, machine: &mut Made, home: &str, nodes: &[(&str, &str)]) -> u32 {
        self.interface(home, nodes);
        self.write(home, &[("state", "2")]);
        let mut parts = home.split('/').skip(2);
        machine.link(&format!("vif{}.{}", parts.next().unwrap(), parts.next().unwrap()), false)
    }
}

fn with_bridges(names: &[&str]) -> Made {
    let mut machine = Made::default();
    for name in names {
        machine.link(name, true);
    }
    machine
}

fn named<'a>(machine: &'a Made, name: &str) -> &'a Link {
    &machine.links.iter().find(|(_, link)| link.name == name).unwrap().1
}

#[test]
fn an_interface_becomes_a_port_once_its_driver_waits() {
    let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
    machine.links[0].1.mtu = 9000;
    let index = machine.link("vif7.0", false);
    let mut agent = store.agent(&mut machine);
    store.interface(A, &[("bridge", "xenbr0")]);
    agent.turn().unwrap();
    assert_eq!(store.read(A, "hotplug-status").as_deref(), Some(""), "the driver has not looked at it");
    store.write(A, &[("state", "2")]);
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    assert_eq!(machine.done, ["vif7.0 Mtu(9000)", "vif7.0 Unaddressed", "vif7.0 Bridge(2)", "vif7.0 Up"]);
    let port = named(&machine, "vif7.0");
    assert!(port.index == index && port.up && port.master == Some(2));
    // Its end is the driver's business; what was said is taken back.
    let mut agent = store.agent(&mut machine);
    store.write(A, &[("online", "0"), ("state", "5")]);
    agent.turn().unwrap();
    assert!(store.read(A, "hotplug-status").is_some(), "the driver has it still");
    store.write(A, &[("state", "6")]);
    while store.read(A, "hotplug-status").is_some() {
        agent.turn().unwrap();
    }
    drop(agent);
    assert_eq!(machine.done.len(), 4);
}

#[test]
fn the_bridge_is_the_one_named_or_the_own_one_or_the_first() {
    for (own, nodes, wanted) in [
        (None, &[("bridge", "lan")][..], "lan"),
        (None, &[], "xenbr0"),
        (Some("lan"), &[], "lan"),
        (Some("lan"), &[("bridge", "xenbr0")], "xenbr0"),
        (Some("lan"), &[("bridge", "")], "lan"),
    ] {
        let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0", "lan"]));
        machine.own_bridge = own.map(str::to_owned);
        store.probed(&mut machine, A, nodes);
        let mut agent = store.agent(&mut machine);
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        let bridge = named(&machine, wanted).index;
        assert_eq!(named(&machine, "vif7.0").master, Some(bridge), "{own:?} {nodes:?}");
    }
}

#[test]
fn what_does_not_work_is_said_and_the_next_one_works() {
    for (own, nodes, wanted) in [
        (None, &[][..], "no bridge, and none was named"),
        (Some("xenbr0"), &[], "bridge xenbr0: no such bridge"),
        (None, &[("bridge", "lan")], "bridge lan: no such bridge"),
        (None, &[("bridge", "eth0")], "bridge eth0: not a bridge"),
    ] {
        let (mut store, mut machine) = (Store::new(), Made::default());
        machine.own_bridge = own.map(str::to_owned);
        machine.link("eth0", false);
        store.probed(&mut machine, A, nodes);
        store.probed(&mut machine, B, &[("script", "vif-route")]);
        let mut agent = store.agent(&mut machine);
        assert_eq!(store.said(&mut agent, A), said("error", wanted));
        drop(agent);
        assert_eq!(machine.done, ["vif-route online type_if=vif backend/vif/8/0 vif=vif8.0 netdev="]);
    }
    // Without an interface, and without the right to change one.
    let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
    machine.powerless = true;
    store.probed(&mut machine, A, &[]);
    store.interface(B, &[]);
    store.write(B, &[("state", "2")]);
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, A), said("error", "vif7.0: Operation not permitted"));
    assert_eq!(store.said(&mut agent, B), said("error", "there is no interface vif8.0"));
}

#[test]
fn an_interface_is_renamed_unless_the_name_is_taken() {
    let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
    store.probed(&mut machine, A, &[("vifname", "web"), ("mtu", "1400")]);
    machine.links[1].1.up = true;
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    // Another domain wants the same name, its second interface none.
    store.probed(&mut machine, B, &[("vifname", "web")]);
    store.probed(&mut machine, "backend/vif/8/1", &[]);
    store.probed(&mut machine, "backend/vif/8/2", &[("vifname", "a%d")]);
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, B), said("error", "vifname web: there is an interface of this name"));
    assert_eq!(store.said(&mut agent, "backend/vif/8/1"), said("connected", ""));
    let no_name = said("error", "vifname a%d: no name for an interface");
    assert_eq!(store.said(&mut agent, "backend/vif/8/2"), no_name);
    drop(agent);
    let renamed = [
        "vif7.0 Down",
        "vif7.0 Name(\"web\")",
        "web Mtu(1400)",
        "web Unaddressed",
        "web Bridge(2)",
        "web Up",
    ];
    assert_eq!(machine.done[..6], renamed);
    assert_eq!(named(&machine, "vif8.0").master, None);
}

#[test]
fn one_that_was_killed_at_any_point_is_finished_by_the_next() {
    for killed_after in 0..=5 {
        let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
        store.probed(&mut machine, A, &[("vifname", "web"), ("mtu", "1400")]);
        let link = &mut machine.links[1].1;
        // Name, MTU, bridge, up, and the word about it.
        for step in 0..killed_after {
            match step {
                0 => link.name = "web".into(),
                1 => link.mtu = 1400,
                2 => link.master = Some(2),
                3 => link.up = true,
                _ => store.write(A, &[("hotplug-status", "connected")]),
            }
        }
        machine.link("vif9.0", false);
        store.probed(&mut machine, B, &[]);
        let mut agent = store.agent(&mut machine);
        assert_eq!(store.said(&mut agent, B), said("connected", ""));
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        let port = named(&machine, "web");
        assert!(port.mtu == 1400 && port.master == Some(2) && port.up, "{killed_after}");
        let done_again = machine.done.iter().any(|what| what.starts_with("web"));
        assert_eq!(done_again, killed_after < 4);
    }
}

#[test]
fn a_port_whose_bridge_went_is_put_back_by_the_next() {
    // As when the bridge is made anew, and as when somebody moved the port.
    for master in [None, Some(2)] {
        let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0", "lan"]));
        store.probed(&mut machine, A, &[("bridge", "lan")]);
        let mut agent = store.agent(&mut machine);
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        machine.links[1].1.index = 77;
        machine.links[2].1.master = master;
        let mut agent = store.agent(&mut machine);
        agent.turn().unwrap();
        drop(agent);
        assert_eq!(named(&machine, "vif7.0").master, Some(77));
    }
}

#[test]
fn an_interface_that_vanishes_in_between_is_an_error_and_no_more() {
    for after in 1..=3 {
        let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
        store.probed(&mut machine, A, &[("vifname", "web"), ("mtu", "1400")]);
        machine.vanishes_after = Some(after);
        let mut agent = store.agent(&mut machine);
        let (status, error) = store.said(&mut agent, A);
        assert_eq!(status, "error");
        assert!(error.contains("vif7.0: ") && error.contains("No such device"), "{after}: {error}");
        // A new one of this name gets a new chance.
        store.remove("backend/vif/7");
        agent.turn().unwrap();
        drop(agent);
        machine.vanishes_after = None;
        store.probed(&mut machine, A, &[]);
        let mut agent = store.agent(&mut machine);
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
    }
}

/// As Linux' netback does when the guest writes a state that is no number.
#[test]
fn attack_c02_one_that_its_driver_gives_up_is_an_error_until_it_is_taken_away() {
    let (mut store, mut machine) = (Store::new(), with_bridges(&["xenbr0"]));
    store.probed(&mut machine, A, &[("bridge", "xenbr0")]);
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    machine.links.pop();
    let mut agent = store.agent(&mut machine);
    store.write(A, &[("state", "6")]);
    store.remove(&format!("{A}/hotplug-status"));
    assert_eq!(store.said(&mut agent, A), said("error", "there is no interface vif7.0"));
    store.write(A, &[("online", "0")]);
    while store.read(A, "hotplug-status").is_some() {
        agent.turn().unwrap();
    }
}

#[test]
fn a_script_does_its_work_itself() {
    let (mut store, mut machine) = (Store::new(), Made::default());
    let route = [("script", "/etc/xen/scripts/vif-route"), ("gatewaydev", "eth1"), ("vifname", "web")];
    store.probed(&mut machine, A, &route);
    let mut agent = store.agent(&mut machine);
    agent.turn().unwrap();
    store.write(A, &[("hotplug-status", "connected")]);
    agent.turn().unwrap();
    drop(agent);
    // One that was killed has it told the end, too.
    let mut agent = store.agent(&mut machine);
    store.write(A, &[("online", "0"), ("state", "6")]);
    while store.read(A, "hotplug-status").is_some() {
        agent.turn().unwrap();
    }
    drop(agent);
    let call = |verb: &str| {
        format!("/etc/xen/scripts/vif-route {verb} type_if=vif backend/vif/7/0 vif=vif7.0 netdev=eth1")
    };
    assert_eq!(machine.done, [call("online"), call("offline")]);
    store.probed(&mut machine, B, &[("script", "vif-bad")]);
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, B), said("error", "script vif-bad: exit status: 1"));
}

#[test]
fn disks_and_interfaces_do_not_disturb_each_other() {
    let (mut store, mut machine) = (Store::new(), Made::with(&["/a"]));
    machine.link("xenbr0", true);
    store.probed(&mut machine, A, &[]);
    store.disk("backend/vbd/7/0", "/a", "w");
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, "backend/vbd/7/0"), said("connected", ""));
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    store.remove("backend/vif/7/0");
    agent.turn().unwrap();
    assert_eq!(store.said(&mut agent, "backend/vbd/7/0"), said("connected", ""));
}
