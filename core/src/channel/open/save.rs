//! A domain that suspends itself, is read, and then goes or goes on.
//!
//! Until its peer has said that all of it is in a safe place nothing is lost: whatever happens, the domain goes on.

use alloc::format;

use super::super::desk::{Desk, refused};
use super::super::failures::not_changed;
use super::super::session::{Ended, Outbox};
use super::Pump;
use super::outgoing::Outgoing;
use crate::hyper::{DomId, DomainInfo, Hypervisor, ShutdownReason};
use crate::life::{ChangeError, ManagedId, State};
use crate::protocol::{Answer, Down, Failure, Rejection, RequestId};
use crate::saved::{SaveError, Saver};
use crate::store::service::{Local, Refused};

/// How far it has come.
#[derive(Debug)]
enum Stage {
    /// The domain is to be asked to suspend itself.
    Ask,
    /// It was asked, and has until the peer loses patience.
    Asked,
    /// It is read.
    Read(Saver),
    /// All of it was read, and is on its way.
    Said,
    /// It is let go on, and then this is the answer.
    LetGo(Result<(), Failure>),
    /// It is taken down.
    Ending,
}

/// What a step led to.
enum Next {
    Stage(Stage),
    /// The same again.
    More,
    /// Nothing until something happens.
    Wait,
    Over(Result<(), Failure>),
}

/// A domain that is saved.
#[derive(Debug)]
pub(in super::super) struct Save {
    managed: ManagedId,
    domid: DomId,
    keep: bool,
    stage: Stage,
    outgoing: Outgoing,
    /// The peer was asked whether all of it is in a safe place.
    asked: bool,
    /// It is.
    safe: bool,
    cancelled: bool,
}

impl Save {
    pub(in super::super) fn new<H: Hypervisor, S>(
        desk: &Desk<'_, H, S>,
        managed: ManagedId,
        info: &DomainInfo,
        keep: bool,
    ) -> Result<Self, Failure> {
        // What cannot be read is not made to suspend itself.
        Saver::new(desk.hv, info).map_err(not_saved)?;
        let stage = match desk.managed.status(managed).map(|status| status.state) {
            Some(State::Running) => Stage::Ask,
            // By itself, or for somebody who did not come to an end.
            Some(State::Stopped) if info.shutdown == Some(ShutdownReason::Suspend) => Stage::Asked,
            _ => return Err(Failure::NotRunning),
        };
        let outgoing = Outgoing::new()?;
        let domid = info.domid;
        Ok(Self { managed, domid, keep, stage, outgoing, asked: false, safe: false, cancelled: false })
    }

    pub(super) const fn credit(&mut self, bytes: u32) {
        self.outgoing.add_credit(bytes);
    }

