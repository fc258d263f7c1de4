//! A device that comes, changes or goes, and the list of those that there are.

use super::super::desk::Desk;
use super::super::devices::DeviceList;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::devices::{DeviceError, DeviceName, Outcome};
use crate::hyper::Hypervisor;
use crate::life::News;
use crate::protocol::{Answer, Failure, RequestId};
use crate::store::service::Local;

/// A device that somebody waits for.
#[derive(Clone, Debug)]
pub(in super::super) struct DeviceWork {
    name: DeviceName,
    /// It is to go.
    takes: bool,
    cancelled: bool,
    /// What came of it, when that is known.
    over: Option<Result<(), Failure>>,
}

impl DeviceWork {
    pub(in super::super) const fn new(name: DeviceName, takes: bool) -> Self {
        Self { name, takes, cancelled: false, over: None }
    }

    /// Whoever asked does not want it any more. What does not work yet is taken back; what goes, goes.
    pub(super) fn cancel<H: Hypervisor, S>(&mut self, desk: &mut Desk<'_, H, S>) {
        if self.over.is_some() {
            return;
        }
        self.cancelled = true;
        if self.takes {
            self.over = Some(Err(Failure::Cancelled));
        } else {
            desk.managed.withdraw(self.name);
        }
    }

    /// Something happened to a domain.
    pub(super) fn note(&mut self, news: &News) {
        match *news {
            News::Device { name, outcome, .. } if name == self.name => self.over = self.result(outcome),
            // Its devices went with it.
            News::Ending { domid } if domid == self.name.front => {
                self.over = Some(if self.takes { Ok(()) } else { Err(Failure::NoSuchDomain) });
            }
            _ => {}
        }
    }

    fn result(&self, outcome: Outcome) -> Option<Result<(), Failure>> {
        let failed = |problem| {
            let error = DeviceError { name: self.name, problem };
            Some(Err(Failure::Device(alloc::format!("{error}"))))
        };
        match outcome {
            Outcome::Gone | Outcome::Failed(_) | Outcome::Lost if self.takes => Some(Ok(())),
            Outcome::Connected | Outcome::Changed => Some(Ok(())),
            Outcome::Failed(_) if self.cancelled => Some(Err(Failure::Cancelled)),
            Outcome::Failed(problem) | Outcome::Held(problem) | Outcome::NotChanged(problem) => {
                failed(problem)
            }
            Outcome::Gone | Outcome::Lost => failed(crate::devices::Problem::Vanished),
        }
    }

    pub(super) fn pump(&mut self, out: &mut Outbox, id: RequestId) -> Result<Pump, Ended> {
        let Some(result) = self.over.take() else { return Ok(Pump::Idle) };
        out.answer(id, result.map(|()| Answer::Done))?;
        Ok(Pump::Answered)
    }
}

impl DeviceList {
    pub(super) fn pump<H: Hypervisor, S: Local>(
        &self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        // The store goes on meanwhile, and will not be busy for long.
        let Some(result) = self.page(desk) else { return Ok(Pump::Moved) };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }
}
