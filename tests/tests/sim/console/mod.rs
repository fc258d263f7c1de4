//! Consoles, with domains at the other end of their rings.

mod machine;
mod rings;
mod viewers;

use embedded_io::{Read, Write};
use xendless_core::console::{ConsoleId, Consoles, Limits, Notice};
use xendless_core::hyper::{
    CreateFlags, DomId, EventChannels, FaultInjector, ForeignMemory, Gfn, GrantRef, Grants, PhysMemory, Port,
};
use xendless_core::ring::console::FrontendEnd;
use xendless_tests::sim::{SimDomain, SimHypervisor, SimMapping};

use crate::create;

const SECOND: u64 = 1_000_000_000;

/// A domain with a console page and channel, as the builder makes it.
pub(crate) struct Guest {
    pub(crate) view: SimDomain,
    gfn: Gfn,
    pub(crate) port: Port,
    ring: FrontendEnd<SimMapping>,
}

impl Guest {
    pub(crate) fn new(control: &SimDomain) -> Self {
        let domid = create(control, CreateFlags::empty());
        let mut frame = [0];
        assert_eq!(control.populate(domid, &mut frame), Ok(1));
        let gfn = Gfn(frame[0]);
        control.seed_grant(domid, GrantRef(0), control.domid(), gfn).unwrap();
        let view = control.machine().as_domain(domid);
        let port = view.alloc_unbound(DomId::SELF, control.domid()).unwrap();
        let ring = FrontendEnd::attach(view.map_foreign(DomId::SELF, gfn).unwrap()).unwrap();
        Self { view, gfn, port, ring }
    }

    pub(crate) fn domid(&self) -> DomId {
        self.view.domid()
    }

    /// Prints what fits into the ring and signals; returns how many bytes that were.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> usize {
        let count = self.ring.write(bytes).unwrap_or(0);
        self.view.notify(self.port).unwrap();
        count
    }

    pub(crate) fn typed(&mut self) -> Vec<u8> {
        let mut out = [0; 4096];
        let count = self.ring.read(&mut out).unwrap_or(0);
        self.view.notify(self.port).unwrap();
        out[..count].to_vec()
    }

    /// The page, to write to it past the ring.
    pub(crate) fn page(&self) -> SimMapping {
        self.view.map_foreign(DomId::SELF, self.gfn).unwrap()
    }
}

/// The console service and the hypervisor below it.
struct Rig {
    sim: SimHypervisor,
    hv: FaultInjector<SimDomain>,
    consoles: Consoles<SimMapping>,
    notices: Vec<Notice>,
}

impl Rig {
    fn with(limits: Limits) -> Self {
        let sim = SimHypervisor::default();
        let hv = FaultInjector::new(sim.control(), None);
        Self { sim, hv, consoles: Consoles::new(limits), notices: Vec::new() }
    }

    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn control(&self) -> SimDomain {
        self.hv.inner().clone()
    }

    fn guest(&mut self) -> (Guest, ConsoleId) {
        let guest = Guest::new(&self.control());
        let console = self.consoles.add().unwrap();
        self.consoles.attach(&self.hv, console, guest.domid(), guest.port).unwrap();
        (guest, console)
    }

    /// Hands on what was signalled.
    fn signals(&mut self) {
        let events = self.sim.events(SimHypervisor::INITIAL);
        let mut scanner = xendless_core::events::Scanner::new();
        while let Some(port) = scanner.take(events.bits()) {
            assert!(self.consoles.signal(port), "{port:?} is no console's");
        }
    }

    fn step(&mut self) -> Option<u64> {
        self.signals();
        let notices = &mut self.notices;
        self.consoles.step(&self.hv, self.sim.now(), |notice| notices.push(notice))
    }

    /// Steps until there is nothing to do now; returns when there will be, and the number of steps.
    fn settle(&mut self) -> (Option<u64>, usize) {
        for steps in 1..20_000 {
            let next = self.step();
            if next.is_none_or(|next| next > self.sim.now()) {
                return (next, steps);
            }
        }
        panic!("the consoles never rest");
    }

    /// Lets time pass, with all work done when it is due.
    fn pass(&mut self, ns: u64) {
        let end = self.sim.now() + ns;
        loop {
            let next = self.settle().0.unwrap_or(end).min(end);
            self.sim.advance(next - self.sim.now());
            if next == end {
                return;
            }
        }
    }

    /// Prints all of it, with turns in between.
    fn print(&mut self, guest: &mut Guest, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            done += guest.print(&bytes[done..]);
            if self.settle().0.is_some() {
                self.pass(SECOND / 10);
            }
        }
    }

    /// All that a new viewer sees now.
    fn screen(&mut self, console: ConsoleId) -> Vec<u8> {
        let viewer = self.consoles.subscribe(console).unwrap();
        let mut out = vec![0; 1 << 17];
        let seen = self.consoles.read(viewer, &mut out).unwrap();
        assert_eq!(seen.lost, 0);
        self.consoles.unsubscribe(viewer);
        out.truncate(seen.count);
        out
    }
}
