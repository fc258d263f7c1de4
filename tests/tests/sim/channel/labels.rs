//! Requests about security labels, on a Xen that has them and on one that does not.

use xendless_core::config::{DomainConfig, Settings, Text};
use xendless_core::hyper::{Domains, Labelled, Labels as _, USUAL_LABEL};
use xendless_core::protocol::{
    Answer, CHUNK, Down, Failure, Labels, POLICY, Policy, Request, RequestId, Up, frame,
};
use xendless_core::rights::Rights;
use xendless_tests::sim::{Config, POLICY_MAGIC};

use super::{Client, Rig, image, kernel, named};

const DOM0: &str = "system_u:system_r:dom0_t";
const USUAL: &str = "system_u:system_r:domU_t";
const OTHER: &str = "system_u:system_r:isolated_domU_t";

fn rig(rights: Rights) -> (Rig, Client) {
    Rig::on(Config { flask: true, ..Config::default() }, rights)
}

fn labelled(name: &str, label: &str) -> Settings {
    let mut settings = named(name);
    settings.platform.label = Some(Text::new("seclabel", label).unwrap());
    settings
}

fn label(rig: &mut Rig, client: &mut Client, number: u32) -> String {
    client.call(rig, Request::Labels(Labels::Text { number }), |result| match result {
        Ok(Answer::Label(label)) => label,
        other => panic!("{other:?}"),
    })
}

fn create(rig: &mut Rig, client: &mut Client, settings: Settings) -> RequestId {
    let config = DomainConfig::new(settings).unwrap().encode().unwrap();
    let request = Request::Create {
        config: &config,
        kernel: image(&kernel()),
        ramdisk: None,
        paused: false,
        saved: false,
    };
    client.ask(rig, request)
}

/// Sends a policy as it is asked for, in pieces of at most so many bytes; gives what came of it.
fn load(rig: &mut Rig, client: &mut Client, bytes: &[u8], size: u32) -> Result<(), Failure> {
    let id = client.ask(rig, Request::Labels(Labels::Load { size }));
    let mut rest = bytes;
    loop {
        client.signal(rig);
        let body = client.receive().expect("credit or an answer");
        match frame::parse(&body).unwrap() {
            Down::Credit { bytes: credit, .. } => {
                let mut credit = usize::try_from(credit).unwrap();
                while credit > 0 && !rest.is_empty() {
                    let (piece, later) = rest.split_at(credit.min(rest.len()).min(CHUNK));
                    client.send(rig, &Up::Data { id, bytes: piece });
                    (credit, rest) = (credit - piece.len(), later);
                }
            }
            Down::Answer { result, .. } => return result.map(drop),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn domains_are_made_with_their_label_and_keep_it() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let usual = rig.domain("web", Rights::Nothing);
    assert_eq!(rig.hv.domain_info(usual).unwrap().ssid, USUAL_LABEL);
    let other = rig.domain_of(labelled("db", OTHER), Rights::Nothing);
    let number = rig.hv.domain_info(other).unwrap().ssid;
    assert_ne!(number, USUAL_LABEL);
    assert_eq!(label(&mut rig, &mut client, number), OTHER);
    assert_eq!(label(&mut rig, &mut client, USUAL_LABEL), USUAL);
    // What it was given holds in its next life.
    let relabel = |label| Request::Labels(Labels::Domain { domain: "web", label });
    client.done(&mut rig, relabel(Some(OTHER)));
    assert_eq!(rig.hv.domain_info(usual).unwrap().ssid, number);
    rig.sim.advance(100_000_000_000);
    use xendless_core::hyper::{Scheduler, ShutdownReason};
    rig.sim.as_domain(usual).shutdown(ShutdownReason::Reboot).unwrap();
    rig.run();
    let again = client.call(&mut rig, Request::Find { domain: "web" }, |result| match result {
        Ok(Answer::Rows { rows, .. }) => (rows[0].domid, rows[0].ssid),
        other => panic!("{other:?}"),
    });
    assert_eq!((again.0 > other.0, again.1), (true, number));
    client.done(&mut rig, relabel(None));
    assert_eq!(rig.hv.domain_info(xendless_core::hyper::DomId(again.0)).unwrap().ssid, USUAL_LABEL);
}

#[test]
fn labels_that_cannot_be_leave_no_domain() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let before = rig.sim.snapshot();
    let id = create(&mut rig, &mut client, labelled("db", "no:such:label"));
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::NoSuchLabel)));
    for wrong in ["", "no:such:label", "system_u:system_r:domU_t\0", &"x".repeat(256)] {
        let check = Request::Labels(Labels::Check { label: wrong });
        assert_eq!(client.refused(&mut rig, check), Failure::NoSuchLabel, "{wrong:?}");
    }
    // There is one initial domain: Xen refuses a second, after its kernel is there.
    let id = create(&mut rig, &mut client, labelled("db", DOM0));
    client.send(&mut rig, &Up::Data { id, bytes: &kernel() });
    client.signal(&mut rig);
    let answer =
        std::iter::from_fn(|| client.receive()).find_map(|body| match frame::parse(&body).unwrap() {
            Down::Answer { result, .. } => Some(result.map(drop)),
            _ => None,
        });
    assert!(matches!(answer, Some(Err(Failure::Create(_)))), "{answer:?}");
    assert_eq!(rig.sim.snapshot(), before);
    client.done(&mut rig, Request::Labels(Labels::Check { label: OTHER }));
    let control = Labels::Domain { domain: "0", label: Some(OTHER) };
    assert!(matches!(client.refused(&mut rig, Request::Labels(control)), Failure::Invalid(_)));
}

