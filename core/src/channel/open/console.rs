//! Somebody who looks at a console and types at it.

use alloc::format;
use alloc::vec::Vec;

use super::super::desk::Desk;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::console::{ConsoleId, Lost, SubscribeError, TypeError, ViewerId};
use crate::hyper::{EventChannels, Hypervisor};
use crate::protocol::{Answer, Down, Failure, Rejection, RequestId};
use crate::store::service::Local;

/// Bytes that may be typed ahead of the domain.
const TYPED: usize = 1024;

/// Bytes shown in one step.
const PIECE: usize = 2048;

/// Room for the note about lost bytes.
const NOTE: u32 = 64;

/// A look at a console.
#[derive(Debug)]
pub(in super::super) struct View {
    viewer: ViewerId,
    /// Bytes that the peer takes.
    credit: u32,
    /// There is something to read, or room for what was typed.
    ready: bool,
    /// What was typed and the domain has no room for yet.
    typed: Vec<u8>,
    /// The peer knows how much it may type.
    told: bool,
    cancelled: bool,
}

impl View {
    /// Begins to look. The peer has credit for typing as soon as it is told.
    pub(in super::super) fn new<H: Hypervisor, S>(
        desk: &mut Desk<'_, H, S>,
        console: ConsoleId,
    ) -> Result<Self, Failure> {
        let mut typed = Vec::new();
        typed.try_reserve_exact(TYPED).map_err(|_| Failure::ControlMemory)?;
        let viewer = desk.consoles.subscribe(console).map_err(|error| match error {
            SubscribeError::NoSuchConsole => Failure::NotRunning,
            SubscribeError::Table(_) => Failure::Limit("viewers of consoles".into()),
        })?;
        Ok(Self { viewer, credit: 0, ready: true, typed, told: false, cancelled: false })
    }

    pub(super) const fn credit(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes);
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    pub(super) fn wake(&mut self, viewer: ViewerId) -> bool {
        let mine = self.viewer == viewer;
        self.ready |= mine;
        mine
    }

    pub(super) fn leave<H: Hypervisor, S>(&mut self, desk: &mut Desk<'_, H, S>) {
        desk.consoles.unsubscribe(self.viewer);
    }

    /// Takes what was typed.
    pub(super) fn feed<H: Hypervisor, S>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
        bytes: &[u8],
    ) -> Result<(), Ended> {
        if bytes.len() > TYPED - self.typed.len() {
            return Err(Rejection::Misuse.into());
        }
        self.typed.extend_from_slice(bytes);
        self.pass_on(desk, out, id)
    }

    /// Gives the domain what was typed, as far as it has room. Without a domain it is dropped, as on a line that
    /// nobody is at.
    fn pass_on<H: EventChannels + Hypervisor, S>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<(), Ended> {
        if self.typed.is_empty() {
            return Ok(());
        }
        let taken = match desk.consoles.type_in(desk.hv, self.viewer, &self.typed, |_| ()) {
            Ok(count) => count,
            Err(TypeError::NoDomain | TypeError::NoSuchViewer) => self.typed.len(),
        };
        self.typed.drain(..taken.min(self.typed.len()));
        if taken > 0 {
            out.push(&Down::Credit { id, bytes: u32::try_from(taken).unwrap_or(u32::MAX) })?;
        }
        Ok(())
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        if self.cancelled {
            self.leave(desk);
            out.answer(id, Err(Failure::Cancelled))?;
            return Ok(Pump::Answered);
        }
        if !core::mem::replace(&mut self.told, true) {
            out.push(&Down::Credit { id, bytes: u32::try_from(TYPED).unwrap_or(u32::MAX) })?;
        }
        if !self.ready {
            return Ok(Pump::Idle);
        }
        self.pass_on(desk, out, id)?;
        if self.credit <= NOTE {
            return Ok(Pump::Idle);
        }
        let mut buffer = [0; PIECE];
        let wanted = usize::try_from(self.credit - NOTE).unwrap_or(PIECE).min(PIECE);
        let (room, _) = buffer.split_at_mut(wanted);
        let Some(seen) = desk.consoles.read(self.viewer, room) else {
            self.leave(desk);
            out.answer(id, Ok(Answer::Done))?;
            return Ok(Pump::Answered);
        };
        if seen.lost > 0 {
            let note = format!("{}", Lost(seen.lost));
            out.push(&Down::Data { id, bytes: note.as_bytes() })?;
            self.pay(note.len());
        }
        self.ready = seen.count == wanted;
        if seen.count == 0 {
            return Ok(Pump::Idle);
        }
        out.push(&Down::Data { id, bytes: room.get(..seen.count).unwrap_or_default() })?;
        self.pay(seen.count);
        Ok(Pump::Moved)
    }

    fn pay(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
    }
}
