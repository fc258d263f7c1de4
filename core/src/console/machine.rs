//! The machine's own console, joined to that of one domain.

use core::fmt::Write;
use core::ops::Deref;

use super::bucket::Bucket;
use super::{ConsoleId, Consoles, Lost, Notice, RateLimit};
use crate::hyper::{Console, EventChannels};
use crate::shared::Page;

/// Typed bytes taken in one step.
const TYPED: usize = 256;

/// Bytes written in one step.
const SHOWN: usize = 512;

/// How long to wait after the hypervisor refused to write, in nanoseconds.
const RETRY_NS: u64 = 100_000_000;

#[derive(Debug)]
pub(super) struct Machine {
    joined: Option<ConsoleId>,
    /// The position in the joined console's history of the next byte to show.
    at: u64,
    bucket: Bucket,
    burst: u32,
    /// Nothing is shown before then.
    not_before: u64,
    /// Xen has bytes for us.
    input: bool,
    /// Bytes on their way to the domain.
    typed: heapless::Vec<u8, TYPED>,
    /// The domain has no room for them.
    blocked: bool,
}

impl Machine {
    pub(super) const fn new(rate: RateLimit) -> Self {
        Self {
            joined: None,
            at: 0,
            bucket: Bucket::full(rate),
            burst: rate.burst,
            not_before: 0,
            input: false,
            typed: heapless::Vec::new(),
            blocked: false,
        }
    }

    /// There may be room for what is typed, or nobody any more who could have it.
    pub(super) fn unblock(&mut self, id: ConsoleId) {
        if self.joined == Some(id) {
            self.blocked = false;
        }
    }

    pub(super) fn forget(&mut self, id: ConsoleId) {
        if self.joined == Some(id) {
            self.joined = None;
        }
    }

    fn has_input(&self) -> bool {
        if self.typed.is_empty() { self.input } else { !self.blocked }
    }
}

/// What is to be shown next.
struct Due {
    lost: u64,
    at: u64,
    bytes: usize,
}

impl<P: Deref<Target = Page>> Consoles<P> {
    /// Joins a console to the machine's, or none. All of its history is shown.
    pub fn join(&mut self, id: Option<ConsoleId>) {
        self.machine.joined = id;
        self.machine.blocked = false;
        let history = id.and_then(|id| self.consoles.get(id.0)).map(|console| &console.history);
        self.machine.at = history.map_or(0, |history| history.start());
    }

    /// Takes note that bytes were typed at the machine's console.
    pub fn typed(&mut self) {
        self.machine.input = true;
    }

    pub(super) fn serve_machine<H>(&mut self, hv: &H, now: u64, report: &mut dyn FnMut(Notice))
    where
        H: Console + EventChannels,
    {
        self.read_typed(hv, report);
        self.deliver_typed(hv, report);
        self.show(hv, now, report);
    }

    pub(super) fn machine_deadline(&self, now: u64) -> Option<u64> {
        if self.machine.has_input() {
            return Some(now);
        }
        self.due().map(|due| self.show_at(&due).max(now))
    }

    /// Whether there is more of this console to show than the line carries at once: until it is shown, the domain
    /// waits at its own full ring, as it would for a real line, and nothing of it is lost.
    pub(super) fn machine_is_behind(&self, id: ConsoleId) -> bool {
        let at_once = SHOWN.min(usize::try_from(self.machine.burst).unwrap_or(SHOWN));
        self.machine.joined == Some(id) && self.due().is_some_and(|due| due.bytes >= at_once)
    }

    fn read_typed(&mut self, hv: &impl Console, report: &mut dyn FnMut(Notice)) {
        let machine = &mut self.machine;
        if !machine.input || !machine.typed.is_empty() {
            return;
        }
        let mut buffer = [0; TYPED];
        let count = hv.console_read(&mut buffer).unwrap_or_else(|refusal| {
            report(Notice::Refused(refusal));
            0
        });
        machine.input = count > 0;
        // As many fit as were asked for.
        let _ = machine.typed.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }

    fn deliver_typed(&mut self, hv: &impl EventChannels, report: &mut dyn FnMut(Notice)) {
        if self.machine.typed.is_empty() || self.machine.blocked {
            return;
        }
        let typed = core::mem::take(&mut self.machine.typed);
        let joined = self.machine.joined;
        match joined.and_then(|id| self.pass_on(hv, id, &typed, report).ok()) {
            Some(count) => {
                let rest = typed.get(count..).unwrap_or_default();
                let _ = self.machine.typed.extend_from_slice(rest);
                self.machine.blocked = !rest.is_empty();
            }
            None => report(Notice::TypedDropped(typed.len())),
        }
    }

    fn due(&self) -> Option<Due> {
        let history = &self.consoles.get(self.machine.joined?.0)?.history;
        let lost = history.start().saturating_sub(self.machine.at);
        let at = self.machine.at.saturating_add(lost);
        let left = usize::try_from(history.end().saturating_sub(at)).unwrap_or(SHOWN);
        let bytes = left.min(SHOWN).min(usize::try_from(self.machine.burst).unwrap_or(SHOWN));
        (lost > 0 || bytes > 0).then_some(Due { lost, at, bytes })
    }

    fn show_at(&self, due: &Due) -> u64 {
        let bytes = u32::try_from(due.bytes).unwrap_or(u32::MAX);
        self.machine.bucket.ready_at(bytes).max(self.machine.not_before)
    }

    /// Writes what is due when its time has come.
    fn show(&mut self, hv: &impl Console, now: u64, report: &mut dyn FnMut(Notice)) {
        let Some(due) = self.due() else { return };
        if self.show_at(&due) > now {
            return;
        }
        let mut text = heapless::Vec::<u8, SHOWN>::new();
        if due.lost > 0 {
            // The line is far shorter than the buffer.
            let _ = write!(text, "{}", Lost(due.lost));
        } else {
            let history =
                self.machine.joined.and_then(|id| self.consoles.get(id.0)).map(|console| &console.history);
            text.resize_default(due.bytes).unwrap_or_default();
            let count = history.map_or(0, |history| history.read(due.at, &mut text));
            text.truncate(count);
        }
        match hv.console_write(&text) {
            Ok(()) => {
                self.machine.bucket.take(now, u32::try_from(text.len()).unwrap_or(u32::MAX));
                let shown = if due.lost > 0 { 0 } else { text.len() };
                self.machine.at = due.at.saturating_add(shown as u64);
            }
            Err(refusal) => {
                self.machine.not_before = now.saturating_add(RETRY_NS);
                report(Notice::Refused(refusal));
            }
        }
    }
}
