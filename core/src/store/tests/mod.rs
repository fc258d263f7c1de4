//! Tests of the server through its own door: whole requests in, whole answers and events out.

mod attacks;
mod domains;
mod floods;
mod model;
mod nodes;
mod pieces;
mod transactions;
mod watches;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::server::{ConnId, Outcome, Platform, Server};
use super::wire::{Header, Kind, Message, Payload, XsError};
use crate::hyper::{DomId, Port};
use crate::rights::Rights;
use crate::ring::xenstore::Features;

/// A machine whose domains exist when they are listed.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) domains: BTreeSet<u16>,
    pub(super) log: Vec<String>,
    /// What introductions fail with.
    pub(super) fails: Option<XsError>,
}

impl Platform for Machine {
    fn domain_exists(&self, domid: DomId) -> bool {
        self.domains.contains(&domid.0)
    }

    fn introduce(
        &mut self,
        domid: DomId,
        conn: ConnId,
        gfn: i64,
        port: Port,
        _: Features,
    ) -> Result<(), XsError> {
        self.log.push(format!("introduce {domid} {conn:?} {gfn} {port}"));
        self.fails.map_or(Ok(()), Err)
    }

    fn reintroduce(&mut self, domid: DomId, conn: ConnId, port: Port) -> Result<(), XsError> {
        self.log.push(format!("reintroduce {domid} {conn:?} {port}"));
        self.fails.map_or(Ok(()), Err)
    }

    fn release(&mut self, domid: DomId, conn: ConnId) {
        self.log.push(format!("release {domid} {conn:?}"));
    }

    fn print(&mut self, text: &[u8]) {
        self.log.push(String::from_utf8_lossy(text).to_string());
    }
}

/// A server, a machine around it, and a privileged connection.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) machine: Machine,
    pub(super) root: ConnId,
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut server = Server::new(DomId(0));
        let root = server.connect();
        Self { server, machine: Machine::default(), root }
    }

    /// One with these domains introduced; each owns its home.
    pub(super) fn with_guests<const N: usize>(domids: [u16; N]) -> (Self, [ConnId; N]) {
        let mut scene = Self::new();
        let conns = domids.map(|domid| scene.introduce(domid));
        (scene, conns)
    }

    pub(super) fn introduce(&mut self, domid: u16) -> ConnId {
        self.machine.domains.insert(domid);
        let home = format!("/local/domain/{domid}");
        self.ok(self.root, Kind::MKDIR, &format!("{home}|"));
        self.ok(self.root, Kind::SET_PERMS, &format!("{home}|n{domid}|"));
        self.ok(self.root, Kind::INTRODUCE, &format!("{domid}|1234|7|"));
        let found = self.server.domains().find(|(known, _)| known.0 == domid);
        found.and_then(|(_, conn)| conn).unwrap()
    }

    pub(super) fn grant(&mut self, domid: u16, rights: Rights) {
        self.server.grant(&self.machine, DomId(domid), rights).unwrap();
    }

    /// The whole answer to a request in a transaction. NULs are written as bars.
    pub(super) fn outcome(&mut self, conn: ConnId, kind: Kind, tx_id: u32, text: &str) -> Outcome {
        let payload: Vec<u8> = text.bytes().map(|byte| if byte == b'|' { 0 } else { byte }).collect();
        let message = Message::new(kind, 9, tx_id, Payload::try_from(&payload[..]).unwrap());
        let header = Header::parse(*message.as_bytes().first_chunk().unwrap()).unwrap();
        let outcome = self.server.handle(&mut self.machine, conn, &header, message.payload());
        self.server.check().unwrap();
        outcome
    }

    /// The payload of the answer, or the name of the error.
    pub(super) fn in_tx(
        &mut self,
        conn: ConnId,
        kind: Kind,
        tx_id: u32,
        text: &str,
    ) -> Result<String, String> {
        let Outcome::Reply(reply) = self.outcome(conn, kind, tx_id, text) else { return Err("wait".into()) };
        let header = Header::parse(*reply.as_bytes().first_chunk().unwrap()).unwrap();
        assert_eq!((header.req_id, header.tx_id), (9, tx_id));
        let payload = String::from_utf8_lossy(reply.payload()).replace('\0', "|");
        if header.kind == Kind::ERROR {
            return Err(payload.trim_end_matches('|').to_string());
        }
        assert_eq!(header.kind, kind);
        Ok(payload)
    }

    pub(super) fn ask(&mut self, conn: ConnId, kind: Kind, text: &str) -> Result<String, String> {
        self.in_tx(conn, kind, 0, text)
    }

    /// The payload of an answer that is no error.
    #[track_caller]
    pub(super) fn ok(&mut self, conn: ConnId, kind: Kind, text: &str) -> String {
        self.ask(conn, kind, text).unwrap()
    }

    /// The error of a request that is refused.
    #[track_caller]
    pub(super) fn err(&mut self, conn: ConnId, kind: Kind, text: &str) -> String {
        self.ask(conn, kind, text).unwrap_err()
    }

    #[track_caller]
    pub(super) fn write(&mut self, conn: ConnId, path: &str, value: &str) {
        assert_eq!(self.ask(conn, Kind::WRITE, &format!("{path}|{value}")), Ok("OK|".to_string()));
    }

    pub(super) fn read(&mut self, conn: ConnId, path: &str) -> Result<String, String> {
        self.ask(conn, Kind::READ, &format!("{path}|"))
    }

    #[track_caller]
    pub(super) fn perms(&mut self, path: &str, perms: &str) {
        self.ok(self.root, Kind::SET_PERMS, &format!("{path}|{perms}|"));
    }

    #[track_caller]
    pub(super) fn watch(&mut self, conn: ConnId, path: &str, token: &str) {
        self.ok(conn, Kind::WATCH, &format!("{path}|{token}|"));
        assert_eq!(self.events(conn), [format!("{path} {token}")]);
    }

    #[track_caller]
    pub(super) fn start(&mut self, conn: ConnId) -> u32 {
        self.ok(conn, Kind::TRANSACTION_START, "|").trim_end_matches('|').parse().unwrap()
    }

    pub(super) fn end(&mut self, conn: ConnId, tx_id: u32, commit: bool) -> Result<String, String> {
        self.in_tx(conn, Kind::TRANSACTION_END, tx_id, if commit { "T|" } else { "F|" })
    }

    /// All events that wait: path, a space, token.
    pub(super) fn events(&mut self, conn: ConnId) -> Vec<String> {
        let next = || self.server.next_event(conn);
        let show = |event: Message| {
            let text = String::from_utf8_lossy(event.payload()).to_string();
            text.trim_end_matches('\0').replace('\0', " ")
        };
        core::iter::from_fn(next).map(show).collect()
    }
}
