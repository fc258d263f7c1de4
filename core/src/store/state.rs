//! The tree and its books: who owns what, what it costs, and what is left to clear away.
//!
//! Every change of the live tree passes through here, so that no verb can create or remove a node without its
//! owner's account knowing. What leaves the tree is gone for every client at once; taking a big subtree off the
//! books and freeing it is left to [`State::step`].
#![forbid(unsafe_code)]

use alloc::rc::Rc;

use super::domain::Domains;
use super::path::Path;
use super::perms::{Caller, Perms, Stamp};
use super::quota::{Limits, Quota};
use super::server::Hold;
use super::tree::{Data, Node, Remains, Tree};
use super::wire::{Access, Perm, XsError};
use crate::hyper::DomId;
use crate::rights::Rights;

/// Bytes a node is charged besides its name, value and permissions: about what it takes in memory.
pub(crate) const NODE_COST: u32 = 160;
/// Bytes a permission entry takes.
const PERM_COST: u32 = 4;

/// Why a request is not answered with success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// The answer is an error.
    Error(XsError),
    /// There is no answer yet: something has to happen first.
    Wait(Hold),
}

impl From<XsError> for Refusal {
    fn from(error: XsError) -> Self {
        Self::Error(error)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tree: Tree,
    pub(crate) domains: Domains,
    /// Limits of all domains that have none of their own.
    pub(crate) limits: Limits,
    now: Stamp,
    /// Bytes of everything that is charged to anybody.
    total: u32,
    /// What left the tree and is still on the books.
    removed: Remains<Data>,
    /// What was never on the books, or no longer is.
    dropped: Remains<Data>,
}

impl State {
    /// A store that holds nothing but its root, which `owner` owns.
    pub(crate) fn new(owner: DomId) -> Self {
        let perms = Rc::new(Perms::new(Perm::new(Access::None, owner), &[], 0));
        let mut domains = Domains::default();
        domains.add(owner, 0).rights = Rights::Everything;
        let mut state = Self {
            tree: Node::new(b"", Data::new(Rc::clone(&perms), &[], 0)),
            domains,
            limits: Limits::default(),
            now: 0,
            total: 0,
            removed: Remains::default(),
            dropped: Remains::default(),
        };
        state.enter(&perms, 1, cost(&state.tree));
        state
    }

    /// Puts back what was saved of a store besides its nodes and domains.
    pub(crate) fn restore(&mut self, now: Stamp, limits: Limits) {
        (self.now, self.limits) = (now, limits);
    }

