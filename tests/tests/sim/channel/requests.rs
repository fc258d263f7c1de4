//! Requests that look at domains and change them.

use xendless_core::hyper::{DomId, DomainFlags, Domains, Scheduler, ShutdownReason};
use xendless_core::life::Wish;
use xendless_core::protocol::{Answer, Failure, Request, Until};
use xendless_core::rights::Rights;
use xendless_tests::sim::SimHypervisor;

use super::{Client, Rig, named};

/// Names of all domains, with their ids.
fn names(rig: &mut Rig, client: &mut Client) -> Vec<(u16, String)> {
    client.call(rig, Request::List { from: 0 }, |result| match result {
        Ok(Answer::Rows { rows, next: None }) => {
            rows.iter().map(|row| (row.domid, row.name.clone())).collect()
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_list_has_every_domain_with_its_name() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("web", Rights::Nothing);
    let found = names(&mut rig, &mut client);
    assert_eq!(found, [(0, "Domain-0".into()), (1, "admin".into()), (2, "web".into())]);
    rig.sim.advance(5_000_000_000);
    client.call(&mut rig, Request::Find { domain: "web" }, |result| {
        let Ok(Answer::Rows { rows, .. }) = result else { panic!("{result:?}") };
        let row = &rows[0];
        assert_eq!((row.domid, row.uuid), (2, named("web").uuid.handle()));
        assert_eq!((row.age_ns, row.restarts, row.max_vcpus), (Some(5_000_000_000), 0, 2));
        assert!(row.memory_kib > 0 && !row.flags().contains(DomainFlags::PAUSED));
    });
}

#[test]
fn a_long_list_comes_in_pages() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    for _ in 0..40 {
        crate::create(&rig.hv, xendless_core::hyper::CreateFlags::empty());
    }
    let (mut found, mut from) = (Vec::new(), Some(0));
    while let Some(first) = from {
        client.call(&mut rig, Request::List { from: first }, |result| {
            let Ok(Answer::Rows { rows, next }) = result else { panic!("{result:?}") };
            found.extend(rows.iter().map(|row| row.domid));
            from = next;
        });
    }
    assert_eq!(found, (0..42).collect::<Vec<u16>>());
}

#[test]
fn a_domain_is_meant_by_name_number_or_uuid_in_this_order() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("0", Rights::Nothing);
    let uuid = named("admin").uuid.to_string();
    for (word, domid) in [("admin", 1), ("1", 1), (uuid.as_str(), 1), ("Domain-0", 0), ("0", 2)] {
        client.call(&mut rig, Request::Find { domain: word }, |result| {
            let Ok(Answer::Rows { rows, .. }) = result else { panic!("{word}: {result:?}") };
            assert_eq!(rows[0].domid, domid, "{word}");
        });
    }
    let other = named("other").uuid.to_string();
    for word in ["", "nobody", "77", "70000", "32752", "-1", "admin ", other.as_str()] {
        assert_eq!(client.refused(&mut rig, Request::Find { domain: word }), Failure::NoSuchDomain, "{word}");
    }
}

#[test]
fn the_host_is_described() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    client.call(&mut rig, Request::Host, |result| {
        let Ok(Answer::Host(host)) = result else { panic!("{result:?}") };
        assert_eq!((host.xen_major, host.xen_minor, host.xen_extra.as_str()), (4, 17, ".7"));
        assert!(host.free_kib > 0 && host.free_kib < host.total_kib);
        assert_eq!(host.heap_limit_kib, 24_576);
    });
}

#[test]
fn pausing_is_a_state_not_a_count() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let paused = |rig: &Rig| rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::PAUSED);
    client.done(&mut rig, Request::Unpause { domain: "web" });
    client.done(&mut rig, Request::Pause { domain: "web" });
    client.done(&mut rig, Request::Pause { domain: "web" });
    assert!(paused(&rig));
    client.done(&mut rig, Request::Unpause { domain: "web" });
    assert!(!paused(&rig));
    for own in ["admin", "Domain-0"] {
        assert!(matches!(client.refused(&mut rig, Request::Pause { domain: own }), Failure::Invalid(_)));
    }
}

