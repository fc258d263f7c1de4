//! PV domains built on the simulated hypervisor: what their kernels find, and what a failure leaves (nothing).

use std::ops::ControlFlow;
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::start_info::StartInfo;
use xendless_core::builder::image::{ImageError, Kernel};
use xendless_core::builder::pv::PvBuild;
use xendless_core::builder::{BuildError, Built, Cause, PlanError, Request};
use xendless_core::hyper::{
    Call, CreateDomain, CreateFlags, DomId, Domains, Fault, FaultInjector, HvError, Mfn, PortState, Progress,
};
use xendless_core::shared::PAGE_SIZE;
use xendless_tests::kernel::{Elf, VIRT_BASE, note};
use xendless_tests::sim::{Config, SimDomain, SimHypervisor};
use zerocopy::FromBytes;

const PAGES: u64 = 1100;

fn request(pages: u64) -> Request {
    Request { pages, command_line: b"console=hvc0 quiet".to_vec(), ramdisk: 0 }
}

fn create() -> CreateDomain {
    CreateDomain {
        domid: None,
        handle: [7; 16],
        flags: CreateFlags::empty(),
        max_vcpus: 2,
        max_port: 1023,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    }
}

type Build = PvBuild<Vec<u8>, Vec<u8>>;

fn ramdisk() -> Vec<u8> {
    (0..200_001u32).map(|i| (i % 253) as u8).collect()
}

fn build(elf: &Elf, ramdisk: Vec<u8>, pages: u64) -> Result<Build, BuildError> {
    let kernel = Rc::new(Kernel::parse(elf.build()).unwrap());
    PvBuild::new(kernel, ramdisk, request(pages), create(), SimHypervisor::INITIAL)
}

fn run(mut build: Build, hv: &FaultInjector<SimDomain>) -> Result<Built, BuildError> {
    for _ in 0..10_000 {
        if let Some(built) = build.step(hv)? {
            return Ok(built);
        }
    }
    panic!("the build goes on for ever")
}

/// A small kernel that behaves like Linux.
fn linux_like() -> Elf {
    Elf::pv()
        .with_note(note::INIT_P2M, 0x80_0000_0000u64.to_le_bytes())
        .with_note(note::MOD_START_PFN, 1u32.to_le_bytes())
}

/// Memory as the domain's processor sees it.
struct Walker<'a> {
    sim: &'a SimHypervisor,
    domid: DomId,
    top: Mfn,
}

impl Walker<'_> {
    fn mfn(&self, virt: u64) -> Option<Mfn> {
        let mut table = self.top;
        for level in (0..4).rev() {
            let bytes = self.sim.contents(self.domid, table).expect("a frame of the domain");
            let at = (virt >> (12 + 9 * level) & 511) as usize * 8;
            let entry = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            if entry & 1 == 0 {
                return None;
            }
            table = Mfn(entry >> 12 & 0xff_ffff_ffff);
        }
        Some(table)
    }

    fn read(&self, virt: u64, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = virt;
        while bytes.len() < length {
            let mfn = self.mfn(at).unwrap_or_else(|| panic!("{at:#x} is mapped"));
            let page = self.sim.contents(self.domid, mfn).expect("a frame of the domain");
            bytes.extend(&page[at as usize % PAGE_SIZE..]);
            at = bytes.len() as u64 + virt;
        }
        bytes.truncate(length);
        bytes
    }

    fn start_info(&self) -> StartInfo {
        let start = self.sim.start_of(self.domid).expect("it can start");
        StartInfo::read_from_bytes(&self.read(start.start_info, size_of::<StartInfo>())).unwrap()
    }
}

fn built(elf: &Elf, ramdisk: Vec<u8>, config: Config) -> (SimHypervisor, Built) {
    let sim = SimHypervisor::new(config);
    let hv = FaultInjector::new(sim.control(), None);
    let built = run(build(elf, ramdisk, PAGES).unwrap(), &hv).unwrap();
    (sim, built)
}