    /// The peer says that all of it is in a safe place, for which it has credit once it was asked.
    pub(super) const fn feed(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if !self.asked || bytes.len() != 1 {
            return Err(Ended::Rejected(Rejection::Misuse));
        }
        self.safe = true;
        Ok(())
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// The peer is gone: what it has of the domain is worth nothing.
    pub(super) fn leave<H: Hypervisor, S>(&self, desk: &mut Desk<'_, H, S>) {
        if matches!(self.stage, Stage::Asked | Stage::Read(_) | Stage::Said) {
            desk.managed.let_go(self.managed);
        }
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let waits = matches!(self.stage, Stage::Read(_) | Stage::Said) && !self.cancelled;
        if waits && !self.outgoing.is_empty() && self.outgoing.has_credit() {
            self.outgoing.send(out, id)?;
            return Ok(Pump::Moved);
        }
        if matches!(self.stage, Stage::Said) && self.outgoing.is_empty() && !self.asked {
            self.asked = true;
            out.push(&Down::Credit { id, bytes: 1 })?;
            return Ok(Pump::Moved);
        }
        let result = match self.next(desk) {
            Ok(Next::Stage(stage)) => {
                self.stage = stage;
                return Ok(Pump::Moved);
            }
            // The store goes on meanwhile, and will not be busy for long.
            Ok(Next::More) | Err(ChangeError::Store(Refused::Later)) => return Ok(Pump::Moved),
            Ok(Next::Wait) => return Ok(Pump::Idle),
            Ok(Next::Over(result)) => result,
            Err(error) => Err(not_changed(error)),
        };
        out.answer(id, result.map(|()| Answer::Done))?;
        Ok(Pump::Answered)
    }

    fn next<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) -> Result<Next, ChangeError> {
        let status = desk.managed.status(self.managed).filter(|status| status.domid == Some(self.domid));
        let Some(state) = status.map(|status| status.state) else {
            let gone = if matches!(self.stage, Stage::Ending) { Ok(()) } else { Err(Failure::NotRunning) };
            return Ok(Next::Over(gone));
        };
        if state == State::Ending && !matches!(self.stage, Stage::Ending) {
            return Ok(Next::Over(Err(Failure::NotRunning)));
        }
        Ok(match &mut self.stage {
            Stage::Ending => Next::Wait,
            Stage::Ask if self.cancelled => Next::Over(Err(Failure::Cancelled)),
            Stage::Ask => {
                desk.managed.ask_suspend(desk.store, self.managed)?;
                Next::Stage(Stage::Asked)
            }
            Stage::Asked | Stage::Read(_) | Stage::Said if self.cancelled => {
                self.let_go(desk, Err(Failure::Cancelled))
            }
            Stage::Asked if state == State::Stopped => self.begin(desk),
            Stage::Asked => Next::Wait,
            // Somebody else let it go on: what was read of it is no whole.
            Stage::Read(_) | Stage::Said if state == State::Running => Next::Over(Err(Failure::NotRunning)),
            Stage::Read(saver) if self.outgoing.is_empty() && self.outgoing.has_credit() => {
                match saver.read(desk.hv, self.outgoing.refill()) {
                    Ok(true) => Next::More,
                    Ok(false) => Next::Stage(Stage::Said),
                    Err(error) => self.let_go(desk, Err(not_saved(error))),
                }
            }
            Stage::Read(_) => Next::Wait,
            Stage::Said if !self.safe => Next::Wait,
            Stage::Said if self.keep => self.let_go(desk, Ok(())),
            Stage::Said => {
                desk.managed.destroy(self.managed);
                Next::Stage(Stage::Ending)
            }
            Stage::LetGo(result) if state == State::Running => Next::Over(result.clone()),
            Stage::LetGo(_) if desk.managed.lets_go(self.managed) => Next::Wait,
            Stage::LetGo(_) => Next::Over(Err(Failure::Hypervisor("the domain could not go on".into()))),
        })
    }

    /// The domain stands still: reads it, if that is because it suspended itself.
    fn begin<H: Hypervisor, S>(&self, desk: &mut Desk<'_, H, S>) -> Next {
        let info = match desk.hv.domain_info(self.domid) {
            Ok(info) if info.shutdown == Some(ShutdownReason::Suspend) => info,
            Ok(_) => return Next::Over(Err(Failure::NotRunning)),
            Err(error) => return Next::Over(Err(refused(&error))),
        };
        match Saver::new(desk.hv, &info) {
            Ok(saver) => Next::Stage(Stage::Read(saver)),
            Err(error) => self.let_go(desk, Err(not_saved(error))),
        }
    }

    fn let_go<H: Hypervisor, S>(&self, desk: &mut Desk<'_, H, S>, then: Result<(), Failure>) -> Next {
        desk.managed.let_go(self.managed);
        Next::Stage(Stage::LetGo(then))
    }
}

fn not_saved(error: SaveError) -> Failure {
    match error {
        SaveError::Hypervisor(error) => refused(&error),
        SaveError::ControlMemory => Failure::ControlMemory,
        other => Failure::Create(format!("{other}")),
    }
}
