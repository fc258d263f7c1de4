//! From the first node to a device that works.

use super::device::{After, Device, Phase};
use super::look::{Hotplug, ask, complaint, look, watch};
use super::nodes::Node;
use super::work::Step;
use super::{CONNECT_NS, DeviceName, Failed, Outcome, Problem, XenbusState};
use crate::store::service::Local;
use crate::store::wire::Request;

/// Nodes written in one step.
const NODES_PER_STEP: usize = 16;

impl Device {
    /// Writes some nodes when their time has come; behind the last, watches what the backend says.
    pub(super) fn write(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        mut left: alloc::vec::Vec<Node>,
        now: u64,
    ) -> Result<Step, Failed> {
        if self.deadline.is_some() && !self.is_late(now) {
            self.phase = Phase::Write(left);
            return Ok(Step::Rest);
        }
        self.deadline = None;
        for _ in 0..NODES_PER_STEP {
            let Some(node) = left.first() else {
                if let Err(failed) = watch(store, name, &name.backend(self.backend.domid)) {
                    return self.put_back(left, failed);
                }
                self.phase = Phase::Connect;
                self.deadline = Some(now.saturating_add(CONNECT_NS));
                return Ok(Step::Again);
            };
            if let Err(failed) = write(store, node) {
                return self.put_back(left, failed);
            }
            left.remove(0);
        }
        self.phase = Phase::Write(left);
        Ok(Step::Again)
    }

    fn put_back(&mut self, left: alloc::vec::Vec<Node>, failed: Failed) -> Result<Step, Failed> {
        self.phase = Phase::Write(left);
        Err(failed)
    }

    /// Looks whether the backend is ready.
    pub(super) fn connect(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        now: u64,
    ) -> Result<Step, Failed> {
        let back = self.backend.domid;
        let Some(view) = look(store, name, back)? else { return Ok(self.give_up(Problem::Vanished)) };
        let prepared = view.hotplug == Hotplug::Connected || !name.class.has_hotplug();
        match view.hotplug {
            Hotplug::Error(why) => return Ok(self.give_up(Problem::Backend(why))),
            Hotplug::Busy(who) => return Ok(self.give_up(Problem::Taken(who))),
            _ if prepared && view.state.serves() => {
                self.enter(Phase::Ready);
                return Ok(Step::Over(match (self.before.take(), self.blame.take()) {
                    (_, Some(problem)) => Outcome::NotChanged(problem),
                    (Some(_), None) => Outcome::Changed,
                    (None, None) => Outcome::Connected,
                }));
            }
            _ if prepared && matches!(view.state, XenbusState::Closing | XenbusState::Closed) => {
                let why = complaint(store, name, back)?;
                return Ok(self.give_up(Problem::Backend(why)));
            }
            Hotplug::Connected | Hotplug::None => {}
        }
        if self.is_late(now) {
            let step = self.give_up(Problem::NoAnswer { back, prepared });
            // No driver has taken it on, so none will let go of it.
            if view.state == XenbusState::Initialising {
                self.enter(Phase::Remove);
            }
            return Ok(step);
        }
        Ok(Step::Rest)
    }

    /// It does not work. Where it is the change that did not, what was there before comes again.
    pub(super) fn give_up(&mut self, problem: Problem) -> Step {
        let after = match self.before.take() {
            Some(before) => {
                self.blame = Some(problem);
                After::Again(before)
            }
            None => After::Fail(self.blame.take().unwrap_or(problem)),
        };
        self.release(after);
        Step::Again
    }

    pub(super) fn is_late(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

fn write(store: &mut impl Local, node: &Node) -> Result<(), Failed> {
    let path = node.path.as_bytes();
    ask(store, &Request::Write { path, value: node.value.as_bytes() })?;
    match node.perms {
        Some(perms) => ask(store, &Request::SetPerms { path, perms: perms.to_vec() }),
        None => Ok(()),
    }
}
