//! Setting and ending watches.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::{Answer, Ask};
use crate::ring::xenstore::Features;
use crate::store::path::check_special;
use crate::store::quota::Quota;
use crate::store::server::{ConnId, Server};
use crate::store::state::bytes;
use crate::store::watch::{Subject, TOKEN_MAX, WATCH_COST, Watch};
use crate::store::wire::XsError;

impl Server {
    pub(super) fn watch(&mut self, ask: &Ask, path: &[u8], token: &[u8], depth: Option<u32>) -> Answer {
        if token.len() > TOKEN_MAX || (depth.is_some() && !ask.features.contains(Features::WATCH_DEPTH)) {
            return Err(XsError::EINVAL.into());
        }
        let (subject, prefix) = self.subject(ask, path)?;
        let key = (subject, Rc::from(token));
        let Some(connection) = self.conns.get(&ask.conn) else { return Err(XsError::EINVAL.into()) };
        if connection.watches.contains_key(&key) {
            return Err(XsError::EEXIST.into());
        }
        let most = self.state.limit_of(&ask.caller, Quota::Watches);
        if most.is_some_and(|most| bytes(connection.watches.len()) >= most) {
            return Err(XsError::E2BIG.into());
        }
        self.last_watch += 1;
        let (subject, token) = key.clone();
        let (lost, gone) = (Cell::new(false), Cell::new(false));
        let watch = Rc::new(Watch {
            conn: ask.conn,
            number: self.last_watch,
            subject,
            token,
            prefix,
            depth,
            lost,
            gone,
        });
        self.state.check_room(&ask.caller, ask.caller.domain.domid, 0, watch.cost())?;
        self.state.charge(ask.caller.domain.domid, watch.cost());
        self.watches.add(&watch);
        if let Some(connection) = self.conns.get_mut(&ask.conn) {
            connection.watches.insert(key, Rc::clone(&watch));
        }
        self.count_watches(ask.conn);
        // Clients look at once, whatever is there: one event comes up front.
        self.queue(&watch, &watch.subject.as_bytes().into());
        Ok(None)
    }

    pub(super) fn unwatch(&mut self, ask: &Ask, path: &[u8], token: &[u8]) -> Answer {
        let (subject, _) = self.subject(ask, path)?;
        let connection = self.conns.get_mut(&ask.conn);
        let watch = connection.and_then(|connection| connection.watches.remove(&(subject, token.into())));
        let watch = watch.ok_or(XsError::ENOENT)?;
        if let Some(connection) = self.conns.get_mut(&ask.conn) {
            connection.events.forget(&watch);
        }
        self.end_watch(watch);
        self.count_watches(ask.conn);
        Ok(None)
    }

    pub(super) fn reset_watches(&mut self, ask: &mut Ask) -> Answer {
        self.drop_watches(ask.conn);
        self.drop_transactions(ask.conn);
        if let Some(transaction) = ask.transaction.take() {
            self.close(ask.conn, ask.caller.domain.domid, ask.tx_id, *transaction);
        }
        Ok(None)
    }

    /// Ends all watches of a connection, with the events they still had.
    pub(in crate::store) fn drop_watches(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        connection.events.clear();
        for watch in core::mem::take(&mut connection.watches).into_values() {
            self.end_watch(watch);
        }
        self.count_watches(conn);
    }

    /// Puts back the index and the charge of a watch that was saved; `pending` when it had unread events.
    pub(in crate::store) fn restore_watch(&mut self, watch: &Rc<Watch>, pending: bool) {
        self.watches.add(watch);
        let Some(connection) = self.conns.get_mut(&watch.conn) else { return };
        if pending {
            connection.events.lose(watch);
        }
        self.state.charge(connection.domid, watch.cost());
        self.count_watches(watch.conn);
    }

    /// Takes a watch off the books. It leaves the index in a step.
    fn end_watch(&mut self, watch: Rc<Watch>) {
        watch.gone.set(true);
        if let Some(connection) = self.conns.get(&watch.conn) {
            self.state.refund(connection.domid, watch.cost());
        }
        self.unwatched.push(watch);
    }

    /// What the client wants to watch, and how much of it to leave off in events.
    fn subject(&self, ask: &Ask, text: &[u8]) -> Result<(Subject, usize), XsError> {
        if text.first() == Some(&b'@') {
            check_special(text)?;
            return Ok((Subject::Special(text.into()), 0));
        }
        let mut scratch = Vec::new();
        let path = ask.path(self, text, &mut scratch)?;
        Ok((Subject::Path(path.to_buf()), path.as_bytes().len() - text.len()))
    }

    fn count_watches(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get(&conn) else { return };
        if let Some(domain) = self.state.domains.get_mut(connection.domid) {
            domain.usage.watches = bytes(connection.watches.len());
        }
    }
}

impl Watch {
    /// What it is charged with.
    pub(in crate::store) fn cost(&self) -> u32 {
        WATCH_COST + bytes(self.subject.as_bytes().len() + self.token.len())
    }
}
