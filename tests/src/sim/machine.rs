//! The state of the machine, and how domains come to an end.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::interface::INTERFACES;
use xendless_core::hyper::{
    CpuMap, CreateFlags, DomId, DomainHandle, PvStart, PvhStart, ShutdownReason, Trigger, Virq,
};

use super::channels::{Channel, EventMemory};
use super::grants::Grant;
use super::host::Power;
use super::labels::Flask;
use super::memory::{Frame, Mapping, Use};
use super::schedule::{Pool, Scheduled};
use super::snapshot::Snapshot;
use super::transfer::{Records, VcpuState};
use super::{Answer, Config, SimHypervisor};

/// How far the end of a domain has come. Source: `enum domain_dying` of Xen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Alive,
    /// `destroydomain` has begun and takes its resources.
    Dying,
    /// All was taken; what others still have mapped keeps the rest.
    Dead,
}

pub(super) struct Domain {
    pub(super) handle: DomainHandle,
    pub(super) flags: CreateFlags,
    pub(super) privileged: bool,
    pub(super) max_vcpus: u32,
    pub(super) vcpus: u32,
    pub(super) max_pages: u64,
    pub(super) pages: u64,
    pub(super) paging_pages: u64,
    pub(super) pauses: u32,
    /// Was unpaused once.
    pub(super) started: bool,
    pub(super) blocked: bool,
    pub(super) shutdown: Option<ShutdownReason>,
    pub(super) start: Option<PvStart>,
    pub(super) pvh_start: Option<PvhStart>,
    /// What was put into virtual CPUs.
    pub(super) states: BTreeMap<u32, VcpuState>,
    /// What was put into an HVM domain.
    pub(super) records: Option<Records>,
    pub(super) life: Life,
    pub(super) shared_info: u64,
    /// Guest frames of an HVM domain.
    pub(super) p2m: BTreeMap<u64, u64>,
    pub(super) max_port: u32,
    pub(super) ports: BTreeMap<u32, Channel>,
    /// Ports below this have a slot in Xen's table.
    pub(super) valid_ports: u32,
    pub(super) events: Rc<EventMemory>,
    pub(super) timer: Option<u64>,
    pub(super) max_grant_frames: u32,
    pub(super) max_maptrack_frames: u32,
    pub(super) grants: BTreeMap<u32, Grant>,
    pub(super) params: BTreeMap<u32, u64>,
    pub(super) cpupool: u32,
    pub(super) scheduled: Scheduled,
    pub(super) ssid: u32,
    /// Where virtual CPUs have to run; those that are not here may run everywhere.
    pub(super) affinity: BTreeMap<u32, CpuMap>,
    /// What was sent to its virtual CPUs.
    pub(super) triggers: Vec<(u32, Trigger)>,
}

impl Domain {
    pub(super) fn is_hvm(&self) -> bool {
        self.flags.contains(CreateFlags::HVM)
    }
}

pub(super) struct Machine {
    pub(super) config: Config,
    pub(super) rng: fastrand::Rng,
    pub(super) now: u64,
    pub(super) power: Power,
    pub(super) domains: BTreeMap<DomId, Domain>,
    pub(super) pools: BTreeMap<u32, Pool>,
    /// A CPU half out of a pool, with that pool (`cpupool_moving_cpu`).
    pub(super) moving_cpu: Option<(u32, u32)>,
    /// How often taking a CPU from a pool does not work yet.
    pub(super) sticky_cpus: u32,
    /// Labels, when there are any.
    pub(super) flask: Option<Flask>,
    /// The domid given out last.
    pub(super) rover: u16,
    pub(super) frames: BTreeMap<u64, Frame>,
    /// Free frames, in no order.
    pub(super) free: Vec<u64>,
    /// Frames that Xen uses for domains' paging structures.
    pub(super) pool_frames: Vec<u64>,
    /// The next frame of a domain's own memory that no call has to allocate.
    pub(super) next_private: u64,
    pub(super) mappings: BTreeMap<u64, Mapping>,
    pub(super) next_mapping: u64,
    pub(super) console_out: Vec<u8>,
    pub(super) console_in: VecDeque<u8>,
    /// Xen's console ring; the second value counts all bytes ever written.
    pub(super) ring: VecDeque<u8>,
    pub(super) ring_end: u32,
    /// Debug keys that were pressed.
    pub(super) keys: Vec<u8>,
    pub(super) pristine: Snapshot,
}

/// The first frame of the simulated memory.
pub(super) const FIRST_FRAME: u64 = 0x1000;

