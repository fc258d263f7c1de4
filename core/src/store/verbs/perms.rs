//! Looking at permissions and setting them.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Answer, Ask};
use crate::ring::xenstore::Features;
use crate::store::path::{Path, Special};
use crate::store::perms::{ANY, OWN, Perms, READ};
use crate::store::quota::Quota;
use crate::store::server::{Platform, Server};
use crate::store::state::{Refusal, bytes};
use crate::store::transaction::Looks;
use crate::store::tree::Tree;
use crate::store::wire::{Payload, Perm, XsError};

/// Bytes of a node's record, and of a permission in it, as C xenstored counts them towards a node's size.
const RECORD: u32 = 24;
const RECORD_PERM: u32 = 8;

impl Server {
    pub(super) fn get_perms(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let perms = if let Some(special) = Special::from_name(path) {
            let perms = Rc::clone(self.special_perms(special));
            perms.rights(&ask.caller).read.then_some(perms).ok_or(XsError::EACCES)?
        } else {
            let path = ask.path(self, path, &mut scratch)?;
            self.look(ask, path, Looks::PERMS, READ, |node| Rc::clone(&node.value.perms))?
        };
        let mut text = Payload::new();
        text.push_text(format_args!("{}", perms.owner()))?;
        let lives = |entry: &Perm| entry.domid == ANY || self.state.domains.lives(entry.domid, perms.stamp());
        for entry in perms.entries().skip(1).filter(lives) {
            text.push_text(format_args!("{entry}"))?;
        }
        Ok(Some(text))
    }

    pub(super) fn set_perms(
        &mut self,
        platform: &impl Platform,
        ask: &mut Ask,
        text: &[u8],
        entries: &[Perm],
    ) -> Answer {
        let most = self.state.limit_of(&ask.caller, Quota::Permissions);
        if most.is_some_and(|most| bytes(entries.len()) > most) {
            return Err(XsError::ENOSPC.into());
        }
        let perms = self.make_perms(platform, ask, entries)?;
        if let Some(special) = Special::from_name(text) {
            let allowed = self.special_perms(special).rights(&ask.caller).include(OWN);
            allowed.then_some(()).ok_or(XsError::EACCES)?;
            self.set_special_perms(special, perms);
            return Ok(None);
        }
        let mut scratch = Vec::new();
        let path = ask.path(self, text, &mut scratch)?;
        let see = |node: &Tree| (Rc::clone(&node.value.perms), node.value.value().len());
        let (old, value) = self.look(ask, path, Looks::PERMS, OWN, see)?;
        if !ask.caller.is_privileged() && perms.owner().domid != old.owner().domid {
            return Err(XsError::EPERM.into());
        }
        let perms = self.share_perms(ask, path, perms);
        self.check_room_for_perms(ask, &old, &perms, value)?;
        self.check_guards(ask, path)?;
        if ask.transaction.is_none() {
            self.state.set_perms(path, perms);
            self.announce(path, Some(&old), None);
            return Ok(None);
        }
        let now = self.state.tick();
        if let Some(transaction) = &mut ask.transaction {
            transaction.set_perms(path, perms, now);
        }
        Ok(None)
    }

    /// Permissions made of what a client sent. Entries for domains that do not exist are left out: they would
    /// come to mean whoever gets the number next.
    fn make_perms(
        &mut self,
        platform: &impl Platform,
        ask: &Ask,
        entries: &[Perm],
    ) -> Result<Rc<Perms>, Refusal> {
        let any = ask.features.contains(Features::DOMID_ANY);
        let mut lives = |entry: &Perm| match entry.domid {
            ANY => any,
            domid => self.ensure_domain(platform, domid),
        };
        let (owner, more) = entries.split_first().ok_or(XsError::EINVAL)?;
        if owner.domid == ANY || !lives(owner) {
            return Err(XsError::ENOENT.into());
        }
        let more = more.iter().copied().filter(lives).collect::<Vec<_>>();
        Ok(Rc::new(Perms::new(*owner, &more, self.state.tick())))
    }

    /// The permissions of the node above, when they say the same.
    fn share_perms(&self, ask: &Ask, path: Path<'_>, perms: Rc<Perms>) -> Rc<Perms> {
        let above = path.parent().and_then(|above| self.view(ask).get(above));
        let lives = |perms: &Perms| {
            perms
                .entries()
                .all(|entry| entry.domid == ANY || self.state.domains.lives(entry.domid, perms.stamp()))
        };
        match above.map(|node| &node.value.perms) {
            Some(above) if above.entries().eq(perms.entries()) && lives(above) => Rc::clone(above),
            _ => perms,
        }
    }

    /// A new owner is charged with the whole node, an old one with what the entries grow by.
    fn check_room_for_perms(&self, ask: &Ask, old: &Perms, new: &Perms, value: usize) -> Result<(), Refusal> {
        self.check_size(ask, new, value)?;
        let growth = RECORD_PERM * bytes(new.count().saturating_sub(old.count()));
        self.state.check_room(&ask.caller, new.owner().domid, 0, growth)
    }

    /// Refuses a node whose record would be too big.
    pub(super) fn check_size(&self, ask: &Ask, perms: &Perms, value: usize) -> Result<(), Refusal> {
        let size = RECORD + RECORD_PERM * bytes(perms.count()) + bytes(value);
        let limit = self.state.limit_of(&ask.caller, Quota::NodeSize);
        if limit.is_some_and(|limit| size >= limit) { Err(XsError::ENOSPC.into()) } else { Ok(()) }
    }
}
