//! PVH domains built on the simulated hypervisor: what their kernels find, and what a failure leaves (nothing).

use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::builder::image::{ImageError, Kernel};
use xendless_core::builder::pvh::PvhBuild;
use xendless_core::builder::{BuildError, Built, Cause, Request};
use xendless_core::hyper::{
    Call, CreateDomain, CreateFlags, DomId, Domains, Fault, FaultInjector, ForeignMemory, Gfn, HvError,
    PortState, PvhStart,
};
use xendless_core::shared::PAGE_SIZE;
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{Config, SimDomain, SimHypervisor};

const PAGES: u64 = 1100;

type Build = PvhBuild<Vec<u8>, Vec<u8>>;

fn build(elf: &Elf, ramdisk: Vec<u8>) -> Result<Build, BuildError> {
    let kernel = Rc::new(Kernel::parse(elf.build()).unwrap());
    let request = Request { pages: PAGES, command_line: b"console=hvc0".to_vec(), ramdisk: 0 };
    let create = CreateDomain {
        domid: None,
        handle: [7; 16],
        flags: CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC,
        max_vcpus: 2,
        max_port: 1023,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    };
    PvhBuild::new(kernel, ramdisk, request, create, SimHypervisor::INITIAL)
}

fn run(mut build: Build, hv: &FaultInjector<SimDomain>) -> Result<Built, BuildError> {
    for _ in 0..10_000 {
        if let Some(built) = build.step(hv)? {
            return Ok(built);
        }
    }
    panic!("the build goes on for ever")
}

fn ramdisk() -> Vec<u8> {
    (0..200_001u32).map(|i| (i % 253) as u8).collect()
}

/// Physical memory of a domain.
fn read(control: &SimDomain, domid: DomId, address: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let first = address / PAGE_SIZE as u64;
    for frame in first..=(address + length as u64 - 1) / PAGE_SIZE as u64 {
        let mut page = [0; PAGE_SIZE];
        control.map_foreign(domid, Gfn(frame)).unwrap().read(0, &mut page);
        bytes.extend(page);
    }
    bytes[address as usize % PAGE_SIZE..][..length].to_vec()
}

/// Memory was dirty before: so what is right was written, and what reads as zero was zeroed.
#[test]
fn attack_d05_a_kernel_finds_itself_its_ramdisk_its_tables_and_zeros() {
    let elf = Elf::pv();
    let sim = SimHypervisor::new(Config { dirty: true, ..Config::default() });
    let built = run(build(&elf, ramdisk()).unwrap(), &FaultInjector::new(sim.control(), None)).unwrap();
    let control = sim.control();
    let memory = |address, length| read(&control, built.domid, address, length);
    let number = |address, length: usize| {
        memory(address, length).iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    assert_eq!(memory(0x10_0000, 0x1800), elf.segments[0].bytes);
    assert_eq!(memory(0x10_1800, 0x800), [0; 0x800]);
    assert_eq!(memory(0x10_2000, 0x800), [0xdd; 0x800]);
    assert_eq!(memory(0x10_2800, 0x800), [0; 0x800]);

    let start = sim.pvh_start_of(built.domid).unwrap();
    assert_eq!(start, PvhStart { entry: 0x10_0040, start_info: start.start_info, vcpus: 2 });
    assert_eq!(number(start.start_info, 4), 0x336e_c578);
    let module = number(start.start_info + 16, 8);
    let (at, size) = (number(module, 8), number(module + 8, 8) as usize);
    assert!(memory(at, size) == ramdisk());
    assert!(memory(at, size.next_multiple_of(PAGE_SIZE))[size..].iter().all(|byte| *byte == 0));
    let command_line = number(start.start_info + 24, 8);
    let rest = PAGE_SIZE - command_line as usize % PAGE_SIZE;
    let line = memory(command_line, rest);
    assert_eq!((&line[..12], line[12..].iter().all(|byte| *byte == 0)), (&b"console=hvc0"[..], true));
    assert_eq!(memory(number(start.start_info + 32, 8), 8), b"RSD PTR ");

    for ring in [built.store, built.console] {
        assert_eq!(memory(ring.frame.0 * PAGE_SIZE as u64, PAGE_SIZE), [0; PAGE_SIZE]);
    }
    let identity = control.hvm_param(built.domid, 12).unwrap();
    assert_eq!(number(identity + 4, 4), 0x40_00e7);
    let params = [1, 2, 17, 18].map(|index| control.hvm_param(built.domid, index).unwrap());
    let (store, console) = (built.store, built.console);
    assert_eq!(params, [store.frame.0, store.port.0.into(), console.frame.0, console.port.0.into()]);

    let domain = sim.snapshot().domains.remove(&built.domid).unwrap();
    let server = SimHypervisor::INITIAL;
    assert_eq!(domain.ports.values().copied().collect::<Vec<_>>(), [PortState::Unbound(server); 2]);
    assert_eq!(domain.grants.values().copied().collect::<Vec<_>>(), [(server, 0); 2]);
}

/// Calls that a build makes and that can be refused.
const CALLS: [Call; 10] = [
    Call::DomainCreate,
    Call::DomainMaxVcpus,
    Call::DomainMaxMem,
    Call::DomainPagingPool,
    Call::Populate,
    Call::ForeignMap,
    Call::EvtchnAllocUnbound,
    Call::HvmParamSet,
    Call::GrantSeed,
    Call::HvmContextSet,
];

#[test]
fn attack_d04_a_build_that_fails_at_any_call_leaves_nothing() {
    let counted = FaultInjector::new(SimHypervisor::default().control(), None);
    run(build(&Elf::pv(), ramdisk()).unwrap(), &counted).unwrap();
    let mut failed = 0;
    for call in CALLS {
        assert!(counted.calls_of(call) > 0, "{call} is made");
        for nth in 1..=counted.calls_of(call) {
            let errnos = if nth == 1 { Errno::ALL } else { &Errno::ALL[..1] };
            for (_, errno) in errnos {
                let sim = SimHypervisor::default();
                let fault = Fault { call: Some(call), nth, errno: *errno };
                let hv = FaultInjector::new(sim.control(), Some(fault));
                let error = run(build(&Elf::pv(), ramdisk()).unwrap(), &hv).unwrap_err();
                let cause = Cause::Hypervisor(HvError::new(call, *errno));
                assert_eq!(error, BuildError { cause, left: None });
                sim.assert_pristine();
                failed += 1;
            }
        }
    }
    assert_eq!(failed, counted.calls() + 10 * (Errno::ALL.len() as u64 - 1), "no call was left out");
}

#[test]
fn a_host_without_enough_memory_gets_it_back() {
    let sim = SimHypervisor::new(Config { pages: 1600, ..Config::default() });
    let hv = FaultInjector::new(sim.control(), None);
    let error = run(build(&Elf::pv(), vec![]).unwrap(), &hv).unwrap_err();
    assert!(matches!(error, BuildError { cause: Cause::HostMemory { .. }, left: None }), "{error}");
    sim.assert_pristine();
}

#[test]
fn a_kernel_without_a_pvh_entry_is_refused_before_any_call() {
    let error = build(&Elf { notes: vec![], ..Elf::pv() }, vec![]).unwrap_err();
    assert_eq!(error.cause, Cause::Image(ImageError::NoPvh));
}
