//! Requests about what schedulers give domains.

use xendless_core::config::{DomainConfig, Reservation, Scheduling, Settings, Weight};
use xendless_core::hyper::{
    CpuPools, DomId, DomainFlags, Domains, Progress, Promise, SchedulerKind, Schedulers, Share, VcpuId,
};
use xendless_core::protocol::{Answer, Failure, Request, Sched, Sharing};
use xendless_core::rights::Rights;
use xendless_tests::sim::Config;

use super::{Client, Rig, named};

const CREDIT2: Sharing = Sharing::Credit2;

fn share(rig: &mut Rig, client: &mut Client, domain: &str) -> Share {
    let request = Request::Sched(Sched::Share { domain, scheduler: CREDIT2 });
    client.call(rig, request, |result| match result {
        Ok(Answer::Share(share)) => share,
        other => panic!("{other:?}"),
    })
}

fn set(domain: &str, weight: Option<u16>, cap: Option<u16>) -> Request<'_> {
    Request::Sched(Sched::SetShare { domain, scheduler: CREDIT2, weight, cap })
}

#[test]
fn a_share_is_set_and_outlives_the_domain() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    assert_eq!(share(&mut rig, &mut client, "web"), Share { weight: 256, cap: 0 });
    client.done(&mut rig, set("web", Some(512), None));
    client.done(&mut rig, set("2", None, Some(150)));
    assert_eq!(share(&mut rig, &mut client, "web"), Share { weight: 512, cap: 150 });
    rig.sim.advance(100_000_000_000);
    use xendless_core::hyper::{Scheduler, ShutdownReason};
    rig.sim.as_domain(web).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    assert!(rig.hv.domain_info(web).is_err(), "it is another domain now");
    assert_eq!(share(&mut rig, &mut client, "web"), Share { weight: 512, cap: 150 });
    assert_eq!(share(&mut rig, &mut client, "0").weight, 256, "the control domain has one, too");
}

#[test]
fn shares_that_cannot_be_are_refused_and_change_nothing() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    for (weight, cap) in [(Some(0), None), (None, Some(201)), (Some(512), Some(u16::MAX))] {
        let refusal = client.refused(&mut rig, set("web", weight, cap));
        assert!(matches!(refusal, Failure::Invalid(_)), "{refusal:?}");
    }
    let credit = Sched::SetShare { domain: "web", scheduler: Sharing::Credit, weight: Some(9), cap: None };
    let other = Failure::OtherScheduler("credit2".into());
    assert_eq!(client.refused(&mut rig, Request::Sched(credit)), other);
    let rtds = Sched::Promises { domain: "web", from: 0 };
    assert_eq!(client.refused(&mut rig, Request::Sched(rtds)), other);
    assert_eq!(share(&mut rig, &mut client, "web"), Share { weight: 256, cap: 0 });
    assert_eq!(client.refused(&mut rig, set("nobody", Some(1), None)), Failure::NoSuchDomain);
}

#[test]
fn shares_take_rights() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("web", Rights::Nothing);
    share(&mut rig, &mut client, "web");
    let refusal = client.refused(&mut rig, set("web", Some(1), None));
    assert_eq!(refusal, Failure::Forbidden { needs: Rights::Children });
    let (mut rig, mut client) = Rig::with(Rights::Children);
    rig.domain("web", Rights::Nothing);
    let refusal = client.refused(&mut rig, set("web", Some(1), None));
    assert_eq!(refusal, Failure::Forbidden { needs: Rights::Everything });
}

/// A rig whose CPU 1 is in a pool with rtds, in which the domain is.
fn with_rtds(domid: DomId, rig: &Rig) {
    assert_eq!(rig.hv.remove_pool_cpu(0, 1), Ok(Progress::Done));
    let pool = rig.hv.create_pool(SchedulerKind::Rtds).unwrap();
    rig.hv.add_pool_cpu(pool, 1).unwrap();
    rig.hv.move_domain(domid, pool).unwrap();
}