    /// Puts back a node that was saved, after the one above it.
    pub(crate) fn restore_node(&mut self, path: Path<'_>, data: Data) -> Result<(), &'static str> {
        let perms = Rc::clone(&data.perms);
        let cost = match (path.parent(), path.name()) {
            (Some(above), Some(name)) => {
                let node = Node::new(name, data);
                let cost = cost(&node);
                let parent = self.tree.get_mut(above).ok_or("a node has no parent")?;
                if parent.kids.insert(node).is_some() {
                    return Err("a node comes twice");
                }
                cost
            }
            _ => {
                let (old, before) = (Rc::clone(&self.tree.value.perms), cost(&self.tree));
                self.leave(&old, 1, before);
                self.tree.value = data;
                cost(&self.tree)
            }
        };
        self.enter(&perms, 1, cost);
        let limit = self.limits.or_default(Quota::Total);
        if limit != 0 && self.total > limit { Err("the store is bigger than its limit") } else { Ok(()) }
    }

    pub(crate) fn now(&self) -> Stamp {
        self.now
    }

    /// A new moment.
    pub(crate) fn tick(&mut self) -> Stamp {
        self.now += 1;
        self.now
    }

    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    /// The limit that holds for `domid`, or none.
    pub(crate) fn limit(&self, domid: DomId, quota: Quota) -> Option<u32> {
        let own = self.domains.get(domid).and_then(|domain| domain.limits.get(quota));
        Some(own.unwrap_or(self.limits.or_default(quota))).filter(|limit| *limit != 0)
    }

    /// The same for `caller`, who may be exempt.
    pub(crate) fn limit_of(&self, caller: &Caller, quota: Quota) -> Option<u32> {
        if caller.is_privileged() { None } else { self.limit(caller.domain.domid, quota) }
    }

    /// Whether `caller` may create `nodes` more and whoever `pays` may use `bytes` more.
    pub(crate) fn check_room(
        &self,
        caller: &Caller,
        pays: DomId,
        nodes: u32,
        bytes: u32,
    ) -> Result<(), Refusal> {
        let verdict = self.room(caller, pays, nodes, bytes);
        // What is to be taken off the books may make room.
        verdict
            .map_err(|error| if self.removed.is_empty() { error.into() } else { Refusal::Wait(Hold::Chores) })
    }

    fn room(&self, caller: &Caller, pays: DomId, nodes: u32, bytes: u32) -> Result<(), XsError> {
        let over = |used: u32, more: u32, limit: Option<u32>| {
            more > 0 && limit.is_some_and(|limit| used.saturating_add(more) > limit)
        };
        let total = Some(self.limits.or_default(Quota::Total)).filter(|limit| *limit != 0);
        let used = |domid| self.domains.get(domid).map(|domain| domain.usage).unwrap_or_default();
        if over(self.total, bytes, total) {
            return Err(XsError::ENOMEM);
        }
        if over(used(caller.domain.domid).nodes, nodes, self.limit_of(caller, Quota::Nodes)) {
            return Err(XsError::ENOSPC);
        }
        let memory = if caller.is_privileged() { None } else { self.limit(pays, Quota::Memory) };
        if over(used(pays).memory, bytes, memory) { Err(XsError::ENOMEM) } else { Ok(()) }
    }

    /// Creates what is missing of `path`, each node with `perms`, and gives the last its value.
    pub(crate) fn create(&mut self, path: Path<'_>, perms: &Rc<Perms>, value: &[u8]) {
        let reach = self.tree.reach(path);
        let (missing, above) = (reach.missing, Rc::clone(&reach.node.value.perms));
        let (nodes, bytes) = creation_cost(path, missing, perms, value.len());
        let now = self.tick();
        self.tree.create(path, perms, value, now);
        self.enter(perms, nodes, bytes);
        if above.owner() != perms.owner() || above.stamp() != perms.stamp() {
            let top = (1..missing).fold(path, |path, _| path.parent().unwrap_or(Path::ROOT));
            self.claim(perms, top);
        }
    }

    /// Changes the value of a node that exists.
    pub(crate) fn set_value(&mut self, path: Path<'_>, value: &[u8]) {
        let now = self.tick();
        let Some(node) = self.tree.get_mut(path) else { return };
        let (perms, before) = (Rc::clone(&node.value.perms), cost(node));
        node.value.set_value(value, now);
        let after = cost(node);
        self.leave(&perms, 1, before);
        self.enter(&perms, 1, after);
    }

    /// Changes the permissions of a node that exists.
    pub(crate) fn set_perms(&mut self, path: Path<'_>, perms: Rc<Perms>) {
        let now = self.tick();
        let Some(node) = self.tree.get_mut(path) else { return };
        let (old, before) = (Rc::clone(&node.value.perms), cost(node));
        node.value.set_perms(Rc::clone(&perms), now);
        let after = cost(node);
        self.leave(&old, 1, before);
        self.enter(&perms, 1, after);
        self.claim(&perms, path);
    }

    /// Takes a node and all below it out of the tree; returns them for a last look.
    pub(crate) fn remove(&mut self, path: Path<'_>) -> Option<Tree> {
        let now = self.tick();
        let node = self.tree.remove(path, now)?;
        self.leave(&node.value.perms, 1, cost(&node));
        self.removed.add(node.clone());
        Some(node)
    }

    /// Frees a tree that is on nobody's books.
    pub(crate) fn discard(&mut self, tree: Tree) {
        self.dropped.add(tree);
    }

    /// Charges a domain for something other than a node.
    pub(crate) fn charge(&mut self, domid: DomId, bytes: u32) {
        self.total = self.total.saturating_add(bytes);
        if let Some(domain) = self.domains.get_mut(domid) {
            domain.usage.memory = domain.usage.memory.saturating_add(bytes);
        }
    }

    /// Undoes [`State::charge`].
    pub(crate) fn refund(&mut self, domid: DomId, bytes: u32) {
        self.total = self.total.saturating_sub(bytes);
        if let Some(domain) = self.domains.get_mut(domid) {
            domain.usage.memory = domain.usage.memory.saturating_sub(bytes);
        }
    }

    /// Whether removed nodes are still on somebody's books.
    pub(crate) fn is_settled(&self) -> bool {
        self.removed.is_empty()
    }

    pub(crate) fn has_chores(&self) -> bool {
        !self.removed.is_empty() || !self.dropped.is_empty()
    }

    /// Clears away at most `budget` nodes; returns what is left of the budget.
    pub(crate) fn step(&mut self, mut budget: u32) -> u32 {
        while budget > 0 {
            let mut seen = None;
            if self.removed.step_seeing(|node| seen = Some((Rc::clone(&node.value.perms), cost(node)))) {
                if let Some((perms, cost)) = seen {
                    self.leave(&perms, 1, cost);
                }
            } else if !self.dropped.step() {
                break;
            }
            budget -= 1;
        }
        budget
    }

    fn enter(&mut self, perms: &Perms, nodes: u32, bytes: u32) {
        self.total = self.total.saturating_add(bytes);
        if let Some(owner) = self.domains.meant_by(perms.owner().domid, perms.stamp()) {
            owner.usage.nodes = owner.usage.nodes.saturating_add(nodes);
            owner.usage.memory = owner.usage.memory.saturating_add(bytes);
        }
    }

    fn leave(&mut self, perms: &Perms, nodes: u32, bytes: u32) {
        self.total = self.total.saturating_sub(bytes);
        if let Some(owner) = self.domains.meant_by(perms.owner().domid, perms.stamp()) {
            owner.usage.nodes = owner.usage.nodes.saturating_sub(nodes);
            owner.usage.memory = owner.usage.memory.saturating_sub(bytes);
        }
    }

    fn claim(&mut self, perms: &Perms, path: Path<'_>) {
        if let Some(owner) = self.domains.meant_by(perms.owner().domid, perms.stamp()) {
            owner.territory.include(path);
        }
    }
}

/// Nodes and bytes that the last `missing` names of `path` take as new nodes.
pub(crate) fn creation_cost(path: Path<'_>, missing: usize, perms: &Perms, value: usize) -> (u32, u32) {
    let names: usize = path.names().rev().take(missing).map(<[u8]>::len).sum();
    let (nodes, data) = (bytes(missing), bytes(names + value));
    (nodes, nodes.saturating_mul(NODE_COST + perms_cost(perms)).saturating_add(data))
}

/// What a node costs its owner.
pub(crate) fn cost(node: &Tree) -> u32 {
    NODE_COST + perms_cost(&node.value.perms) + bytes(node.name().len() + node.value.value().len())
}

fn perms_cost(perms: &Perms) -> u32 {
    bytes(perms.count()).saturating_mul(PERM_COST)
}

/// Lengths here are those of messages and paths, or counts of their parts.
pub(crate) fn bytes(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
