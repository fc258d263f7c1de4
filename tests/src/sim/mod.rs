//! A hypervisor in memory, good enough to run the whole control plane on.
//!
//! [`SimHypervisor`] is the machine: memory, domains, the console, time. [`SimHypervisor::as_domain`] gives the view
//! one domain has of it, with that domain's rights; that view implements the traits of `xendless_core::hyper`, so
//! the control domain and hostile guests are played by the same code. Refusals are those of Xen 4.17; where one is
//! not obvious, a comment names the function of Xen that gives it.
//!
//! Where Xen leaves an order or an amount open (which frames, how far an interrupted call comes), a seed decides.
//! Nothing runs by itself: virtual time passes in [`SimHypervisor::advance`], and a domain that blocks is only
//! marked so. What is not modelled: what CPUs do (nothing is ever running), the contents of the shared info page (its
//! event bits live in [`EventMemory`]), and the enforcement of read-only mappings.

mod channels;
mod domains;
mod grants;
mod host;
mod inspect;
mod labels;
mod launch;
mod machine;
mod memory;
mod schedule;
mod site;
mod snapshot;
mod tables;
mod topology;
mod transfer;
mod vcpus;

use std::cell::RefCell;
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    Call, DomId, HvError, Mfn, PvStart, PvhStart, Result, ShutdownReason, Virq, XenVersion,
};
use xendless_core::shared::PAGE_SIZE;

pub use channels::EventMemory;
pub use grants::SimOffer;
pub use host::Power;
pub use labels::POLICY_MAGIC;
use machine::Machine;
pub use memory::SimMapping;
pub use site::SimSite;
pub use snapshot::{DomainSnapshot, Snapshot};

/// How a hypercall ends inside the model: with a value or the errno of Xen.
type Answer<T> = std::result::Result<T, Errno>;

/// What kind of machine to model.
#[derive(Clone, Debug)]
pub struct Config {
    /// Decides everything that Xen leaves open.
    pub seed: u64,
    /// The hypervisor's version.
    pub version: XenVersion,
    /// Pages of memory that domains can have, the control domain's own not counted.
    pub pages: usize,
    /// Physical CPUs.
    pub cpus: u32,
    /// Pages of the initial domain.
    pub control_pages: u64,
    /// Whether the processor can run HVM domains.
    pub hvm: bool,
    /// Whether Xen has security labels.
    pub flask: bool,
    /// Memory comes with somebody's data in it, as if Xen did not scrub it.
    pub dirty: bool,
    /// The most pages that one call takes from a dying domain.
    pub destroy_step: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            version: XenVersion { major: 4, minor: 17 },
            pages: 32 << 8,
            cpus: 1,
            control_pages: 8 << 10,
            hvm: true,
            flask: false,
            dirty: false,
            destroy_step: 256,
        }
    }
}

/// The simulated machine. Clones are the same machine.
#[derive(Clone)]
pub struct SimHypervisor(Rc<RefCell<Machine>>);

/// One domain's view of the machine: what implements the hypervisor traits.
#[derive(Clone)]
pub struct SimDomain {
    sim: SimHypervisor,
    domid: DomId,
}

impl SimHypervisor {
    /// The domain Xen starts first, with all privileges.
    pub const INITIAL: DomId = DomId(0);

