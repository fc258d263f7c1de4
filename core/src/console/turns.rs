//! One bounded step of the work at hand.

use core::ops::Deref;

use super::link::PRINTED;
use super::{ConsoleId, Consoles, Notice, Turn};
use crate::hyper::{Console, EventChannels, HvError};
use crate::ring::BadIndex;
use crate::shared::Page;

/// The least tokens that a turn costs: an event without bytes is work, too.
const TURN_COST: u32 = 64;

/// How long a console without tokens is left alone, in nanoseconds.
const PAUSE_NS: u64 = 20_000_000;

impl<P: Deref<Target = Page>> Consoles<P> {
    /// Serves one domain and the machine's console. Returns when to come again at the latest: `now` when there is
    /// more to do, `None` when there is nothing until [`Consoles::signal`].
    #[must_use = "what is left over has to be done"]
    pub fn step<H>(&mut self, hv: &H, now: u64, mut report: impl FnMut(Notice)) -> Option<u64>
    where
        H: Console + EventChannels,
    {
        self.end_pause(now);
        if let Some(id) = self.queue.pop_front() {
            self.serve(hv, now, id, &mut report);
        }
        self.serve_machine(hv, now, &mut report);
        self.deadline(now)
    }

    fn deadline(&self, now: u64) -> Option<u64> {
        let queue = (!self.queue.is_empty()).then_some(now);
        let paused = self.paused.front().map(|(until, _)| *until);
        [queue, paused, self.machine_deadline(now)].into_iter().flatten().min()
    }

    /// Lets one console whose pause is over wait for its turn again.
    fn end_pause(&mut self, now: u64) {
        let Some((_, id)) = self.paused.front().copied().filter(|(until, _)| *until <= now) else { return };
        self.paused.pop_front();
        if let Some(console) = self.consoles.get_mut(id.0) {
            console.turn = Turn::Queued;
            self.queue.push_back(id);
        }
    }

    fn serve(&mut self, hv: &impl EventChannels, now: u64, id: ConsoleId, report: &mut dyn FnMut(Notice)) {
        let behind = self.machine_is_behind(id);
        let Some(console) = self.consoles.get_mut(id.0) else { return };
        console.turn = Turn::Idle;
        let tokens = console.bucket.available(now);
        if tokens < TURN_COST || behind {
            console.turn = Turn::Paused;
            self.paused.push_back((now.saturating_add(PAUSE_NS), id));
            return;
        }
        let mut buffer = [0; PRINTED];
        let wanted = usize::try_from(tokens).unwrap_or(PRINTED).min(PRINTED);
        let (room, _) = buffer.split_at_mut(wanted);
        match self.receive(hv, id, room) {
            Ok(count) => {
                self.pay(now, id, count);
                if count == wanted {
                    self.enqueue(id);
                }
            }
            Err(Broken::Ring(reason)) => self.cut(hv, id, reason, report),
            Err(Broken::Channel(refusal)) => report(Notice::Refused(refusal)),
        }
        self.give_room(id);
    }

    fn pay(&mut self, now: u64, id: ConsoleId, bytes: usize) {
        if let Some(console) = self.consoles.get_mut(id.0) {
            console.bucket.take(now, u32::try_from(bytes).unwrap_or(u32::MAX).max(TURN_COST));
        }
    }

    /// Moves what a domain printed into its history.
    fn receive(&mut self, hv: &impl EventChannels, id: ConsoleId, room: &mut [u8]) -> Result<usize, Broken> {
        let link = self.consoles.get_mut(id.0).and_then(|console| console.link.as_mut());
        let Some(link) = link else { return Ok(0) };
        let count = link.receive(room).map_err(Broken::Ring)?;
        if count == 0 {
            return Ok(0);
        }
        let notified = link.notify(hv);
        self.record(id, room.get(..count).unwrap_or_default());
        self.wake_viewers(id);
        notified.map_err(Broken::Channel)?;
        Ok(count)
    }

    /// The domain may have read: whoever has more to type is told.
    fn give_room(&mut self, id: ConsoleId) {
        self.machine.unblock(id);
        let Some(console) = self.consoles.get_mut(id.0) else { return };
        if core::mem::take(&mut console.room_wanted) {
            self.wake_viewers(id);
        }
    }

    pub(super) fn cut(
        &mut self,
        hv: &impl EventChannels,
        id: ConsoleId,
        reason: BadIndex,
        report: &mut dyn FnMut(Notice),
    ) {
        if let Some(domid) = self.domain(id) {
            report(Notice::Cut { domid, reason });
        }
        if let Err(refusal) = self.unlink(hv, id) {
            report(Notice::Refused(refusal));
        }
    }

    /// Keeps what is left in the ring of a domain that will not print again; it is one ring's worth at most.
    pub(super) fn take_last_words(&mut self, id: ConsoleId) {
        let mut buffer = [0; PRINTED];
        let link = self.consoles.get_mut(id.0).and_then(|console| console.link.as_mut());
        // A ring that is broken now has nothing to say, and nobody is left to be cut off.
        let count = link.and_then(|link| link.receive(&mut buffer).ok()).unwrap_or(0);
        self.record(id, buffer.get(..count).unwrap_or_default());
        self.wake_viewers(id);
    }
}

/// What ends a turn early.
enum Broken {
    Ring(BadIndex),
    Channel(HvError),
}
