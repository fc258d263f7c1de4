//! Opening and ending transactions.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Answer, Ask};
use crate::hyper::DomId;
use crate::store::path::{Path, PathBuf};
use crate::store::perms::Perms;
use crate::store::quota::Quota;
use crate::store::server::{ConnId, Server};
use crate::store::state::{Refusal, bytes, cost};
use crate::store::transaction::{Effect, TOUCH_COST, Transaction};
use crate::store::tree::Tree;
use crate::store::wire::{Payload, XsError};

/// Contested paths a connection keeps.
const CONTESTED_MAX: usize = 64;

/// A change that was made and has to be told.
struct News {
    path: PathBuf,
    old: Option<Rc<Perms>>,
    removed: Option<Tree>,
}

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
        let verdict = if commit { self.judge(ask, &transaction) } else { Ok(Vec::new()) };
        if verdict.as_ref().is_err_and(|refusal| *refusal == Refusal::Wait) {
            ask.transaction = Some(transaction);
            return Err(Refusal::Wait);
        }
        self.close(ask.conn, ask.tx_id, *transaction);
        let effects = verdict?;
        // Nothing shares the transaction's copies any more: free them first, and changes are made in place.
        self.step();
        let mut news: Vec<_> =
            effects.iter().filter_map(|effect| Some((effect.order, self.apply(effect)?))).collect();
        news.sort_by_key(|(order, _)| *order);
        for (_, news) in news {
            self.announce(news.path.as_path(), news.old.as_deref(), news.removed.as_ref());
        }
        if commit && let Some(connection) = self.conns.get_mut(&ask.conn) {
            connection.contested.clear();
        }
        Ok(None)
    }

    /// Refuses or delays a change that would make a guarded transaction fail.
    pub(super) fn check_guards(&self, ask: &Ask, path: Path<'_>) -> Result<(), Refusal> {
        if ask.caller.is_privileged() || ask.transaction.is_some() {
            return Ok(());
        }
        let contested = self.guards.iter().filter_map(|(conn, _)| self.conns.get(conn));
        let mut contested = contested.flat_map(|connection| &connection.contested).map(PathBuf::as_path);
        let related = |other: Path<'_>| path.levels_below(other).or(other.levels_below(path)).is_some();
        if contested.any(related) { Err(Refusal::Wait) } else { Ok(()) }
    }

    /// Ends all transactions of a connection without committing.
    pub(in crate::store) fn drop_transactions(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        for (id, transaction) in core::mem::take(&mut connection.transactions) {
            self.close(conn, id, *transaction);
        }
    }

    /// Takes a transaction off the books. Its trees are freed in steps.
    pub(super) fn close(&mut self, conn: ConnId, id: u32, transaction: Transaction) {
        self.by_age.remove(&(transaction.start, conn, id));
        self.guards.retain(|guard| *guard != (conn, id));
        if let Some(connection) = self.conns.get(&conn) {
            self.state.refund(connection.domid, transaction.charged);
        }
        transaction.into_trees().into_iter().for_each(|tree| self.state.discard(tree));
        self.count_transactions(conn);
    }

    /// What a commit has to do, if it may be done.
    fn judge(&mut self, ask: &Ask, transaction: &Transaction) -> Result<Vec<Effect>, Refusal> {
        let conflicts = transaction.conflicts(&self.state.tree);
        if transaction.doomed || !conflicts.is_empty() {
            if ask.caller.is_privileged()
                && let Some(connection) = self.conns.get_mut(&ask.conn)
            {
                let known = &mut connection.contested;
                known.extend(conflicts.into_iter().take(CONTESTED_MAX.saturating_sub(known.len())));
            }
            return Err(XsError::EAGAIN.into());
        }
        let effects: Vec<_> = transaction.effects().collect();
        for effect in &effects {
            // An owner may have died since, and its number may mean another by now.
            let lives = |perms: &Perms| self.state.domains.lives(perms.owner().domid, perms.stamp());
            if effect.perms && effect.node.as_ref().is_some_and(|node| !lives(&node.perms)) {
                return Err(XsError::EAGAIN.into());
            }
            self.check_guards(ask, effect.path.as_path())?;
        }
        self.check_commit(ask, transaction, &effects)?;
        Ok(effects)
    }

    /// Whether there is room for what a commit adds, after what it removes.
    fn check_commit(&self, ask: &Ask, transaction: &Transaction, effects: &[Effect]) -> Result<(), Refusal> {
        let me = ask.caller.domain.domid;
        let mut growth = BTreeMap::<DomId, (u32, u32)>::new();
        for effect in effects {
            let Some(node) = &effect.node else { continue };
            let (nodes, bytes) = growth.entry(node.perms.owner().domid).or_default();
            *nodes += u32::from(effect.fresh);
            *bytes = bytes.saturating_add(effect.growth);
        }
        // What the transaction holds is given back when it ends.
        let room = |owner: DomId, (nodes, bytes): (u32, u32)| {
            let (nodes, held) = if owner == me { (nodes, transaction.charged) } else { (0, 0) };
            self.state.check_room(&ask.caller, owner, nodes, bytes.saturating_sub(held))
        };
        let refused = growth.iter().any(|(owner, growth)| room(*owner, *growth).is_err());
        if !refused {
            return Ok(());
        }
        for effect in effects.iter().filter(|effect| effect.remove) {
            let gone = transaction.base().get(effect.path.as_path());
            for (_, node) in gone.into_iter().flat_map(Tree::walk) {
                if let Some((nodes, bytes)) = growth.get_mut(&node.value.perms.owner().domid) {
                    (*nodes, *bytes) = (nodes.saturating_sub(1), bytes.saturating_sub(cost(node)));
                }
            }
        }
        growth.into_iter().try_for_each(|(owner, growth)| room(owner, growth))
    }

    /// Makes one change of a commit in the live tree.
    fn apply(&mut self, effect: &Effect) -> Option<News> {
        let path = effect.path.as_path();
        let removed = if effect.remove { self.state.remove(path) } else { None };
        let changed = match &effect.node {
            Some(data) if self.state.tree.get(path).is_none() => {
                self.state.create(path, &data.perms, data.value());
                true
            }
            Some(data) => {
                if effect.value {
                    self.state.set_value(path, data.value());
                }
                if effect.perms {
                    self.state.set_perms(path, Rc::clone(&data.perms));
                }
                true
            }
            None => removed.is_some(),
        };
        (changed && effect.told).then(|| News {
            path: effect.path.clone(),
            old: effect.before.clone(),
            removed,
        })
    }

    fn count_transactions(&mut self, conn: ConnId) {
        let Some(connection) = self.conns.get(&conn) else { return };
        if let Some(domain) = self.state.domains.get_mut(connection.domid) {
            domain.usage.transactions = bytes(connection.transactions.len());
        }
    }
}
