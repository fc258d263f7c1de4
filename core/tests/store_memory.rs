//! What the store takes of the heap, counted by the allocator.
#![expect(clippy::unwrap_used, reason = "tests state expectations this way, in helpers, too")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use xendless_core::hyper::DomId;
use xendless_core::store::server::{ConnId, Outcome, Server};
use xendless_core::store::wire::{Header, Kind, Message, Payload};

use common::Machine;

thread_local! {
    /// Bytes this thread has allocated and not freed, and calls that allocated.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator cannot be had without")]
// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + layout.size().cast_signed());
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Store(Server);

impl Store {
    fn new() -> (Self, ConnId) {
        let mut store = Self(Server::new(DomId(0)));
        let root = store.0.connect();
        store.ask(root, Kind::SET_QUOTA, 0, &format!("total-memory\0{}\0", u32::MAX));
        (store, root)
    }

    fn ask(&mut self, conn: ConnId, kind: Kind, tx_id: u32, text: &str) -> String {
        let message = Message::new(kind, 1, tx_id, Payload::try_from(text.as_bytes()).unwrap());
        let header = Header::parse(*message.as_bytes().first_chunk().unwrap()).unwrap();
        match self.0.handle(&mut Machine, conn, &header, message.payload()) {
            Outcome::Reply(reply) => String::from_utf8_lossy(reply.payload()).trim_end_matches('\0').into(),
            Outcome::Wait => "wait".into(),
        }
    }

    fn guest(&mut self, root: ConnId, domid: u16) -> ConnId {
        self.ask(root, Kind::MKDIR, 0, &format!("/local/domain/{domid}\0"));
        self.ask(root, Kind::SET_PERMS, 0, &format!("/local/domain/{domid}\0n{domid}\0"));
        assert_eq!(self.ask(root, Kind::INTRODUCE, 0, &format!("{domid}\x001\x001\0")), "OK");
        self.0.domains().find(|(known, _)| known.0 == domid).unwrap().1.unwrap()
    }
}

#[test]
fn a_node_takes_at_most_250_bytes() {
    for (shape, per_dir) in [("flat", 10_000), ("bushy", 10)] {
        let (mut store, root) = Store::new();
        let before = LIVE.get();
        let mut nodes = 0;
        for i in 0..10_000 {
            nodes += 1 + isize::from(i % per_dir == 0);
            let path = format!("/dir-{:016}/node-{:015}", i / per_dir, i % per_dir);
            assert_eq!(store.ask(root, Kind::WRITE, 0, &format!("{path}\0a-value-of-20-bytes!")), "OK");
        }
        let per_node = (LIVE.get() - before) / nodes;
        println!("{shape}: {per_node} bytes per node");
        assert!(per_node <= 250);
    }
}

#[test]
fn what_is_charged_is_about_what_is_taken() {
    let (mut store, root) = Store::new();
    let guest = store.guest(root, 1);
    let (before, charged) = (LIVE.get(), store.0.usage(DomId(1)).unwrap().memory);
    for i in 0..400 {
        assert_eq!(store.ask(guest, Kind::WRITE, 0, &format!("n-{i:04}\0{}", "v".repeat(i))), "OK");
        assert_eq!(
            store.ask(guest, Kind::WATCH, 0, &format!("w-{:04}\0token-{i}\0", i % 100)),
            if i < 128 { "OK" } else { "E2BIG" }
        );
        while store.0.next_event(guest).is_some() {}
    }
    let taken = LIVE.get() - before;
    let charged = isize::try_from(store.0.usage(DomId(1)).unwrap().memory - charged).unwrap();
    println!("{taken} bytes taken, {charged} charged");
    assert!(taken <= charged * 3 / 2 && charged <= taken * 3 / 2);
}

/// Every kind of request, well formed and not, leaves the heap as it was.
#[test]
fn attack_a13_a_request_leaves_no_memory_behind() {
    let (mut store, root) = Store::new();
    let guest = store.guest(root, 1);
    let big = "x".repeat(1900);
    let round = |store: &mut Store| {
        for (kind, text) in [
            (Kind::WRITE, format!("d/a\0{big}")),
            (Kind::MKDIR, "d/b/c\0".into()),
            (Kind::READ, "d/a\0".into()),
            (Kind::READ, format!("{big}\0")),
            (Kind::DIRECTORY, "d\0".into()),
            (Kind::DIRECTORY_PART, "d\x000\0".into()),
            (Kind::SET_PERMS, format!("d\0{}", "r0\0".repeat(900))),
            (Kind::SET_PERMS, "d\0n1\0r0\0".into()),
            (Kind::GET_PERMS, "d\0".into()),
            (Kind::WATCH, format!("d\0{}\0", "t".repeat(1000))),
            (Kind::CONTROL, "check\0".into()),
            (Kind(99), big.clone()),
            (Kind::UNWATCH, format!("d\0{}\0", "t".repeat(1000))),
            (Kind::RM, "d\0".into()),
            (Kind::RESET_WATCHES, "\0".into()),
        ] {
            store.ask(guest, kind, 0, &text);
        }
        let tx = store.ask(guest, Kind::TRANSACTION_START, 0, "\0").parse().unwrap();
        store.ask(guest, Kind::WRITE, tx, &format!("d/a/b/c\0{big}"));
        store.ask(guest, Kind::TRANSACTION_END, tx, if tx % 2 == 0 { "T\0" } else { "F\0" });
        store.ask(guest, Kind::RM, 0, "d\0");
        while store.0.step() {}
    };
    (0..4).for_each(|_| round(&mut store));
    let before = LIVE.get();
    (0..100).for_each(|_| round(&mut store));
    assert_eq!(LIVE.get(), before);
}

#[test]
fn a_domain_that_dies_leaves_no_memory_behind() {
    let (mut store, root) = Store::new();
    let life = |store: &mut Store| {
        let guest = store.guest(root, 1);
        for i in 0..100 {
            store.ask(guest, Kind::WRITE, 0, &format!("d/{i}\0value"));
            store.ask(guest, Kind::WATCH, 0, &format!("d/{i}\0t\0"));
        }
        let tx = store.ask(guest, Kind::TRANSACTION_START, 0, "\0").parse().unwrap();
        store.ask(guest, Kind::WRITE, tx, "d/x\0value");
        store.0.domain_died(&mut Machine, DomId(1));
        while store.0.step() {}
    };
    (0..4).for_each(|_| life(&mut store));
    let before = LIVE.get();
    (0..20).for_each(|_| life(&mut store));
    assert_eq!(LIVE.get(), before);
}

/// Allocations stand for work here: they are counted exactly, on every machine.
#[test]
fn a_request_allocates_the_same_however_big_the_store_is() {
    let calls = |nodes: u32, watches: u32, kind: Kind, text: &str| {
        let (mut store, root) = Store::new();
        let other = store.0.connect();
        for i in 0..nodes {
            store.ask(root, Kind::WRITE, 0, &format!("/d/{i}\0value"));
        }
        for i in 0..watches {
            store.ask(other, Kind::WATCH, 0, &format!("/w/{i}\0t\0"));
            while store.0.next_event(other).is_some() {}
        }
        let before = CALLS.get();
        assert_ne!(store.ask(root, kind, 0, text), "ENOENT");
        CALLS.get() - before
    };
    for (kind, text) in
        [(Kind::READ, "/d/500\0"), (Kind::WRITE, "/d/500\0other"), (Kind::GET_PERMS, "/d/500\0")]
    {
        let small = calls(1_000, 1, kind, text);
        assert_eq!(calls(50_000, 1, kind, text), small, "{kind}");
        assert_eq!(calls(1_000, 5_000, kind, text), small, "{kind} beside watches");
    }
}
