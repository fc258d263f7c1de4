//! Requests about CPU pools.

use xendless_core::config::{List, PoolConfig, PoolName, Ranged, Text, Uuid};
use xendless_core::hyper::{CpuPools, DomId, Domains, Progress};
use xendless_core::protocol::resources::Adjust;
use xendless_core::protocol::{Answer, Failure, Pool, PoolFailure, Pools, Request};
use xendless_core::rights::Rights;
use xendless_tests::sim::Config;

use super::{Client, Rig, named};

fn rig(rights: Rights) -> (Rig, Client) {
    Rig::on(Config { cpus: 4, ..Config::default() }, rights)
}

fn config(name: &str, scheduler: &str, count: u32, wanted: &[u32]) -> Vec<u8> {
    let wanted = wanted.iter().map(|cpu| Ranged::new("cpus", *cpu).unwrap()).collect();
    let remark = (Text::new("word", "owner").unwrap(), Text::new("text", "me").unwrap());
    let config = PoolConfig {
        name: PoolName::new(name).unwrap(),
        uuid: Uuid::from_bytes([5; 16]).unwrap(),
        scheduler: Text::new("sched", scheduler).unwrap(),
        count: Ranged::new("cpus", count).unwrap(),
        wanted: List::new("cpus", wanted).unwrap(),
        remarks: List::new("remarks", vec![remark]).unwrap(),
    };
    config.encode().unwrap()
}

fn pools(rig: &mut Rig, client: &mut Client) -> Vec<Pool> {
    let mut all: Vec<Pool> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.id + 1);
        let next = client.call(rig, Request::Pools(Pools::Next { from }), |result| match result {
            Ok(Answer::Pool(pool)) => pool,
            other => panic!("{other:?}"),
        });
        match next {
            Some(pool) => all.push(*pool),
            None => return all,
        }
    }
}

fn refused(rig: &mut Rig, client: &mut Client, request: Pools<'_>) -> PoolFailure {
    match client.refused(rig, Request::Pools(request)) {
        Failure::Pool(why) => why,
        other => panic!("{other:?}"),
    }
}

fn free(rig: &Rig, cpus: &[u32]) {
    for cpu in cpus {
        assert_eq!(rig.hv.remove_pool_cpu(0, *cpu), Ok(Progress::Done));
    }
}

#[test]
fn a_pool_is_made_used_and_taken_apart() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let before = rig.sim.snapshot();
    free(&rig, &[1, 2, 3]);
    let fast = config("fast", "credit", 2, &[3, 9]);
    client.done(&mut rig, Request::Pools(Pools::Create { config: &fast }));
    let all = pools(&mut rig, &mut client);
    assert_eq!(
        (all[0].name.as_str(), all[0].scheduler.as_str(), &all[0].cpus[..]),
        ("Pool-0", "credit2", &[1][..])
    );
    assert_eq!((all[1].id, all[1].name.as_str(), all[1].scheduler.as_str()), (1, "fast", "credit"));
    assert_eq!(&all[1].cpus[..], [0b1010], "those that it should have come first");
    assert_eq!((all[1].uuid, &all[1].remarks[..]), ([5; 16], &[("owner".into(), "me".into())][..]));
    // XenStore has the name where tools look for it; a domain with rights over all may read it.
    let admin = DomId(1);
    assert_eq!(rig.read(admin, "/local/pool/1/name").as_deref(), Some("fast"));
    assert_eq!(rig.read(admin, "/local/pool/1/other_config/owner").as_deref(), Some("me"));
    assert_eq!(rig.read(admin, "/local/pool/0/name").as_deref(), Some("Pool-0"));
    client.done(&mut rig, Request::Pools(Pools::AddCpu { pool: "fast", cpu: 2 }));
    client.done(&mut rig, Request::Pools(Pools::RemoveCpu { pool: "1", cpu: 3 }));
    client.done(&mut rig, Request::Pools(Pools::Destroy { pool: "fast" }));
    assert_eq!(rig.read(admin, "/local/pool/1/name"), None);
    assert_eq!(pools(&mut rig, &mut client).len(), 1);
    for cpu in 1..4 {
        client.done(&mut rig, Request::Pools(Pools::AddCpu { pool: "Pool-0", cpu }));
    }
    assert_eq!(rig.sim.snapshot().pools, before.pools);
}

