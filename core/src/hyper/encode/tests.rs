//! Byte-exact: what leaves for Xen, and what comes back, as Xen 4.17 lays it out.

use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::abi::interface::INTERFACES;
use crate::hyper::Mfn;

fn put<T: IntoBytes + zerocopy::Immutable>(bytes: &mut [u8], at: usize, value: T) {
    bytes[at..][..size_of::<T>()].copy_from_slice(value.as_bytes());
}

#[test]
fn createdomain_is_these_bytes_for_4_17() {
    let request = CreateDomain {
        domid: Some(DomId(0x1234)),
        handle: *b"0123456789abcdef",
        flags: CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC,
        max_vcpus: 2,
        max_port: 1023,
        max_grant_frames: 64,
        max_maptrack_frames: u32::MAX,
        cpupool: 3,
        ssid: 0x55,
    };
    let mut expected = [0; 144];
    put(&mut expected, 0, 1u32);
    put(&mut expected, 4, 0x15u32);
    put(&mut expected, 8, 0x1234u16);
    put(&mut expected, 16, 0x55u32);
    put(&mut expected, 20, *b"0123456789abcdef");
    put(&mut expected, 36, 0b11u32);
    put(&mut expected, 44, 2u32);
    put(&mut expected, 48, 1023u32);
    put(&mut expected, 52, 64u32);
    put(&mut expected, 56, 0x7fff_ffffu32);
    put(&mut expected, 60, 1u32);
    put(&mut expected, 68, 3u32);
    put(&mut expected, 72, 1u32);
    assert_eq!(request.to_domctl(&INTERFACES[0]).as_bytes(), expected);
}

#[test]
fn createdomain_of_a_pv_xenstore_domain_lets_xen_choose_the_id() {
    let request = CreateDomain {
        domid: None,
        handle: [0; 16],
        flags: CreateFlags::XENSTORE,
        max_vcpus: 1,
        max_port: 0,
        max_grant_frames: 0,
        max_maptrack_frames: 0,
        cpupool: 0,
        ssid: 0,
    };
    let call = request.to_domctl(&INTERFACES[0]);
    let argument = CREATEDOMAIN.answer(&call);
    assert_eq!((call.domain, argument.flags, argument.arch.emulation_flags), (0, 0b1_0000, 0));
}

#[test]
fn getdomaininfo_is_read_from_these_bytes() {
    let mut bytes = [0; size_of::<GetDomainInfo>()];
    put(&mut bytes, 0, 7u16);
    put(&mut bytes, 4, 0b1_0000_1100_u32 | 3 << 16);
    for (at, value) in [(8, 100u64), (16, 200), (24, 1), (32, 2), (40, 3), (48, 0xabc), (56, 5_000_000_000)] {
        put(&mut bytes, at, value);
    }
    for (at, value) in [(64, 1u32), (68, 3), (72, 0x55)] {
        put(&mut bytes, at, value);
    }
    put(&mut bytes, 76, *b"0123456789abcdef");
    put(&mut bytes, 92, 9u32);
    let raw = GetDomainInfo::read_from_bytes(&bytes).unwrap();
    let expected = DomainInfo {
        domid: DomId(7),
        handle: *b"0123456789abcdef",
        flags: DomainFlags::SHUTDOWN | DomainFlags::PAUSED | DomainFlags::HAP,
        shutdown: Some(ShutdownReason::Crash),
        pages: 100,
        max_pages: 200,
        shared_info: 0xabc,
        cpu_time: 5_000_000_000,
        online_vcpus: 1,
        max_vcpu: Some(VcpuId(3)),
        cpupool: 9,
        ssid: 0x55,
    };
    assert_eq!(DomainInfo::from(&raw), expected);
}

/// Xen keeps "no reason yet" as all ones, which fills the bits above the flags.
#[test]
fn a_domain_that_did_not_shut_down_has_no_reason() {
    let raw = GetDomainInfo {
        flags: 0xffff_0000 | life::XEN_DOMINF_BLOCKED,
        max_vcpu_id: !0,
        ..GetDomainInfo::ZERO
    };
    let info = DomainInfo::from(&raw);
    assert_eq!((info.flags, info.shutdown, info.max_vcpu), (DomainFlags::BLOCKED, None, None));
}

