//! One bounded piece of one device's work.

use alloc::format;
use alloc::string::String;

use super::device::{After, Device, Phase};
use super::{AWAY_NS, Class, DeviceName, Devices, Failed, Outcome, Problem, RETRY_NS, Report};
use crate::hyper::DomId;
use crate::store::service::Local;

/// Events taken in one step.
const EVENTS_PER_STEP: usize = 32;

/// What comes behind a step.
pub(super) enum Step {
    /// Another one, at once.
    Again,
    /// Nothing until something happens, or a wait is over.
    Rest,
    /// This came of it.
    Over(Outcome),
}

/// What events about a device carry.
pub(super) fn token(name: &DeviceName) -> String {
    format!("{}/{}/{}", name.front, name.class, name.id)
}

/// The device that events with this token are about.
fn named(token: &[u8]) -> Option<DeviceName> {
    let mut parts = core::str::from_utf8(token).ok()?.split('/');
    let front = DomId(parts.next()?.parse().ok()?);
    let class = Class::named(parts.next()?)?;
    Some(DeviceName { front, class, id: parts.next()?.parse().ok()? })
}

impl Devices {
    /// Does one bounded piece of one device's work; says what came of that device when it is known.
    #[must_use = "somebody waits for it"]
    pub fn step(&mut self, store: &mut impl Local, now: u64) -> Option<Report> {
        for _ in 0..EVENTS_PER_STEP {
            let Some(token) = store.event() else { break };
            named(&token).into_iter().for_each(|name| self.wake(name));
        }
        while let Some(first) = self.timers.first().filter(|(at, _)| *at <= now).copied() {
            self.timers.remove(&first);
            self.wake(first.1);
        }
        let name = self.queue.pop_front()?;
        let mut device = self.devices.remove(&name)?;
        let step = self.work(store, &name, &mut device, now);
        if device.deadline != device.timer {
            if let Some(old) = core::mem::replace(&mut device.timer, device.deadline) {
                self.timers.remove(&(old, name));
            }
            self.timers.extend(device.deadline.map(|at| (at, name)));
        }
        match step {
            Ok(Step::Over(outcome)) => {
                let equipment = device.equipment.clone();
                if !matches!(outcome, Outcome::Failed(_) | Outcome::Gone) {
                    self.devices.insert(name, device);
                }
                return Some(Report { name, outcome, equipment });
            }
            Ok(Step::Rest) => {}
            Ok(Step::Again) => self.queue.push_back(name),
            Err(Failed::Later) => self.timers.extend([(now.saturating_add(RETRY_NS), name)]),
            Err(Failed::For(error)) => {
                device.refused(Problem::Store(error));
                self.queue.push_back(name);
            }
        }
        self.devices.insert(name, device);
        None
    }

    fn work(
        &self,
        store: &mut impl Local,
        name: &DeviceName,
        device: &mut Device,
        now: u64,
    ) -> Result<Step, Failed> {
        match &mut device.phase {
            Phase::Write(left) => {
                let left = core::mem::take(left);
                device.write(store, name, left, now)
            }
            Phase::Connect => device.connect(store, name, now),
            Phase::Ready | Phase::Orphan => Ok(Step::Rest),
            Phase::Close { asked } => {
                let asked = *asked;
                device.close(store, name, asked, now)
            }
            Phase::Held => device.held(store, name),
            Phase::Release { asked } => {
                let asked = *asked;
                device.let_go(store, name, asked, now)
            }
            Phase::Part { asked } => {
                let asked = *asked;
                device.part(store, name, asked, now)
            }
            Phase::Remove => {
                let back = device.backend.domid;
                let alone = self.of(name.front, name.class).all(|(_, other)| other != back);
                device.remove(store, name, alone)?;
                Ok(self.go_on(name, device, now))
            }
        }
    }

    /// Nothing of a device is left in XenStore.
    fn go_on(&self, name: &DeviceName, device: &mut Device, now: u64) -> Step {
        match core::mem::replace(&mut device.after, After::Forget) {
            After::Forget => Step::Over(Outcome::Gone),
            After::Fail(problem) => Step::Over(Outcome::Failed(problem)),
            After::Orphan => {
                device.enter(Phase::Orphan);
                Step::Over(Outcome::Lost)
            }
            After::Again(disk) => {
                let old = core::mem::replace(&mut device.equipment, disk);
                if device.blame.is_none() {
                    device.before = Some(old);
                }
                device.enter(self.write(name, device.backend.domid, &device.equipment));
                device.deadline = Some(now.saturating_add(AWAY_NS));
                Step::Again
            }
        }
    }
}

impl Device {
    /// XenStore refused something that had to be.
    fn refused(&mut self, problem: Problem) {
        match self.phase {
            Phase::Write(_) | Phase::Connect => drop(self.give_up(problem)),
            // What cannot be asked or looked at can still be taken away.
            _ => self.enter(Phase::Remove),
        }
    }
}
