//! Reading and changing nodes.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Answer, Ask};
use crate::ring::xenstore::Features;
use crate::store::path::{Path, Special};
use crate::store::perms::{ANY, OWN, Perms, READ, WRITE};
use crate::store::quota::Quota;
use crate::store::server::{Platform, Server};
use crate::store::state::{Refusal, bytes, creation_cost};
use crate::store::transaction::Looks;
use crate::store::wire::{Payload, Perm, XsError};

/// Bytes of a node's record, and of a permission in it, as C xenstored counts them towards a node's size.
const RECORD: u32 = 24;
const RECORD_PERM: u32 = 8;

impl Server {
    pub(super) fn directory(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        self.note(ask, path, Looks::LIST)?;
        let node = self.find(ask, path, READ)?;
        let mut names = Payload::new();
        for child in node.kids.iter() {
            names.push_string(child.name())?;
        }
        Ok(Some(names))
    }

    /// A part of the list holds whole names (but for the first, when `offset` lies within it); an empty name
    /// ends the list.
    pub(super) fn directory_part(&mut self, ask: &mut Ask, path: &[u8], offset: u32) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        self.note(ask, path, Looks::LIST)?;
        let node = self.find(ask, path, READ)?;
        let mut part = Payload::new();
        part.push_text(format_args!("{}", node.value.generation()))?;
        let (mut inside, names) = node.kids.iter_from(offset);
        for child in names {
            let name = child.name().get(core::mem::take(&mut inside)..).unwrap_or_default();
            if part.room() < name.len() + 2 {
                return Ok(Some(part));
            }
            part.push_string(name)?;
        }
        part.push(&[0])?;
        Ok(Some(part))
    }

    pub(super) fn read(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        self.note(ask, path, Looks::VALUE)?;
        Ok(Some(self.find(ask, path, READ)?.value.value().try_into()?))
    }

    pub(super) fn get_perms(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let perms = if let Some(special) = Special::from_name(path) {
            let perms = Rc::clone(self.special_perms(special));
            perms.rights(&ask.caller).read.then_some(perms).ok_or(XsError::EACCES)?
        } else {
            let path = ask.path(self, path, &mut scratch)?;
            self.note(ask, path, Looks::PERMS)?;
            Rc::clone(&self.find(ask, path, READ)?.value.perms)
        };
        let mut text = Payload::new();
        text.push_text(format_args!("{}", perms.owner()))?;
        let lives = |entry: &Perm| entry.domid == ANY || self.state.domains.lives(entry.domid, perms.stamp());
        for entry in perms.entries().skip(1).filter(lives) {
            text.push_text(format_args!("{entry}"))?;
        }
        Ok(Some(text))
    }

    /// WRITE with a value, MKDIR without.
    pub(super) fn write(&mut self, ask: &mut Ask, path: &[u8], value: Option<&[u8]>) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        self.note(ask, path, if value.is_some() { Looks::VALUE } else { Looks::EXISTS })?;
        let found =
            self.find(ask, path, WRITE).map(|node| (Rc::clone(&node.value.perms), node.value.value().len()));
        match (found, value) {
            (Ok((perms, before)), Some(value)) => self.overwrite(ask, path, &perms, before, value)?,
            (Ok(_), None) => {}
            (Err(XsError::ENOENT), value) => self.create(ask, path, value.unwrap_or_default())?,
            (Err(error), _) => return Err(error.into()),
        }
        Ok(None)
    }

    fn overwrite(
        &mut self,
        ask: &mut Ask,
        path: Path<'_>,
        perms: &Perms,
        before: usize,
        value: &[u8],
    ) -> Result<(), Refusal> {
        self.check_size(ask, perms, value)?;
        self.check_guards(ask, path)?;
        let growth = bytes(value.len().saturating_sub(before));
        self.state.check_room(&ask.caller, perms.owner().domid, 0, growth)?;
        if ask.transaction.is_none() {
            self.state.set_value(path, value);
            self.announce(path, None, None);
            return Ok(());
        }
        self.charge_transaction(ask, bytes(value.len()))?;
        let now = self.state.tick();
        if let Some(transaction) = &mut ask.transaction {
            transaction.set_value(path, value, now);
        }
        Ok(())
    }

    fn create(&mut self, ask: &mut Ask, path: Path<'_>, value: &[u8]) -> Result<(), Refusal> {
        let creator = (!ask.caller.privileged).then_some(ask.caller.domain);
        let reach = self.view(ask).reach(path);
        let missing = reach.missing;
        let lives = |domid, stamp| self.state.domains.lives(domid, stamp);
        let perms = reach.node.value.perms.inherit(creator, self.state.now(), lives);
        self.check_size(ask, &perms, value)?;
        self.check_guards(ask, path)?;
        let (nodes, cost) = creation_cost(path, missing, &perms, value.len());
        let pending = ask.transaction.as_ref().map_or(0, |transaction| transaction.created);
        self.state.check_room(&ask.caller, perms.owner().domid, nodes.saturating_add(pending), cost)?;
        if ask.transaction.is_none() {
            self.state.create(path, &perms, value);
            self.announce(path, None, None);
            return Ok(());
        }
        let mut made = Some(path);
        for _ in 0..missing {
            let Some(path) = made else { break };
            self.note_one(ask, path, Looks::EXISTS)?;
            made = path.parent();
        }
        self.charge_transaction(ask, bytes(value.len()))?;
        let now = self.state.tick();
        if let Some(transaction) = &mut ask.transaction {
            transaction.create(path, &perms, value, now);
        }
        Ok(())
    }

    pub(super) fn rm(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        self.note(ask, path, Looks::BELOW)?;
        let found = self.find(ask, path, WRITE).map(|_| ());
        let Some(above) = path.parent() else { return Err(found.err().unwrap_or(XsError::EINVAL).into()) };
        self.note_one(ask, above, Looks::EXISTS)?;
        match found {
            Ok(()) => {}
            Err(XsError::ENOENT) if self.view(ask).get(above).is_some() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        self.check_guards(ask, path)?;
        if let Some(transaction) = &mut ask.transaction {
            let now = self.state.tick();
            if let Some(removed) = transaction.remove(path, now) {
                self.state.discard(removed);
            }
        } else if let Some(removed) = self.state.remove(path) {
            self.announce(path, None, Some(&removed));
        }
        Ok(None)
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
        self.note(ask, path, Looks::PERMS)?;
        let node = self.find(ask, path, OWN)?;
        let (old, value) = (Rc::clone(&node.value.perms), node.value.value().len());
        if !ask.caller.privileged && perms.owner().domid != old.owner().domid {
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
        let size = RECORD + RECORD_PERM * bytes(new.count()) + bytes(value);
        if self.state.limit_of(&ask.caller, Quota::NodeSize).is_some_and(|limit| size >= limit) {
            return Err(XsError::ENOSPC.into());
        }
        let growth = RECORD_PERM * bytes(new.count().saturating_sub(old.count()));
        self.state.check_room(&ask.caller, new.owner().domid, 0, growth)
    }

    fn check_size(&self, ask: &Ask, perms: &Perms, value: &[u8]) -> Result<(), Refusal> {
        let size = RECORD + RECORD_PERM * bytes(perms.count()) + bytes(value.len());
        let limit = self.state.limit_of(&ask.caller, Quota::NodeSize);
        if limit.is_some_and(|limit| size >= limit) { Err(XsError::ENOSPC.into()) } else { Ok(()) }
    }
}
