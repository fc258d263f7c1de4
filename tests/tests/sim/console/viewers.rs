//! Those who look at consoles and type at them.

use proptest::prelude::*;
use xendless_core::console::{
    ConsoleId, Consoles, Limits, Lost, Seen, SubscribeError, TableError, TypeError,
};
use xendless_tests::sim::{SimHypervisor, SimMapping};

use super::{Guest, Rig, SECOND};
use crate::destroy;

#[test]
fn bytes_go_both_ways_and_nothing_is_left_when_all_is_over() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    assert_eq!(rig.consoles.domain(console), Some(guest.domid()));
    let viewer = rig.consoles.subscribe(console).unwrap();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.read(viewer, &mut [0; 9]), Some(Seen { lost: 0, count: 0 }));
    guest.print(b"login: ");
    assert_eq!(rig.settle().0, None);
    assert_eq!((rig.consoles.take_ready(), rig.consoles.take_ready()), (Some(viewer), None));
    let mut out = [0; 9];
    assert_eq!(rig.consoles.read(viewer, &mut out), Some(Seen { lost: 0, count: 7 }));
    assert_eq!(&out[..7], b"login: ");
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"root\r", |_| panic!()), Ok(5));
    assert_eq!(guest.typed(), b"root\r");
    rig.settle();
    rig.consoles.remove(&rig.hv, console).unwrap();
    assert_eq!(rig.consoles.take_ready(), Some(viewer), "it is told that the console is gone");
    assert_eq!(rig.consoles.read(viewer, &mut out), None);
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"x", |_| ()), Err(TypeError::NoSuchViewer));
    let domid = guest.domid();
    drop(guest);
    destroy(&rig.control(), domid);
    assert_eq!(rig.notices, []);
    rig.sim.assert_pristine();
}

#[test]
fn a_late_viewer_sees_the_last_64_kib() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let text: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    rig.print(&mut guest, &text);
    let screen = rig.screen(console);
    assert!((64 << 10..=66 << 10).contains(&screen.len()), "{}", screen.len());
    assert!(text.ends_with(&screen));
    assert_eq!(rig.consoles.dropped(console), Some((text.len() - screen.len()) as u64));
}

#[test]
fn a_slow_viewer_loses_the_oldest_and_is_told_how_much() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let slow = rig.consoles.subscribe(console).unwrap();
    rig.print(&mut guest, &[b'x'; 100_000]);
    let mut out = vec![0; 100_000];
    let seen = rig.consoles.read(slow, &mut out).unwrap();
    assert_eq!(seen.lost + seen.count as u64, 100_000);
    assert_eq!(Some(seen.lost), rig.consoles.dropped(console));
    assert_eq!(Lost(7).to_string(), "\r\n[xendless: 7 bytes of output lost]\r\n");
}

#[test]
fn who_types_more_than_fits_is_told_when_there_is_room() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let viewer = rig.consoles.subscribe(console).unwrap();
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, &[b'k'; 1500], |_| panic!()), Ok(1024));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"k", |_| panic!()), Ok(0));
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), None, "there is no room");
    assert_eq!(guest.typed().len(), 1024);
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, &[b'k'; 476], |_| panic!()), Ok(476));
}

#[test]
fn a_console_outlives_the_domain_and_goes_to_the_next() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let viewer = rig.consoles.subscribe(console).unwrap();
    guest.print(b"going down\r\n");
    rig.consoles.detach(&rig.hv, console).unwrap();
    assert!(!guest.ring.is_served());
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"x", |_| ()), Err(TypeError::NoDomain));
    let domid = guest.domid();
    drop(guest);
    destroy(&rig.control(), domid);
    rig.sim.assert_pristine();

    let mut next = Guest::new(&rig.control());
    rig.consoles.attach(&rig.hv, console, next.domid(), next.port).unwrap();
    next.print(b"hello again\r\n");
    rig.settle();
    let mut out = [0; 64];
    let seen = rig.consoles.read(viewer, &mut out).unwrap();
    assert_eq!(&out[..seen.count], b"going down\r\nhello again\r\n");
}