    /// A machine with nothing but its initial domain.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self(Rc::new(RefCell::new(Machine::new(config))))
    }

    /// The view of `domid`. It may be taken before the domain exists; calls need it to.
    #[must_use]
    pub fn as_domain(&self, domid: DomId) -> SimDomain {
        SimDomain { sim: self.clone(), domid }
    }

    /// The view of the initial domain.
    #[must_use]
    pub fn control(&self) -> SimDomain {
        self.as_domain(Self::INITIAL)
    }

    /// The memory in which `domid` learns of events.
    #[must_use]
    pub fn events(&self, domid: DomId) -> Rc<EventMemory> {
        self.with(|machine| Rc::clone(&machine.domain(domid).expect("no such domain").events))
    }

    /// Nanoseconds since the machine started.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.with(|machine| machine.now)
    }

    /// Lets `ns` nanoseconds pass and timers fire in their order.
    pub fn advance(&self, ns: u64) {
        self.with(|machine| machine.advance(ns));
    }

    /// Raises `virq` for the domain Xen would raise it for: the initial one.
    pub fn raise(&self, virq: Virq) {
        self.with(|machine| machine.raise_virq(Self::INITIAL, virq));
    }

    /// Types at the machine's console; returns how many bytes Xen had room for.
    pub fn type_in(&self, bytes: &[u8]) -> usize {
        self.with(|machine| machine.type_in(bytes))
    }

    /// Everything written to the console so far.
    #[must_use]
    pub fn console(&self) -> String {
        self.with(|machine| String::from_utf8_lossy(&machine.console_out).into_owned())
    }

    /// Xen itself writes to its console and its ring.
    pub fn xen_says(&self, text: &str) {
        self.with(|machine| machine.xen_says(text));
    }

    /// Makes `domid` crash.
    pub fn crash(&self, domid: DomId) {
        self.with(|machine| machine.shut_down(domid, ShutdownReason::Crash));
    }

    /// The next `times` that a CPU is taken from a pool, something on it cannot be moved yet.
    pub fn hold_cpus(&self, times: u32) {
        self.with(|machine| machine.sticky_cpus = times);
    }

    /// Whether the machine still runs.
    #[must_use]
    pub fn power(&self) -> Power {
        self.with(|machine| machine.power)
    }

    /// Whether `domid` sleeps until an event comes.
    #[must_use]
    pub fn is_blocked(&self, domid: DomId) -> bool {
        self.with(|machine| machine.domain(domid).is_ok_and(|domain| domain.blocked))
    }

    /// How the first virtual CPU of `domid` will start, if that is decided.
    #[must_use]
    pub fn start_of(&self, domid: DomId) -> Option<PvStart> {
        self.with(|machine| machine.domain(domid).ok().and_then(|domain| domain.start))
    }

    /// The same for a PVH domain.
    #[must_use]
    pub fn pvh_start_of(&self, domid: DomId) -> Option<PvhStart> {
        self.with(|machine| machine.domain(domid).ok().and_then(|domain| domain.pvh_start))
    }

    /// The contents of a frame of `domid`, whatever it is used for.
    #[must_use]
    pub fn contents(&self, domid: DomId, mfn: Mfn) -> Option<[u8; PAGE_SIZE]> {
        self.with(|machine| {
            let frame = machine.frames.get_mut(&mfn.0).filter(|frame| frame.owner == domid)?;
            let mut bytes = [0; PAGE_SIZE];
            frame.page().read(0, &mut bytes);
            Some(bytes)
        })
    }

    /// Everything that can leak, to compare with later.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.with(|machine| Snapshot::of(machine))
    }

    /// Nothing but the initial domain is left, and it holds nothing.
    ///
    /// # Panics
    /// When something is.
    pub fn assert_pristine(&self) {
        let pristine = self.with(|machine| machine.pristine.clone());
        assert_eq!(self.snapshot(), pristine, "something was left behind");
    }

    fn with<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        act(&mut self.0.borrow_mut())
    }
}

impl Default for SimHypervisor {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl SimDomain {
    /// Who this is the view of.
    #[must_use]
    pub fn domid(&self) -> DomId {
        self.domid
    }

    /// The machine it runs on.
    #[must_use]
    pub fn machine(&self) -> &SimHypervisor {
        &self.sim
    }

    /// Makes a hypercall on behalf of this domain.
    fn call<T>(&self, call: Call, act: impl FnOnce(&mut Machine, DomId) -> Answer<T>) -> Result<T> {
        self.sim.with(|machine| {
            assert!(machine.domain(self.domid).is_ok(), "{:?} is gone and cannot call {call}", self.domid);
            act(machine, self.domid).map_err(|errno| HvError::new(call, errno))
        })
    }
}
