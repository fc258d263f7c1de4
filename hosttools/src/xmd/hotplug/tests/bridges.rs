//! The bridges that a machine is to provide.

use super::*;
use crate::xmd::hotplug::Bridge;
use crate::xmd::hotplug::vif::provide;

fn bridges(words: &[&str]) -> Vec<Bridge> {
    words.iter().map(|word| word.parse().unwrap()).collect()
}

#[test]
fn bridges_are_made_with_their_ports_and_a_second_time_nothing_is_done() {
    let mut machine = Made::default();
    machine.link("eth0", false);
    machine.link("eth1", false);
    let bridges = bridges(&["xenbr0=eth0,eth1", "lan"]);
    provide(&mut machine, &bridges);
    let xenbr0 = machine.links[2].1.index;
    let wanted = [
        "make xenbr0 OfPorts".to_owned(),
        "xenbr0 Up".into(),
        format!("eth0 Bridge({xenbr0})"),
        "eth0 Up".into(),
        format!("eth1 Bridge({xenbr0})"),
        "eth1 Up".into(),
        "make lan Own".into(),
        "lan Up".into(),
    ];
    assert_eq!(machine.done, wanted);
    provide(&mut machine, &bridges);
    assert_eq!(machine.done.len(), wanted.len());
}

#[test]
fn what_is_missing_or_not_allowed_stops_nothing_else() {
    let mut machine = Made::default();
    machine.link("eth0", false);
    provide(&mut machine, &bridges(&["eth0", "xenbr0=eth9,eth0", "lan"]));
    let index = machine.links[1].1.index;
    let bridged = format!("eth0 Bridge({index})");
    assert_eq!(
        machine.done,
        ["make xenbr0 OfPorts", "xenbr0 Up", &bridged, "eth0 Up", "make lan Own", "lan Up"]
    );
    let mut machine = Made { powerless: true, ..Made::default() };
    provide(&mut machine, &bridges(&["xenbr0"]));
    assert!(machine.done.is_empty() && machine.links.is_empty());
}

#[test]
fn a_bridge_is_a_name_and_perhaps_interfaces() {
    let bridge = |name: &str, ports: &[&str]| Bridge {
        name: name.into(),
        ports: ports.iter().map(|port| (*port).into()).collect(),
    };
    assert_eq!("xenbr0".parse(), Ok(bridge("xenbr0", &[])));
    assert_eq!("xenbr0=eth0,eth1".parse(), Ok(bridge("xenbr0", &["eth0", "eth1"])));
    for bad in ["", "=eth0", "xenbr0=", "xenbr0=eth0,", "a b", "xenbr0=a/b", "xenbr0=eth0=eth1 ", "xenbr%d"] {
        assert!(bad.parse::<Bridge>().unwrap_err().contains("is no name for an interface"), "{bad}");
    }
}
