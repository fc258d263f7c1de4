//! Making domains over the channel.

use xendless_core::config::{Boot, DomainConfig, Memory, MemorySize, Path, Settings};
use xendless_core::hyper::{DomId, DomainFlags, Domains};
use xendless_core::protocol::frame;
use xendless_core::protocol::{Answer, CHUNK, Created, Down, Failure, File, Image, Request, RequestId, Up};
use xendless_core::rights::Rights;

use super::{Client, Rig, image, kernel, named};

const RAMDISK: &[u8] = b"a ramdisk";

fn encoded(settings: Settings) -> Vec<u8> {
    let path = |path| Path::new("kernel", path).unwrap();
    let boot = Boot::Direct { kernel: path("/kernel"), ramdisk: Some(path("/ramdisk")) };
    let settings = Settings { boot, ..settings };
    DomainConfig::new(settings).unwrap().encode().unwrap()
}

fn request(config: &[u8], kernel: Image, paused: bool) -> Request<'_> {
    Request::Create { config, kernel, ramdisk: Some(image(RAMDISK)), paused, saved: false }
}

/// What the server wants next, and how much of it it takes.
fn wanted(client: &mut Client) -> Option<(File, u32)> {
    let want = client.receive()?;
    let credit = client.receive()?;
    match (frame::parse(&want).unwrap(), frame::parse(&credit).unwrap()) {
        (Down::Want { file, .. }, Down::Credit { bytes, .. }) => Some((file, bytes)),
        other => panic!("{other:?}"),
    }
}

fn upload(rig: &mut Rig, client: &mut Client, id: RequestId, file: File, bytes: &[u8]) {
    let (found, mut credit) = wanted(client).expect("the file is wanted");
    assert_eq!(found, file);
    for bytes in bytes.chunks(CHUNK) {
        credit = credit.checked_sub(bytes.len() as u32).expect("there is credit for it");
        client.send(rig, &Up::Data { id, bytes });
        while let Some(body) = client.inbox.front() {
            let Down::Credit { bytes, .. } = frame::parse(body).unwrap() else { break };
            credit += bytes;
            client.inbox.pop_front();
        }
    }
}

fn create(rig: &mut Rig, client: &mut Client, settings: Settings, kernel: &[u8]) -> Result<DomId, Failure> {
    let config = encoded(settings);
    let id = client.ask(rig, request(&config, image(kernel), false));
    if client.inbox.is_empty() {
        client.take();
    }
    if client.inbox.len() == 2 {
        upload(rig, client, id, File::Kernel, kernel);
        client.take();
    }
    if client.inbox.len() == 2 {
        upload(rig, client, id, File::Ramdisk, RAMDISK);
    }
    client.answer(rig, id, |result| match result {
        Ok(Answer::Created(Created { domid })) => Ok(DomId(domid)),
        Err(failure) => Err(failure),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_domain_is_made_from_files_that_are_sent_once() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let first = create(&mut rig, &mut client, named("one"), &kernel()).unwrap();
    assert!(!rig.hv.domain_info(first).unwrap().flags.contains(DomainFlags::PAUSED));
    let config = encoded(named("two"));
    client.call(&mut rig, request(&config, image(&kernel()), true), |result| {
        let Ok(Answer::Created(Created { domid })) = result else { panic!("{result:?}") };
        assert_eq!(domid, first.0 + 1, "nothing was asked for");
    });
    let second = DomId(first.0 + 1);
    assert!(rig.hv.domain_info(second).unwrap().flags.contains(DomainFlags::PAUSED));
    client.done(&mut rig, Request::Unpause { domain: "two" });
    assert!(!rig.hv.domain_info(second).unwrap().flags.contains(DomainFlags::PAUSED));
}

#[test]
fn a_large_file_comes_through_its_window() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let mut large = kernel();
    large.resize(600_000, 7);
    create(&mut rig, &mut client, named("large"), &large).unwrap();
}

#[test]
fn names_and_uuids_are_their_owners_alone() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let taken = create(&mut rig, &mut client, named("admin"), &kernel());
    assert_eq!(taken, Err(Failure::NameTaken { domid: Some(1) }));
    let uuid = Settings { uuid: named("admin").uuid, ..named("other") };
    assert_eq!(create(&mut rig, &mut client, uuid, &kernel()), Err(Failure::UuidTaken));
    let control = create(&mut rig, &mut client, named("Domain-0"), &kernel());
    assert_eq!(control, Err(Failure::NameTaken { domid: Some(0) }));
}

