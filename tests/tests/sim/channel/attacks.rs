//! Domains that ask for what they may not, and clients that break the rules.

use xendless_core::channel::{Ended, Happened, News};
use xendless_core::config::{Boot, DomainConfig, Path, Settings};
use xendless_core::control::Event;
use xendless_core::hyper::{DomId, EventChannels, Trigger};
use xendless_core::life::Wish;
use xendless_core::protocol::frame;
use xendless_core::protocol::resources::{Adjust, Machine};
use xendless_core::protocol::{
    Answer, Created, Down, Failure, Hello, Image, Rejection, Request, RequestId, Until, Up,
};
use xendless_core::rights::Rights;

use super::{Client, Rig, image, kernel, named};

const IMAGE: Image = Image { digest: [1; 32], size: 1 };

/// Every request that is the control domain's to answer, about a domain of another.
fn every<'a>(config: &'a [u8]) -> Vec<(Request<'a>, Rights)> {
    let domain = "web";
    let adjust = |what| Request::Adjust { domain, what };
    let create = Request::Create { config, kernel: IMAGE, ramdisk: None, paused: false, saved: false };
    vec![
        (Request::Host, Rights::Observe),
        (Request::List { from: 0 }, Rights::Observe),
        (Request::Find { domain }, Rights::Observe),
        (Request::Config { domain }, Rights::Observe),
        (Request::Wait { domain, until: Until::Gone }, Rights::Observe),
        (Request::Vcpus { domain, from: 0 }, Rights::Observe),
        (Request::Machine(Machine::Cpus { from: 0 }), Rights::Observe),
        (Request::Machine(Machine::Nodes { from: 0 }), Rights::Observe),
        (Request::Events { after: None }, Rights::Observe),
        (create, Rights::Children),
        (Request::Destroy { domain }, Rights::Everything),
        (Request::Shutdown { domain, wish: Wish::Halt }, Rights::Everything),
        (Request::Pause { domain }, Rights::Everything),
        (Request::Unpause { domain }, Rights::Everything),
        (Request::Rename { domain, name: "mine" }, Rights::Everything),
        (adjust(Adjust::Memory { kib: 2048 }), Rights::Everything),
        (adjust(Adjust::MaxMemory { kib: 8192 }), Rights::Everything),
        (adjust(Adjust::Online { vcpus: 2 }), Rights::Everything),
        (adjust(Adjust::Pin { vcpu: None, cpus: &[1] }), Rights::Everything),
        (adjust(Adjust::SysRq { key: 'h' }), Rights::Everything),
        (adjust(Adjust::Trigger { trigger: Trigger::Nmi, vcpu: 0 }), Rights::Everything),
        (adjust(Adjust::WakeUp), Rights::Everything),
        (adjust(Adjust::Reset), Rights::Everything),
        (Request::Machine(Machine::Keys { keys: "h" }), Rights::Everything),
        (Request::Console { domain }, Rights::Everything),
        (Request::Dmesg { clear: true }, Rights::Everything),
        (Request::Log, Rights::Everything),
    ]
}

fn forbidden(body: &[u8]) -> bool {
    matches!(frame::parse(body), Ok(Down::Answer { result: Err(Failure::Forbidden { .. }), .. }))
}

#[test]
fn attack_e01_each_verb_asks_for_the_right() {
    let config = DomainConfig::new(named("new")).unwrap().encode().unwrap();
    for rights in [Rights::Observe, Rights::Children, Rights::Everything] {
        let (mut rig, mut client) = Rig::with(rights);
        rig.domain("web", Rights::Nothing);
        let domains = rig.sim.snapshot().domains;
        for (request, needs) in every(&config) {
            client.ask(&mut rig, request);
            client.take();
            let first = client.inbox.pop_front();
            let refused = first.as_deref().is_some_and(forbidden);
            assert_eq!(refused, rights < needs, "{rights}: {request:?}: {first:?}");
            client.inbox.clear();
        }
        if rights < Rights::Everything {
            assert_eq!(rig.sim.snapshot().domains, domains, "nothing was done");
        }
    }
}

#[test]
fn attack_e01_a_domain_without_rights_has_no_channel() {
    let mut rig = Rig::new();
    let nobody = rig.domain("nobody", Rights::Nothing);
    assert!(Client::open(&mut rig, nobody).is_none());
    let admin = rig.domain("admin", Rights::Everything);
    for node in ["ring-ref", "event-channel"] {
        let path = format!("/xendless/control/{admin}/{node}");
        assert_eq!(rig.read(nobody, &path), None, "nor does it learn of others'");
    }
}

#[test]
fn who_has_a_say_over_its_children_has_one_over_them_only() {
    let (mut rig, mut client) = Rig::with(Rights::Children);
    rig.domain("web", Rights::Nothing);
    let boot = Boot::Direct { kernel: Path::new("kernel", "/kernel").unwrap(), ramdisk: None };
    let config = DomainConfig::new(Settings { boot, ..named("child") }).unwrap().encode().unwrap();
    let bytes = kernel();
    let request = Request::Create {
        config: &config,
        kernel: image(&bytes),
        ramdisk: None,
        paused: false,
        saved: false,
    };
    let id = client.ask(&mut rig, request);
    client.inbox.clear();
    client.send(&mut rig, &Up::Data { id, bytes: &bytes });
    while client.inbox.len() > 1 {
        client.inbox.pop_front();
    }
    let child = client.answer(&mut rig, id, |result| match result {
        Ok(Answer::Created(Created { domid })) => domid.to_string(),
        other => panic!("{other:?}"),
    });
    let needs = Rights::Everything;
    assert_eq!(client.refused(&mut rig, Request::Pause { domain: "web" }), Failure::Forbidden { needs });
    client.done(&mut rig, Request::Pause { domain: &child });
    client.done(&mut rig, Request::Destroy { domain: "child" });
}

