//! Event channels behave as Xen's do.

use std::sync::atomic::Ordering;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::xen;
use xendless_core::events::Scanner;
use xendless_core::hyper::{
    CreateDomain, CreateFlags, DomId, Domains, EventChannels, Port, PortState, Scheduler, Virq,
};
use xendless_tests::sim::{SimDomain, SimHypervisor};

use crate::{create, destroy, errno, machine, request};

/// Takes one event of `domid`.
fn take(sim: &SimHypervisor, domid: DomId) -> Option<Port> {
    Scanner::new().take(sim.events(domid).bits())
}

/// A channel from the control domain to a new guest: guest, our end, its end.
fn connected(sim: &SimHypervisor, control: &SimDomain) -> (SimDomain, Port, Port) {
    let guest = sim.as_domain(create(control, CreateFlags::empty()));
    let theirs = control.alloc_unbound(guest.domid(), DomId(0)).unwrap();
    let ours = control.bind_interdomain(guest.domid(), theirs).unwrap();
    (guest, ours, theirs)
}

#[test]
fn a_channel_carries_events_both_ways() {
    let (sim, control) = machine();
    let (guest, ours, theirs) = connected(&sim, &control);
    assert_eq!(
        take(&sim, DomId(0)),
        Some(ours),
        "binding signals, in case the other end was signalled before"
    );
    control.notify(ours).unwrap();
    assert_eq!(take(&sim, guest.domid()), Some(theirs));
    guest.notify(theirs).unwrap();
    assert_eq!(take(&sim, DomId(0)), Some(ours));
    assert_eq!(take(&sim, DomId(0)), None);
    assert_eq!(control.port_state(DomId::SELF, ours), Ok(PortState::Interdomain(guest.domid(), theirs)));
    assert_eq!(guest.port_state(DomId::SELF, theirs), Ok(PortState::Interdomain(DomId(0), ours)));
}

#[test]
fn closing_leaves_the_other_end_waiting_for_us() {
    let (sim, control) = machine();
    let (guest, ours, theirs) = connected(&sim, &control);
    control.close(ours).unwrap();
    assert_eq!(take(&sim, DomId(0)), None, "a closed channel is not pending");
    assert_eq!(control.port_state(guest.domid(), theirs), Ok(PortState::Unbound(DomId(0))));
    guest.notify(theirs).unwrap();
    assert_eq!(control.bind_interdomain(guest.domid(), theirs), Ok(ours), "the lowest free port again");
    destroy(&control, guest.domid());
    assert_eq!(control.port_state(DomId::SELF, ours), Ok(PortState::Unbound(guest.domid())));
    control.close(ours).unwrap();
    sim.assert_pristine();
}

#[test]
fn ports_are_given_out_lowest_first_up_to_the_limit() {
    let (sim, control) = machine();
    let domid =
        control.create_domain(&CreateDomain { max_port: 3, ..request(CreateFlags::empty()) }).unwrap();
    let guest = sim.as_domain(domid);
    for port in 1..=3 {
        assert_eq!(guest.alloc_unbound(DomId::SELF, DomId(0)), Ok(Port(port)));
    }
    assert_eq!(errno(guest.alloc_unbound(DomId::SELF, DomId(0))), Errno::ENOSPC);
    assert_eq!(errno(guest.bind_virq(Virq::Timer)), Errno::ENOSPC);
    guest.close(Port(2)).unwrap();
    assert_eq!(guest.bind_virq(Virq::Timer), Ok(Port(2)));
}

#[test]
fn refusals_of_alloc_unbound() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    assert_eq!(errno(control.alloc_unbound(DomId(99), DomId(0))), Errno::ESRCH);
    assert_eq!(errno(guest.alloc_unbound(DomId(0), guest.domid())), Errno::EPERM);
    assert!(control.alloc_unbound(guest.domid(), DomId(99)).is_ok(), "the other side may come later");
}

