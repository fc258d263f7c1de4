//! Interfaces and bridges of Linux itself, in a network of its own. What a backend's driver makes is made by hand.

use std::fs;

use rustix::io::Errno;

use super::*;
use crate::links::own_network::inside;
use crate::xmd::hotplug::machine::Machine;
use crate::xmd::hotplug::vif::provide;

const A: &str = "backend/vif/7/0";

#[test]
fn a_guests_interface_is_on_the_bridge_that_was_made_for_it() {
    if !inside("xmd::hotplug::tests::network::a_guests_interface_is_on_the_bridge_that_was_made_for_it") {
        return;
    }
    let bridges = ["xenbr0=uplink,missing".parse().unwrap(), "lan".parse().unwrap()];
    let mut machine = Machine::new("/nowhere".into(), Some("xenbr0".into()));
    let links = machine.links().unwrap();
    match links.make_pair("uplink") {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::OPNOTSUPP) => {
            return eprintln!("SKIPPED: this kernel has no pairs of interfaces");
        }
        outcome => outcome.unwrap(),
    }
    for _ in 0..2 {
        provide(&mut machine, &bridges);
    }
    let Some(bridge) = machine.named("xenbr0").unwrap() else {
        return eprintln!("SKIPPED: this kernel has no bridges");
    };
    assert!(bridge.up && machine.named("lan").unwrap().unwrap().up);
    assert_eq!(machine.named("uplink").unwrap().unwrap().master, Some(bridge.index));

    machine.links().unwrap().make_pair("vif7.0").unwrap();
    let shown = tempfile::tempdir().unwrap();
    let net = shown.path().join("vif-7-0/net");
    fs::create_dir_all(net.join("vif7.0")).unwrap();
    machine.backends = shown.path().into();
    let mut store = Store::new();
    store.write(A, &[("vifname", "web"), ("mtu", "1400"), ("online", "1"), ("state", "2")]);
    let mut agent = store.agent(&mut machine);
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    let port = machine.named("web").unwrap().unwrap();
    assert_eq!((port.master, port.mtu, port.up), (Some(bridge.index), 1400, true));

    // The same, after a kill before the last word, and again when all was said.
    fs::rename(net.join("vif7.0"), net.join("web")).unwrap();
    store.write(A, &[("hotplug-status", "")]);
    for _ in 0..2 {
        let mut agent = store.agent(&mut machine);
        agent.turn().unwrap();
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        assert_eq!(machine.named("web").unwrap(), Some(port.clone()));
    }
}
