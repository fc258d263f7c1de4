//! What each request does, one file per group of verbs.
//!
//! # Starvation
//!
//! A guest that keeps changing a node could make every commit of a transaction fail that reads it. So when a
//! privileged connection's commit fails, the nodes at which it failed are *contested*: while its next transaction
//! is open, unprivileged changes of them wait. It succeeds after as many attempts, at most, as there are nodes
//! that others may change among those it reads.
#![forbid(unsafe_code)]

mod commit;
mod control;
mod domains;
mod events;
mod limits;
mod nodes;
mod perms;
mod transactions;
mod watches;

use super::path::{Path, resolve};
use super::perms::{Caller, Rights};
use super::quota::Quota;
use super::server::{ConnId, Open, Platform, Server};
use super::state::{Refusal, bytes};
use super::transaction::{Looks, TOUCH_COST};
use super::tree::Tree;
use super::wire::{Kind, Payload, Request, XsError};
use crate::ring::xenstore::Features;

use alloc::vec::Vec;

pub(super) use commit::Commit;

/// An answer: what to say, or nothing but success.
pub(crate) type Answer = Result<Option<Payload>, Refusal>;

/// Who asks, and within what.
pub(super) struct Ask {
    pub(super) conn: ConnId,
    pub(super) caller: Caller,
    pub(super) tx_id: u32,
    pub(super) transaction: Option<Open>,
    /// Protocol features the caller may use.
    pub(super) features: Features,
}

impl Ask {
    /// Makes a path of what the client wrote.
    fn path<'a>(
        &self,
        server: &Server,
        text: &'a [u8],
        scratch: &'a mut Vec<u8>,
    ) -> Result<Path<'a>, XsError> {
        let path = resolve(text, self.caller.domain.domid, scratch)?;
        // Nobody is exempt: what one may name, all can.
        let max = server.state.limit(self.caller.domain.domid, Quota::PathMax);
        let fits = max.is_none_or(|max| bytes(path.charged_len()) <= max);
        fits.then_some(path).ok_or(XsError::EINVAL)
    }
}

impl Server {
    pub(super) fn execute(
        &mut self,
        platform: &mut impl Platform,
        ask: &mut Ask,
        kind: Kind,
        payload: &[u8],
    ) -> Answer {
        match Request::parse(kind, payload)? {
            Request::Directory { path } => self.directory(ask, path),
            Request::DirectoryPart { path, offset } => self.directory_part(ask, path, offset),
            Request::Read { path } => self.read(ask, path),
            Request::GetPerms { path } => self.get_perms(ask, path),
            Request::Write { path, value } => self.write(ask, path, Some(value)),
            Request::Mkdir { path } => self.write(ask, path, None),
            Request::Rm { path } => self.rm(ask, path),
            Request::SetPerms { path, perms } => self.set_perms(platform, ask, path, &perms),
            Request::Watch { path, token, depth } => self.watch(ask, path, token, depth),
            Request::Unwatch { path, token } => self.unwatch(ask, path, token),
            Request::ResetWatches => self.reset_watches(ask),
            Request::TransactionStart => self.transaction_start(ask),
            Request::TransactionEnd { commit } => self.transaction_end(ask, commit),
            Request::Introduce { domid, gfn, port } => self.introduce(platform, domid, gfn, port),
            Request::Release { domid } => self.release(platform, domid),
            Request::Resume { domid } => self.resume(domid),
            Request::SetTarget { domid, target } => self.set_target(domid, target),
            Request::GetDomainPath { domid } => Self::domain_path(domid),
            Request::IsDomainIntroduced { domid } => self.is_domain_introduced(domid),
            Request::GetFeature { domid } => self.get_feature(platform, ask, domid),
            Request::SetFeature { domid, features } => self.set_feature(platform, domid, features),
            Request::ListQuotas => Self::list_quotas(),
            Request::GetQuota { domid, name } => self.get_quota(platform, domid, name),
            Request::SetQuota { domid, name, value } => self.set_quota(platform, domid, name, value),
            Request::Control { command, args } => self.control(platform, command, args),
        }
    }

    /// The tree that `ask` is about: the transaction's, or the live one.
    fn view<'a>(&'a self, ask: &'a Ask) -> &'a Tree {
        ask.transaction.as_ref().map_or(&self.state.tree, |transaction| transaction.view())
    }

    /// Shows the node at `path` to `see`, if the caller has the rights `needed`. Within a transaction, it depends
    /// on `looks` of the node from now on.
    ///
    /// What a caller may not see, it does not learn of: a missing node is only called missing to those who have
    /// one of the rights on the last node on the way.
    fn look<T>(
        &mut self,
        ask: &mut Ask,
        path: Path<'_>,
        looks: Looks,
        needed: Rights,
        see: impl FnOnce(&Tree) -> T,
    ) -> Result<T, Refusal> {
        let reach = self.view(ask).reach(path);
        let (rights, missing) = (reach.node.value.perms.rights(&ask.caller), reach.missing);
        let seen = match missing {
            0 if rights.include(needed) => Ok(see(reach.node)),
            0 => Err(XsError::EACCES),
            _ if rights.touch(needed) => Err(XsError::ENOENT),
            _ => Err(XsError::EACCES),
        };
        self.note(ask, path, looks)?;
        if missing > 0 && ask.transaction.is_some() {
            self.note_absence(ask, path, missing)?;
        }
        Ok(seen?)
    }

    /// What a caller may learn of a missing node depends on where the way ends: on the last node there is, and on
    /// the first there is not.
    fn note_absence(&mut self, ask: &mut Ask, path: Path<'_>, missing: usize) -> Result<(), Refusal> {
        let up = |levels| (0..levels).try_fold(path, |path, _| path.parent());
        let (Some(first), Some(last)) = (up(missing - 1), up(missing)) else { return Ok(()) };
        self.note(ask, last, Looks::PERMS)?;
        if missing > 1 && !ask.caller.is_privileged() { self.note(ask, first, Looks::EXISTS) } else { Ok(()) }
    }

    /// Notes, within a transaction, that `ask` depends on a node. Who is not privileged depends on permissions too.
    fn note(&mut self, ask: &mut Ask, path: Path<'_>, looks: Looks) -> Result<(), Refusal> {
        let Some(transaction) = &mut ask.transaction else { return Ok(()) };
        if !transaction.touches(path) {
            let most = self.state.limit_of(&ask.caller, Quota::TransactionNodes);
            if most.is_some_and(|most| transaction.walks().saturating_add(path.walk_cost()) > most) {
                return Err(XsError::ENOSPC.into());
            }
            self.charge_transaction(ask, TOUCH_COST + bytes(path.as_bytes().len()))?;
        }
        let rights = if ask.caller.is_privileged() { Looks::EXISTS } else { Looks::PERMS };
        if let Some(transaction) = &mut ask.transaction {
            transaction.look(path, looks | rights);
        }
        Ok(())
    }

    /// Charges the caller for what its transaction takes.
    fn charge_transaction(&mut self, ask: &mut Ask, bytes: u32) -> Result<(), Refusal> {
        let Some(transaction) = &mut ask.transaction else { return Ok(()) };
        let domid = ask.caller.domain.domid;
        self.state.check_room(&ask.caller, domid, 0, bytes)?;
        self.state.charge(domid, bytes);
        transaction.charged = transaction.charged.saturating_add(bytes);
        Ok(())
    }
}
