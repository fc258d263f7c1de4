//! A guest that writes what it likes into its ring page.

use embedded_io::{Read, Write};
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::store::wire::Kind;

use crate::differential::store::{Ask, Store, Who};
use crate::differential::subject::Subject;

/// The guest whose page is written to, and another one.
const GUEST: u16 = 1;
const OTHER: u16 = 2;

/// Plays moves on a guest's page: each begins with a byte that says which. Whatever they are, the other guest is
/// served, the store is whole, and nothing of the guest is left once it is dead.
pub fn frames(moves: &[u8]) {
    let mut store = Subject::default();
    for domid in [GUEST, OTHER] {
        store.create(domid);
        for (kind, payload) in [
            (Kind::MKDIR, format!("/local/domain/{domid}\0")),
            (Kind::SET_PERMS, format!("/local/domain/{domid}\0n{domid}\0")),
            (Kind::INTRODUCE, format!("{domid}\x001\x001\0")),
        ] {
            assert_eq!(ask(&mut store, Who::Tool(0), kind, payload.as_bytes()), b"OK\0");
        }
        store.attach(domid);
    }
    play(&mut store, moves);
    assert_eq!(ask(&mut store, Who::Domain(OTHER), Kind::WRITE, b"data\0alive"), b"OK\0");
    assert_eq!(ask(&mut store, Who::Domain(OTHER), Kind::READ, b"data\0"), b"alive");
    check(&store);
    store.destroy(GUEST);
    check(&store);
    assert_eq!(ask(&mut store, Who::Tool(0), Kind::READ, b"/local/domain/1\0"), b"ENOENT\0");
    assert_eq!(store.usage(GUEST), None);
}

fn play(store: &mut Subject, mut moves: &[u8]) {
    let mut guest = GuestEnd::attach(store.page(GUEST)).expect("an empty ring");
    while let [which, rest @ ..] = moves {
        moves = match (which % 8, rest) {
            // An index or another word of the page.
            (0, [word, a, b, c, d, rest @ ..]) => {
                store.page(GUEST).write(2048 + 4 * usize::from(word % 7), &[*a, *b, *c, *d]);
                rest
            }
            // Bytes somewhere in the request ring.
            (1, [at, len, rest @ ..]) => {
                let (bytes, rest) = rest.split_at(rest.len().min(usize::from(*len)));
                store.page(GUEST).write(usize::from(*at), bytes);
                rest
            }
            // Bytes as a well-behaved guest would send them.
            (2..6, [len, rest @ ..]) => {
                let (bytes, rest) = rest.split_at(rest.len().min(usize::from(*len)));
                // What a ring that is full or broken does not take is lost.
                let _sent = guest.write(bytes);
                rest
            }
            (6, rest) => {
                let _read = guest.read(&mut [0; 1024]);
                rest
            }
            (_, rest) => {
                store.turn(GUEST);
                rest
            }
        };
    }
}

fn ask(store: &mut Subject, who: Who, kind: Kind, payload: &[u8]) -> Vec<u8> {
    store.ask(who, &Ask { kind, tx_id: 0, payload: payload.to_vec() }).expect("a connection").payload
}

fn check(store: &Subject) {
    store.check().unwrap_or_else(|fault| panic!("{fault}"));
}