/// The reason for which the domain was cut off.
fn cut(rig: &mut Rig, domid: DomId) -> Option<Ended> {
    rig.site.take_events().iter().find_map(|event| match event {
        Event::Channel(News { domid: found, what: Happened::Cut(why) }) if *found == domid => Some(*why),
        _ => None,
    })
}

#[test]
fn attack_e02_who_breaks_the_protocol_is_cut_off_alone() {
    let bytes = |message: &Up<'_>| {
        let mut out = Vec::new();
        frame::append(&mut out, message).unwrap();
        out
    };
    let hello = bytes(&Up::Hello(Hello::OURS));
    let list =
        bytes(&Up::Request { id: RequestId(7), request: Request::Wait { domain: "0", until: Until::Gone } });
    let other = Hello { version: 9, ..Hello::OURS };
    for (sent, why) in [
        (list.clone(), Rejection::Order),
        ([hello.clone(), hello.clone()].concat(), Rejection::Order),
        (bytes(&Up::Hello(other)), Rejection::Version(Hello::OURS)),
        (u32::MAX.to_le_bytes().to_vec(), Rejection::Malformed),
        (vec![0; 4], Rejection::Malformed),
        (vec![2, 0, 0, 0, 0xff, 0xff], Rejection::Malformed),
        ([hello.clone(), list.clone(), list.clone()].concat(), Rejection::Misuse),
        (
            [hello.clone(), list, bytes(&Up::Data { id: RequestId(7), bytes: b"x" })].concat(),
            Rejection::Misuse,
        ),
    ] {
        let mut rig = Rig::new();
        let [bad, good] = ["bad", "good"].map(|name| rig.domain(name, Rights::Observe));
        let mut good = Client::greeted(&mut rig, good);
        let mut client = Client::open(&mut rig, bad).unwrap();
        client.connect(&mut rig);
        rig.site.take_events();
        client.send_bytes(&mut rig, &sent);
        assert_eq!(cut(&mut rig, bad), Some(Ended::Rejected(why)), "{sent:?}");
        client.take();
        let last = client.inbox.pop_back().expect("it is told why");
        assert_eq!(frame::parse(&last), Ok(Down::Closed(why)));
        good.call(&mut rig, Request::Host, |result| assert!(result.is_ok()));
        // It may come again.
        client.end.close();
        client.connect(&mut rig);
        client.send(&mut rig, &Up::Hello(Hello::OURS));
        let welcome = client.receive().expect("a welcome");
        assert!(matches!(frame::parse(&welcome), Ok(Down::Welcome(_))));
    }
}

#[test]
fn attack_e02_who_reads_nothing_is_not_listened_to_and_holds_up_nobody() {
    const REQUESTS: u32 = 12_000;
    let mut rig = Rig::new();
    let [deaf, good] = ["deaf", "good"].map(|name| rig.domain(name, Rights::Observe));
    let mut good = Client::greeted(&mut rig, good);
    let mut client = Client::greeted(&mut rig, deaf);
    let mut bytes = Vec::new();
    for id in 0..REQUESTS {
        frame::append(&mut bytes, &Up::Request { id: RequestId(id), request: Request::Host }).unwrap();
    }
    use embedded_io::Write;
    let mut left = &bytes[..];
    while client.end.room().unwrap() > 0 && !left.is_empty() {
        let count = client.end.write(left).unwrap();
        left = &left[count..];
        client.view.notify(client.port).unwrap();
        rig.run();
    }
    assert!(!left.is_empty(), "its requests are left in its ring");
    good.call(&mut rig, Request::Host, |result| assert!(result.is_ok()));
    // When it reads at last it gets everything.
    client.send_bytes(&mut rig, left);
    client.signal(&mut rig);
    while client.inbox.len() < REQUESTS as usize {
        let before = client.inbox.len();
        client.signal(&mut rig);
        assert!(client.inbox.len() > before, "{before} answers");
    }
}

#[test]
fn attack_b06_impossible_indices_cost_the_client_its_connection() {
    let (mut rig, client) = Rig::with(Rights::Everything);
    let other = rig.domain("other", Rights::Observe);
    let mut other = Client::greeted(&mut rig, other);
    rig.site.take_events();
    // The client's own index of what it wrote, beyond the ring.
    let home = rig.read(DomId(1), "/xendless/control/1/ring-ref").unwrap().parse().unwrap();
    use xendless_core::hyper::{Access, GrantRef, Grants};
    let page = client.view.map_grant(DomId(0), GrantRef(home), Access::ReadWrite).unwrap();
    page.write(4, &(1u32 << 20).to_ne_bytes());
    client.view.notify(client.port).unwrap();
    rig.run();
    assert!(matches!(cut(&mut rig, DomId(1)), Some(Ended::Stream(_))));
    other.call(&mut rig, Request::Host, |result| assert!(result.is_ok()));
}