/// Everything a kernel relies on, read through its own page tables. Memory was dirty before: so what is right
/// was written, and what reads as zero was zeroed.
fn check(elf: &Elf, expected_ramdisk: &[u8]) {
    let (sim, built) = built(elf, expected_ramdisk.to_vec(), Config { dirty: true, ..Config::default() });
    let start = sim.start_of(built.domid).unwrap();
    let memory = Walker { sim: &sim, domid: built.domid, top: start.top_table };
    let info = memory.start_info();
    let text = memory.read(VIRT_BASE + 0x10_0000, 0x1800);
    let (stubs, rest) = text.split_at(0x1002);
    assert_eq!(
        (&stubs[..0x1000], rest),
        (&elf.segments[0].bytes[..0x1000], &elf.segments[0].bytes[0x1002..])
    );
    assert_eq!(memory.read(VIRT_BASE + 0x10_1800, 0x800), [0; 0x800], "the rest of the first segment's page");
    assert_eq!(memory.read(VIRT_BASE + 0x10_2000, 0x800), [0xdd; 0x800]);
    assert_eq!(
        memory.read(VIRT_BASE + 0x10_2800, 0x800),
        [0; 0x800],
        "the rest of the second segment's page"
    );

    assert_eq!(start.entry, VIRT_BASE + 0x10_0000);
    assert_eq!(info.nr_pages, PAGES);
    assert!(info.cmd_line.starts_with(b"console=hvc0 quiet\0"));
    assert!(info.cmd_line[18..].iter().all(|byte| *byte == 0));
    assert_eq!((info.store_mfn, info.console_mfn), (built.store.frame.0, built.console.frame.0));
    assert_eq!((info.store_evtchn, info.console_evtchn), (built.store.port.0, built.console.port.0));
    for ring in [built.store, built.console] {
        assert_eq!(sim.contents(built.domid, Mfn(ring.frame.0)).unwrap(), [0; PAGE_SIZE]);
    }
    let rest_of_start_info = memory.read(start.start_info + size_of::<StartInfo>() as u64, 4096 - 1168);
    assert!(rest_of_start_info.iter().all(|byte| *byte == 0));
    assert_eq!(memory.read(start.stack - 4096, 4096), [0; 4096]);

    // The frame list is whole, names frames of the domain only, and ends in zeros.
    let list = memory.read(info.mfn_list, PAGES.next_multiple_of(512) as usize * 8);
    let list: Vec<u64> = list.chunks(8).map(|entry| u64::from_le_bytes(entry.try_into().unwrap())).collect();
    for mfn in &list[..PAGES as usize] {
        assert!(sim.contents(built.domid, Mfn(*mfn)).is_some(), "frame {mfn:#x}");
    }
    assert!(list[PAGES as usize..].iter().all(|mfn| *mfn == 0));
    for (index, mfn) in list.iter().take(512).enumerate() {
        assert_eq!(memory.mfn(VIRT_BASE + index as u64 * 4096), Some(Mfn(*mfn)), "frame {index}");
    }

    let found: Vec<u8> = if info.flags != 0 {
        let first = info.mod_start as usize;
        let mfns = &list[first..first + expected_ramdisk.len().div_ceil(PAGE_SIZE)];
        mfns.iter().flat_map(|mfn| sim.contents(built.domid, Mfn(*mfn)).unwrap()).collect()
    } else {
        memory.read(info.mod_start, expected_ramdisk.len().next_multiple_of(PAGE_SIZE))
    };
    assert_eq!(info.mod_len, expected_ramdisk.len() as u64);
    assert!(found[..expected_ramdisk.len()] == *expected_ramdisk);
    assert!(found[expected_ramdisk.len()..].iter().all(|byte| *byte == 0), "the ramdisk's last page");
}

#[test]
fn attack_d05_a_kernel_finds_itself_its_ramdisk_and_zeros() {
    check(&Elf::pv(), &ramdisk());
    check(&linux_like(), &ramdisk());
}

#[test]
fn the_server_has_channels_and_grants_to_the_rings() {
    let (sim, built) = built(&Elf::pv(), vec![], Config::default());
    let domain = sim.snapshot().domains.remove(&built.domid).unwrap();
    let server = SimHypervisor::INITIAL;
    assert_eq!(domain.ports.values().copied().collect::<Vec<_>>(), [PortState::Unbound(server); 2]);
    assert_eq!(domain.grants.values().copied().collect::<Vec<_>>(), [(server, 0); 2]);
    assert_eq!((domain.pages, domain.pauses), (PAGES, 1));
    let info = sim.control().domain_info(built.domid).unwrap();
    let shared = sim.contents(built.domid, Mfn(info.shared_info)).unwrap();
    assert!((0..32).all(|vcpu| shared[vcpu * 64 + 1] == 1), "events are masked");
}

#[test]
fn a_finished_build_keeps_its_hands_off_the_domain() {
    let sim = SimHypervisor::default();
    let hv = FaultInjector::new(sim.control(), None);
    let mut build = build(&Elf::pv(), vec![], PAGES).unwrap();
    let built = loop {
        if let Some(built) = build.step(&hv).unwrap() {
            break built;
        }
    };
    build.cancel();
    assert_eq!(build.step(&hv), Err(BuildError { cause: Cause::Cancelled, left: None }));
    assert!(sim.snapshot().domains.contains_key(&built.domid));
}

