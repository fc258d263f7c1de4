//! Hotplug at work: one connection to XenStore for all classes, because Linux' device for it answers one question at a time.

use std::convert::Infallible;

use xendless_core::store::client::Session;

use super::devices::{BACKEND, Devices};
use super::node::Failed;
use super::tree::{Tree, Wire};
use super::vbd::{Block, Disks};
use super::vif::{Interfaces, Port};

/// All devices that this domain serves.
pub(super) struct Agent<'a, S, M> {
    tree: Tree<S>,
    machine: &'a mut M,
    disks: Devices<Block>,
    interfaces: Devices<Port>,
}

impl<'a, S: Wire, M: Disks + Interfaces> Agent<'a, S, M> {
    /// Begins to watch. A class is there when its first device is, so what is above all of them is watched.
    pub(super) fn new(session: Session<S>, machine: &'a mut M) -> Result<Self, Failed> {
        let mut tree = Tree::new(session);
        tree.watch(BACKEND)?;
        Ok(Self { tree, machine, disks: Devices::new(), interfaces: Devices::new() })
    }

    /// Works until XenStore is lost.
    pub(super) fn run(&mut self) -> Result<Infallible, Failed> {
        loop {
            self.turn()?;
        }
    }

    /// Waits for changes or the end of a script, and sees to them.
    pub(super) fn turn(&mut self) -> Result<(), Failed> {
        let paths = self.tree.changes(|wire| self.machine.wait(wire))?;
        while let Some(ended) = self.machine.ended() {
            self.disks.ended(&mut self.tree, self.machine, &ended)?;
            self.interfaces.ended(&mut self.tree, self.machine, &ended)?;
        }
        self.disks.changed(&mut self.tree, self.machine, &paths)?;
        self.interfaces.changed(&mut self.tree, self.machine, &paths)
    }
}
