//! Who signals whom, and that no wake-up is lost.

use super::*;
use core::cell::Cell;
use embedded_io::{Read, Write};

#[test]
fn a_peer_is_signalled_only_for_what_it_asked() {
    let (control, mut server, mut client) = pair(1, 1);
    assert!(!server.owes_signal(), "nothing moved");
    server.write(b"a").unwrap();
    assert!(server.owes_signal(), "a client that starts waits for data");
    server.write(b"b").unwrap();
    assert!(!server.owes_signal(), "it has its signal");
    assert_eq!(client.ask(Wants::DATA | Wants::ROOM), Ok(Wants::DATA | Wants::ROOM));
    assert_eq!(control.load_u8::<23>(), 3);
    server.write(b"c").unwrap();
    assert!(server.owes_signal());
    assert_eq!(control.load_u8::<23>(), 2, "only what happened is no longer asked for");
    client.write(b"x").unwrap();
    server.read(&mut [0; 1]).unwrap();
    assert!(server.owes_signal());
    assert_eq!(control.load_u8::<23>(), 0);
}

#[test]
fn a_client_signals_what_a_fresh_server_asked() {
    let (control, mut server, mut client) = pair(1, 1);
    client.write(b"a").unwrap();
    assert!(client.owes_signal());
    server.write(b"b").unwrap();
    client.read(&mut [0; 1]).unwrap();
    assert!(!client.owes_signal(), "nobody waits for room");
    assert_eq!(server.ask(Wants::ROOM), Ok(Wants::ROOM));
    assert_eq!(control.load_u8::<22>(), 2);
    server.write(b"c").unwrap();
    client.read(&mut [0; 1]).unwrap();
    assert!(client.owes_signal());
}

#[test]
fn asking_tells_what_is_there() {
    let (_, mut server, mut client) = pair(1, 1);
    assert_eq!(server.ask(Wants::DATA), Ok(Wants::empty()));
    client.write(b"a").unwrap();
    assert_eq!(server.ask(Wants::DATA), Ok(Wants::DATA));
    assert_eq!(server.write(&[0; 4096]), Ok(4096));
    assert_eq!(server.ask(Wants::all()), Ok(Wants::DATA));
    client.read(&mut [0; 1]).unwrap();
    assert_eq!(server.ask(Wants::ROOM), Ok(Wants::ROOM));
}

/// The client writes and signals at any moment while the server prepares to sleep.
#[test]
fn whoever_is_told_that_nothing_is_there_is_signalled_when_it_comes() {
    for after in 0..6 {
        let (control, mut server, mut client) = pair(1, 1);
        client.write(b"a").unwrap();
        let _ = client.owes_signal();
        server.read(&mut [0; 1]).unwrap();
        let signalled = Rc::new(Cell::new(None));
        let told = signalled.clone();
        control.plan(after, move || {
            client.write(b"b").unwrap();
            told.set(Some(client.owes_signal()));
        });
        let there = server.ask(Wants::DATA).unwrap();
        if let Some(signalled) = signalled.get() {
            assert!(signalled || !there.is_empty(), "lost at access {after}");
        }
    }
}

/// The server prepares to sleep at any moment while the client writes and signals.
#[test]
fn whoever_moves_bytes_sees_who_went_to_sleep_before() {
    for after in 0..8 {
        let (control, mut server, _) = pair(1, 1);
        // The client is on the planned side here: its control page is the one with the plan.
        let offer = Offer::read(&control).unwrap();
        let mut client =
            ClientEnd::open(control.clone(), &offer, Shared::several(1, 1), Shared::several(2, 1)).unwrap();
        server.page = control.mapped();
        control.clear_bits::<22>(3);
        let told = Rc::new(Cell::new(None));
        let tell = told.clone();
        control.plan(after, move || tell.set(Some(server.ask(Wants::DATA).unwrap())));
        client.write(b"a").unwrap();
        let signalled = client.owes_signal();
        if told.get() == Some(Wants::empty()) {
            assert!(signalled, "lost at access {after}");
        }
    }
}
