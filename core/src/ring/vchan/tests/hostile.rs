//! Row b06: a peer that sets indices out of range, or moves them while data is copied.

use super::*;
use crate::ring::RingError;
use embedded_io::{Read, Write};
use proptest::prelude::*;

const SIZE: u32 = 4096;

/// Indices that cannot be, for a side that has `filled` of its ring and whose peer stands at `at`.
fn impossible(at: u32, forward: u32) -> impl Iterator<Item = u32> {
    let steps = [forward + 1, forward + 2, SIZE * 2, 0x7fff_ffff, 0x8000_0000, u32::MAX - 5, u32::MAX];
    steps.into_iter().map(move |step| at.wrapping_add(step))
}

#[test]
fn attack_b06_a_producer_out_of_range_moves_no_byte() {
    for start in [0, 77, u32::MAX - 3] {
        let (control, mut server, mut client) = pair(1, 1);
        wind(&control, &mut server, &mut client, start);
        for bad in impossible(start, SIZE) {
            control.store_u32::<4>(bad);
            control.store_u32::<12>(bad);
            let mut out = [7; 64];
            assert!(matches!(server.read(&mut out), Err(RingError::Peer(_))), "{bad:#x}");
            assert!(matches!(client.read(&mut out), Err(RingError::Peer(_))), "{bad:#x}");
            assert!(server.ask(Wants::DATA).is_err() && client.ask(Wants::DATA).is_err());
            assert_eq!(out, [7; 64]);
            assert_eq!((control.load_u32::<0>(), control.load_u32::<8>()), (start, start));
        }
    }
}

#[test]
fn attack_b06_a_consumer_out_of_range_gets_no_byte() {
    for start in [0, 77, u32::MAX - 3] {
        let (control, mut server, mut client) = pair(1, 1);
        wind(&control, &mut server, &mut client, start);
        server.write(&[1; 10]).unwrap();
        client.write(&[1; 10]).unwrap();
        for bad in impossible(start, 10) {
            control.store_u32::<0>(bad);
            control.store_u32::<8>(bad);
            assert!(matches!(server.write(b"x"), Err(RingError::Peer(_))), "{bad:#x}");
            assert!(matches!(client.write(b"x"), Err(RingError::Peer(_))), "{bad:#x}");
            assert!(server.ask(Wants::ROOM).is_err() && client.ask(Wants::ROOM).is_err());
            let ours = start.wrapping_add(10);
            assert_eq!((control.load_u32::<4>(), control.load_u32::<12>()), (ours, ours));
        }
    }
}

#[test]
fn attack_b06_what_the_peer_writes_over_our_index_changes_nothing() {
    let (control, mut server, mut client) = pair(1, 1);
    client.write(b"abcdef").unwrap();
    let mut out = [0; 3];
    server.read(&mut out).unwrap();
    control.store_u32::<0>(0xdead);
    assert_eq!((server.read(&mut out), &out), (Ok(3), b"def"));
    assert_eq!(control.load_u32::<0>(), 6);
    control.store_u32::<12>(0xdead);
    server.write(b"x").unwrap();
    assert_eq!(control.load_u32::<12>(), 1);
}

/// At each access that an operation makes, the peer moves its indices.
#[test]
fn attack_b06_indices_that_move_while_data_is_copied_reach_nothing() {
    for after in 0..8 {
        let (control, mut server, mut client) = pair(1, 1);
        client.write(b"abc").unwrap();
        let peer = control.mapped();
        control.plan(after, move || {
            peer.store_u32::<4>(0x8000_0000);
            peer.store_u32::<0>(0x4000_0000);
            peer.store_u32::<8>(0x4000_0000);
        });
        let mut out = [7; 64];
        match server.read(&mut out) {
            Ok(count) => assert_eq!((count, &out[..4]), (3, &b"abc\x07"[..])),
            Err(error) => assert!(matches!(error, RingError::Peer(_)) && out == [7; 64]),
        }
        assert!(!server.write(&[1; 5000]).is_ok_and(|count| count != 4096));
    }
}

#[test]
fn attack_b06_what_a_client_writes_over_the_offer_hurts_only_itself() {
    let (control, mut server, pages) = serve(2, 2);
    let mut client = open(&control, &pages);
    client.connect();
    control.write(16, &[255; 8]);
    control.write(24, &[255; 4072]);
    assert_eq!((server.room(), server.waiting()), (Ok(8192), Ok(0)));
    assert_eq!((server.client(), Offer::read(&control).is_err()), (Client::Gone, true));
    server.reset();
    let mut client = open(&control, &pages);
    assert_eq!(client.connect(), Link::Up);
}

#[test]
fn attack_b06_an_offer_of_rings_that_cannot_be_is_refused() {
    let offer = |left: u16, right: u16| {
        let (control, ..) = serve(1, 1);
        control.write(16, &left.to_ne_bytes());
        control.write(18, &right.to_ne_bytes());
        Offer::read(&control)
    };
    for (left, right) in [(9, 12), (12, 21), (0, 0), (10, 10), (11, 11), (0xffff, 12), (20, 10)] {
        assert_eq!(offer(left, right), Err(OfferError::Orders { left, right }));
    }
    for (left, right) in [(10, 11), (11, 10), (12, 10), (11, 12), (20, 20), (11, 20)] {
        assert!(offer(left, right).is_ok(), "{left} {right}");
    }
    let (control, ..) = serve(1, 1);
    let offer = Offer::read(&control).unwrap();
    assert!(ClientEnd::open(control, &offer, Vec::new(), Shared::several(1, 1)).is_err());
}

proptest! {
    #[test]
    fn attack_b06_any_words_in_the_control_page_are_an_answer_or_an_error(
        sizes in (0u32..3, 0u32..3),
        words in prop::collection::vec((0usize..6, prop_oneof![any::<u32>(), 0u32..9000]), 1..40),
    ) {
        let (control, mut server, mut client) = pair(sizes.0, sizes.1);
        for (word, value) in words {
            control.write(word * 4, &value.to_ne_bytes());
            let mut out = [0; 9000];
            prop_assert!(!server.read(&mut out).is_ok_and(|count| count > 8192));
            prop_assert!(!client.read(&mut out).is_ok_and(|count| count > 8192));
            prop_assert!(!server.write(&[0; 300]).is_ok_and(|count| count > 300));
            prop_assert!(!client.write(&[0; 300]).is_ok_and(|count| count > 300));
            let _ = (server.client(), server.owes_signal(), client.link(), client.owes_signal());
            let _ = (server.ask(Wants::all()), client.ask(Wants::all()), Offer::read(&control));
            if value % 7 == 0 {
                server.reset();
                let _ = client.connect();
            }
        }
    }
}