#[test]
fn refusals_of_bind_interdomain() {
    let (sim, control) = machine();
    let (guest, _, theirs) = connected(&sim, &control);
    let for_other = control.alloc_unbound(guest.domid(), DomId(5)).unwrap();
    for (domid, port, expected) in [
        (DomId(99), Port(1), Errno::ESRCH),
        (guest.domid(), Port(4000), Errno::EINVAL),
        (guest.domid(), Port(60), Errno::EINVAL),
        (guest.domid(), theirs, Errno::EINVAL),
        (guest.domid(), for_other, Errno::EINVAL),
    ] {
        assert_eq!(errno(control.bind_interdomain(domid, port)), expected, "{domid:?} {port:?}");
    }
}

#[test]
fn a_virtual_interrupt_has_one_channel() {
    let (sim, control) = machine();
    let port = control.bind_virq(Virq::Console).unwrap();
    assert_eq!(errno(control.bind_virq(Virq::Console)), Errno::EEXIST);
    assert_eq!(control.port_state(DomId(0), port), Ok(PortState::Virq(xen::VIRQ_CONSOLE)));
    assert_eq!(errno(control.notify(port)), Errno::EINVAL);
    sim.raise(Virq::Console);
    sim.raise(Virq::Debug);
    assert_eq!(take(&sim, DomId(0)), Some(port));
    assert_eq!(take(&sim, DomId(0)), None, "nobody listens to the other");
}

#[test]
fn refusals_for_ports_that_are_not_channels() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    // Free, and beyond the table that Xen keeps.
    for port in [Port(0), Port(5), Port(64), Port(u32::MAX)] {
        assert_eq!(errno(control.notify(port)), Errno::EINVAL);
        assert_eq!(errno(control.close(port)), Errno::EINVAL);
    }
    assert_eq!(control.port_state(DomId(0), Port(5)), Ok(PortState::Closed));
    assert_eq!(errno(control.port_state(DomId(0), Port(64))), Errno::EINVAL);
    assert_eq!(errno(control.port_state(DomId(99), Port(1))), Errno::ESRCH);
    assert_eq!(errno(guest.port_state(DomId(0), Port(1))), Errno::EPERM);
    control.unmask(Port(5)).unwrap();
    assert_eq!(errno(control.unmask(Port(64))), Errno::EINVAL);
}

#[test]
fn a_masked_channel_wakes_nobody_until_it_is_unmasked() {
    let (sim, control) = machine();
    let (guest, ours, theirs) = connected(&sim, &control);
    let events = sim.events(guest.domid());
    events.mask(theirs);
    guest.block().unwrap();
    control.notify(ours).unwrap();
    assert!(sim.is_blocked(guest.domid()));
    assert_eq!(take(&sim, guest.domid()), None);
    guest.unmask(theirs).unwrap();
    assert!(!sim.is_blocked(guest.domid()));
    assert!(events.upcall_pending.load(Ordering::SeqCst));
    assert_eq!(take(&sim, guest.domid()), Some(theirs));
}

#[test]
fn blocking_with_an_event_pending_returns_at_once() {
    let (sim, control) = machine();
    let port = control.bind_virq(Virq::Debug).unwrap();
    sim.raise(Virq::Debug);
    control.block().unwrap();
    assert!(!sim.is_blocked(DomId(0)));
    sim.events(DomId(0)).upcall_pending.store(false, Ordering::SeqCst);
    assert_eq!(take(&sim, DomId(0)), Some(port));
    control.block().unwrap();
    assert!(sim.is_blocked(DomId(0)));
}

#[test]
fn both_ends_of_a_channel_can_be_in_one_domain() {
    let (sim, control) = machine();
    let there = control.alloc_unbound(DomId::SELF, DomId::SELF).unwrap();
    let here = control.bind_interdomain(DomId::SELF, there).unwrap();
    control.close(there).unwrap();
    assert_eq!(control.port_state(DomId::SELF, here), Ok(PortState::Unbound(DomId(0))));
    control.close(here).unwrap();
    sim.assert_pristine();
}
