//! Domains live and die as Xen's do.

use xendless_core::abi::errno::Errno;
use xendless_core::abi::hvm::op::{HVM_PARAM_CONSOLE_PFN, HVM_PARAM_STORE_EVTCHN, HVM_PARAM_STORE_PFN};
use xendless_core::hyper::{
    CreateDomain, CreateFlags, DomId, DomainFlags, Domains, EventChannels, Progress, Scheduler,
    ShutdownReason, Virq, XenVersion,
};
use xendless_tests::sim::{Config, SimHypervisor};

use crate::{create, destroy, errno, machine, pv_with_memory, request};

const HVM: CreateFlags = CreateFlags::HVM.union(CreateFlags::HAP);

#[test]
fn a_new_domain_is_paused_and_has_nothing() {
    let (_, control) = machine();
    let domid = control.create_domain(&request(HVM)).unwrap();
    let info = control.domain_info(domid).unwrap();
    assert_eq!(info.domid, domid);
    assert_eq!(info.handle, [7; 16]);
    assert_eq!(info.flags, DomainFlags::PAUSED | DomainFlags::HVM | DomainFlags::HAP);
    assert_eq!((info.pages, info.max_pages, info.online_vcpus, info.max_vcpu), (0, 0, 0, None));
    assert_eq!(info.shutdown, None);
}

#[test]
fn ids_are_given_out_in_rotation() {
    let (_, control) = machine();
    let next = || control.create_domain(&request(CreateFlags::empty())).unwrap();
    assert_eq!([next(), next()], [DomId(1), DomId(2)]);
    destroy(&control, DomId(1));
    assert_eq!(next(), DomId(3), "a free id comes back late");
    let wanted = |domid| CreateDomain { domid: Some(DomId(domid)), ..request(CreateFlags::empty()) };
    assert_eq!(control.create_domain(&wanted(77)), Ok(DomId(77)));
    assert_eq!(errno(control.create_domain(&wanted(77))), Errno::EEXIST);
    assert_eq!(control.create_domain(&wanted(0)), Ok(DomId(4)), "0 means any");
}

#[test]
fn refusals_of_create() {
    let (sim, control) = machine();
    let good = request(CreateFlags::empty());
    for (bad, expected) in [
        (request(CreateFlags::HAP), Errno::EINVAL),
        (request(CreateFlags::LOCAL_APIC), Errno::EINVAL),
        (CreateDomain { max_vcpus: 0, ..good.clone() }, Errno::EINVAL),
        (CreateDomain { max_vcpus: 8193, ..good.clone() }, Errno::EINVAL),
        (CreateDomain { max_vcpus: 129, ..request(HVM) }, Errno::EINVAL),
        (CreateDomain { max_grant_frames: 0, ..good.clone() }, Errno::EINVAL),
        (CreateDomain { max_grant_frames: 65, ..good.clone() }, Errno::EINVAL),
        (CreateDomain { max_maptrack_frames: 1025, ..good.clone() }, Errno::EINVAL),
        (CreateDomain { cpupool: 1, ..good.clone() }, Errno::ESRCH),
    ] {
        assert_eq!(errno(control.create_domain(&bad)), expected, "{bad:?}");
    }
    let guest = create(&control, CreateFlags::empty());
    assert_eq!(errno(sim.as_domain(guest).create_domain(&good)), Errno::EPERM);
    let old = SimHypervisor::new(Config { hvm: false, ..Config::default() });
    assert_eq!(errno(old.control().create_domain(&request(HVM))), Errno::EINVAL);
}

