//! The control domain's loop: events come in, work has its turn, and it sleeps when nothing is due.

use core::sync::atomic::Ordering;

use xendless_core::control::{Control, Event, Site};
use xendless_core::events::{Bitmaps, Scanner};
use xendless_core::hyper::{Grants, Scheduler};

use crate::shared_info::SHARED_INFO;
use crate::site::Here;
use crate::xen::Xen;

/// The control domain's state, on Xen.
pub(crate) type Work = Control<<Xen as Grants>::Granted, <Xen as Grants>::Offered>;

/// Event channels served before the work they asked for has its turn.
const EVENTS_PER_TURN: usize = 64;

/// The loop.
pub(crate) struct Turns {
    scanner: Scanner,
    pub(crate) control: Work,
}

impl Turns {
    pub(crate) const fn new(control: Work) -> Self {
        Self { scanner: Scanner::new(), control }
    }

    /// Works while `wanted`; sleeps when nothing is due.
    pub(crate) fn run_while(&mut self, xen: &Xen, wanted: impl Fn(&Work) -> bool) {
        while wanted(&self.control) {
            if self.turn(xen) || !wanted(&self.control) {
                continue;
            }
            // An event since the last look is pending, and ends the sleep at once.
            if let Err(refusal) = xen.block() {
                Here.log(Event::Refused(refusal));
            }
        }
    }

    /// Serves events and does one step of everything that is due; whether more is.
    pub(crate) fn turn(&mut self, xen: &Xen) -> bool {
        let more = self.serve_events();
        let wake = self.control.poll(xen, &Here);
        more || wake.is_due(Here.now())
    }

    /// Hands pending channels to the work; true when some may be left.
    fn serve_events(&mut self) -> bool {
        let vcpu = &SHARED_INFO.vcpu;
        vcpu.upcall_pending.store(0, Ordering::SeqCst);
        let (pending, mask) = (&SHARED_INFO.pending, &SHARED_INFO.mask);
        let bitmaps = Bitmaps { selector: &vcpu.pending_selector, pending, mask };
        for _ in 0..EVENTS_PER_TURN {
            let Some(port) = self.scanner.take(bitmaps) else { return false };
            self.control.handle(&Here, port);
        }
        true
    }
}