#[test]
fn there_are_no_more_consoles_and_viewers_than_allowed_and_those_that_go_make_room() {
    let mut consoles = Consoles::<SimMapping>::new(Limits { consoles: 2, viewers: 3, ..Limits::default() });
    let (first, second) = (consoles.add().unwrap(), consoles.add().unwrap());
    assert_eq!(consoles.add(), Err(TableError::Full));
    let viewers: Vec<_> = (0..3).map(|_| consoles.subscribe(first).unwrap()).collect();
    assert_eq!(consoles.subscribe(second), Err(SubscribeError::Table(TableError::Full)));
    consoles.unsubscribe(viewers[0]);
    consoles.subscribe(second).unwrap();
    consoles.remove(&SimHypervisor::default().control(), first).unwrap();
    assert_eq!(consoles.subscribe(first), Err(SubscribeError::NoSuchConsole));
    let again = consoles.add().unwrap();
    assert_ne!(again, first, "a name is never used twice");
}

#[derive(Clone, Debug)]
enum Act {
    Print(usize, usize),
    Read(usize, usize),
    Type(usize, usize),
    Drain(usize),
    Pass(u64),
    Step,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0usize..3, 0usize..5000).prop_map(|(guest, count)| Act::Print(guest, count)),
        (0usize..6, 1usize..9000).prop_map(|(viewer, count)| Act::Read(viewer, count)),
        (0usize..6, 1usize..1500).prop_map(|(viewer, count)| Act::Type(viewer, count)),
        (0usize..3).prop_map(Act::Drain),
        (0..SECOND / 10).prop_map(Act::Pass),
        Just(Act::Step),
    ]
}

/// The byte that guest `guest` prints at position `at`.
fn letter(guest: usize, at: u64) -> u8 {
    ((at * 7 + guest as u64) % 253) as u8
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order of events and however slow the viewers are, each sees every byte at its place or is told
    /// of it as lost, and every typed byte that was taken arrives once.
    #[test]
    fn viewers_see_what_was_printed_in_order(acts in prop::collection::vec(act(), 1..120)) {
        let mut rig = Rig::with(Limits { history: 24 << 10, ..Limits::default() });
        let mut guests: Vec<(Guest, ConsoleId)> = (0..3).map(|_| rig.guest()).collect();
        let viewers: Vec<_> = (0..6).map(|at| rig.consoles.subscribe(guests[at % 3].1).unwrap()).collect();
        let (mut printed, mut seen, mut typed) = ([0u64; 3], [0u64; 6], [0usize; 3]);
        let check = |rig: &mut Rig, viewer: usize, seen: &mut [u64; 6], room: usize| {
            let mut out = vec![0; room];
            let got = rig.consoles.read(viewers[viewer], &mut out).unwrap();
            let from = seen[viewer] + got.lost;
            assert!((from..).zip(&out[..got.count]).all(|(at, byte)| *byte == letter(viewer % 3, at)));
            seen[viewer] = from + got.count as u64;
        };
        for act in acts {
            match act {
                Act::Print(guest, count) => {
                    let from = printed[guest];
                    let bytes: Vec<u8> = (from..from + count as u64).map(|at| letter(guest, at)).collect();
                    printed[guest] += guests[guest].0.print(&bytes) as u64;
                }
                Act::Read(viewer, room) => check(&mut rig, viewer, &mut seen, room),
                Act::Type(viewer, count) => {
                    let bytes = vec![b'k'; count];
                    typed[viewer % 3] += rig.consoles.type_in(&rig.hv, viewers[viewer], &bytes, |_| panic!()).unwrap();
                }
                Act::Drain(guest) => typed[guest] -= guests[guest].0.typed().len(),
                Act::Pass(ns) => rig.pass(ns),
                Act::Step => drop(rig.step()),
            }
        }
        rig.pass(SECOND);
        for viewer in 0..6 {
            check(&mut rig, viewer, &mut seen, 1 << 17);
            prop_assert_eq!(seen[viewer], printed[viewer % 3]);
        }
        for (guest, left) in typed.iter().enumerate() {
            prop_assert_eq!(guests[guest].0.typed().len(), *left);
        }
        prop_assert_eq!(&rig.notices, &[]);
    }
}
