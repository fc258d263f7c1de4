//! The dearest requests that guests at their default limits can make, and all that follows from each.
#![expect(clippy::expect_used, reason = "a bench that cannot ask has nothing to measure")]

use xendless_core::hyper::DomId;
use xendless_core::store::server::{ConnId, Outcome, Server};
use xendless_core::store::wire::{Header, Kind, Message, Payload};

use crate::common::Machine;
use crate::meter::measure;

/// Domains besides the one that asks, all against it.
const OTHERS: u16 = 40;

/// Levels of the deepest path a domain may create at once.
const LEVELS: usize = 990;

/// A store with guests.
struct Guests {
    server: Server,
    root: ConnId,
    bad: ConnId,
}

impl Guests {
    fn new() -> Self {
        let mut server = Server::new(DomId(0));
        let root = server.connect();
        let mut guests = Self { server, root, bad: root };
        guests.bad = guests.introduce(1);
        guests
    }

    fn introduce(&mut self, domid: u16) -> ConnId {
        self.ask(self.root, Kind::MKDIR, 0, &format!("/local/domain/{domid}|"));
        self.ask(self.root, Kind::SET_PERMS, 0, &format!("/local/domain/{domid}|r{domid}|"));
        self.ask(self.root, Kind::INTRODUCE, 0, &format!("{domid}|1|1|"));
        self.server
            .domains()
            .find_map(|(known, conn)| conn.filter(|_| known.0 == domid))
            .expect("it was introduced")
    }

    /// A request with all that follows; each call goes through `call`.
    fn work(
        &mut self,
        conn: ConnId,
        kind: Kind,
        tx_id: u32,
        text: &str,
        call: &mut dyn FnMut(&mut dyn FnMut()),
    ) -> String {
        let text: Vec<u8> = text.bytes().map(|byte| if byte == b'|' { 0 } else { byte }).collect();
        let payload = Payload::try_from(&text[..]).expect("requests here are short");
        let message = Message::new(kind, 1, tx_id, payload);
        let header = message.as_bytes().first_chunk().and_then(|header| Header::parse(*header).ok());
        let header = header.expect("a message has a header");
        loop {
            let mut outcome = Outcome::Wait;
            call(&mut || outcome = self.server.handle(&mut Machine, conn, &header, message.payload()));
            self.rest(call);
            if let Outcome::Reply(reply) = outcome {
                return String::from_utf8_lossy(reply.payload()).trim_end_matches('\0').to_owned();
            }
        }
    }

    /// What was put off.
    fn rest(&mut self, call: &mut dyn FnMut(&mut dyn FnMut())) {
        let mut more = true;
        while more {
            call(&mut || more = self.server.step());
        }
    }

    fn ask(&mut self, conn: ConnId, kind: Kind, tx_id: u32, text: &str) -> String {
        self.work(conn, kind, tx_id, text, &mut |call| call())
    }

    fn measure(&mut self, name: &str, kind: Kind, tx_id: u32, text: &str) {
        self.work(self.bad, kind, tx_id, text, &mut |call| measure(name, call));
    }

    /// A transaction of the guest, after these writes.
    fn transaction(&mut self, paths: impl Iterator<Item = String>) -> u32 {
        let id = self.ask(self.bad, Kind::TRANSACTION_START, 0, "|").parse().expect("an id");
        for path in paths {
            self.ask(self.bad, Kind::WRITE, id, &format!("{path}|"));
        }
        id
    }

    /// All others watch `path` as often as they may.
    fn others_watch(&mut self, path: impl Fn(u16, usize) -> String) {
        for domid in 2..2 + OTHERS {
            let conn = self.introduce(domid);
            for number in 0..128 {
                self.ask(conn, Kind::WATCH, 0, &format!("{}|token-{number}|", path(domid, number)));
            }
            while self.server.next_event(conn).is_some() {}
        }
    }
}

fn deep(levels: usize) -> String {
    vec!["d"; levels].join("/")
}

fn flat() -> impl Iterator<Item = String> {
    (0..LEVELS).map(|number| format!("n{number}"))
}

