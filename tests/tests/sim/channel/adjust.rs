//! Requests that change a domain's memory, its virtual CPUs and its state.

use xendless_core::abi::errno::Errno;
use xendless_core::config::{Action, Affinity, DomainConfig};
use xendless_core::hyper::{Call, CpuMap, Scheduler};
use xendless_core::hyper::{CreateFlags, DomId, Domains, HvError, ShutdownReason, Trigger, VcpuId, Vcpus};
use xendless_core::protocol::resources::{Adjust, NO_MEMORY, NO_VCPUS, TOO_MANY_VCPUS, TOO_MUCH_MEMORY};
use xendless_core::protocol::{Answer, Created, Failure, Request};
use xendless_core::rights::Rights;

use super::{Client, Rig, named};

/// A client that may do everything, and a domain `web` of 4 MiB with one of its two virtual CPUs online.
fn rig() -> (Rig, Client, DomId) {
    let (mut rig, client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    (rig, client, web)
}

fn web(what: Adjust<'_>) -> Request<'_> {
    Request::Adjust { domain: "web", what }
}

fn config(rig: &mut Rig, client: &mut Client) -> DomainConfig {
    client.call(rig, Request::Config { domain: "web" }, |result| match result {
        Ok(Answer::Config(bytes)) => DomainConfig::decode(bytes).unwrap(),
        other => panic!("{other:?}"),
    })
}

fn invalid(why: &str) -> Failure {
    Failure::Invalid(why.into())
}

#[test]
fn a_domain_is_told_how_much_memory_to_have() {
    let (mut rig, mut client, domid) = rig();
    client.done(&mut rig, web(Adjust::Memory { kib: 2048 }));
    assert_eq!(rig.read(domid, "memory/target").as_deref(), Some("2048"));
    assert_eq!(config(&mut rig, &mut client).memory.initial().mib(), 2);
    // This guest does not follow: nothing waits for it, and its memory is as it was.
    assert!(rig.hv.domain_info(domid).unwrap().pages >= 1024);
    for (kib, why) in [(0, NO_MEMORY), (5 << 10, TOO_MUCH_MEMORY), (u64::MAX, "")] {
        let refusal = client.refused(&mut rig, web(Adjust::Memory { kib }));
        assert!(matches!(&refusal, Failure::Invalid(text) if text.contains(why)), "{kib}: {refusal:?}");
    }
    assert_eq!(rig.read(domid, "memory/target").as_deref(), Some("2048"));
}

#[test]
fn the_limit_on_memory_holds_at_once() {
    let (mut rig, mut client, domid) = rig();
    client.done(&mut rig, web(Adjust::MaxMemory { kib: 64 << 10 }));
    assert_eq!(rig.hv.domain_info(domid).unwrap().max_pages, (64 << 8) + 256);
    assert_eq!(rig.read(domid, "memory/static-max").as_deref(), Some("65536"));
    assert_eq!(config(&mut rig, &mut client).memory.maximum().mib(), 64);
    assert_eq!(client.refused(&mut rig, web(Adjust::MaxMemory { kib: 3072 })), invalid(TOO_MUCH_MEMORY));
    assert_eq!(client.refused(&mut rig, web(Adjust::MaxMemory { kib: 0 })), invalid(NO_MEMORY));
    assert_eq!(rig.hv.domain_info(domid).unwrap().max_pages, (64 << 8) + 256);
    // More than the host has free is refused before the domain hears of it.
    let refusal = client.refused(&mut rig, web(Adjust::Memory { kib: 60 << 10 }));
    assert!(matches!(refusal, Failure::HostMemory { .. }), "{refusal:?}");
    assert_eq!(rig.read(domid, "memory/target").as_deref(), Some("4096"));
}

#[test]
fn a_domain_is_told_how_many_virtual_cpus_to_use() {
    let (mut rig, mut client, domid) = rig();
    let states =
        |rig: &mut Rig| [0, 1].map(|vcpu| rig.read(domid, &format!("cpu/{vcpu}/availability")).unwrap());
    client.done(&mut rig, web(Adjust::Online { vcpus: 2 }));
    assert_eq!(states(&mut rig), ["online", "online"]);
    client.done(&mut rig, web(Adjust::Online { vcpus: 1 }));
    assert_eq!(states(&mut rig), ["online", "offline"]);
    assert_eq!(config(&mut rig, &mut client).vcpus.online(), 1);
    assert_eq!(client.refused(&mut rig, web(Adjust::Online { vcpus: 0 })), invalid(NO_VCPUS));
    assert_eq!(client.refused(&mut rig, web(Adjust::Online { vcpus: 3 })), invalid(TOO_MANY_VCPUS));
}

#[test]
fn virtual_cpus_are_pinned_and_stay_so() {
    let (mut rig, mut client, domid) = rig();
    let only: CpuMap = [0, 9].into_iter().collect();
    client.done(&mut rig, web(Adjust::Pin { vcpu: Some(1), cpus: only.as_bytes() }));
    assert_eq!(rig.hv.vcpu_affinity(domid, VcpuId(1)), Ok(only));
    assert_ne!(rig.hv.vcpu_affinity(domid, VcpuId(0)), Ok(only));
    assert!(matches!(config(&mut rig, &mut client).affinity, Affinity::PerVcpu(ref sets) if sets.len() == 2));
    client.done(&mut rig, web(Adjust::Pin { vcpu: None, cpus: &[1] }));
    for vcpu in [0, 1] {
        assert_eq!(rig.hv.vcpu_affinity(domid, VcpuId(vcpu)), Ok([0].into_iter().collect()));
    }
    assert_eq!(config(&mut rig, &mut client).affinity, Affinity::Any, "the machine has one CPU");
    let refused = |vcpu, cpus| web(Adjust::Pin { vcpu, cpus });
    for request in [refused(Some(2), &[1]), refused(Some(0), &[2]), refused(None, &[])] {
        let refusal = client.refused(&mut rig, request);
        assert!(matches!(refusal, Failure::Refused { errno: 22, .. }), "{request:?}: {refusal:?}");
    }
    assert!(matches!(client.refused(&mut rig, refused(None, &[0; 513])), Failure::Invalid(_)));
    client.done(&mut rig, Request::Adjust { domain: "0", what: Adjust::Pin { vcpu: None, cpus: &[1] } });
}

#[test]
fn a_kernel_gets_its_magic_key() {
    let (mut rig, mut client, domid) = rig();
    client.done(&mut rig, web(Adjust::SysRq { key: 'h' }));
    assert_eq!(rig.read(domid, "control/sysrq").as_deref(), Some("h"));
    for key in ['\0', ' ', 'ä'] {
        assert!(matches!(client.refused(&mut rig, web(Adjust::SysRq { key })), Failure::Invalid(_)), "{key}");
    }
}

#[test]
fn triggers_reach_the_hypervisor_and_its_refusals_the_client() {
    let (mut rig, mut client, domid) = rig();
    let trigger = |trigger, vcpu| web(Adjust::Trigger { trigger, vcpu });
    client.done(&mut rig, trigger(Trigger::Nmi, 1));
    assert_eq!(rig.sim.triggers(domid), [(1, Trigger::Nmi)]);
    for (request, errno) in [
        (trigger(Trigger::Nmi, 2), Errno::EINVAL),
        (trigger(Trigger::Power, 0), Errno::EINVAL),
        (trigger(Trigger::Reset, 0), Errno::ENOSYS),
        (trigger(Trigger::Init, 0), Errno::ENOSYS),
    ] {
        let text = HvError::new(Call::SendTrigger, errno).to_string();
        assert_eq!(client.refused(&mut rig, request), Failure::Refused { errno: errno.0, text });
    }
    let refusal = client.refused(&mut rig, web(Adjust::WakeUp));
    assert!(matches!(refusal, Failure::Refused { errno: 22, .. }), "a PV domain never sleeps: {refusal:?}");
}

#[test]
fn a_reset_domain_is_another_one_of_the_same_name() {
    let (mut rig, mut client, domid) = rig();
    client.done(&mut rig, web(Adjust::Memory { kib: 3072 }));
    client.done(&mut rig, web(Adjust::Pin { vcpu: Some(1), cpus: &[0b11] }));
    client.done(&mut rig, Request::Pause { domain: "web" });
    let new = client.call(&mut rig, web(Adjust::Reset), |result| match result {
        Ok(Answer::Created(Created { domid })) => DomId(domid),
        other => panic!("{other:?}"),
    });
    assert_ne!(new, domid);
    assert!(rig.hv.domain_info(domid).is_err(), "nothing is left of the old one");
    let info = rig.hv.domain_info(new).unwrap();
    assert_eq!(info.handle, named("web").uuid.handle());
    assert!(info.flags.is_empty(), "it runs: {info:?}");
    assert_eq!(rig.read(new, "memory/target").as_deref(), Some("3072"));
    let only = [0].into_iter().collect();
    assert_eq!(rig.hv.vcpu_affinity(new, VcpuId(1)), Ok(only), "what the machine has of it");
    for own in ["admin", "Domain-0"] {
        let refusal = client.refused(&mut rig, Request::Adjust { domain: own, what: Adjust::Reset });
        assert!(matches!(refusal, Failure::Invalid(_)), "{own}: {refusal:?}");
    }
}

#[test]
fn a_domain_that_is_reset_without_memory_for_it_says_so() {
    let (mut rig, mut client, _) = rig();
    client.done(&mut rig, web(Adjust::MaxMemory { kib: 64 << 10 }));
    client.done(&mut rig, web(Adjust::Memory { kib: 24 << 10 }));
    // Another one takes what it would need.
    let mut settings = named("other");
    settings.memory = config(&mut rig, &mut client).memory;
    rig.domain_of(settings, Rights::Nothing);
    let refusal = client.refused(&mut rig, web(Adjust::Reset));
    assert!(matches!(refusal, Failure::HostMemory { .. }), "{refusal:?}");
    assert_eq!(client.refused(&mut rig, web(Adjust::Reset)), Failure::NoSuchDomain);
}

#[test]
fn what_does_not_run_or_is_not_ours_is_not_changed() {
    let (mut rig, mut client, _) = rig();
    let stray = crate::create(&rig.hv, CreateFlags::empty()).to_string();
    let changes = [
        Adjust::Memory { kib: 2048 },
        Adjust::MaxMemory { kib: 8192 },
        Adjust::Online { vcpus: 1 },
        Adjust::SysRq { key: 'h' },
        Adjust::Reset,
    ];
    for what in changes {
        for domain in ["nobody", "77"] {
            assert_eq!(client.refused(&mut rig, Request::Adjust { domain, what }), Failure::NoSuchDomain);
        }
        let refusal = client.refused(&mut rig, Request::Adjust { domain: &stray, what });
        assert!(matches!(refusal, Failure::Unsupported(_)), "{what:?}: {refusal:?}");
    }
    // A domain that stopped and is kept has nobody who would listen.
    let mut settings = named("kept");
    settings.actions.poweroff = Action::Preserve;
    let kept = rig.domain_of(settings, Rights::Nothing);
    rig.sim.as_domain(kept).shutdown(ShutdownReason::Poweroff).unwrap();
    rig.run();
    for what in &changes[..4] {
        let request = Request::Adjust { domain: "kept", what: *what };
        assert_eq!(client.refused(&mut rig, request), Failure::NotRunning, "{what:?}");
    }
    // But it can have another life.
    client.call(&mut rig, Request::Adjust { domain: "kept", what: Adjust::Reset }, |result| {
        assert!(matches!(result, Ok(Answer::Created(_))), "{result:?}");
    });
}
