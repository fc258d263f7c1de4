//! What the service does for clients that behave.

use super::*;
use crate::ring::xenstore::{ConnectionError, Features};

#[test]
fn a_guest_is_served_over_its_ring_and_notified() {
    let (mut world, mut guest) = World::with_guest(5);
    assert_eq!(guest.stream.features(), crate::store::domain::FEATURES);
    world.machine.notified.take();
    assert_eq!(world.guest(5, &mut guest, Kind::WRITE, "data/x|hello"), ["WRITE OK|"]);
    assert!(world.machine.notified.take().contains(&Port(105)));
    assert_eq!(world.machine.spoke.take(), [DomId(5)]);
    assert_eq!(world.ask(Kind::READ, "/local/domain/5/data/x|"), "READ hello");
    assert_eq!(world.guest(5, &mut guest, Kind::READ, "/|"), ["ERROR EACCES|"]);
    assert_eq!(world.machine.spoke.take(), [], "only the first time is news");
}

#[test]
fn messages_larger_than_a_ring_pass_both_ways() {
    let (mut world, mut guest) = World::with_guest(5);
    let value = "v".repeat(1900);
    assert_eq!(world.guest(5, &mut guest, Kind::WRITE, &format!("big|{value}")), ["WRITE OK|"]);
    assert_eq!(world.guest(5, &mut guest, Kind::READ, "big|"), [format!("READ {value}")]);
}

#[test]
fn an_idle_service_rests_and_an_event_costs_only_its_sender_a_turn() {
    let (mut world, _guest) = World::with_guest(5);
    let _others: Vec<_> = (6..20).map(|domid| world.introduce(domid)).collect();
    assert!(!world.service.step(&world.machine));
    world.signal(5);
    assert_eq!(world.run(), 1);
}

#[test]
fn events_reach_a_guest_that_asked_nothing() {
    let (mut world, mut guest) = World::with_guest(5);
    let told = world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
    assert_eq!(told, ["WATCH OK|", "WATCH_EVENT data|tok|"]);
    assert_eq!(world.ask(Kind::WRITE, "/local/domain/5/data|1"), "WRITE OK|");
    assert_eq!(guest.all(), ["WATCH_EVENT data|tok|"]);
    world.service.domain_shutdown(DomId(5));
    world.run();
    assert_eq!(world.ask(Kind::WATCH, "@releaseDomain|tok|"), "WATCH OK|");
    assert_eq!(world.root.all(), ["WATCH_EVENT @releaseDomain|tok|"]);
    world.service.domain_died(&world.machine, DomId(5));
    world.run();
    assert_eq!(world.root.all(), ["WATCH_EVENT @releaseDomain|tok|"]);
}

#[test]
fn a_guest_gets_a_fresh_start_when_it_asks() {
    let (mut world, mut guest) = World::with_guest(5);
    world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
    world.guest(5, &mut guest, Kind::WRITE, "data|kept");
    assert_eq!(world.guest(5, &mut guest, Kind::TRANSACTION_START, "|"), ["TRANSACTION_START 1|"]);
    guest.stream.write(&[0xff; 10]).unwrap();
    guest.stream.ask_reconnect();
    world.signal(5);
    world.run();
    assert!(guest.stream.reconnected().unwrap());
    assert_eq!(world.notices(), ["d5 reconnected"]);
    let usage = world.service.server().usage(DomId(5)).unwrap();
    assert_eq!((usage.watches, usage.transactions), (0, 0));
    let mut guest = Peer::new(guest.stream);
    assert_eq!(world.guest(5, &mut guest, Kind::READ, "data|"), ["READ kept"]);
}

#[test]
fn a_feature_that_was_withheld_is_not_offered_and_not_granted() {
    let mut world = World::new();
    let page = world.create(5);
    assert_eq!(world.ask(Kind::SET_FEATURE, "5|0|"), "SET_FEATURE OK|");
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|1|"), "INTRODUCE OK|");
    let guest = GuestEnd::attach(page).unwrap();
    assert_eq!(guest.features(), Features::empty());
    guest.ask_reconnect();
    world.signal(5);
    world.run();
    assert!(world.notices().is_empty());
}

#[test]
fn a_new_channel_for_an_introduced_domain_replaces_the_old() {
    let (mut world, mut guest) = World::with_guest(5);
    world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
    guest.post(Kind::READ, 0, "data|");
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|2|"), "INTRODUCE OK|");
    let mut guest = Peer::new(GuestEnd::attach(world.machine.map_ring(DomId(5)).unwrap()).unwrap());
    assert_eq!(world.guest(5, &mut guest, Kind::MKDIR, "data|"), ["MKDIR OK|"]);
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|666|"), "ERROR EINVAL|");
    assert!(world.machine.bound.borrow().is_empty());
    assert_eq!(world.ask(Kind::RELEASE, "5|"), "RELEASE OK|");
}

#[test]
fn a_domain_that_waits_for_its_introduction_is_told() {
    let mut world = World::new();
    let page = world.create(5);
    let guest = GuestEnd::attach(Rc::clone(&page)).unwrap();
    guest.ask_reconnect();
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|1|"), "INTRODUCE OK|");
    assert_eq!(world.machine.notified.take(), [Port(105)]);
    assert!(GuestEnd::attach(page).unwrap().reconnected().unwrap());
}

#[test]
fn a_stream_that_ends_takes_its_watches_along() {
    let mut world = World::new();
    let (ours, theirs) = Pipe::pair();
    let conn = world.service.connect(theirs);
    let mut other = Peer::new(ours);
    other.post(Kind::WATCH, 0, "/|tok|");
    other.post(Kind::TRANSACTION_START, 0, "|");
    world.service.wake(conn);
    world.run();
    assert_eq!(other.all(), ["WATCH OK|", "WATCH_EVENT /|tok|", "TRANSACTION_START 1|"]);
    assert_eq!(world.service.interest(conn), crate::store::service::Interest { read: true, write: false });
    drop(other);
    world.service.wake(conn);
    world.run();
    assert!(!world.service.is_connected(conn));
    assert_eq!(world.service.server().usage(DomId(0)).unwrap().watches, 0);
}

#[test]
fn a_request_that_was_put_off_is_answered_when_its_reason_is_gone() {
    let (mut world, mut guest) = World::with_guest(5);
    world.guest(5, &mut guest, Kind::WRITE, "data|0");
    let node = "/local/domain/5/data|";
    let contested = |world: &mut World| {
        let tx_id = world.ask(Kind::TRANSACTION_START, "|");
        let tx_id = tx_id.trim_start_matches("TRANSACTION_START ").trim_end_matches('|').parse().unwrap();
        world.ask_in(tx_id, Kind::READ, node);
        world.ask_in(tx_id, Kind::WRITE, "/mine|1");
        tx_id
    };
    let lost = contested(&mut world);
    world.guest(5, &mut guest, Kind::WRITE, "data|1");
    assert_eq!(world.ask_in(lost, Kind::TRANSACTION_END, "T|"), "ERROR EAGAIN|");
    let won = contested(&mut world);
    assert_eq!(world.guest(5, &mut guest, Kind::WRITE, "data|2"), [""; 0]);
    assert_eq!(world.guest(5, &mut guest, Kind::READ, "data|"), [""; 0]);
    assert_eq!(world.ask_in(won, Kind::TRANSACTION_END, "T|"), "TRANSACTION_END OK|");
    assert_eq!(guest.all(), ["WRITE OK|", "READ 2"]);
    assert_eq!(guest.stream.error(), ConnectionError::NONE);
}