#[test]
fn attack_d03_what_is_no_kernel_is_refused_and_leaves_nothing() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let before = rig.sim.snapshot();
    for wrong in [&b"#!/bin/sh\n"[..], &kernel()[..kernel().len() / 2], &[0; 5000]] {
        let failure = create(&mut rig, &mut client, named("bad"), wrong).unwrap_err();
        assert!(matches!(&failure, Failure::Image { file: File::Kernel, .. }), "{failure:?}");
    }
    let config = encoded(named("bad"));
    let empty = client.refused(&mut rig, request(&config, image(b""), false));
    assert_eq!(empty, Failure::Image { file: File::Kernel, why: "is empty".into() });
    let huge = Image { digest: [1; 32], size: u64::MAX };
    let huge = client.refused(&mut rig, request(&config, huge, false));
    assert!(matches!(&huge, Failure::Image { file: File::Kernel, .. }), "{huge:?}");
    let malformed = client.refused(&mut rig, request(b"nonsense", image(b"x"), false));
    assert!(matches!(malformed, Failure::Invalid(_)), "{malformed:?}");
    let lost =
        Request::Create { config: &config, kernel: image(b"x"), ramdisk: None, paused: false, saved: false };
    assert!(matches!(client.refused(&mut rig, lost), Failure::Invalid(_)));
    assert_eq!(rig.sim.snapshot().domains, before.domains);
    assert!(rig.control.managed().find("bad").is_none());
}

#[test]
fn a_file_that_is_not_what_its_digest_says_is_not_used() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let (config, kernel) = (encoded(named("swapped")), kernel());
    let id = client.ask(&mut rig, request(&config, image(&kernel), false));
    let mut other = kernel.clone();
    other[100] ^= 1;
    upload(&mut rig, &mut client, id, File::Kernel, &other);
    client.answer(&mut rig, id, |result| {
        assert!(matches!(result, Err(Failure::Image { file: File::Kernel, .. })), "{result:?}");
    });
}

#[test]
fn a_host_without_memory_says_how_much_it_has() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let size = MemorySize::try_from(1 << 20).unwrap();
    let settings = Settings { memory: Memory::new(size, size).unwrap(), ..named("big") };
    let failure = create(&mut rig, &mut client, settings, &kernel()).unwrap_err();
    let Failure::HostMemory { wanted_kib, free_kib } = failure else { panic!("{failure:?}") };
    assert!(wanted_kib == 4 << 20 && free_kib > 0 && free_kib < wanted_kib);
}

#[test]
fn what_is_cancelled_at_any_moment_leaves_nothing() {
    let kernel = kernel();
    for moment in 0..6 {
        let (mut rig, mut client) = Rig::with(Rights::Everything);
        let before = rig.sim.snapshot();
        let config = encoded(named("gone"));
        let id = client.ask(&mut rig, request(&config, image(&kernel), false));
        if moment > 0 {
            let half = &kernel[..kernel.len() / 2];
            wanted(&mut client).unwrap();
            client.send(&mut rig, &Up::Data { id, bytes: half });
        }
        if moment > 1 {
            client.inbox.clear();
            client.send(&mut rig, &Up::Data { id, bytes: &kernel[kernel.len() / 2..] });
        }
        if moment < 3 {
            client.send(&mut rig, &Up::Cancel { id });
        } else {
            // Whoever leaves cannot be answered.
            client.end.close();
            client.signal(&mut rig);
        }
        let (domains, events) = (rig.sim.snapshot().domains, rig.site.take_events());
        assert_eq!(
            domains.keys().collect::<Vec<_>>(),
            before.domains.keys().collect::<Vec<_>>(),
            "{moment}: {events:?}"
        );
        assert!(rig.control.managed().find("gone").is_none());
        if moment < 3 {
            while client.inbox.len() > 1 {
                client.inbox.pop_front();
            }
            client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
        }
    }
}