#[test]
fn physinfo_is_read_from_these_bytes() {
    let mut bytes = [0; size_of::<PhysInfo>()];
    for (at, value) in [(0, 2u32), (4, 4), (8, 8), (12, 63), (16, 1), (20, 0), (24, 2_400_000), (28, 0b1010)]
    {
        put(&mut bytes, at, value);
    }
    for (at, value) in [(40, 1000u64), (48, 600), (56, 50), (64, 7), (72, 0xfff)] {
        put(&mut bytes, at, value);
    }
    put(&mut bytes, 80, [1u32, 2, 3, 4, 5, 6, 7, 8]);
    let expected = HostInfo {
        threads_per_core: 2,
        cores_per_socket: 4,
        cpus: 8,
        cpu_ids: 64,
        nodes: 1,
        cpu_khz: 2_400_000,
        total_pages: 1000,
        free_pages: 600,
        scrub_pages: 50,
        hw_cap: [1, 2, 3, 4, 5, 6, 7, 8],
        hvm: false,
        pv: true,
        hap: true,
    };
    assert_eq!(HostInfo::from(&PhysInfo::read_from_bytes(&bytes).unwrap()), expected);
}

#[test]
fn a_port_state_is_read_from_the_member_that_its_status_names() {
    let state = |status, peer| {
        PortState::from(&evtchn::Status { status, peer, peer_port: 9, ..evtchn::Status::ZERO })
    };
    assert_eq!(state(evtchn::EVTCHNSTAT_CLOSED, 5), PortState::Closed);
    // The upper half of `peer` is padding when the member is a domain id.
    assert_eq!(state(evtchn::EVTCHNSTAT_UNBOUND, 0xdead_0005), PortState::Unbound(DomId(5)));
    assert_eq!(state(evtchn::EVTCHNSTAT_INTERDOMAIN, 0xdead_0005), PortState::Interdomain(DomId(5), Port(9)));
    assert_eq!(state(evtchn::EVTCHNSTAT_VIRQ, 3), PortState::Virq(3));
    assert_eq!(state(evtchn::EVTCHNSTAT_PIRQ, 3), PortState::Other);
    assert_eq!(state(77, 3), PortState::Other);
}

#[test]
fn a_pv_cpu_starts_in_the_kernel_with_its_start_info_in_rsi() {
    let start = PvStart { entry: 0x1000, stack: 0x2000, start_info: 0x3000, top_table: Mfn(0x503) };
    let context = start.to_context();
    let regs = context.user_regs;
    assert_eq!((regs.rip, regs.rsp, regs.rsi), (0x1000, 0x2000, 0x3000));
    assert_eq!((regs.cs, regs.ss, regs.ds, regs.rflags), (0xe033, 0xe02b, 0, 0x200));
    assert_eq!((context.kernel_ss, context.kernel_sp), (0xe02b, 0x2000));
    assert_eq!(context.flags, arch::VGCF_IN_KERNEL | arch::VGCF_ONLINE);
    assert_eq!(context.ctrlreg, [0, 0, 0, 0x50_3000, 0, 0, 0, 0]);
}

#[test]
fn numbers_become_names() {
    assert_eq!(SchedulerKind::from_code(6), SchedulerKind::Credit2);
    assert_eq!(SchedulerKind::from_code(4), SchedulerKind::Other(4));
    assert_eq!(Virq::ConsoleRing.code(), 8);
}

#[test]
fn every_grant_status_but_okay_is_a_failure() {
    assert_eq!(grant_outcome(0), Ok(()));
    assert_eq!(grant_outcome(grant::GNTST_BAD_GNTREF), Err(Errno::ENOENT));
    for status in (i16::MIN..0).chain(1..=i16::MAX) {
        assert!(grant_outcome(status).is_err(), "{status}");
    }
}
