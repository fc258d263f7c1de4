//! Those who listen to what happens to domains.

use xendless_core::hyper::{Scheduler, ShutdownReason};
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Failure, Happening, Request, RequestId, Up, What};
use xendless_core::rights::Rights;

use super::{Client, Rig};

/// Begins to listen, with credit.
fn listen(rig: &mut Rig, client: &mut Client, after: Option<u64>) -> RequestId {
    let id = client.ask(rig, Request::Events { after });
    client.credit(rig, id);
    id
}

/// What was told since the last look, without the mark where the past ends.
fn told(rig: &mut Rig, client: &mut Client, id: RequestId) -> Vec<Happening> {
    let (bytes, end) = client.stream(rig, id);
    assert_eq!(end, None, "it goes on");
    let (mut all, mut frames, mut bytes) = (Vec::<Happening>::new(), Assembler::default(), &bytes[..]);
    while !bytes.is_empty() {
        frames.take(&mut bytes).unwrap();
        all.push(frame::parse(frames.frame().expect("whole ones")).unwrap());
        frames.clear();
    }
    all.retain(|one| one.what != What::Now);
    all
}

fn whats(all: Vec<Happening>) -> Vec<(String, What)> {
    all.into_iter().map(|one| (one.name, one.what)).collect()
}

#[test]
fn the_life_of_a_domain_is_told_as_it_happens() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let other = rig.domain("other", Rights::Observe);
    let mut other = Client::greeted(&mut rig, other);
    let mine = listen(&mut rig, &mut client, None);
    let theirs = listen(&mut rig, &mut other, None);
    let web = rig.domain("web", Rights::Nothing);
    rig.sim.advance(3_000_000);
    rig.read(web, "name");
    rig.read(web, "name");
    for request in [
        Request::Pause { domain: "web" },
        Request::Pause { domain: "web" },
        Request::Unpause { domain: "web" },
        Request::Rename { domain: "web", name: "www" },
    ] {
        let id = client.ask(&mut rig, request);
        // Its answer stands among what is told.
        client.inbox.retain(|body| {
            !matches!(frame::parse(body), Ok(xendless_core::protocol::Down::Answer { id: found, .. }) if found == id)
        });
    }
    rig.sim.as_domain(web).shutdown(ShutdownReason::Poweroff).unwrap();
    rig.run();
    let all = told(&mut rig, &mut other, theirs);
    assert!(all.windows(2).all(|pair| pair[0].serial + 1 == pair[1].serial));
    assert!(all.iter().all(|one| one.domid == Some(web.0)));
    let wanted = [
        ("web", What::Created),
        ("web", What::Booted),
        ("web", What::Paused),
        ("web", What::Unpaused),
        ("www", What::Renamed { from: "web".into() }),
        ("www", What::Stopped { reason: 0 }),
        ("www", What::Gone),
    ]
    .map(|(name, what)| (name.to_owned(), what));
    assert_eq!(whats(all), wanted);
    assert_eq!(whats(told(&mut rig, &mut client, mine)), wanted, "everybody is told");
}

#[test]
fn who_listens_is_told_without_a_move_of_its_own() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let other = rig.domain("other", Rights::Observe);
    let mut other = Client::greeted(&mut rig, other);
    let theirs = listen(&mut rig, &mut other, None);
    told(&mut rig, &mut other, theirs);
    // By another client, and by the domain itself.
    client.done(&mut rig, Request::Pause { domain: "other" });
    other.take();
    assert_eq!(other.inbox.len(), 1, "paused");
    let web = rig.domain("web", Rights::Nothing);
    rig.read(web, "name");
    other.take();
    assert_eq!(other.inbox.len(), 3, "created and booted");
}

#[test]
fn who_comes_back_goes_on_where_it_left() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("web", Rights::Nothing);
    let id = listen(&mut rig, &mut client, Some(0));
    let all = told(&mut rig, &mut client, id);
    let last = all.last().unwrap().serial;
    assert_eq!(all.iter().filter(|one| one.what == What::Created).count(), 2, "the admin domain, too");
    client.send(&mut rig, &Up::Cancel { id });
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
    rig.domain("mail", Rights::Nothing);
    rig.sim.advance(5_000_000_000);
    let id = listen(&mut rig, &mut client, Some(last));
    let missed = told(&mut rig, &mut client, id);
    assert_eq!((missed[0].serial, missed[0].ago_ns, missed.len()), (last + 1, 5_000_000_000, 1));
    assert_eq!(missed[0].name, "mail");
}

#[test]
fn where_the_past_ends_is_told() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    let marks = |rig: &mut Rig, client: &mut Client, after| {
        let id = listen(rig, client, after);
        let (bytes, _) = client.stream(rig, id);
        let (mut serials, mut frames, mut bytes) = (Vec::new(), Assembler::default(), &bytes[..]);
        while !bytes.is_empty() {
            frames.take(&mut bytes).unwrap();
            let Happening { serial, what, .. } = frame::parse(frames.frame().unwrap()).unwrap();
            serials.push((serial, what == What::Now));
            frames.clear();
        }
        serials
    };
    // The admin domain was made, and spoke.
    let told = marks(&mut rig, &mut client, Some(0));
    let last = told.last().unwrap().0;
    assert_eq!(told, [(1, false), (2, false), (2, true)]);
    assert_eq!(marks(&mut rig, &mut client, None), [(last, true)]);
    assert_eq!(marks(&mut rig, &mut client, Some(77)), [(last, true)], "from the future");
}

#[test]
fn what_is_left_paused_is_told_to_be_and_nothing_comes_without_credit() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    let id = client.ask(&mut rig, Request::Events { after: None });
    let terms = xendless_core::life::Terms { paused: true, ..Default::default() };
    let config = xendless_core::config::DomainConfig::new(super::named("web")).unwrap();
    let ramdisk = xendless_core::life::Bytes::Static(b"ramdisk");
    let kernel = xendless_core::life::Bytes::Static(super::kernel().leak());
    rig.control.create(config, terms, xendless_core::life::Files { kernel, ramdisk }).unwrap();
    rig.run();
    assert!(told(&mut rig, &mut client, id).is_empty());
    client.credit(&mut rig, id);
    let web = |what| ("web".to_owned(), what);
    assert_eq!(whats(told(&mut rig, &mut client, id)), [web(What::Created), web(What::Paused)]);
}

#[test]
fn a_domain_that_does_not_come_to_run_is_told_with_the_reason() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    let id = listen(&mut rig, &mut client, None);
    let config = xendless_core::config::DomainConfig::new(super::named("bad")).unwrap();
    let bytes = xendless_core::life::Bytes::Static(b"no kernel");
    let files = xendless_core::life::Files { kernel: bytes.clone(), ramdisk: bytes };
    rig.control.create(config, Rights::Nothing, files).unwrap();
    rig.run();
    let all = told(&mut rig, &mut client, id);
    assert_eq!((all.len(), all[0].name.as_str(), all[0].domid), (1, "bad", None));
    assert!(matches!(&all[0].what, What::Failed { why } if !why.is_empty()));
}
