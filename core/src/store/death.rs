//! Domains that go away.
//!
//! A domain's connection and books end at once, and with them the meaning of every permission that names it.
//! Nodes it owned are removed, with all below them, in bounded steps: they are found by the domain's territory,
//! so the cost follows from what it owned. Then its end is announced. All of it may be asked again at any time.
#![forbid(unsafe_code)]

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::path::{Path, PathBuf, Special};
use super::perms::Perms;
use super::server::{Platform, Server};
use super::tree::Tree;
use super::wire::{Access, Perm};
use crate::hyper::DomId;

/// What looking at a node and removing it costs, in walks.
const LOOKING: u32 = 8;

/// A domain whose nodes are being removed.
#[derive(Debug)]
pub(super) struct Dead {
    domid: DomId,
    /// Where nodes of it may still be.
    territory: Vec<PathBuf>,
    /// The next node to look at within the last of them.
    at: Option<PathBuf>,
    /// Whether its end is to be announced.
    known: bool,
}

impl Server {
    /// A domain has shut down, or crashed, and still exists. Reported once until it is resumed.
    pub fn domain_shutdown(&mut self, domid: DomId) {
        let Some(domain) = self.state.domains.get_mut(domid) else { return };
        if domain.conn.is_some() && !domain.shutdown {
            domain.shutdown = true;
            self.announce_special(Special::Release, domid);
            self.step();
        }
    }

    /// A domain is no more, or is to be treated so.
    pub fn domain_died(&mut self, platform: &mut impl Platform, domid: DomId) {
        let Some(conn) = self.state.domains.get(domid).map(|domain| domain.conn) else { return };
        if domid == self.control {
            return;
        }
        if let Some(conn) = conn {
            self.disconnect(conn);
            platform.release(domid, conn);
        }
        if let Some(domain) = self.state.domains.get_mut(domid) {
            domain.conn = None;
        }
        self.dying.push((domid, conn.is_some()));
        self.step();
    }

    /// Closes the books of those who died. A commit that is under way may still give them nodes.
    fn close_books(&mut self) {
        for (domid, known) in core::mem::take(&mut self.dying) {
            let territory = self.state.domains.remove(domid).map(|domain| domain.territory.into_paths());
            self.dead.push(Dead { domid, territory: territory.unwrap_or_default(), at: None, known });
        }
    }

    /// Looks at no more than `budget` nodes for what dead domains left behind.
    pub(super) fn bury(&mut self, mut budget: u32) -> u32 {
        self.close_books();
        while budget > 0
            && let Some(mut dead) = self.dead.pop()
        {
            budget = self.bury_one(&mut dead, budget);
            if dead.territory.is_empty() {
                if dead.known {
                    self.announce_special(Special::Release, dead.domid);
                }
            } else {
                self.dead.push(dead);
            }
        }
        budget
    }

    /// Whether there is more to do after an earlier bearer of this number.
    pub(super) fn is_dying(&self, domid: DomId) -> bool {
        self.dead.iter().any(|dead| dead.domid == domid)
    }

    fn bury_one(&mut self, dead: &mut Dead, mut budget: u32) -> u32 {
        while let Some(top) = dead.territory.last().cloned() {
            let at = dead.at.take().unwrap_or_else(|| top.clone());
            if budget == 0 {
                dead.at = Some(at);
                break;
            }
            budget = budget.saturating_sub(LOOKING * at.as_path().walk_cost());
            let gone = self.remove_if_owned(dead.domid, at.as_path());
            dead.at = following(&self.state.tree, at.as_path(), top.as_path(), !gone);
            if dead.at.is_none() {
                dead.territory.pop();
            }
        }
        budget
    }

    /// The root cannot go; it falls to the control domain.
    fn remove_if_owned(&mut self, domid: DomId, path: Path<'_>) -> bool {
        let Some(old) = self.state.tree.get(path).map(|node| Rc::clone(&node.value.perms)) else {
            return false;
        };
        if old.owner().domid != domid || self.state.domains.lives(domid, old.stamp()) {
            return false;
        }
        if path == Path::ROOT {
            let hidden = Perms::new(Perm::new(Access::None, self.control), &[], self.state.now());
            self.state.set_perms(path, Rc::new(hidden));
            self.announce(path, Some(&old), None);
            return false;
        }
        if let Some(removed) = self.state.remove(path) {
            self.announce(path, None, Some(&removed));
        }
        true
    }
}

/// The node after `path` among those at and below `top`, parents first; `inside` when its own children count.
fn following(tree: &Tree, path: Path<'_>, top: Path<'_>, inside: bool) -> Option<PathBuf> {
    let mut node = tree.get(top)?;
    // Where the way may go on, the deepest last.
    let mut next = None;
    let mut levels = path.levels_below(top)?;
    for name in path.names().skip(top.names().count()) {
        if let Some(after) = node.kids.after(name) {
            next = Some((levels, after));
        }
        levels -= 1;
        match node.kids.get(name) {
            Some(child) => node = child,
            None => break,
        }
    }
    if inside
        && levels == 0
        && let Some(first) = node.kids.iter().next()
    {
        return Some(path.join(first.name()));
    }
    let (levels, after) = next?;
    let above = (0..levels).try_fold(path, |path, _| path.parent())?;
    Some(above.join(after.name()))
}
