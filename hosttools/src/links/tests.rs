//! The kernel's own answers, in a network of its own: each test is run again, inside one.

use super::own_network::inside;
use super::*;

/// The way to the kernel; `None` where it knows no bridges.
fn links() -> Option<Links> {
    let mut links = Links::open().unwrap();
    match links.make_bridge("br0", Address::OfPorts) {
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => {
            eprintln!("SKIPPED: this kernel has no bridges");
            None
        }
        outcome => {
            outcome.unwrap();
            Some(links)
        }
    }
}

fn named(links: &mut Links, name: &str) -> Link {
    links.named(name).unwrap().unwrap_or_else(|| panic!("there is no {name}"))
}

fn pair(links: &mut Links, name: &str) -> Link {
    links.make_pair(name).unwrap();
    named(links, name)
}

fn code(outcome: io::Result<()>) -> Errno {
    Errno::from_io_error(&outcome.unwrap_err()).unwrap()
}

#[test]
fn a_bridge_is_made_and_found() {
    if !inside("links::tests::a_bridge_is_made_and_found") {
        return;
    }
    let Some(mut links) = links() else { return };
    let bridge = named(&mut links, "br0");
    assert!(bridge.is_bridge && !bridge.up && bridge.mtu == 1500 && bridge.master.is_none());
    assert_eq!(code(links.make_bridge("br0", Address::OfPorts)), Errno::EXIST);
    links.make_bridge("a-bridge", Address::OfPorts).unwrap();
    let bridges: Vec<String> = links.bridges().unwrap().into_iter().map(|link| link.name).collect();
    assert_eq!(bridges, ["br0", "a-bridge"], "by age, and nothing else");
    let lo = named(&mut links, "lo");
    assert!(!lo.is_bridge);
    assert_eq!(links.named("eth7").unwrap(), None);
    links.change(bridge.index, Change::Up).unwrap();
    assert!(named(&mut links, "br0").up);
}

#[test]
fn a_port_lets_packets_through_at_once_and_has_no_address() {
    if !inside("links::tests::a_port_lets_packets_through_at_once_and_has_no_address") {
        return;
    }
    let Some(mut links) = links() else { return };
    let bridge = named(&mut links, "br0");
    links.change(bridge.index, Change::Up).unwrap();
    let port = pair(&mut links, "vif7.0");
    let guest = named(&mut links, "veth0");
    links.change(guest.index, Change::Up).unwrap();
    for change in [Change::Unaddressed, Change::Mtu(1400), Change::Bridge(bridge.index), Change::Up] {
        links.change(port.index, change).unwrap();
    }
    let port = named(&mut links, "vif7.0");
    assert_eq!((port.master, port.mtu, port.up), (Some(bridge.index), 1400, true));
    // BR_STATE_FORWARDING.
    assert_eq!(std::fs::read_to_string("/sys/class/net/vif7.0/brport/state").unwrap(), "3\n");
    let addresses = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap_or_default();
    assert!(addresses.contains("br0") && !addresses.contains("vif7.0"), "{addresses}");
    links.change(port.index, Change::Down).unwrap();
    assert!(!named(&mut links, "vif7.0").up);
}

#[test]
fn an_address_of_its_own_stays_whatever_ports_come_and_go() {
    if !inside("links::tests::an_address_of_its_own_stays_whatever_ports_come_and_go") {
        return;
    }
    let Some(mut links) = links() else { return };
    links.make_bridge("lone", Address::Own).unwrap();
    let address = |name: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/address")).unwrap();
    let before = address("lone");
    let first = u8::from_str_radix(&before[..2], 16).unwrap();
    assert_eq!(first & 3, 2, "{before}");
    let port = pair(&mut links, "vif7.0");
    for bridge in ["lone", "br0"] {
        let bridge = named(&mut links, bridge);
        links.change(port.index, Change::Bridge(bridge.index)).unwrap();
    }
    assert_eq!(address("lone"), before);
    assert_eq!(address("br0"), address("vif7.0"), "this is what others have");
}

#[test]
fn names_are_changed_and_one_that_is_taken_is_refused() {
    if !inside("links::tests::names_are_changed_and_one_that_is_taken_is_refused") {
        return;
    }
    let Some(mut links) = links() else { return };
    let port = pair(&mut links, "vif7.0");
    assert_eq!(code(links.change(port.index, Change::Name("br0"))), Errno::EXIST);
    links.change(port.index, Change::Name("web")).unwrap();
    assert_eq!(named(&mut links, "web"), Link { name: "web".into(), ..port.clone() });
    assert_eq!(links.named("vif7.0").unwrap(), None);
    // The kernel would make something else of these.
    for name in ["web%d", "", ".", "..", "a/b", "a b", "a:b", "sixteen-is-a-lot", "a\0b"] {
        let outcome = links.change(port.index, Change::Name(name));
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name}");
        assert_eq!(links.named(name).unwrap(), None, "{name}");
    }
    links.change(port.index, Change::Name("fifteen-is-fine")).unwrap();
}

#[test]
fn what_is_not_there_or_not_possible_is_said() {
    if !inside("links::tests::what_is_not_there_or_not_possible_is_said") {
        return;
    }
    let Some(mut links) = links() else { return };
    let port = pair(&mut links, "vif7.0");
    assert_eq!(code(links.change(999, Change::Up)), Errno::NODEV);
    assert_eq!(code(links.change(port.index, Change::Mtu(1))), Errno::INVAL);
    let lo = named(&mut links, "lo");
    links.change(port.index, Change::Bridge(lo.index)).unwrap_err();
    assert_eq!(named(&mut links, "vif7.0").master, None);
    assert_eq!(code(links.make(&make("x", "no-such-kind").unwrap())), Errno::OPNOTSUPP);
    // The next answer is the next question's, whatever was before.
    assert_eq!(named(&mut links, "vif7.0").index, port.index);
}

#[test]
fn hundreds_of_interfaces_are_told_in_several_parts() {
    if !inside("links::tests::hundreds_of_interfaces_are_told_in_several_parts") {
        return;
    }
    let Some(mut links) = links() else { return };
    for number in 0..200 {
        links.make_bridge(&format!("b{number}"), Address::OfPorts).unwrap();
    }
    assert_eq!(links.bridges().unwrap().len(), 201);
}

#[test]
fn answers_that_are_no_answers_are_refused() {
    let good = Request::change(7).with(message::name("vif7.0")).bytes(1, 0);
    let (message, rest) = split(&good).unwrap();
    assert!(rest.is_empty());
    let NetlinkPayload::InnerMessage(Told::Link(link)) = message.payload else { panic!("{message:?}") };
    assert_eq!((link.index, link.name.as_str()), (7, "vif7.0"));
    for cut in 0..good.len() {
        assert!(split(&good[..cut]).is_err(), "{cut}");
    }
    for (at, byte) in (0..good.len()).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
        let mut bad = good.clone();
        bad[at] = byte;
        let _ = split(&bad);
    }
}
