//! What both store benches measure: one request at a time, against stores of different sizes.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot ask has nothing to measure")]

#[path = "../../tests/common/mod.rs"]
mod machine;

use std::rc::Rc;

use xendless_core::hyper::DomId;
use xendless_core::store::server::{ConnId, Outcome, Server};
use xendless_core::store::wire::{Header, Kind, Message, Payload};

pub(crate) use machine::Machine;

/// A store with many nodes and watches, and one who asks.
pub(crate) struct Bench {
    server: Server,
    conn: ConnId,
    nodes: u32,
    requests: Vec<(Kind, Rc<[u8]>)>,
    at: usize,
}

/// One hundred nodes to a directory, all names and values of twenty bytes.
fn path(index: u32) -> String {
    format!("/store/dir-{:016}/node-{:015}", index / 100, index % 100)
}

const VALUE: &str = "a-value-of-20-bytes!";

impl Bench {
    pub(crate) fn new(nodes: u32, watches: u32) -> Self {
        let mut server = Server::new(DomId(0));
        let conn = server.connect();
        let mut bench = Self { server, conn, nodes, requests: Vec::new(), at: 0 };
        for limit in ["total-memory", "queued-events", "queued-event-bytes"] {
            bench.ask(Kind::SET_QUOTA, 0, format!("{limit}\0{}\0", u32::MAX).as_bytes());
        }
        for index in 0..nodes {
            bench.ask(Kind::WRITE, 0, format!("{}\0{VALUE}", path(index)).as_bytes());
        }
        for index in 0..watches {
            bench.ask(
                Kind::WATCH,
                0,
                format!("/elsewhere/dir-{}/node-{}\0token\0", index / 100, index % 100).as_bytes(),
            );
            while bench.server.next_event(bench.conn).is_some() {}
        }
        bench
    }

    /// Makes requests of these kinds, in turn. Every node that is asked for was not asked for lately.
    pub(crate) fn prepare(&mut self, kinds: &[Kind]) {
        let nodes = self.nodes;
        let requests = (0..3000).zip(kinds.iter().cycle()).map(|(index, kind)| {
            let value = if *kind == Kind::WRITE { VALUE } else { "" };
            (*kind, format!("{}\0{value}", path(index * 7919 % nodes)).into_bytes().into())
        });
        (self.requests, self.at) = (requests.collect(), 0);
    }

    /// The next of the requests made beforehand.
    fn next(&mut self, tx_id: u32) {
        self.at = (self.at + 1) % self.requests.len();
        let (kind, text) = self.requests.get(self.at).cloned().expect("there are requests");
        self.ask(kind, tx_id, &text);
    }

    /// One read or write.
    pub(crate) fn one(&mut self) {
        self.next(0);
    }

    /// Three of them.
    pub(crate) fn three(&mut self) {
        (0..3).for_each(|_| self.next(0));
    }

    /// Three in a transaction, with its start and its commit.
    pub(crate) fn transaction(&mut self) {
        let id = self.ask(Kind::TRANSACTION_START, 0, b"\0");
        let id = id
            .split_last()
            .and_then(|(_, digits)| core::str::from_utf8(digits).ok()?.parse().ok())
            .unwrap_or(0);
        (0..3).for_each(|_| self.next(id));
        self.ask(Kind::TRANSACTION_END, id, b"T\0");
    }

    fn ask(&mut self, kind: Kind, tx_id: u32, text: &[u8]) -> Vec<u8> {
        let payload = Payload::try_from(text).expect("requests here are short");
        let message = Message::new(kind, 1, tx_id, payload);
        let header = message.as_bytes().first_chunk().and_then(|header| Header::parse(*header).ok());
        let header = header.expect("a message has a header");
        match self.server.handle(&mut Machine, self.conn, &header, message.payload()) {
            Outcome::Reply(reply) if reply.as_bytes().first() != Some(&16) => reply.payload().to_vec(),
            other => panic!("{kind} {text:?}: {other:?}"),
        }
    }
}