#[test]
fn a_domain_gets_another_name() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    client.done(&mut rig, Request::Rename { domain: "web", name: "www" });
    assert_eq!(rig.read(web, "name").as_deref(), Some("www"));
    assert_eq!(client.refused(&mut rig, Request::Find { domain: "web" }), Failure::NoSuchDomain);
    let taken = client.refused(&mut rig, Request::Rename { domain: "www", name: "admin" });
    assert_eq!(taken, Failure::NameTaken { domid: Some(1) });
    let taken = client.refused(&mut rig, Request::Rename { domain: "www", name: "Domain-0" });
    assert_eq!(taken, Failure::NameTaken { domid: Some(0) });
    let wrong = client.refused(&mut rig, Request::Rename { domain: "www", name: "a b" });
    assert!(matches!(wrong, Failure::Invalid(_)), "{wrong:?}");
}

#[test]
fn a_domain_is_asked_to_shut_down_and_waited_for() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    client.done(&mut rig, Request::Shutdown { domain: "web", wish: Wish::Poweroff });
    assert_eq!(rig.read(web, "control/shutdown").as_deref(), Some("poweroff"));
    let stopped = client.ask(&mut rig, Request::Wait { domain: "web", until: Until::Stopped });
    let gone = client.ask(&mut rig, Request::Wait { domain: "web", until: Until::Gone });
    client.take();
    assert!(client.inbox.is_empty(), "it still runs");
    rig.sim.as_domain(web).shutdown(ShutdownReason::Poweroff).unwrap();
    for id in [stopped, gone] {
        client.answer(&mut rig, id, |result| assert_eq!(result, Ok(Answer::Done)));
    }
    let gone = client.refused(&mut rig, Request::Shutdown { domain: "web", wish: Wish::Halt });
    assert_eq!(gone, Failure::NoSuchDomain);
    assert_eq!(
        client.refused(&mut rig, Request::Shutdown { domain: "0", wish: Wish::Halt }),
        Failure::NotRunning
    );
}

#[test]
fn what_is_destroyed_is_gone_when_that_is_answered() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let before = rig.sim.snapshot();
    rig.domain("web", Rights::Nothing);
    let stray = crate::create(&rig.hv, xendless_core::hyper::CreateFlags::empty());
    client.done(&mut rig, Request::Destroy { domain: "web" });
    client.done(&mut rig, Request::Destroy { domain: &stray.to_string() });
    let after = rig.sim.snapshot();
    assert_eq!(after.domains.keys().collect::<Vec<_>>(), before.domains.keys().collect::<Vec<_>>());
    for (word, domid) in [("Domain-0", SimHypervisor::INITIAL), ("admin", DomId(1))] {
        let refusal = client.refused(&mut rig, Request::Destroy { domain: word });
        assert!(matches!(refusal, Failure::Invalid(_)) && rig.hv.domain_info(domid).is_ok());
    }
}

#[test]
fn texts_are_read_to_their_end() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let long = "(XEN) a line of Xen's\n".repeat(500);
    rig.sim.xen_says(&long);
    for (clear, expected) in [(true, long.as_str()), (false, "")] {
        let id = client.ask(&mut rig, Request::Dmesg { clear });
        client.credit(&mut rig, id);
        let (bytes, end) = client.stream(&mut rig, id);
        assert_eq!((String::from_utf8(bytes).unwrap().as_str(), end), (expected, Some(Ok(()))));
    }
    let id = client.ask(&mut rig, Request::Log);
    client.credit(&mut rig, id);
    let (bytes, end) = client.stream(&mut rig, id);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("] domain 1 is connected to the control channel\n"), "{text}");
    assert_eq!(end, Some(Ok(())));
}

#[test]
fn a_configuration_comes_as_it_stands_now() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    client.done(&mut rig, Request::Rename { domain: "web", name: "www" });
    client.call(&mut rig, Request::Config { domain: "www" }, |result| {
        let Ok(Answer::Config(bytes)) = result else { panic!("{result:?}") };
        let config = xendless_core::config::DomainConfig::decode(bytes).unwrap();
        assert_eq!((config.name.as_str(), config.uuid), ("www", named("web").uuid));
    });
    let refusal = client.refused(&mut rig, Request::Config { domain: "0" });
    assert!(matches!(refusal, Failure::Unsupported(_)), "{refusal:?}");
}