#[test]
fn a_domain_is_made_in_its_pool_and_moved() {
    let (mut rig, mut client) = rig(Rights::Everything);
    free(&rig, &[1]);
    let fast = config("fast", "credit", 1, &[]);
    client.done(&mut rig, Request::Pools(Pools::Create { config: &fast }));
    let mut settings = named("web");
    settings.platform.pool = Some(Text::new("pool", "fast").unwrap());
    let web = rig.domain_of(settings, Rights::Nothing);
    assert_eq!(rig.hv.domain_info(web).unwrap().cpupool, 1);
    assert_eq!(refused(&mut rig, &mut client, Pools::Destroy { pool: "fast" }), PoolFailure::InUse);
    let last = Pools::RemoveCpu { pool: "fast", cpu: 1 };
    assert_eq!(refused(&mut rig, &mut client, last), PoolFailure::LastCpu);
    client.done(&mut rig, Request::Pools(Pools::Migrate { domain: "web", pool: "Pool-0" }));
    assert_eq!(rig.hv.domain_info(web).unwrap().cpupool, 0);
    // It is pinned to what it does not find there.
    let pin = Adjust::Pin { vcpu: Some(0), cpus: &[0b1] };
    client.done(&mut rig, Request::Adjust { domain: "web", what: pin });
    client.done(&mut rig, Request::Pools(Pools::Migrate { domain: "web", pool: "1" }));
    // It comes again where it was moved to.
    rig.sim.advance(100_000_000_000);
    use xendless_core::hyper::{Scheduler, ShutdownReason};
    rig.sim.as_domain(web).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    assert_eq!(pools(&mut rig, &mut client)[1].domains, 1);
    client.done(&mut rig, Request::Destroy { domain: "web" });
    client.done(&mut rig, Request::Pools(Pools::Destroy { pool: "fast" }));
    let domain = Pools::Migrate { domain: "0", pool: "Pool-0" };
    assert!(matches!(client.refused(&mut rig, Request::Pools(domain)), Failure::Invalid(_)));
    let nobody = Pools::Migrate { domain: "nobody", pool: "Pool-0" };
    assert_eq!(client.refused(&mut rig, Request::Pools(nobody)), Failure::NoSuchDomain);
}