impl Machine {
    pub(super) fn new(config: Config) -> Self {
        let end = FIRST_FRAME + config.pages as u64;
        let mut machine = Self {
            rng: fastrand::Rng::with_seed(config.seed),
            now: 0,
            power: Power::On,
            domains: BTreeMap::new(),
            pools: Self::first_pools(config.cpus),
            moving_cpu: None,
            sticky_cpus: 0,
            flask: config.flask.then(Flask::new),
            rover: 0,
            frames: BTreeMap::new(),
            free: (FIRST_FRAME..end).collect(),
            pool_frames: Vec::new(),
            next_private: end,
            mappings: BTreeMap::new(),
            next_mapping: 0,
            console_out: Vec::new(),
            console_in: VecDeque::new(),
            ring: VecDeque::new(),
            ring_end: 0,
            keys: Vec::new(),
            pristine: Snapshot::default(),
            config,
        };
        machine.add_initial();
        machine.pristine = Snapshot::of(&machine);
        machine
    }

    fn add_initial(&mut self) {
        let shared_info = self.private_frame(SimHypervisor::INITIAL, Use::SharedInfo);
        let pages = self.config.control_pages;
        let initial = Domain {
            privileged: true,
            pages,
            max_pages: pages,
            pauses: 0,
            started: true,
            vcpus: 1,
            ..Domain::new(shared_info, self.config.seed)
        };
        self.domains.insert(SimHypervisor::INITIAL, initial);
    }

    /// `rcu_lock_domain_by_id`: dead domains count as long as they are listed.
    pub(super) fn domain(&self, domid: DomId) -> Answer<&Domain> {
        self.domains.get(&domid).ok_or(Errno::ESRCH)
    }

    pub(super) fn domain_mut(&mut self, domid: DomId) -> Answer<&mut Domain> {
        self.domains.get_mut(&domid).ok_or(Errno::ESRCH)
    }

    /// `rcu_lock_domain_by_any_id`: also understands `DOMID_SELF`.
    pub(super) fn resolve(&self, caller: DomId, domid: DomId) -> Answer<DomId> {
        let domid = if domid == DomId::SELF { caller } else { domid };
        self.domain(domid).map(|_| domid)
    }

    /// What `domctl` and `sysctl` check before anything else: callers speak an interface that is known.
    pub(super) fn require_interface(&self) -> Answer<()> {
        let known = INTERFACES.iter().any(|interface| interface.release == self.config.version);
        if known { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// `sysctl`: the interface, then the caller's rights.
    pub(super) fn sysctl(&self, caller: DomId) -> Answer<()> {
        self.require_interface()?;
        self.require_privilege(caller)
    }

    /// `XSM_PRIV` of Xen's default policy.
    pub(super) fn require_privilege(&self, caller: DomId) -> Answer<()> {
        if self.domain(caller)?.privileged { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// `XSM_TARGET` of Xen's default policy: oneself, or with privilege.
    pub(super) fn require_rights_over(&self, caller: DomId, target: DomId) -> Answer<()> {
        if caller == target { Ok(()) } else { self.require_privilege(caller) }
    }

    /// `domain_shutdown`: the first reason stands. The machine follows its initial domain (`hwdom_shutdown`).
    pub(super) fn shut_down(&mut self, domid: DomId, reason: ShutdownReason) {
        let Ok(domain) = self.domain_mut(domid) else { return };
        let reason = *domain.shutdown.get_or_insert(reason);
        domain.blocked = false;
        if domid == SimHypervisor::INITIAL {
            self.power = match reason {
                ShutdownReason::Poweroff => Power::Halted,
                _ => Power::Restarted,
            };
        }
        self.raise_virq(SimHypervisor::INITIAL, Virq::DomainException);
    }

    /// `complete_domain_destroy`, once nobody holds a page of the dead domain.
    pub(super) fn reap(&mut self, domid: DomId) {
        let dead = self.domain(domid).is_ok_and(|domain| domain.life == Life::Dead);
        if dead && !self.frames.values().any(|frame| frame.owner == domid) {
            self.domains.remove(&domid);
            self.raise_virq(SimHypervisor::INITIAL, Virq::DomainException);
        }
    }
}

impl Domain {
    /// A domain as it is right after creation, with defaults for what only creation decides.
    pub(super) fn new(shared_info: u64, seed: u64) -> Self {
        let mut handle = [0; 16];
        handle[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            handle,
            flags: CreateFlags::empty(),
            privileged: false,
            max_vcpus: 1,
            vcpus: 0,
            max_pages: 0,
            pages: 0,
            paging_pages: 0,
            pauses: 1,
            started: false,
            blocked: false,
            shutdown: None,
            start: None,
            pvh_start: None,
            states: BTreeMap::new(),
            records: None,
            life: Life::Alive,
            shared_info,
            p2m: BTreeMap::new(),
            max_port: 4095,
            ports: BTreeMap::new(),
            valid_ports: 64,
            events: Rc::default(),
            timer: None,
            max_grant_frames: 64,
            max_maptrack_frames: 1024,
            grants: BTreeMap::new(),
            params: BTreeMap::new(),
            cpupool: 0,
            scheduled: Scheduled::default(),
            ssid: 0,
            affinity: BTreeMap::new(),
            triggers: Vec::new(),
        }
    }
}
