//! Transactions. Source: `docs/misc/xenstore.txt`, "Transactions".
//!
//! A transaction works on a copy of the tree, which costs next to nothing to take. It remembers what it looked
//! at and what it changed, by path and by kind. It may commit when all of that is in the live tree as it was in
//! the copy; then its changes, and nothing else, are made there. Who worked elsewhere is never in the way, not
//! even who created another child of the same node.
#![forbid(unsafe_code)]

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::ops::Bound;

use super::path::{Path, PathBuf};
use super::perms::{Perms, Stamp};
use super::state::cost;
use super::tree::{Data, Tree};

/// Bytes a touched path is charged besides its own: about what its entry and the copied nodes take.
pub(crate) const TOUCH_COST: u32 = 512;

bitflags::bitflags! {
    /// What of a node a transaction depends on. That it exists, or does not, is always a part of it.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Looks: u8 {
        const EXISTS = 0;
        const VALUE = 1;
        const PERMS = 2;
        /// The names of its children.
        const LIST = 4;
        /// Everything at and below it.
        const BELOW = 8;
    }
}

/// A change of one node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Created,
    /// Created on the way to another, which gets the event.
    Implied,
    Value,
    Perms,
    Removed,
}

/// What a transaction looked at and changed.
pub(crate) type Touched = BTreeMap<PathBuf, Touch>;

/// What a transaction has to do with one path.
#[derive(Debug)]
pub(crate) struct Touch {
    looks: Looks,
    change: Option<Changed>,
}

/// What became of a node that changed.
#[derive(Clone, Copy, Debug)]
struct Changed {
    /// Place among all changes, by when it changed first.
    order: usize,
    /// What the node cost its owner before the first change; nothing when it did not exist.
    was: u32,
    /// It was removed, perhaps to be created again.
    removed: bool,
    value: bool,
    perms: bool,
    /// It has an event of its own.
    told: bool,
}

/// What a commit has to do to the live tree at one path.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) path: PathBuf,
    pub(crate) order: usize,
    pub(crate) remove: bool,
    /// The node as it is to be, unless it is to be absent.
    pub(crate) node: Option<Data>,
    /// Whether it is a new node.
    pub(crate) fresh: bool,
    /// Bytes it takes more than the one it replaces; a removed node is replaced by none.
    pub(crate) growth: u32,
    pub(crate) value: bool,
    pub(crate) perms: bool,
    pub(crate) told: bool,
    /// Who could do what with the node before, if there was one.
    pub(crate) before: Option<Rc<Perms>>,
}

/// An open transaction.
#[derive(Debug)]
pub(crate) struct Transaction {
    /// When it began, or last had to begin anew.
    pub(crate) start: Stamp,
    base: Tree,
    view: Tree,
    touched: Touched,
    /// What walking all those paths costs.
    walks: u32,
    changes: usize,
    /// Bytes its owner is charged for it.
    pub(crate) charged: u32,
    /// Nodes it has created.
    pub(crate) created: u32,
    /// Whether it can no longer commit.
    pub(crate) doomed: bool,
}

impl Transaction {
    pub(crate) fn new(tree: &Tree, start: Stamp) -> Self {
        Self {
            start,
            base: tree.clone(),
            view: tree.clone(),
            touched: Touched::new(),
            walks: 0,
            changes: 0,
            charged: 0,
            created: 0,
            doomed: false,
        }
    }

    /// The tree as the transaction sees it.
    pub(crate) fn view(&self) -> &Tree {
        &self.view
    }

    pub(crate) fn touches(&self, path: Path<'_>) -> bool {
        self.touched.contains_key(path.as_bytes())
    }

    /// What walking all touched paths costs.
    pub(crate) fn walks(&self) -> u32 {
        self.walks
    }

    /// Remembers a look at `path`.
    pub(crate) fn look(&mut self, path: Path<'_>, looks: Looks) {
        self.touch(path, |touch| touch.looks |= looks);
    }

    pub(crate) fn create(&mut self, path: Path<'_>, perms: &Rc<Perms>, value: &[u8], now: Stamp) {
        let missing = self.view.reach(path).missing;
        self.view.create(path, perms, value, now);
        let mut at = Some(path);
        for level in 0..missing {
            let Some(path) = at else { break };
            self.change(path, if level == 0 { Change::Created } else { Change::Implied }, 0);
            self.created = self.created.saturating_add(1);
            at = path.parent();
        }
    }

    pub(crate) fn set_value(&mut self, path: Path<'_>, value: &[u8], now: Stamp) {
        if let Some(node) = self.view.get_mut(path) {
            let was = cost(node);
            node.value.set_value(value, now);
            self.change(path, Change::Value, was);
        }
    }