#[test]
fn every_domctl_needs_a_domain_and_privilege_and_the_right_interface() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    let newer = Config { version: XenVersion { major: 4, minor: 99 }, ..Config::default() };
    let newer = SimHypervisor::new(newer).control();
    let cases = [
        (&control, DomId(99), Errno::ESRCH),
        (&guest, DomId(0), Errno::EPERM),
        (&newer, DomId(0), Errno::EACCES),
    ];
    for (hv, target, expected) in cases {
        assert_eq!(errno(hv.destroy_domain(target)), expected);
        assert_eq!(errno(hv.pause_domain(target)), expected);
        assert_eq!(errno(hv.unpause_domain(target)), expected);
        assert_eq!(errno(hv.resume_domain(target)), expected);
        assert_eq!(errno(hv.domain_info(target)), expected);
        assert_eq!(errno(hv.set_domain_handle(target, &[0; 16])), expected);
        assert_eq!(errno(hv.set_max_memory(target, 4)), expected);
        assert_eq!(errno(hv.set_max_vcpus(target, 1)), expected);
        assert_eq!(errno(hv.set_paging_pool(target, 0)), expected);
    }
}

#[test]
fn nobody_stops_himself_by_domctl() {
    let (_, control) = machine();
    assert_eq!(errno(control.destroy_domain(DomId(0))), Errno::EINVAL);
    assert_eq!(errno(control.pause_domain(DomId(0))), Errno::EINVAL);
    assert_eq!(errno(control.resume_domain(DomId(0))), Errno::EINVAL);
    assert_eq!(errno(control.set_max_vcpus(DomId(0), 1)), Errno::EINVAL);
}

#[test]
fn pauses_are_counted() {
    let (_, control) = machine();
    let domid = create(&control, CreateFlags::empty());
    let paused = || control.domain_info(domid).unwrap().flags.contains(DomainFlags::PAUSED);
    control.pause_domain(domid).unwrap();
    control.unpause_domain(domid).unwrap();
    assert!(paused(), "creation counts as one");
    control.unpause_domain(domid).unwrap();
    assert!(!paused());
    assert_eq!(errno(control.unpause_domain(domid)), Errno::EINVAL);
    for _ in 0..255 {
        control.pause_domain(domid).unwrap();
    }
    assert_eq!(errno(control.pause_domain(domid)), Errno::EOVERFLOW);
}

#[test]
fn settings_show_up() {
    let (_, control) = machine();
    let domid = create(&control, CreateFlags::empty());
    control.set_domain_handle(domid, &[9; 16]).unwrap();
    control.set_max_memory(domid, 4096).unwrap();
    assert_eq!(errno(control.set_max_vcpus(domid, 1)), Errno::EINVAL, "not the number given at creation");
    control.set_max_vcpus(domid, 2).unwrap();
    control.unpause_domain(domid).unwrap();
    let info = control.domain_info(domid).unwrap();
    assert_eq!((info.handle, info.max_pages), ([9; 16], 1024));
    assert_eq!((info.max_vcpu.map(|vcpu| vcpu.0), info.online_vcpus), (Some(1), 1));
}

#[test]
fn the_first_reason_to_shut_down_stands_until_resume() {
    let (sim, control) = machine();
    let domid = create(&control, CreateFlags::empty());
    sim.as_domain(domid).shutdown(ShutdownReason::Suspend).unwrap();
    sim.crash(domid);
    let info = control.domain_info(domid).unwrap();
    assert_eq!(info.shutdown, Some(ShutdownReason::Suspend));
    assert!(info.flags.contains(DomainFlags::SHUTDOWN));
    control.resume_domain(domid).unwrap();
    assert_eq!(control.domain_info(domid).unwrap().shutdown, None);
}

#[test]
fn domains_are_listed_in_order_from_where_one_asks() {
    let (sim, control) = machine();
    for domid in [9, 3, 5] {
        let request = CreateDomain { domid: Some(DomId(domid)), ..request(CreateFlags::empty()) };
        control.create_domain(&request).unwrap();
    }
    let list = |first, room: usize| {
        let mut out = vec![None; room];
        let count = control.list_domains(DomId(first), &mut out).unwrap();
        assert!(out[count..].iter().all(Option::is_none));
        out.into_iter().flatten().map(|info| info.domid.0).collect::<Vec<_>>()
    };
    assert_eq!(list(0, 10), [0, 3, 5, 9]);
    assert_eq!(list(4, 1), [5]);
    assert!(list(10, 4).is_empty());
    assert_eq!(errno(sim.as_domain(DomId(3)).list_domains(DomId(0), &mut [])), Errno::EPERM);
}

