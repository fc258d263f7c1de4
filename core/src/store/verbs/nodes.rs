//! Reading and changing nodes.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{Answer, Ask};
use crate::store::path::Path;
use crate::store::perms::{Perms, READ, WRITE};
use crate::store::server::Server;
use crate::store::state::{Refusal, bytes, creation_cost};
use crate::store::transaction::Looks;
use crate::store::tree::Tree;
use crate::store::wire::{Payload, XsError};

impl Server {
    pub(super) fn directory(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        let names = self.look(ask, path, Looks::LIST, READ, |node| {
            let mut names = Payload::new();
            node.kids.iter().try_for_each(|child| names.push_string(child.name())).map(|()| names)
        });
        Ok(Some(names??))
    }

    pub(super) fn directory_part(&mut self, ask: &mut Ask, path: &[u8], offset: u32) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        Ok(Some(self.look(ask, path, Looks::LIST, READ, |node| part_of_list(node, offset))??))
    }

    pub(super) fn read(&mut self, ask: &mut Ask, path: &[u8]) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        Ok(Some(self.look(ask, path, Looks::VALUE, READ, |node| Payload::try_from(node.value.value()))??))
    }

    /// WRITE with a value, MKDIR without.
    pub(super) fn write(&mut self, ask: &mut Ask, path: &[u8], value: Option<&[u8]>) -> Answer {
        let mut scratch = Vec::new();
        let path = ask.path(self, path, &mut scratch)?;
        let looks = if value.is_some() { Looks::VALUE } else { Looks::EXISTS };
        let see = |node: &Tree| (Rc::clone(&node.value.perms), node.value.value().len());
        let found = self.look(ask, path, looks, WRITE, see);
        match (found, value) {
            (Ok((perms, before)), Some(value)) => self.overwrite(ask, path, &perms, before, value)?,
            (Ok(_), None) => {}
            (Err(Refusal::Error(XsError::ENOENT)), value) => {
                self.create(ask, path, value.unwrap_or_default())?
            }
            (Err(refusal), _) => return Err(refusal),
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
        self.check_size(ask, perms, value.len())?;
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
        let creator = (!ask.caller.is_privileged()).then_some(ask.caller.domain);
        let reach = self.view(ask).reach(path);
        let missing = reach.missing;
        let lives = |domid, stamp| self.state.domains.lives(domid, stamp);
        let perms = reach.node.value.perms.inherit(creator, self.state.now(), lives);
        self.check_size(ask, &perms, value.len())?;
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
            self.note(ask, path, Looks::EXISTS)?;
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
        let found = self.look(ask, path, Looks::BELOW, WRITE, |_| ());
        let Some(above) = path.parent() else {
            return Err(found.err().unwrap_or(Refusal::Error(XsError::EINVAL)));
        };
        self.note(ask, above, Looks::EXISTS)?;
        match found {
            Ok(()) => {}
            Err(Refusal::Error(XsError::ENOENT)) if self.view(ask).get(above).is_some() => return Ok(None),
            Err(refusal) => return Err(refusal),
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
}

/// A part of a node's list of children: whole names (but for the first, when `offset` lies within it), as many as
/// fit; an empty name ends the list.
fn part_of_list(node: &Tree, offset: u32) -> Result<Payload, XsError> {
    let mut part = Payload::new();
    part.push_text(format_args!("{}", node.value.generation()))?;
    let (mut inside, names) = node.kids.iter_from(offset);
    for child in names {
        let name = child.name().get(core::mem::take(&mut inside)..).unwrap_or_default();
        if part.room() < name.len() + 2 {
            return Ok(part);
        }
        part.push_string(name)?;
    }
    part.push(&[0])?;
    Ok(part)
}