/// A name, and what is measured under it.
type Case = (&'static str, fn(&str));

/// All that is measured.
pub(crate) const CASES: &[Case] = &[
    ("a write that makes 990 levels", |name| {
        Guests::new().measure(name, Kind::WRITE, 0, &format!("{}|", deep(LEVELS)));
    }),
    ("the same in a transaction", |name| {
        let mut guests = Guests::new();
        let id = guests.transaction([].into_iter());
        guests.measure(name, Kind::WRITE, id, &format!("{}|", deep(LEVELS)));
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("removing 990 levels", |name| {
        let mut guests = Guests::new();
        guests.ask(guests.bad, Kind::WRITE, 0, &format!("{}|", deep(LEVELS)));
        guests.measure(name, Kind::RM, 0, "d|");
    }),
    ("commit of 990 new nodes", |name| {
        let mut guests = Guests::new();
        let id = guests.transaction(flat());
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("commit of 990 new nodes, others wrote", |name| {
        let mut guests = Guests::new();
        let id = guests.transaction(flat());
        guests.ask(guests.root, Kind::WRITE, 0, "/other|");
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("commit of nested new nodes", |name| {
        let mut guests = Guests::new();
        let id = guests.transaction((1..LEVELS).map(deep));
        guests.ask(guests.root, Kind::WRITE, 0, "/other|");
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("commit that needs the room it makes", |name| {
        let mut guests = Guests::new();
        (0..490).for_each(|number| drop(guests.ask(guests.bad, Kind::WRITE, 0, &format!("old{number}|"))));
        let id = guests.transaction((0..490).map(|number| format!("new{number}")));
        (0..490).for_each(|number| drop(guests.ask(guests.bad, Kind::RM, id, &format!("old{number}|"))));
        (0..100).for_each(|number| drop(guests.ask(guests.bad, Kind::WRITE, 0, &format!("more{number}|"))));
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("commit of nodes with long names", |name| {
        let mut guests = Guests::new();
        let id = guests.transaction((0..99).map(|number| format!("{number}{}", "n".repeat(2000))));
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("commit of 990 nodes with 128 watches", |name| {
        let mut guests = Guests::new();
        (0..128).for_each(|number| {
            guests.ask(guests.bad, Kind::WATCH, 0, &format!("/local/domain/1|{number}|"));
        });
        let id = guests.transaction(flat());
        guests.measure(name, Kind::TRANSACTION_END, id, "T|");
    }),
    ("write watched 128 times by 40 domains", |name| {
        let mut guests = Guests::new();
        guests.others_watch(|_, _| "/local/domain/1".into());
        guests.measure(name, Kind::WRITE, 0, "data|");
    }),
    ("removal watched below by 40 domains", |name| {
        let mut guests = Guests::new();
        guests.ask(guests.bad, Kind::MKDIR, 0, "data/x|");
        guests.others_watch(|_, number| format!("/local/domain/1/data/x/{number}"));
        guests.measure(name, Kind::RM, 0, "data|");
    }),
    ("reset of 128 deep watches", |name| {
        let mut guests = Guests::new();
        (0..128).for_each(|number| {
            guests.ask(guests.bad, Kind::WATCH, 0, &format!("{}/{number}|t|", deep(LEVELS)));
        });
        guests.measure(name, Kind::RESET_WATCHES, 0, "|");
    }),
    ("reset with big transactions", |name| {
        let mut guests = Guests::new();
        // As many as its memory allows.
        for _ in 0..4 {
            guests.transaction(flat());
        }
        guests.measure(name, Kind::RESET_WATCHES, 0, "|");
    }),
    ("death with 990 nodes and 128 watches", |name| {
        let mut guests = Guests::new();
        guests.ask(guests.root, Kind::SET_PERMS, 0, "/local|b0|");
        (0..128).for_each(|number| {
            guests.ask(guests.bad, Kind::WATCH, 0, &format!("{}/{number}|t|", deep(LEVELS)));
        });
        flat().for_each(|node| drop(guests.ask(guests.bad, Kind::WRITE, 0, &format!("/local/{node}|"))));
        measure(name, &mut || guests.server.domain_died(&mut Machine, DomId(1)));
        guests.rest(&mut |call| measure(name, call));
    }),
    ("listing 990 children", |name| {
        let mut guests = Guests::new();
        flat().for_each(|node| drop(guests.ask(guests.bad, Kind::WRITE, 0, &format!("{node}|"))));
        guests.measure(name, Kind::DIRECTORY, 0, "/local/domain/1|");
        guests.measure(name, Kind::DIRECTORY_PART, 0, "/local/domain/1|2000|");
    }),
];
