//! A domain's memory over the control channel.

use xendless_core::config::{Kind, Settings};
use xendless_core::hyper::{CONTEXT, DomId, DomainFlags, Domains, ForeignMemory, Gfn};
use xendless_core::protocol::dump::{HEADER, Piece};
use xendless_core::protocol::{Failure, Request, Up};
use xendless_core::rights::Rights;

use super::{Client, Rig, named};

const DUMP: Request<'_> = Request::Dump { domain: "web", live: false, hold: false };

/// The pieces of a stream.
fn pieces(mut bytes: &[u8]) -> Vec<(Piece, &[u8])> {
    let mut found = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
        let piece = Piece::parse(header).unwrap();
        let (body, rest) = rest.split_at(piece.body());
        found.push((piece, body));
        bytes = rest;
    }
    found
}

fn is_paused(rig: &Rig, domid: DomId) -> bool {
    rig.hv.domain_info(domid).unwrap().flags.contains(DomainFlags::PAUSED)
}

/// All of a dump.
fn whole(rig: &mut Rig, client: &mut Client) -> Vec<u8> {
    let id = client.ask(rig, DUMP);
    let (mut bytes, mut end) = (Vec::new(), None);
    while end.is_none() {
        client.send(rig, &Up::Credit { id, bytes: 100_000 });
        let (more, ended) = client.stream(rig, id);
        bytes.extend(more);
        end = ended;
    }
    assert_eq!(end, Some(Ok(())));
    bytes
}

#[test]
fn every_page_comes_once_with_what_is_in_it() {
    for kind in [Kind::Pv, Kind::Pvh] {
        let (mut rig, mut client) = Rig::with(Rights::Everything);
        let web = rig.domain_of(Settings { kind, ..named("web") }, Rights::Nothing);
        let before = rig.sim.snapshot();
        let bytes = whole(&mut rig, &mut client);
        assert_eq!(rig.sim.snapshot(), before, "nothing is left of it");
        assert!(!is_paused(&rig, web));
        let info = rig.hv.domain_info(web).unwrap();
        let found = pieces(&bytes);
        let translated = kind == Kind::Pvh;
        assert_eq!(found[0].0, Piece::Head { translated, pages: info.pages });
        assert_eq!((found[1].0, found[1].1.len()), (Piece::Registers { vcpu: 0 }, CONTEXT));
        assert_eq!(found.last().unwrap().0, Piece::End);
        let mut frames = std::collections::BTreeSet::new();
        let mut numbers = std::collections::BTreeSet::new();
        for (piece, body) in &found {
            let Piece::Page { pfn, gmfn } = *piece else { continue };
            assert!(frames.insert(gmfn) && numbers.insert(pfn), "{pfn} came twice");
            if !translated {
                let contents = rig.sim.contents(web, xendless_core::hyper::Mfn(gmfn)).unwrap();
                assert_eq!(*body, contents.as_slice(), "page {pfn}");
            }
        }
        assert_eq!(frames.len() as u64, info.pages);
    }
}

#[test]
fn page_tables_come_too_and_what_the_domain_wrote() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let found = whole(&mut rig, &mut client);
    let first = pieces(&found).iter().find_map(|(piece, _)| match piece {
        Piece::Page { pfn: 300, gmfn } => Some(*gmfn),
        _ => None,
    });
    rig.hv.map_foreign(web, Gfn(first.unwrap())).unwrap().write(77, b"a secret of the guest");
    let found = whole(&mut rig, &mut client);
    let all = pieces(&found);
    let page = all.iter().find(|(piece, _)| matches!(piece, Piece::Page { pfn: 300, .. })).unwrap();
    assert_eq!(&page.1[77..98], b"a secret of the guest");
}

#[test]
fn a_dump_takes_rights_and_a_domain_that_runs() {
    let (mut rig, mut client) = Rig::with(Rights::Observe);
    rig.domain("web", Rights::Nothing);
    assert_eq!(client.refused(&mut rig, DUMP), Failure::Forbidden { needs: Rights::Children });
    let (mut rig, mut client) = Rig::with(Rights::Children);
    rig.domain("web", Rights::Nothing);
    assert_eq!(client.refused(&mut rig, DUMP), Failure::Forbidden { needs: Rights::Everything });
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    assert_eq!(client.refused(&mut rig, DUMP), Failure::NoSuchDomain);
    for domain in ["admin", "0"] {
        let request = Request::Dump { domain, live: true, hold: false };
        assert!(matches!(client.refused(&mut rig, request), Failure::Invalid(_)), "{domain}");
    }
}

/// A dump of which a part has come.
fn begun(request: Request<'_>) -> (Rig, Client, DomId, xendless_core::protocol::RequestId) {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let id = client.ask(&mut rig, request);
    client.send(&mut rig, &Up::Credit { id, bytes: 30_001 });
    let (bytes, end) = client.stream(&mut rig, id);
    assert_eq!((bytes.len(), end), (30_001, None), "credit is kept to, in the middle of a piece");
    (rig, client, web, id)
}

#[test]
fn attack_e03_a_dump_that_is_cancelled_or_left_lets_the_domain_go_on() {
    let (mut rig, mut client, web, id) = begun(DUMP);
    assert!(is_paused(&rig, web));
    client.send(&mut rig, &Up::Cancel { id });
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
    assert!(!is_paused(&rig, web));
    let (mut rig, mut client, web, _) = begun(DUMP);
    client.end.close();
    client.signal(&mut rig);
    assert!(!is_paused(&rig, web), "its client is gone");
    let (rig, _client, web, _) = begun(Request::Dump { domain: "web", live: true, hold: false });
    assert!(!is_paused(&rig, web));
}

#[test]
fn a_domain_that_dies_ends_its_dump() {
    let (mut rig, mut client, _, id) = begun(DUMP);
    let destroy = client.ask(&mut rig, Request::Destroy { domain: "web" });
    client.send(&mut rig, &Up::Credit { id, bytes: 1 });
    let mut answers = Vec::new();
    client.signal(&mut rig);
    while let Some(body) = client.receive() {
        if let Ok(xendless_core::protocol::Down::Answer { id, result }) =
            xendless_core::protocol::frame::parse(&body)
        {
            answers.push((id, result.map(drop)));
        }
        client.signal(&mut rig);
    }
    answers.sort_by_key(|(id, _)| id.0);
    assert_eq!(answers, [(id, Err(Failure::NotRunning)), (destroy, Ok(()))]);
}

#[test]
fn a_held_domain_stays_until_its_client_is_done() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    for ends in [false, true] {
        let id = client.ask(&mut rig, Request::Dump { domain: "web", live: false, hold: true });
        let mut bytes = Vec::new();
        while !bytes.ends_with(&Piece::End.header()) {
            client.send(&mut rig, &Up::Credit { id, bytes: 100_000 });
            let (more, end) = client.stream(&mut rig, id);
            assert_eq!(end, None);
            bytes.extend(more);
        }
        assert!(is_paused(&rig, web));
        if ends {
            let destroy = client.ask(&mut rig, Request::Destroy { domain: "web" });
            client.signal(&mut rig);
            let count = std::iter::from_fn(|| client.receive()).count();
            assert_eq!(count, 2, "answers to both: {destroy:?}");
        } else {
            client.send(&mut rig, &Up::Cancel { id });
            client.answer(&mut rig, id, |result| assert!(result.is_ok()));
            assert!(!is_paused(&rig, web));
        }
    }
}
