//! One device and where it stands.

use alloc::vec::Vec;

use super::nodes::Node;
use super::{Backend, Problem};
use crate::config::devices::{Access, Disk, Equipment, Medium};

/// What is done next.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nodes are written, these are left.
    Write(Vec<Node>),
    /// The backend gets ready.
    Connect,
    /// Nothing: it works.
    Ready,
    /// The guest is asked to let go, and then the backend does. `asked`: it was.
    Close { asked: bool },
    /// The guest did not let go in time. When it does, the device goes.
    Held,
    /// The guest loses it, and the backend lets go. `asked`: it knows.
    Release { asked: bool },
    /// The backend's domain ended; the guest's driver is to fail what it is asked, and let go. `asked`: it was.
    Part { asked: bool },
    /// Nodes go.
    Remove,
    /// Nothing is left of it in XenStore. It comes again with its backend.
    Orphan,
}

/// What follows when nothing of a device is left in XenStore.
#[derive(Debug)]
pub(super) enum After {
    /// It is forgotten.
    Forget,
    /// It is forgotten, and that is a failure.
    Fail(Problem),
    /// It waits for its backend to come again.
    Orphan,
    /// It is made again with this in it, or, when that fails, with what was in it before.
    Again(Equipment),
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) backend: Backend,
    pub(super) equipment: Equipment,
    pub(super) phase: Phase,
    pub(super) after: After,
    /// When the wait of its phase is over; nodes are not written before.
    pub(super) deadline: Option<u64>,
    /// The timer that is set for it.
    pub(super) timer: Option<u64>,
    /// What was in it before the change that is under way.
    pub(super) before: Option<Equipment>,
    /// Why it has in it again what it had before.
    pub(super) blame: Option<Problem>,
}

impl Device {
    pub(super) const fn new(backend: Backend, equipment: Equipment, phase: Phase) -> Self {
        let after = After::Forget;
        Self { backend, equipment, phase, after, deadline: None, timer: None, before: None, blame: None }
    }

    /// Whether this domain serves it, in whichever life.
    pub(super) fn is_served_by(&self, backend: &Backend) -> bool {
        self.backend.handle == backend.handle
    }

    /// Begins to take it away.
    pub(super) fn detach(&mut self, force: bool) -> Result<(), Problem> {
        match self.phase {
            Phase::Write(_) | Phase::Connect if force => self.release(After::Fail(Problem::Withdrawn)),
            Phase::Ready | Phase::Held | Phase::Close { .. } | Phase::Part { .. } if force => {
                self.release(After::Forget);
            }
            Phase::Part { .. } => self.after = After::Forget,
            Phase::Ready | Phase::Held => {
                self.after = After::Forget;
                self.enter(Phase::Close { asked: false });
            }
            Phase::Write(_) | Phase::Connect | Phase::Close { .. } => return Err(Problem::Busy),
            // It goes already.
            Phase::Release { .. } | Phase::Remove if matches!(self.after, After::Fail(_)) => {}
            Phase::Release { .. } | Phase::Remove => self.after = After::Forget,
            Phase::Orphan => self.release(After::Forget),
        }
        Ok(())
    }

    /// Takes it back while it does not work yet.
    pub(super) fn withdraw(&mut self) {
        if self.before.is_none()
            && self.blame.is_none()
            && matches!(self.phase, Phase::Write(_) | Phase::Connect)
        {
            self.release(After::Fail(Problem::Withdrawn));
        }
    }

    /// Begins to put something else into it.
    pub(super) fn change(&mut self, disk: Disk) -> Result<(), Problem> {
        let drive = |disk: &Disk| matches!(disk.medium, Medium::Cdrom(_)) && disk.access == Access::ReadOnly;
        if !matches!(&self.equipment, Equipment::Disk(old) if drive(old)) || !drive(&disk) {
            return Err(Problem::Fixed);
        }
        if !matches!(self.phase, Phase::Ready) {
            return Err(Problem::Busy);
        }
        self.after = After::Again(Equipment::Disk(disk));
        self.enter(Phase::Close { asked: false });
        Ok(())
    }

    /// Takes it from its guest. What is on its way already stays so.
    pub(super) fn release(&mut self, after: After) {
        match self.phase {
            Phase::Release { .. } | Phase::Remove => {}
            // No driver has seen it, or none is left to let go.
            Phase::Orphan | Phase::Write(_) | Phase::Part { .. } => self.enter(Phase::Remove),
            _ => self.enter(Phase::Release { asked: false }),
        }
        self.after = after;
    }

    /// Its backend is no more.
    pub(super) fn backend_ended(&mut self) {
        match self.phase {
            Phase::Orphan | Phase::Part { .. } => return,
            Phase::Ready => {
                self.after = After::Orphan;
                return self.enter(Phase::Part { asked: false });
            }
            Phase::Write(_) | Phase::Connect if self.before.is_none() => {
                self.after = After::Fail(Problem::BackendGone(self.backend.domid));
            }
            Phase::Write(_) | Phase::Connect => self.after = After::Orphan,
            // It was to go anyway.
            Phase::Close { .. } | Phase::Held | Phase::Release { .. } | Phase::Remove => {
                if matches!(self.after, After::Again(_)) {
                    self.after = After::Forget;
                }
            }
        }
        self.enter(Phase::Remove);
    }

    /// Whether its guest has to be told that its backend is no more.
    pub(super) const fn parts(&self) -> bool {
        matches!(self.phase, Phase::Part { .. })
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        (self.phase, self.deadline) = (phase, None);
    }
}
