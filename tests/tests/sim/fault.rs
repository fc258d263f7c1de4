//! The fault injector stands in front of every call.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    Access, Call, Console, CreateFlags, DomId, Domains, EXTENDED, EventChannels, Fault, FaultInjector,
    ForeignMemory, Gfn, GrantRef, Grants, Host, HvError, Launch, Mfn, PhysMemory, Port, PvStart, Result,
    Scheduler, ShutdownReason, Transfer, VcpuId, Virq,
};
use xendless_tests::sim::{SimDomain, SimHypervisor};

use crate::request;

type Hv = FaultInjector<SimDomain>;

const START: PvStart = PvStart { entry: 0, stack: 0, start_info: 0, top_table: Mfn(0) };

/// A call, and one way to make it.
type Case = (Call, fn(&Hv) -> Result<()>);

const CALLS: &[Case] = &[
    (Call::ConsoleWrite, |hv| hv.console_write(b"")),
    (Call::ConsoleRead, |hv| hv.console_read(&mut []).map(drop)),
    (Call::Block, |hv| hv.block()),
    (Call::Shutdown, |hv| hv.shutdown(ShutdownReason::Poweroff)),
    (Call::SetTimer, |hv| hv.set_timer(None)),
    (Call::EvtchnAllocUnbound, |hv| hv.alloc_unbound(DomId::SELF, DomId(1)).map(drop)),
    (Call::EvtchnBindInterdomain, |hv| hv.bind_interdomain(DomId(1), Port(1)).map(drop)),
    (Call::EvtchnBindVirq, |hv| hv.bind_virq(Virq::Timer).map(drop)),
    (Call::EvtchnSend, |hv| hv.notify(Port(1))),
    (Call::EvtchnUnmask, |hv| hv.unmask(Port(1))),
    (Call::EvtchnClose, |hv| hv.close(Port(1))),
    (Call::EvtchnStatus, |hv| hv.port_state(DomId::SELF, Port(1)).map(drop)),
    (Call::GrantMap, |hv| hv.map_grant(DomId(1), GrantRef(8), Access::ReadOnly).map(drop)),
    (Call::GrantShare, |hv| hv.offer_page(DomId(1), Access::ReadOnly).map(drop)),
    (Call::GrantSeed, |hv| hv.seed_grant(DomId(1), GrantRef(0), DomId(0), Gfn(0))),
    (Call::ForeignMap, |hv| hv.map_foreign(DomId(1), Gfn(0)).map(drop)),
    (Call::PinTable, |hv| hv.pin_l4(DomId(1), Mfn(0))),
    (Call::UnpinTable, |hv| hv.unpin_l4(DomId(1), Mfn(0))),
    (Call::Populate, |hv| hv.populate(DomId(1), &mut []).map(drop)),
    (Call::Release, |hv| hv.release(DomId(1), &[]).map(drop)),
    (Call::DomainCreate, |hv| hv.create_domain(&request(CreateFlags::empty())).map(drop)),
    (Call::DomainDestroy, |hv| hv.destroy_domain(DomId(1)).map(|_| ())),
    (Call::DomainPause, |hv| hv.pause_domain(DomId(1))),
    (Call::DomainUnpause, |hv| hv.unpause_domain(DomId(1))),
    (Call::DomainResume, |hv| hv.resume_domain(DomId(1))),
    (Call::DomainInfo, |hv| hv.domain_info(DomId(1)).map(drop)),
    (Call::DomainList, |hv| hv.list_domains(DomId(0), &mut []).map(drop)),
    (Call::DomainSetHandle, |hv| hv.set_domain_handle(DomId(1), &[0; 16])),
    (Call::DomainMaxMem, |hv| hv.set_max_memory(DomId(1), 0)),
    (Call::DomainMaxVcpus, |hv| hv.set_max_vcpus(DomId(1), 1)),
    (Call::DomainPagingPool, |hv| hv.set_paging_pool(DomId(1), 0).map(|_| ())),
    (Call::HypercallInit, |hv| hv.init_hypercall_page(DomId(1), Gfn(0))),
    (Call::VcpuContextSet, |hv| hv.start_pv(DomId(1), &START)),
    (Call::HvmParamGet, |hv| hv.hvm_param(DomId(1), 0).map(drop)),
    (Call::HvmParamSet, |hv| hv.set_hvm_param(DomId(1), 0, 0)),
    (Call::HvmContextGet, |hv| hv.platform_size(DomId(1)).map(drop)),
    (Call::HvmContextSet, |hv| hv.set_platform(DomId(1), &[])),
    (Call::VcpuExtendedGet, |hv| hv.extended(DomId(1), VcpuId(0), &mut [0; EXTENDED])),
    (Call::VcpuExtendedSet, |hv| hv.set_extended(DomId(1), VcpuId(0), &[0; EXTENDED])),
    (Call::VcpuXsaveGet, |hv| hv.xsave_size(DomId(1), VcpuId(0)).map(drop)),
    (Call::VcpuXsaveSet, |hv| hv.set_xsave(DomId(1), VcpuId(0), &[0])),
    (Call::FrameUses, |hv| hv.frame_uses(DomId(1), &[], &mut [])),
    (Call::XenVersion, |hv| hv.xen_version().map(drop)),
    (Call::PhysInfo, |hv| hv.host_info().map(drop)),
    (Call::SchedulerId, |hv| hv.scheduler().map(drop)),
    (Call::ReadConsoleRing, |hv| hv.read_console_ring(0, &mut []).map(drop)),
];

fn injector(fault: Option<Fault>) -> Hv {
    FaultInjector::new(SimHypervisor::default().control(), fault)
}

#[test]
fn every_call_is_counted_under_its_name() {
    let hv = injector(None);
    for (call, make) in CALLS {
        if let Err(refusal) = make(&hv) {
            assert_eq!(refusal.call, *call, "the model reports the same name");
        }
        assert_eq!(hv.calls_of(*call), 1, "{call}");
    }
    assert_eq!(hv.calls(), CALLS.len() as u64);
}

#[test]
fn every_call_can_be_made_to_fail_and_then_has_no_effect() {
    for (call, make) in CALLS {
        let hv = injector(Some(Fault { call: Some(*call), nth: 1, errno: Errno::EDEADLK }));
        assert_eq!(make(&hv), Err(HvError::new(*call, Errno::EDEADLK)));
        assert!(!hv.is_armed());
        hv.inner().machine().assert_pristine();
    }
}

#[test]
fn the_nth_call_fails_and_only_that() {
    let hv = injector(Some(Fault { call: None, nth: 3, errno: Errno::EIO }));
    let outcomes: Vec<bool> = (0..5).map(|_| hv.xen_version().is_ok()).collect();
    assert_eq!(outcomes, [true, true, false, true, true]);
    let hv = injector(Some(Fault { call: Some(Call::XenVersion), nth: 2, errno: Errno::EIO }));
    let outcomes: Vec<bool> = (0..3).flat_map(|_| [hv.block().is_ok(), hv.xen_version().is_ok()]).collect();
    assert_eq!(outcomes, [true, true, true, false, true, true]);
}