#[test]
fn promises_come_in_pages_and_are_set_for_one_virtual_cpu() {
    let (mut rig, mut client) = Rig::on(Config { cpus: 2, ..Config::default() }, Rights::Everything);
    let vcpus = xendless_core::config::Vcpus::new(1, 70).unwrap();
    let web = rig.domain_of(Settings { vcpus, ..named("web") }, Rights::Nothing);
    with_rtds(web, &rig);
    let promise = Promise { period_us: 500, budget_us: 100, extra: false };
    let set = |vcpu, promise| Request::Sched(Sched::SetPromise { domain: "web", vcpu, promise });
    client.done(&mut rig, set(69, promise));
    let (mut found, mut from) = (Vec::new(), Some(0));
    while let Some(first) = from {
        let request = Request::Sched(Sched::Promises { domain: "web", from: first });
        client.call(&mut rig, request, |result| {
            let Ok(Answer::Promises { rows, next }) = result else { panic!("{result:?}") };
            found.extend(rows.iter().copied());
            from = next;
        });
    }
    assert_eq!((found.len(), found[69]), (70, promise));
    assert_eq!(found[0].period_us, 10_000);
    let beyond = Request::Sched(Sched::Promises { domain: "web", from: u32::MAX });
    client.call(&mut rig, beyond, |result| {
        assert!(matches!(result, Ok(Answer::Promises { rows, next: None }) if rows.is_empty()));
    });
    for (vcpu, promise) in
        [(70, promise), (0, Promise { budget_us: 0, ..promise }), (0, Promise { budget_us: 501, ..promise })]
    {
        let refusal = client.refused(&mut rig, set(vcpu, promise));
        assert!(matches!(refusal, Failure::Invalid(_)), "{refusal:?}");
    }
    let refusal = client.refused(&mut rig, set(0, Promise { budget_us: 1, ..promise }));
    assert!(matches!(refusal, Failure::Refused { .. }), "{refusal:?}");
}

#[test]
fn a_domain_keeps_what_all_its_virtual_cpus_were_promised_alike() {
    let (mut rig, mut client) = Rig::on(Config { cpus: 2, ..Config::default() }, Rights::Everything);
    let vcpus = xendless_core::config::Vcpus::new(1, 40).unwrap();
    let web = rig.domain_of(Settings { vcpus, ..named("web") }, Rights::Nothing);
    with_rtds(web, &rig);
    let set = |vcpu, budget_us| {
        let promise = Promise { period_us: 500, budget_us, extra: false };
        Request::Sched(Sched::SetPromise { domain: "web", vcpu, promise })
    };
    let kept = |rig: &mut Rig, client: &mut Client| {
        client.call(rig, Request::Config { domain: "web" }, |result| {
            let Ok(Answer::Config(bytes)) = result else { panic!("{result:?}") };
            DomainConfig::decode(bytes).unwrap().scheduling.reservation
        })
    };
    for vcpu in 0..39 {
        client.done(&mut rig, set(vcpu, 100));
    }
    assert_eq!(kept(&mut rig, &mut client), None, "the last one is not like the others");
    client.done(&mut rig, set(39, 100));
    assert_eq!(kept(&mut rig, &mut client), Reservation::new(500, 100).ok());
    client.done(&mut rig, set(7, 200));
    assert_eq!(kept(&mut rig, &mut client), Reservation::new(500, 100).ok());
}

#[test]
fn a_new_domain_has_the_share_of_its_configuration() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    let reservation = Some(Reservation::new(10, 5).unwrap());
    let weight = Some(Weight::new("cpu_weight", 999).unwrap());
    let scheduling = Scheduling { weight, cap: Some(20), reservation };
    let web = rig.domain_of(Settings { scheduling, ..named("web") }, Rights::Nothing);
    assert_eq!(share(&mut rig, &mut client, "web"), Share { weight: 999, cap: 20 });
    assert!(!rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::PAUSED));
    assert!(rig.hv.promises(web, VcpuId(0), &mut [None]).is_err(), "what another scheduler has is left out");
}
