//! Opening and ending transactions.

use alloc::boxed::Box;

use super::{Answer, Ask};
use crate::hyper::DomId;
use crate::store::path::{Path, PathBuf};
use crate::store::perms::Caller;
use crate::store::quota::Quota;
use crate::store::server::{ConnId, Hold, Server};
use crate::store::state::{Refusal, bytes};
use crate::store::transaction::{TOUCH_COST, Transaction};
use crate::store::wire::{Payload, XsError};

/// Touched paths that are freed with their transaction; more are freed in steps.
const FREED_AT_ONCE: usize = 16;

impl Server {
    pub(super) fn transaction_start(&mut self, ask: &mut Ask) -> Answer {
        if ask.transaction.is_some() {
            return Err(XsError::EBUSY.into());
        }
        let most = self.state.limit_of(&ask.caller, Quota::Transactions);
        self.state.check_room(&ask.caller, ask.caller.domain.domid, 0, TOUCH_COST)?;
        let start = self.state.tick();
        let Some(connection) = self.conns.get_mut(&ask.conn) else { return Err(XsError::EINVAL.into()) };
        if most.is_some_and(|most| bytes(connection.transactions.len()) >= most) {
            return Err(XsError::ENOSPC.into());
        }
        let mut id = connection.last_transaction.wrapping_add(1);
        while id == 0 || connection.transactions.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        connection.last_transaction = id;
        let mut transaction = Box::new(Transaction::new(&self.state.tree, start));
        transaction.charged = TOUCH_COST;
        connection.transactions.insert(id, transaction);
        if !connection.contested.is_empty() {
            self.guards.push((ask.conn, id));
        }
        self.by_age.insert((start, ask.conn, id));
        self.state.charge(ask.caller.domain.domid, TOUCH_COST);
        self.count_transactions(ask.conn);
        let mut answer = Payload::new();
        answer.push_text(format_args!("{id}"))?;
        Ok(Some(answer))
    }

    pub(super) fn transaction_end(&mut self, ask: &mut Ask, commit: bool) -> Answer {
        let transaction = ask.transaction.take().ok_or(XsError::ENOENT)?;
        if commit {
            return self.commit(ask, transaction);
        }
        self.close(ask.conn, ask.caller.domain.domid, ask.tx_id, *transaction);
        Ok(None)
    }

    /// Refuses or delays a change that would make a guarded transaction fail.
    pub(super) fn check_guards(&self, ask: &Ask, path: Path<'_>) -> Result<(), Refusal> {
        if ask.transaction.is_some() || !self.is_guarded(&ask.caller, path) {
            return Ok(());
        }
        Err(Refusal::Wait(Hold::Guard))
    }

    /// Whether a transaction of another is open that a change of `path` would make fail.
    pub(super) fn is_guarded(&self, caller: &Caller, path: Path<'_>) -> bool {
        if caller.is_privileged() || self.guards.is_empty() {
            return false;
        }
        let contested = self.guards.iter().filter_map(|(conn, _)| self.conns.get(conn));
        let mut contested = contested.flat_map(|connection| &connection.contested).map(PathBuf::as_path);
        let related = |other: Path<'_>| path.levels_below(other).or(other.levels_below(path)).is_some();
        contested.any(related)
    }

    /// Ends all transactions of a connection without committing.
    pub(in crate::store) fn drop_transactions(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        let domid = connection.domid;
        for (id, transaction) in core::mem::take(&mut connection.transactions) {
            self.close(conn, domid, id, *transaction);
        }
    }

    /// Takes a transaction off the books. Its trees are freed in steps.
    pub(super) fn close(&mut self, conn: ConnId, domid: DomId, id: u32, transaction: Transaction) {
        self.by_age.remove(&(transaction.start, conn, id));
        self.guards.retain(|guard| *guard != (conn, id));
        self.state.refund(domid, transaction.charged);
        let (trees, touched) = transaction.into_parts();
        trees.into_iter().for_each(|tree| self.state.discard(tree));
        if touched.len() > FREED_AT_ONCE {
            self.forgotten.push(touched);
        }
        self.count_transactions(conn);
    }

    fn count_transactions(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get(&conn) else { return };
        if let Some(domain) = self.state.domains.get_mut(connection.domid) {
            domain.usage.transactions = bytes(connection.transactions.len());
        }
    }
}
