//! Guests that misbehave.

use super::*;
use crate::ring::xenstore::ConnectionError;
use proptest::prelude::*;

/// Breaks the ring or the protocol in one of the ways there are.
fn misbehave(page: &Page, guest: &mut Guest, how: usize) -> (ConnectionError, &'static str) {
    match how {
        0 => {
            page.store_u32::<2052>(page.load_u32::<2052>().wrapping_add(1025));
            (ConnectionError::RINGIDX, "ahead by more than the ring")
        }
        1 => {
            page.store_u32::<2052>(page.load_u32::<2052>().wrapping_sub(1));
            (ConnectionError::RINGIDX, "backwards")
        }
        2 => {
            page.store_u32::<2056>(page.load_u32::<2060>().wrapping_add(1));
            (ConnectionError::RINGIDX, "has read what was not written")
        }
        _ => {
            guest
                .stream
                .write(&[&[2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 16, 0, 0][..], &[0; 100]].concat())
                .unwrap();
            (ConnectionError::PROTO, "a message of 4097 bytes")
        }
    }
}

const WAYS: usize = 4;

#[test]
fn attack_b01_a_broken_ring_is_cut_off_with_a_reason_and_harms_nobody_else() {
    for how in 0..WAYS {
        let (mut world, mut guest) = World::with_guest(5);
        let mut other = world.introduce(6);
        world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
        let page = world.machine.map_ring(DomId(5)).unwrap();
        let (error, what) = misbehave(&page, &mut guest, how);
        world.signal(5);
        world.run();
        assert_eq!(guest.stream.error(), error, "{what}");
        assert!(matches!(&world.notices()[..], [notice] if notice.starts_with("d5 cut: ")), "{what}");
        assert_eq!(world.service.server().usage(DomId(5)).unwrap().watches, 0);
        assert_eq!(world.guest(6, &mut other, Kind::WRITE, "data|1"), ["WRITE OK|"]);
        world.signal(5);
        assert_eq!(world.run(), 1, "what is cut off is not listened to");
        assert!(world.notices().is_empty());
    }
}

#[test]
fn attack_a06_whatever_a_guest_does_before_it_dies_all_of_it_is_cleaned_up() {
    for how in 0..=WAYS {
        let (mut world, mut guest) = World::with_guest(5);
        world.guest(5, &mut guest, Kind::WRITE, "data/deep/er|1");
        world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
        world.guest(5, &mut guest, Kind::TRANSACTION_START, "|");
        let page = world.machine.map_ring(DomId(5)).unwrap();
        if how < WAYS {
            misbehave(&page, &mut guest, how);
        } else {
            guest.stream.write(b"\x02\0\0\0half").unwrap();
        }
        world.signal(5);
        world.run();
        world.machine.pages.borrow_mut().remove(&DomId(5));
        world.service.domain_died(&world.machine, DomId(5));
        world.run();
        assert_eq!(world.service.server().usage(DomId(5)), None);
        assert_eq!(world.ask(Kind::READ, "/local/domain/5|"), "ERROR ENOENT|");
        assert!(world.machine.bound.borrow().is_empty(), "no channel is left");
        assert!(!world.service.signal(port_of(DomId(5))));
        drop(guest);
        assert_eq!(Rc::strong_count(&page), 1, "no mapping is left");
    }
}

#[test]
fn a_guest_that_was_cut_off_may_start_afresh() {
    for how in 0..WAYS {
        let (mut world, mut guest) = World::with_guest(5);
        let page = world.machine.map_ring(DomId(5)).unwrap();
        misbehave(&page, &mut guest, how);
        world.signal(5);
        world.run();
        guest.stream.ask_reconnect();
        world.signal(5);
        world.run();
        let mut guest = Peer::new(GuestEnd::attach(page).unwrap());
        assert_eq!(guest.stream.error(), ConnectionError::NONE);
        assert_eq!(world.guest(5, &mut guest, Kind::MKDIR, "data|"), ["MKDIR OK|"]);
    }
}