#[test]
fn destruction_goes_in_steps_and_gives_everything_back() {
    let sim = SimHypervisor::new(Config { destroy_step: 10, ..Config::default() });
    let control = sim.control();
    let port = control.bind_virq(Virq::DomainException).unwrap();
    let before = sim.snapshot();
    let (domid, _) = pv_with_memory(&control, 100);
    let mut steps = 1;
    while control.destroy_domain(domid).unwrap() == Progress::Again {
        steps += 1;
        let dying = control.domain_info(domid).unwrap().flags.contains(DomainFlags::DYING);
        assert!(!dying, "Xen says so only when all is taken");
        assert_eq!(errno(sim.as_domain(domid).alloc_unbound(DomId::SELF, DomId(0))), Errno::EINVAL);
    }
    assert!(steps >= 10, "{steps}");
    assert_eq!(sim.snapshot(), before);
    let mut scanner = xendless_core::events::Scanner::new();
    assert_eq!(scanner.take(sim.events(DomId(0)).bits()), Some(port), "its end was announced");
    assert_eq!(errno(control.destroy_domain(domid)), Errno::ESRCH);
}

#[test]
fn a_paging_pool_takes_free_memory() {
    let (sim, control) = machine();
    let domid = create(&control, HVM);
    let free = sim.snapshot().free_pages;
    assert_eq!(control.set_paging_pool(domid, 40 << 12), Ok(Progress::Done));
    assert_eq!(sim.snapshot().free_pages, free - 40);
    assert_eq!(control.set_paging_pool(domid, 10 << 12), Ok(Progress::Done));
    assert_eq!(sim.snapshot().free_pages, free - 10);
    assert_eq!(errno(control.set_paging_pool(domid, 1)), Errno::EINVAL);
    assert_eq!(errno(control.set_paging_pool(domid, 1 << 40)), Errno::ENOMEM);
    assert_eq!(errno(control.set_paging_pool(create(&control, CreateFlags::empty()), 0)), Errno::EOPNOTSUPP);
    destroy(&control, domid);
    assert_eq!(sim.snapshot().free_pages, free);
}

#[test]
fn hvm_parameters_are_kept() {
    let (_, control) = machine();
    let domid = create(&control, HVM);
    assert_eq!(control.hvm_param(domid, HVM_PARAM_STORE_PFN), Ok(0));
    control.set_hvm_param(domid, HVM_PARAM_STORE_PFN, 0xfeffc).unwrap();
    assert_eq!(control.hvm_param(domid, HVM_PARAM_STORE_PFN), Ok(0xfeffc));
}

#[test]
fn refusals_of_hvm_parameters() {
    let (sim, control) = machine();
    let domid = create(&control, HVM);
    let guest = sim.as_domain(domid);
    let pv = create(&control, CreateFlags::empty());
    assert_eq!(errno(control.set_hvm_param(domid, 39, 1)), Errno::EINVAL, "no such parameter");
    assert_eq!(errno(control.hvm_param(DomId(99), 1)), Errno::ESRCH);
    assert_eq!(errno(control.hvm_param(pv, 1)), Errno::EINVAL);
    assert_eq!(errno(control.hvm_param(domid, 4)), Errno::EINVAL, "deprecated");
    assert_eq!(errno(sim.as_domain(pv).hvm_param(domid, 1)), Errno::EPERM);
    assert_eq!(guest.hvm_param(DomId::SELF, HVM_PARAM_CONSOLE_PFN), Ok(0), "a guest finds its console");
    assert_eq!(errno(guest.set_hvm_param(DomId::SELF, HVM_PARAM_CONSOLE_PFN, 1)), Errno::EPERM);
    guest.set_hvm_param(DomId::SELF, HVM_PARAM_STORE_EVTCHN, 3).unwrap();
    // HVM_PARAM_IOREQ_PFN is settled once.
    control.set_hvm_param(domid, 5, 1).unwrap();
    control.set_hvm_param(domid, 5, 1).unwrap();
    assert_eq!(errno(control.set_hvm_param(domid, 5, 2)), Errno::EEXIST);
}