/// Calls that a build makes and that can be refused. A refused memory call reports how much was done instead.
const CALLS: [Call; 11] = [
    Call::DomainCreate,
    Call::DomainMaxVcpus,
    Call::DomainMaxMem,
    Call::Populate,
    Call::ForeignMap,
    Call::PinTable,
    Call::HypercallInit,
    Call::DomainInfo,
    Call::EvtchnAllocUnbound,
    Call::GrantSeed,
    Call::VcpuContextSet,
];

#[test]
fn attack_d04_a_build_that_fails_at_any_call_leaves_nothing() {
    let counted = FaultInjector::new(SimHypervisor::default().control(), None);
    run(build(&linux_like(), ramdisk(), PAGES).unwrap(), &counted).unwrap();
    let mut failed = 0;
    for call in CALLS {
        assert!(counted.calls_of(call) > 0, "{call} is made");
        for nth in 1..=counted.calls_of(call) {
            // Every errno for the first of a kind, one for the others.
            let errnos = if nth == 1 { Errno::ALL } else { &Errno::ALL[..1] };
            for (_, errno) in errnos {
                let fault = Fault { call: Some(call), nth, errno: *errno };
                let sim = SimHypervisor::default();
                let hv = FaultInjector::new(sim.control(), Some(fault));
                let error = run(build(&linux_like(), ramdisk(), PAGES).unwrap(), &hv).unwrap_err();
                let cause = Cause::Hypervisor(HvError::new(call, *errno));
                assert_eq!(error, BuildError { cause, left: None });
                sim.assert_pristine();
                failed += 1;
            }
        }
    }
    assert_eq!(failed, counted.calls() + 11 * (Errno::ALL.len() as u64 - 1), "no call was left out");
}

#[test]
fn a_build_can_be_cancelled_before_any_step() {
    for steps in 0.. {
        let sim = SimHypervisor::new(Config { destroy_step: 64, ..Config::default() });
        let hv = FaultInjector::new(sim.control(), None);
        let mut build = build(&linux_like(), ramdisk(), PAGES).unwrap();
        let done = (0..steps).try_for_each(|_| match build.step(&hv).unwrap() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        });
        if done.is_break() {
            assert!(steps > 10, "a build takes {steps} steps");
            return;
        }
        build.cancel();
        assert_eq!(run(build, &hv), Err(BuildError { cause: Cause::Cancelled, left: None }));
        sim.assert_pristine();
    }
}

#[test]
fn a_domain_that_cannot_be_destroyed_is_named() {
    let sim = SimHypervisor::default();
    let fault = Fault { call: Some(Call::DomainDestroy), nth: 1, errno: Errno::EBUSY };
    let hv = FaultInjector::new(sim.control(), Some(fault));
    let mut build = build(&Elf::pv(), vec![], PAGES).unwrap();
    assert_eq!(build.step(&hv), Ok(None));
    build.cancel();
    let refusal = HvError::new(Call::DomainDestroy, Errno::EBUSY);
    let error = run(build, &hv).unwrap_err();
    assert_eq!(error, BuildError { cause: Cause::Cancelled, left: Some((DomId(1), refusal)) });
    assert!(error.to_string().contains("domain 1 could not be destroyed"), "{error}");
}

#[test]
fn a_host_without_enough_memory_gets_it_back() {
    let sim = SimHypervisor::new(Config { pages: 1000, ..Config::default() });
    let hv = FaultInjector::new(sim.control(), None);
    let error = run(build(&Elf::pv(), vec![], PAGES).unwrap(), &hv).unwrap_err();
    assert_eq!(error, BuildError { cause: Cause::HostMemory { wanted: PAGES, given: 1000 }, left: None });
    assert_eq!(error.to_string(), "the host has too little free memory: 4000 of 4400 KiB");
    sim.assert_pristine();
}

#[test]
fn what_cannot_be_planned_is_refused_before_any_call() {
    let refused = |elf: &Elf, pages| build(elf, vec![], pages).unwrap_err().cause;
    assert_eq!(refused(&Elf { notes: vec![], ..Elf::pv() }, PAGES), Cause::Image(ImageError::NoPv));
    assert!(matches!(refused(&Elf::pv(), 100), Cause::Plan(PlanError::Memory { given: 100, .. })));
}

#[test]
fn domains_come_and_go_without_a_trace() {
    let sim = SimHypervisor::default();
    let hv = FaultInjector::new(sim.control(), None);
    for _ in 0..20 {
        let built = run(build(&linux_like(), ramdisk(), PAGES).unwrap(), &hv).unwrap();
        while hv.destroy_domain(built.domid).unwrap() == Progress::Again {}
        sim.assert_pristine();
    }
}