#[test]
fn the_policy_is_seen_loaded_and_enforced_or_not() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let policy = |rig: &mut Rig, client: &mut Client| {
        client.call(rig, Request::Labels(Labels::Policy), |result| match result {
            Ok(Answer::Policy(policy)) => policy,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(policy(&mut rig, &mut client), Policy { enforcing: true, version: 30 });
    client.done(&mut rig, Request::Labels(Labels::Enforce { enforcing: false }));
    assert!(!policy(&mut rig, &mut client).enforcing);
    client.done(&mut rig, Request::Labels(Labels::Enforce { enforcing: true }));
    // A long one, which brings a type.
    let bytes = [&POLICY_MAGIC[..], "x".repeat(200_000).as_bytes(), b"_t"].concat();
    let size = u32::try_from(bytes.len()).unwrap();
    assert_eq!(load(&mut rig, &mut client, &bytes, size), Ok(()));
    assert_eq!(rig.sim.loaded_policy(), bytes);
    let short = [&POLICY_MAGIC[..], b"new_t"].concat();
    assert_eq!(load(&mut rig, &mut client, &short, 9), Ok(()));
    client.done(&mut rig, Request::Labels(Labels::Check { label: "system_u:system_r:new_t" }));
    // Xen looks into it.
    assert!(matches!(load(&mut rig, &mut client, b"none", 4), Err(Failure::Refused { errno: 22, .. })));
    for size in [0, POLICY + 1, u32::MAX] {
        let refusal = client.refused(&mut rig, Request::Labels(Labels::Load { size }));
        assert!(matches!(refusal, Failure::Invalid(_)), "{size}: {refusal:?}");
    }
    assert_eq!(rig.sim.loaded_policy(), short);
}

#[test]
fn attack_e02_a_policy_that_is_not_asked_for_ends_the_session_and_one_that_stops_coming_is_dropped() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let id = client.ask(&mut rig, Request::Labels(Labels::Load { size: 100_000 }));
    client.send(&mut rig, &Up::Data { id, bytes: b"a part" });
    client.send(&mut rig, &Up::Cancel { id });
    client.signal(&mut rig);
    let answers =
        std::iter::from_fn(|| client.receive()).filter_map(|body| match frame::parse(&body).unwrap() {
            Down::Answer { result, .. } => Some(result.map(drop)),
            _ => None,
        });
    assert_eq!(answers.collect::<Vec<_>>(), [Err(Failure::Cancelled)]);
    assert!(rig.sim.loaded_policy().is_empty());
    let id = client.ask(&mut rig, Request::Labels(Labels::Load { size: 3 }));
    client.send(&mut rig, &Up::Data { id, bytes: b"more" });
    client.signal(&mut rig);
    let closed = std::iter::from_fn(|| client.receive())
        .any(|body| matches!(frame::parse(&body), Ok(Down::Closed(_))));
    assert!(closed, "more than was said");
}

#[test]
fn parts_of_the_machine_get_labels() {
    let (mut rig, mut client) = rig(Rights::Everything);
    let part =
        |first, last, label| Request::Labels(Labels::Resource { what: Labelled::IoPort, first, last, label });
    client.done(&mut rig, part(0x2f8, 0x2ff, Some(OTHER)));
    let number = rig.hv.label_number(OTHER).unwrap();
    assert_eq!(rig.sim.labelled_resources(), [(2, 0x2f8, 0x2ff, number)]);
    assert!(matches!(client.refused(&mut rig, part(2, 1, Some(OTHER))), Failure::Invalid(_)));
    assert_eq!(client.refused(&mut rig, part(1, 2, Some("no"))), Failure::NoSuchLabel);
    client.done(&mut rig, part(0x2f8, 0x2ff, None));
    assert!(rig.sim.labelled_resources().is_empty());
    assert!(matches!(client.refused(&mut rig, part(1, 1, None)), Failure::Refused { errno: 2, .. }));
}

#[test]
fn a_xen_without_labels_says_so_and_makes_no_domain_that_wants_one() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    assert_eq!(rig.hv.domain_info(web).unwrap().ssid, 0);
    for request in [
        Labels::Policy,
        Labels::Text { number: 12 },
        Labels::Check { label: USUAL },
        Labels::Enforce { enforcing: true },
        Labels::Load { size: 4 },
        Labels::Domain { domain: "web", label: Some(USUAL) },
        Labels::Resource { what: Labelled::Irq, first: 5, last: 5, label: None },
    ] {
        assert_eq!(client.refused(&mut rig, Request::Labels(request)), Failure::NoLabels, "{request:?}");
    }
    let before = rig.sim.snapshot();
    let id = create(&mut rig, &mut client, labelled("db", USUAL));
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::NoLabels)));
    assert_eq!(rig.sim.snapshot(), before);
}

#[test]
fn attack_e01_labels_and_the_policy_take_all_rights() {
    for rights in [Rights::Observe, Rights::Children] {
        let (mut rig, mut client) = rig(rights);
        assert_eq!(label(&mut rig, &mut client, USUAL_LABEL), USUAL);
        let forbidden = Failure::Forbidden { needs: Rights::Everything };
        for request in [
            Labels::Enforce { enforcing: false },
            Labels::Load { size: 4 },
            Labels::Domain { domain: "admin", label: Some(OTHER) },
            Labels::Resource { what: Labelled::Irq, first: 5, last: 5, label: None },
        ] {
            assert_eq!(client.refused(&mut rig, Request::Labels(request)), forbidden, "{request:?}");
        }
        assert!(rig.hv.enforcing().unwrap());
        if rights == Rights::Children {
            let id = create(&mut rig, &mut client, labelled("db", OTHER));
            client.answer(&mut rig, id, |result| assert_eq!(result, Err(forbidden)));
        }
    }
}