#[test]
fn a_cpu_that_does_not_go_at_once_is_asked_again_and_one_that_never_goes_stays() {
    let (mut rig, mut client) = rig(Rights::Everything);
    rig.sim.hold_cpus(3);
    client.done(&mut rig, Request::Pools(Pools::RemoveCpu { pool: "0", cpu: 1 }));
    client.done(&mut rig, Request::Pools(Pools::RemoveCpu { pool: "0", cpu: 2 }));
    let fast = config("fast", "credit", 2, &[]);
    client.done(&mut rig, Request::Pools(Pools::Create { config: &fast }));
    let before = rig.sim.snapshot().pools;
    for request in [Pools::RemoveCpu { pool: "fast", cpu: 2 }, Pools::Destroy { pool: "fast" }] {
        rig.sim.hold_cpus(u32::MAX);
        let refusal = client.refused(&mut rig, Request::Pools(request));
        assert!(matches!(refusal, Failure::Refused { errno: 16, .. }), "{refusal:?}");
        assert_eq!(rig.sim.snapshot().pools, before, "nothing is half done");
    }
    rig.sim.hold_cpus(2);
    client.done(&mut rig, Request::Pools(Pools::Destroy { pool: "fast" }));
    assert_eq!(pools(&mut rig, &mut client).len(), 1);
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let (mut rig, mut client) = rig(Rights::Everything);
    free(&rig, &[1, 2]);
    let before = rig.sim.snapshot();
    let create =
        |rig: &mut Rig, client: &mut Client, config: &[u8]| refused(rig, client, Pools::Create { config });
    let too_few = PoolFailure::TooFewCpus { wanted: 3, free: 2 };
    assert_eq!(create(&mut rig, &mut client, &config("a", "credit", 3, &[])), too_few);
    for unknown in ["sedf", "null"] {
        let found = create(&mut rig, &mut client, &config("a", unknown, 1, &[]));
        assert_eq!(found, PoolFailure::Scheduler, "{unknown}");
    }
    assert_eq!(create(&mut rig, &mut client, &config("Pool-0", "credit", 1, &[])), PoolFailure::NameTaken);
    let garbage = client.refused(&mut rig, Request::Pools(Pools::Create { config: b"garbage" }));
    assert!(matches!(garbage, Failure::Invalid(_)));
    for (request, why) in [
        (Pools::Destroy { pool: "a" }, PoolFailure::Unknown),
        (Pools::Destroy { pool: "0" }, PoolFailure::First),
        (Pools::AddCpu { pool: "0", cpu: 3 }, PoolFailure::CpuTaken("Pool-0".into())),
        (Pools::AddCpu { pool: "0", cpu: 4 }, PoolFailure::NoSuchCpu),
        (Pools::AddCpu { pool: "0", cpu: u32::MAX }, PoolFailure::NoSuchCpu),
        (Pools::AddCpu { pool: "a", cpu: 1 }, PoolFailure::Unknown),
        (Pools::RemoveCpu { pool: "0", cpu: 1 }, PoolFailure::CpuElsewhere),
        (Pools::RemoveCpu { pool: "0", cpu: 7 }, PoolFailure::NoSuchCpu),
        (Pools::RemoveCpu { pool: "0", cpu: 0 }, PoolFailure::First),
        (Pools::Migrate { domain: "admin", pool: "a" }, PoolFailure::Unknown),
    ] {
        assert_eq!(refused(&mut rig, &mut client, request), why, "{request:?}");
    }
    assert_eq!(rig.sim.snapshot(), before);
    let from = Request::Pools(Pools::Next { from: u32::MAX });
    client.call(&mut rig, from, |result| assert_eq!(result, Ok(Answer::Pool(None))));
}

#[test]
fn pools_take_rights() {
    for (rights, needs) in [(Rights::Observe, Rights::Everything), (Rights::Children, Rights::Everything)] {
        let (mut rig, mut client) = rig(rights);
        free(&rig, &[1]);
        assert_eq!(pools(&mut rig, &mut client).len(), 1);
        let fast = config("fast", "credit", 1, &[]);
        for request in [
            Pools::Create { config: &fast },
            Pools::Destroy { pool: "0" },
            Pools::AddCpu { pool: "0", cpu: 1 },
            Pools::RemoveCpu { pool: "0", cpu: 2 },
        ] {
            let refusal = client.refused(&mut rig, Request::Pools(request));
            assert_eq!(refusal, Failure::Forbidden { needs }, "{request:?}");
        }
        let refusal = client.refused(&mut rig, Request::Pools(Pools::Migrate { domain: "admin", pool: "0" }));
        assert!(matches!(refusal, Failure::Forbidden { .. }), "{refusal:?}");
        // What the relay answers, the control domain does not.
        let kept = client.refused(&mut rig, Request::Pools(Pools::Definition { after: "" }));
        assert!(matches!(kept, Failure::Unsupported(_)), "{kept:?}");
    }
}

#[test]
fn a_pool_in_the_making_goes_with_its_client() {
    let (mut rig, mut client) = rig(Rights::Everything);
    free(&rig, &[1, 2, 3]);
    let before = rig.sim.snapshot().pools;
    let fast = config("fast", "credit", 3, &[]);
    // Request and cancellation come together, so that the second meets the first at work.
    let mut bytes = Vec::new();
    let request = Request::Pools(Pools::Create { config: &fast });
    let id = xendless_core::protocol::RequestId(900);
    use xendless_core::protocol::{Up, frame};
    frame::append(&mut bytes, &Up::Request { id, request }).unwrap();
    frame::append(&mut bytes, &Up::Cancel { id }).unwrap();
    client.send_bytes(&mut rig, &bytes);
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
    assert_eq!(rig.sim.snapshot().pools, before);
}
