//! The control domain at work: events come in, bounded steps of work and the next deadline come out.
//!
//! The loop around it is short: take each pending channel and [`Control::handle`] it, then [`Control::poll`];
//! sleep unless the answer says that more is due. Whatever a channel asks for is only noted by `handle` and done
//! by `poll`, one bounded step per kind of work, so that no kind starves another: not a flood of typed bytes,
//! not thousands of domains that die at once.
#![forbid(unsafe_code)]

mod domains;
mod event;
mod recorded;
mod scan;

use alloc::collections::TryReserveError;
use alloc::rc::Rc;
use core::cell::RefCell;

use core::ops::Deref;

use crate::builder::unpack;
use crate::channel::Channels;
use crate::chronicle::Chronicle;
use crate::console::{Consoles, Limits};
use crate::events::{BindError, Bindings};
use crate::hyper::{Console, DomId, EventChannels, Hypervisor, Launch, Port, Scheduler, SharedOut, Virq};
use crate::images::Images;
use crate::journal::Journal;
use crate::life::Manager;
use crate::lines::{self, HeapUsage, Status};
use crate::pools::Pools;
use crate::shared::Page;
use crate::store::server::Server;
use crate::store::service::{NoStream, Service};
use crate::timers::TimerQueue;
use recorded::Recorded;
use scan::Scan;

pub(crate) use domains::say_not_started;
pub use event::Event;

/// How long to wait before asking again for what the hypervisor refused.
const RETRY_NS: u64 = 100_000_000;

/// The most domains that are managed.
const DOMAINS: usize = 1024;

/// This domain: Xen gives the first one it makes this number.
const CONTROL: DomId = DomId(0);

/// The part of the heap that images do not fill, whatever their budget.
const SPARE: u64 = 8;

/// Timers of the control domain itself.
const TIMERS: usize = 4;

/// What the control domain needs from the place it runs in.
pub trait Site {
    /// Nanoseconds since Xen booted.
    fn now(&self) -> u64;
    /// The state of the heap.
    fn heap(&self) -> HeapUsage;
    /// Keeps `event` in the log. Must not block and must not fail.
    fn log(&self, event: Event);
}

/// What [`Control::poll`] wants next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "sleeping when work is due loses time, not sleeping when none is wastes it"]
pub struct Wake {
    /// When to call again at the latest, in nanoseconds since Xen booted; `None`: when an event comes. The
    /// timer is already set for it.
    pub deadline: Option<u64>,
}