    pub(crate) fn set_perms(&mut self, path: Path<'_>, perms: Rc<Perms>, now: Stamp) {
        if let Some(node) = self.view.get_mut(path) {
            let was = cost(node);
            node.value.set_perms(perms, now);
            self.change(path, Change::Perms, was);
        }
    }

    /// Removes a node; returns what has to be freed.
    pub(crate) fn remove(&mut self, path: Path<'_>, now: Stamp) -> Option<Tree> {
        let node = self.view.remove(path, now)?;
        self.change(path, Change::Removed, cost(&node));
        Some(node)
    }

    /// Begins anew on `tree`, without a chance to commit; returns what has to be freed.
    pub(crate) fn doom(&mut self, tree: &Tree, start: Stamp) -> [Tree; 2] {
        self.doomed = true;
        self.start = start;
        let base = core::mem::replace(&mut self.base, tree.clone());
        [base, core::mem::replace(&mut self.view, tree.clone())]
    }

    /// Whether the live tree is the one that the transaction began with.
    pub(crate) fn is_current(&self, live: &Tree) -> bool {
        same(Looks::all(), live, &self.base)
    }

    /// The touched paths that come after `at`, parents before their children.
    pub(crate) fn touched_after<'a>(
        &'a self,
        at: Option<&'a PathBuf>,
    ) -> impl Iterator<Item = (&'a PathBuf, &'a Touch)> {
        self.touched.range::<PathBuf, _>((at.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
    }

    /// Whether the live tree still is what the transaction saw at `path`.
    pub(crate) fn holds(&self, path: Path<'_>, touch: &Touch, live: &Tree) -> bool {
        match (self.base.get(path), live.get(path)) {
            (Some(then), Some(now)) => same(touch.looks, then, now),
            (None, None) => true,
            _ => false,
        }
    }

    /// What a commit has to do at `path`.
    pub(crate) fn effect(&self, path: &PathBuf, touch: &Touch) -> Option<Effect> {
        let Changed { order, was, removed, value, perms, told } = touch.change?;
        let after = self.view.get(path.as_path());
        let replaced = if removed { 0 } else { was };
        let (growth, fresh) = (after.map_or(0, cost).saturating_sub(replaced), replaced == 0);
        let existed = if perms { self.base.get(path.as_path()) } else { None };
        let before = existed.map(|node| Rc::clone(&node.value.perms));
        let (path, node) = (path.clone(), after.map(|node| node.value.clone()));
        Some(Effect { path, order, remove: removed, node, fresh, growth, value, perms, told, before })
    }

    /// What the transaction was based on.
    pub(crate) fn base(&self) -> &Tree {
        &self.base
    }

    /// What has to be freed at its end.
    pub(crate) fn into_parts(self) -> ([Tree; 2], Touched) {
        ([self.base, self.view], self.touched)
    }

    /// Notes a change of a node that cost `was` before it.
    fn change(&mut self, path: Path<'_>, change: Change, was: u32) {
        let order = self.changes;
        self.touch(path, |touch| {
            let untold = Changed { order, was, removed: false, value: false, perms: false, told: false };
            let changed = touch.change.get_or_insert(untold);
            changed.told |= !matches!(change, Change::Implied);
            match change {
                Change::Created | Change::Implied => (changed.value, changed.perms) = (true, true),
                Change::Value => changed.value = true,
                Change::Perms => changed.perms = true,
                Change::Removed => changed.removed = true,
            }
        });
        self.changes += 1;
    }

    fn touch(&mut self, path: Path<'_>, note: impl FnOnce(&mut Touch)) {
        if let Some(touch) = self.touched.get_mut(path.as_bytes()) {
            return note(touch);
        }
        let mut touch = Touch { looks: Looks::EXISTS, change: None };
        note(&mut touch);
        self.walks = self.walks.saturating_add(path.walk_cost());
        self.touched.insert(path.to_buf(), touch);
    }
}

/// Whether two nodes are the same in what was looked at.
fn same(looks: Looks, then: &Tree, now: &Tree) -> bool {
    let all = looks.contains(Looks::BELOW);
    let (before, after) = (&then.value, &now.value);
    (!all && !looks.contains(Looks::VALUE) || before.value() == after.value())
        && (!all && !looks.contains(Looks::PERMS) || before.perms == after.perms)
        && (!looks.contains(Looks::LIST) || before.listed() == after.listed())
        && (!all || then.kids.is(&now.kids))
}
