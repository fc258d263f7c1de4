//! From a device that works to its last node.

use alloc::format;
use alloc::string::String;

use super::device::{After, Device, Phase};
use super::look::{View, ask, look, read, watch};
use super::work::{Step, token};
use super::{CLOSE_NS, DeviceName, Failed, Outcome, PART_NS, Problem, RELEASE_NS, XenbusState};
use crate::store::service::Local;
use crate::store::wire::Request;

impl Device {
    /// Asks the guest to let go, and waits until both ends have.
    pub(super) fn close(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        asked: bool,
        now: u64,
    ) -> Result<Step, Failed> {
        if !asked {
            self.say_closing(store, name)?;
            self.phase = Phase::Close { asked: true };
            self.deadline = Some(now.saturating_add(CLOSE_NS));
        }
        if let Some(step) = self.look_whether_gone(store, name, false)? {
            return Ok(step);
        }
        if !self.is_late(now) {
            return Ok(Step::Rest);
        }
        let problem = match frontend_state(store, name)? {
            XenbusState::Closed => Problem::Kept(self.backend.domid),
            _ => Problem::Held,
        };
        self.after = After::Forget;
        self.enter(Phase::Held);
        Ok(Step::Over(Outcome::Held(problem)))
    }

    /// Looks whether it was let go after all.
    pub(super) fn held(&mut self, store: &mut impl Local, name: &DeviceName) -> Result<Step, Failed> {
        if View::has_let_go(look(store, name, self.backend.domid)?) {
            self.enter(Phase::Remove);
            return Ok(Step::Again);
        }
        Ok(Step::Rest)
    }

    /// Takes it from the guest, and waits until the backend has let go, but not for ever.
    pub(super) fn let_go(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        asked: bool,
        now: u64,
    ) -> Result<Step, Failed> {
        if !asked {
            self.say_closing(store, name)?;
            remove(store, &name.frontend())?;
            self.phase = Phase::Release { asked: true };
            self.deadline = Some(now.saturating_add(RELEASE_NS));
        }
        let gone = self.look_whether_gone(store, name, self.is_late(now))?;
        Ok(gone.unwrap_or(Step::Rest))
    }

    /// Tells the guest that its backend is no more, and waits until it has closed its end, but not for ever.
    ///
    /// A guest whose device goes while nothing is said first writes to it what it has not written yet, and waits for an
    /// answer that never comes.
    pub(super) fn part(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        asked: bool,
        now: u64,
    ) -> Result<Step, Failed> {
        if !asked {
            watch(store, name, &frontend_state_path(name))?;
            self.say_closing(store, name)?;
            self.phase = Phase::Part { asked: true };
            self.deadline = Some(now.saturating_add(PART_NS));
        }
        if frontend_state(store, name)?.is_in_use() && !self.is_late(now) {
            return Ok(Step::Rest);
        }
        self.enter(Phase::Remove);
        Ok(Step::Again)
    }

    /// Goes on to its last step when the backend has let go, or is `given_up`. A backend that was about to connect has
    /// written its own state over what it was told, and is told again.
    fn look_whether_gone(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        given_up: bool,
    ) -> Result<Option<Step>, Failed> {
        let view = look(store, name, self.backend.domid)?;
        if View::has_let_go(view) || given_up {
            self.enter(Phase::Remove);
            return Ok(Some(Step::Again));
        }
        if view.is_some_and(|view| view.state.serves()) {
            self.say_closing(store, name)?;
        }
        Ok(None)
    }

    /// Says that the device is about to end, in the backend's directory, if that is there.
    fn say_closing(&self, store: &mut impl Local, name: &DeviceName) -> Result<(), Failed> {
        let home = name.backend(self.backend.domid);
        if read(store, &home)?.is_none() {
            return Ok(());
        }
        for (node, value) in [("online", b"0"), ("state", b"5")] {
            ask(store, &Request::Write { path: format!("{home}/{node}").as_bytes(), value })?;
        }
        Ok(())
    }

    /// Removes all nodes; `alone` is whether it is the last of its class that the backend serves to its domain.
    pub(super) fn remove(
        &mut self,
        store: &mut impl Local,
        name: &DeviceName,
        alone: bool,
    ) -> Result<(), Failed> {
        let back = self.backend.domid;
        let (frontend, backend) = (name.frontend(), name.backend(back));
        for path in [&backend, &frontend_state_path(name)] {
            ask(store, &Request::Unwatch { path: path.as_bytes(), token: token(name).as_bytes() })?;
        }
        for path in [frontend, backend, name.record(), name.complaint(back)] {
            remove(store, &path)?;
        }
        if alone {
            for path in [name.frontends(), name.backends(back), name.records(), name.complaints(back)] {
                remove(store, &path)?;
            }
        }
        Ok(())
    }
}

/// What the guest says of its end.
fn frontend_state(store: &mut impl Local, name: &DeviceName) -> Result<XenbusState, Failed> {
    let state = read(store, &frontend_state_path(name))?;
    Ok(XenbusState::parse(&state.unwrap_or_default()))
}

fn frontend_state_path(name: &DeviceName) -> String {
    format!("{}/state", name.frontend())
}

/// Removes a node with all below it, if it is there. What XenStore refuses to remove, it refuses the next time, too.
fn remove(store: &mut impl Local, path: &str) -> Result<(), Failed> {
    match ask(store, &Request::Rm { path: path.as_bytes() }) {
        Err(Failed::Later) => Err(Failed::Later),
        Ok(()) | Err(Failed::For(_)) => Ok(()),
    }
}