impl Wake {
    /// Whether there is more to do at `now`, so that the caller must not sleep.
    #[must_use]
    pub fn is_due(self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

#[derive(Debug)]
enum Timer {
    /// Look at the domains again.
    Rescan,
}

/// The state of the control domain. `P` is a mapped page of another domain, `O` one that is offered to another.
#[derive(Debug)]
pub struct Control<P, O> {
    ports: Bindings<Virq>,
    consoles: Consoles<P>,
    store: Service<P, NoStream>,
    managed: Manager,
    images: Images,
    pools: Pools,
    channels: Channels<O>,
    journal: Rc<RefCell<Journal>>,
    chronicle: Rc<RefCell<Chronicle>>,
    timers: TimerQueue<Timer>,
    scan: Scan,
    entered_at: u64,
    wake_ups: u64,
    slept: bool,
    status_wanted: bool,
    /// When the consoles want their next step.
    consoles_due: Option<u64>,
    /// When the managed domains want their next step.
    managed_due: Option<u64>,
    /// XenStore has something to do.
    store_busy: bool,
    /// What Xen's timer is set to, as far as known.
    armed: Option<u64>,
}

impl<P: Deref<Target = Page>, O: SharedOut> Control<P, O> {
    /// The state before anything is bound. `entered_at` is when Xen handed over, `images` how many bytes of kernels
    /// and ramdisks are kept.
    pub(crate) fn new(entered_at: u64, images: usize) -> Result<Self, TryReserveError> {
        Ok(Self {
            ports: Bindings::new(),
            consoles: Consoles::new(Limits::default()),
            store: Service::new(Server::new(CONTROL)),
            managed: Manager::new(CONTROL, DOMAINS, unpack::Limits::default()),
            images: Images::new(images),
            pools: Pools::new(),
            channels: Channels::new(),
            journal: Rc::new(RefCell::new(Journal::new()?)),
            chronicle: Rc::new(RefCell::new(Chronicle::new()?)),
            timers: TimerQueue::with_limit(TIMERS)?,
            scan: Scan::new(),
            entered_at,
            wake_ups: 0,
            slept: false,
            status_wanted: false,
            consoles_due: None,
            managed_due: None,
            store_busy: false,
            armed: None,
        })
    }

    /// Takes `port` over; it delivers `virq`.
    pub(crate) fn bind(&mut self, port: Port, virq: Virq) -> Result<(), BindError> {
        self.ports.bind(port, virq)
    }

    /// Gives every channel back, when boot fails.
    pub(crate) fn release(self, hv: &impl EventChannels) {
        for (port, _) in self.ports.iter() {
            // This domain is about to end: there is nothing better to do when Xen refuses.
            let _ = hv.close(port);
        }
    }

    /// The consoles of all domains, to change which there are and who looks at them.
    pub fn consoles(&mut self) -> &mut Consoles<P> {
        self.consoles_due = Some(0);
        &mut self.consoles
    }

    /// Notes that `port` fired. Takes constant time; [`Control::poll`] does the work.
    pub fn handle(&mut self, site: &impl Site, port: Port) {
        match self.ports.get(port) {
            Some(Virq::Debug) => self.status_wanted = true,
            Some(Virq::Console) => {
                self.consoles.typed();
                self.consoles_due = Some(0);
            }
            Some(Virq::DomainException) => self.scan.want(),
            Some(Virq::Timer) => self.armed = None,
            None if self.consoles.signal(port) => self.consoles_due = Some(0),
            None if self.store.signal(port) => self.store_busy = true,
            None if self.channels.signal(port) => {}
            Some(Virq::ConsoleRing) | None => site.log(Event::StrayPort(port)),
        }
    }

    /// Does one bounded step of everything that is due, and sets Xen's timer for what is not.
    pub fn poll<H>(&mut self, hv: &H, site: &impl Site) -> Wake
    where
        H: Hypervisor<Granted = P, Offered = O> + Launch,
    {
        let (journal, chronicle) = (Rc::clone(&self.journal), Rc::clone(&self.chronicle));
        let site = &Recorded { site, journal, chronicle };
        self.wake_ups += u64::from(self.slept);
        let now = site.now();
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Rescan => self.scan.want(),
            }
        }
        if self.status_wanted {
            self.report_status(hv, site, now);
        }
        if self.scan.is_wanted() {
            self.scan_domains(hv, site, now);
        }
        self.spare_memory(site.heap());
        self.serve_domains(hv, site, now);
        if self.consoles_due.is_some_and(|due| due <= now) {
            self.consoles_due = self.consoles.step(hv, now, |notice| site.log(notice.into()));
        }
        self.serve_channels(hv, site, now);
        let wake = Wake { deadline: self.deadline(now) };
        if !wake.is_due(now) {
            self.arm(hv, site, wake.deadline);
        }
        self.slept = !wake.is_due(now);
        wake
    }

    /// Images give way before the heap is full.
    fn spare_memory(&mut self, heap: HeapUsage) {
        let free = heap.limit_kib.saturating_sub(heap.used_kib);
        let missing = (heap.limit_kib / SPARE).saturating_sub(free).saturating_mul(1024);
        if missing > 0 {
            self.images.shrink(usize::try_from(missing).unwrap_or(usize::MAX));
        }
    }

    fn report_status(&mut self, console: &impl Console, site: &impl Site, now: u64) {
        let up_ms = now.saturating_sub(self.entered_at) / 1_000_000;
        let status = Status { up_ms, wake_ups: self.wake_ups, heap: site.heap() };
        self.status_wanted = false;
        if let Err(refusal) = lines::print(console, status) {
            site.log(Event::Refused(refusal));
        }
    }

    fn deadline(&self, now: u64) -> Option<u64> {
        let asked = self.pools.is_busy() || self.channels.is_busy() || self.consoles.has_ready();
        if self.status_wanted || self.store_busy || self.scan.is_wanted() || asked {
            return Some(now);
        }
        [self.timers.next_deadline(), self.consoles_due, self.managed_due].into_iter().flatten().min()
    }

    fn arm(&mut self, scheduler: &impl Scheduler, site: &impl Site, deadline: Option<u64>) {
        if self.armed == deadline {
            return;
        }
        match scheduler.set_timer(deadline) {
            Ok(()) => self.armed = deadline,
            Err(refusal) => site.log(Event::Refused(refusal)),
        }
    }
}
