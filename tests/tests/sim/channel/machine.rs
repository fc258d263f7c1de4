//! Requests about virtual CPUs, the machine's CPUs and nodes, and Xen's debug keys.

use xendless_core::config::Vcpus;
use xendless_core::protocol::resources::{CpuRow, KEYS, Machine};
use xendless_core::protocol::{Answer, Failure, Request};
use xendless_core::rights::Rights;

use super::Rig;

#[test]
fn virtual_cpus_are_listed() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("web", Rights::Nothing);
    client.call(&mut rig, Request::Vcpus { domain: "web", from: 0 }, |result| {
        let Ok(Answer::Vcpus(page)) = result else { panic!("{result:?}") };
        let rows: Vec<_> = page.rows.iter().map(|row| (row.vcpu, row.online)).collect();
        assert_eq!((rows, page.next), (vec![(0, true), (1, false)], None));
        assert_eq!(page.rows[0].affinity.len(), 32, "more than the CPUs that there are");
    });
    for from in [2, u32::MAX] {
        client.call(&mut rig, Request::Vcpus { domain: "web", from }, |result| {
            let Ok(Answer::Vcpus(page)) = result else { panic!("{result:?}") };
            assert!(page.rows.is_empty() && page.next.is_none());
        });
    }
    assert_eq!(client.refused(&mut rig, Request::Vcpus { domain: "nobody", from: 0 }), Failure::NoSuchDomain);
}

#[test]
fn many_virtual_cpus_come_in_pages() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    let mut settings = super::named("wide");
    settings.vcpus = Vcpus::new(1, 70).unwrap();
    rig.domain_of(settings, Rights::Nothing);
    let (mut found, mut from) = (Vec::new(), Some(0));
    while let Some(first) = from {
        client.call(&mut rig, Request::Vcpus { domain: "wide", from: first }, |result| {
            let Ok(Answer::Vcpus(page)) = result else { panic!("{result:?}") };
            found.extend(page.rows.iter().map(|row| row.vcpu));
            from = page.next;
        });
    }
    assert_eq!(found, (0..70).collect::<Vec<u32>>());
}

#[test]
fn cpus_and_nodes_are_listed() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    client.call(&mut rig, Request::Machine(Machine::Cpus { from: 0 }), |result| {
        let Ok(Answer::Cpus(page)) = result else { panic!("{result:?}") };
        assert_eq!(*page.rows, [CpuRow { cpu: 0, core: Some(0), socket: Some(0), node: Some(0) }]);
        assert_eq!(page.next, None);
    });
    client.call(&mut rig, Request::Machine(Machine::Nodes { from: 0 }), |result| {
        let Ok(Answer::Nodes(page)) = result else { panic!("{result:?}") };
        let node = &page.rows[0];
        assert_eq!((node.total_kib, &*node.distances), (32 << 10, &[Some(10)][..]));
        assert!(node.free_kib < node.total_kib && node.low_kib == node.free_kib);
    });
    for what in [Machine::Cpus { from: 7 }, Machine::Nodes { from: u32::MAX }] {
        client.call(&mut rig, Request::Machine(what), |result| match result {
            Ok(Answer::Cpus(page)) => assert!(page.rows.is_empty() && page.next.is_none()),
            Ok(Answer::Nodes(page)) => assert!(page.rows.is_empty() && page.next.is_none()),
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn debug_keys_are_pressed_one_after_the_other() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    client.done(&mut rig, Request::Machine(Machine::Keys { keys: "qr*" }));
    client.done(&mut rig, Request::Machine(Machine::Keys { keys: "" }));
    assert_eq!(rig.sim.keys(), "qr*");
    let long = "h".repeat(KEYS + 1);
    for keys in ["ä", &long] {
        let refusal = client.refused(&mut rig, Request::Machine(Machine::Keys { keys }));
        assert!(matches!(refusal, Failure::Invalid(_)), "{refusal:?}");
    }
    assert_eq!(rig.sim.keys(), "qr*");
}
