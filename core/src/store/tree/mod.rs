//! The shape of the store: a persistent tree.
//!
//! A copy of the root is a snapshot of everything and costs one count. Changes copy what a snapshot still sees
//! and are made in place where none does. The tree knows nothing of who asks: rights, quotas and events are
//! matters of the layers above.
#![forbid(unsafe_code)]

mod map;
mod trie;

use alloc::rc::Rc;

pub(crate) use map::{Keyed, Map};
pub(crate) use trie::{Node, Remains};

use super::path::Path;
use super::perms::{Perms, Stamp};

/// What a node holds besides its name and children.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    value: Option<Rc<[u8]>>,
    pub(crate) perms: Rc<Perms>,
    /// When value or permissions last changed.
    changed: Stamp,
    /// When a child last came or went.
    listed: Stamp,
}

impl Data {
    pub(crate) fn new(perms: Rc<Perms>, value: &[u8], now: Stamp) -> Self {
        let mut data = Self { value: None, perms, changed: now, listed: now };
        data.set_value(value, now);
        data
    }

    /// What was saved.
    pub(crate) fn restore(perms: Rc<Perms>, value: &[u8], changed: Stamp, listed: Stamp) -> Self {
        Self { listed, ..Self::new(perms, value, changed) }
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    pub(crate) fn changed(&self) -> Stamp {
        self.changed
    }

    pub(crate) fn listed(&self) -> Stamp {
        self.listed
    }

    /// When anything about the node last changed.
    pub(crate) fn generation(&self) -> Stamp {
        self.changed.max(self.listed)
    }

    pub(crate) fn set_value(&mut self, value: &[u8], now: Stamp) {
        self.value = (!value.is_empty()).then(|| value.into());
        self.changed = now;
    }

    pub(crate) fn set_perms(&mut self, perms: Rc<Perms>, now: Stamp) {
        self.perms = perms;
        self.changed = now;
    }
}

/// The store, or a subtree of it.
pub(crate) type Tree = Node<Data>;

impl Tree {
    /// Creates what is missing of `path`, each node with `perms`, and sets the value of the last.
    pub(crate) fn create(&mut self, path: Path<'_>, perms: &Rc<Perms>, value: &[u8], now: Stamp) {
        let node = self.grow(path, |above| {
            above.listed = now;
            Data::new(Rc::clone(perms), &[], now)
        });
        if let Some(node) = node {
            node.value.set_value(value, now);
        }
    }

    /// Takes a node and all below it out of the tree. The root stays.
    pub(crate) fn remove(&mut self, path: Path<'_>, now: Stamp) -> Option<Self> {
        let (above, name) = (path.parent()?, path.name()?);
        self.get(path)?;
        let parent = self.get_mut(above)?;
        parent.value.listed = now;
        parent.kids.remove(name)
    }
}