#[test]
fn attack_b04_a_page_that_is_not_granted_fails_the_introduction_and_leaves_nothing() {
    let mut world = World::new();
    world.create(5);
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|666|"), "ERROR EINVAL|");
    assert_eq!(world.ask(Kind::INTRODUCE, "6|1|1|"), "ERROR ENOENT|");
    assert_eq!(world.ask(Kind::IS_DOMAIN_INTRODUCED, "5|"), "IS_DOMAIN_INTRODUCED F|");
    assert!(world.machine.bound.borrow().is_empty());
    assert_eq!(Rc::strong_count(&world.machine.pages.borrow()[&DomId(5)]), 1);
    assert_eq!(world.ask(Kind::INTRODUCE, "5|1|1|"), "INTRODUCE OK|");
}

#[test]
fn a_channel_that_breaks_costs_its_domain_the_connection() {
    let (mut world, mut guest) = World::with_guest(5);
    world.machine.broken.borrow_mut().insert(port_of(DomId(5)));
    guest.post(Kind::MKDIR, 0, "data|");
    world.signal(5);
    world.run();
    assert_eq!(guest.stream.error(), ConnectionError::COMM);
    assert_eq!(world.notices().len(), 1);
}

#[test]
fn attack_a10_a_guest_that_does_not_read_is_not_listened_to() {
    let (mut world, mut guest) = World::with_guest(5);
    world.guest(5, &mut guest, Kind::WATCH, "data|tok|");
    assert_eq!(world.ask(Kind::SET_QUOTA, "5|queued-events|50|"), "SET_QUOTA OK|");
    for number in 0..200 {
        guest.post(Kind::WRITE, 0, &format!("data/{number}|1"));
        world.signal(5);
        world.run();
    }
    assert!(!guest.output.is_empty(), "requests pile up on the guest's side");
    let nodes = world.service.server().usage(DomId(5)).unwrap().nodes;
    assert!(nodes < 60, "{nodes} nodes: as many as answers fit into the ring");
    for number in 0..500 {
        world.ask(Kind::WRITE, &format!("/local/domain/5/data/x{number}|1"));
    }
    let mut told = 0;
    loop {
        let more = guest.all().len();
        if more == 0 && guest.output.is_empty() {
            break;
        }
        told += more;
        guest.push();
        world.signal(5);
        world.run();
    }
    assert!(told < 500, "{told} messages: events beyond the quota were drawn together");
    assert_eq!(world.guest(5, &mut guest, Kind::READ, "data/199|"), ["READ 1"]);
}

#[test]
fn attack_b03_a_storm_of_events_costs_one_turn_a_round() {
    let (mut world, mut guest) = World::with_guest(5);
    let mut other = world.introduce(6);
    other.post(Kind::MKDIR, 0, "data|");
    for _ in 0..1000 {
        world.signal(5);
    }
    world.signal(6);
    assert!(world.run() <= 4);
    assert_eq!(other.all(), ["MKDIR OK|"]);
    assert!(guest.all().is_empty());
}

/// One thing that a guest does to its page, or the world to the guest.
#[derive(Clone, Debug)]
enum Move {
    Word(usize, u32),
    Bytes(usize, Vec<u8>),
    Signal,
    Step,
    Reintroduce,
}

fn any_move() -> impl Strategy<Value = Move> {
    let word = prop_oneof![0u32..5, 1020u32..1030, (u32::MAX - 3)..=u32::MAX, any::<u32>()];
    prop_oneof![
        4 => (0usize..7, word).prop_map(|(word, value)| Move::Word(2048 + 4 * word, value)),
        2 => (0usize..100, proptest::collection::vec(0u8..30, 1..60)).prop_map(|(at, bytes)| Move::Bytes(at, bytes)),
        4 => Just(Move::Signal),
        4 => Just(Move::Step),
        1 => Just(Move::Reintroduce),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn attack_a11_whatever_stands_in_a_page_others_are_served(moves in proptest::collection::vec(any_move(), 1..60)) {
        let (mut world, _guest) = World::with_guest(5);
        let mut other = world.introduce(6);
        let page = world.machine.map_ring(DomId(5)).unwrap();
        for step in moves {
            match step {
                Move::Word(at, value) => page.write(at, &value.to_ne_bytes()),
                Move::Bytes(at, bytes) => page.write(at, &bytes),
                Move::Signal => world.signal(5),
                Move::Step => drop(world.service.step(&world.machine)),
                Move::Reintroduce => drop(world.ask(Kind::INTRODUCE, "5|1|1|")),
            }
        }
        world.run();
        prop_assert_eq!(world.guest(6, &mut other, Kind::WRITE, "data|1"), ["WRITE OK|"]);
    }
}
