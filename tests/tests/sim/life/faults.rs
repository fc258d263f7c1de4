//! What goes wrong, and what was called off, leaves nothing.

use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::builder::Cause;
use xendless_core::builder::unpack::UnpackError;
use xendless_core::config::{Actions, DomainConfig, Memory, MemorySize, Settings};
use xendless_core::hyper::{Call, Fault, FaultInjector, HvError, ShutdownReason};
use xendless_core::life::{Bytes, Failure, Files, News, State};
use xendless_core::rights::Rights;

use super::{Rig, settings};

#[test]
fn attack_d04_a_create_that_fails_at_any_call_leaves_nothing() {
    let mut rig = Rig::new(None);
    rig.create(settings()).unwrap();
    rig.run();
    let calls = rig.hv.calls();
    assert!(calls > 30, "{calls}");
    let (mut failed, mut ran) = (0, 0);
    for errno in [Errno::ENOMEM, Errno::EINVAL] {
        for nth in 1..=calls {
            let mut rig = Rig::new(Some(Fault { call: None, nth, errno }));
            let id = rig.create(settings()).unwrap();
            rig.run();
            assert!(!rig.hv.is_armed());
            match rig.take_news()[..] {
                [News::Failed { .. }] => failed += 1,
                [News::Started { .. }] => {
                    ran += 1;
                    rig.manager.destroy(id);
                }
                ref other => panic!("call {nth}: {other:?}"),
            }
            rig.assert_clean();
        }
    }
    assert!(failed > 50 && ran < 10, "{failed} failed, {ran} ran all the same");
}

#[test]
fn a_hypervisor_that_will_not_destroy_at_once_is_asked_again() {
    let (mut rig, id, _) = Rig::running(Actions::default());
    let fault = Some(Fault { call: Some(Call::DomainDestroy), nth: 1, errno: Errno::EBUSY });
    rig.hv = Rc::new(FaultInjector::new(rig.sim.control(), fault));
    rig.manager.destroy(id);
    rig.run();
    let refusal = HvError::new(Call::DomainDestroy, Errno::EBUSY);
    assert_eq!(rig.take_news(), [News::Refused { id, refusal }, News::Gone(id)]);
    rig.assert_clean();
}

#[test]
fn two_hundred_rounds_leave_nothing() {
    let mut rig = Rig::new(None);
    for round in 0..200 {
        let id = rig.create(settings()).unwrap();
        rig.run();
        let domid = rig.manager.status(id).unwrap().domid.unwrap();
        match round % 3 {
            0 => rig.manager.destroy(id),
            1 => rig.stop(domid, ShutdownReason::Poweroff),
            _ => rig.stop(domid, ShutdownReason::Reboot),
        }
        rig.assert_clean();
    }
}

#[test]
fn attack_d06_a_create_is_called_off_at_every_step() {
    for stop_after in 0.. {
        let mut rig = Rig::new(None);
        let id = rig.create(settings()).unwrap();
        for _ in 0..stop_after {
            rig.step();
        }
        let ran = rig.manager.status(id).unwrap().state == State::Running;
        rig.manager.destroy(id);
        rig.run();
        assert_eq!(rig.manager.status(id), None);
        rig.assert_clean();
        if ran {
            assert!(stop_after > 10, "the work is cut into steps");
            return;
        }
    }
}

#[test]
fn a_kernel_that_is_none_is_refused_with_the_reason() {
    let mut rig = Rig::new(None);
    let config = DomainConfig::new(settings()).unwrap();
    let files = Files { kernel: Bytes::Static(b"#!/bin/sh\n"), ramdisk: Bytes::default() };
    let id = rig.manager.create(&mut rig.consoles, config, Rights::Nothing, files).unwrap();
    rig.run();
    assert_eq!(rig.take_news(), [News::Failed { id, why: Failure::Unpack(UnpackError::NotAKernel) }]);
    rig.assert_clean();
}

#[test]
fn a_host_without_memory_is_named() {
    let mut rig = Rig::new(None);
    let size = MemorySize::from_mib("memory", 64).unwrap();
    rig.create(Settings { memory: Memory::new(size, size).unwrap(), ..settings() }).unwrap();
    rig.run();
    let [News::Failed { why: Failure::Build(error), .. }] = rig.take_news()[..] else { panic!() };
    assert!(matches!(error.cause, Cause::HostMemory { wanted: 16_384, .. }));
    rig.assert_clean();
}
