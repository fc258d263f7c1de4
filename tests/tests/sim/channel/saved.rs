//! Domains that are saved over the channel, and made again from what was saved.

use std::collections::BTreeMap;
use std::mem::offset_of;

use xendless_core::abi::arch::VcpuGuestContext;
use xendless_core::abi::shared_info::{ArchSharedInfo, SharedInfo};
use xendless_core::abi::start_info::StartInfo;
use xendless_core::config::{Kind, Settings};
use xendless_core::hyper::{
    CONTEXT, DomId, DomainFlags, Domains, FRAMES, ForeignMemory, Gfn, Inspect, Scheduler, ShutdownReason,
    Transfer, VcpuId, Virq,
};
use xendless_core::protocol::{Answer, CHUNK, Created, Down, Failure, File, Request, RequestId, Up, frame};
use xendless_core::rights::Rights;
use xendless_core::saved::{HEADER, Piece};
use zerocopy::FromBytes;

use super::{Client, Rig, image, kernel, named};

const KINDS: [Kind; 2] = [Kind::Pv, Kind::Pvh];
const FIRST: VcpuId = VcpuId(0);
/// Where the PV guest has its tree of frames, and its list.
const LISTS: std::ops::Range<u64> = 900..904;

/// The pieces of a stream.
fn pieces(mut bytes: &[u8]) -> Vec<(Piece, &[u8])> {
    let mut found = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
        let (piece, size) = Piece::parse(header).unwrap();
        let (body, rest) = rest.split_at(size);
        found.push((piece, body));
        bytes = rest;
    }
    found
}

/// By its own number, the frame of each page of a domain as the control domain maps it.
fn frames(rig: &Rig, domid: DomId) -> BTreeMap<u64, u64> {
    let end = rig.hv.frame_end(domid).unwrap();
    let mut frames = BTreeMap::new();
    for from in (0..end).step_by(FRAMES) {
        let mut held = vec![None; FRAMES.min((end - from) as usize)];
        rig.hv.frames_held(domid, from, &mut held).unwrap();
        for (frame, number) in (from..).zip(held).filter_map(|(frame, held)| Some((frame, held?))) {
            if rig.hv.look_at(domid, Gfn(frame)).is_ok() {
                frames.insert(number, frame);
            }
        }
    }
    frames
}

fn registers(rig: &Rig, domid: DomId) -> VcpuGuestContext {
    let mut bytes = [0; CONTEXT];
    rig.hv.registers(domid, FIRST, &mut bytes).unwrap();
    VcpuGuestContext::read_from_bytes(&bytes).unwrap()
}

/// What a PV guest does before it suspends itself: it says where its list of frames is, has numbers of its own for the
/// rings in its start info, and that in a register. Frames 900 to 902 are its tree of frames.
fn prepare(rig: &Rig, domid: DomId) {
    let info = rig.hv.domain_info(domid).unwrap();
    if info.flags.contains(DomainFlags::HVM) {
        return;
    }
    let frames = frames(rig, domid);
    let page = |number: u64| rig.hv.map_foreign(domid, Gfn(frames[&number])).unwrap();
    let start = registers(rig, domid).user_regs.rsi;
    // Where the builder of the test's kernel has it: behind the list of frames.
    let (start_info, store, console) = rings(rig, domid, start);
    for (at, number) in
        [(offset_of!(StartInfo, store_mfn), store), (offset_of!(StartInfo, console_mfn), console)]
    {
        page(start_info).write(at, &number.to_le_bytes());
    }
    let count = frames.keys().next_back().unwrap() + 1;
    page(900).write(0, &frames[&901].to_le_bytes());
    for part in 0..count.div_ceil(512) {
        page(901).write(part as usize * 8, &frames[&(902 + part)].to_le_bytes());
    }
    let shared = rig.hv.map_foreign(domid, Gfn(info.shared_info)).unwrap();
    let arch = offset_of!(SharedInfo, arch);
    shared.write(arch + offset_of!(ArchSharedInfo, max_pfn), &count.to_le_bytes());
    shared.write(arch + offset_of!(ArchSharedInfo, pfn_to_mfn_frame_list_list), &frames[&900].to_le_bytes());
    let mut context = registers(rig, domid);
    context.user_regs.rdx = frames[&start_info];
    rig.hv.set_registers(domid, FIRST, &zerocopy::transmute!(context)).unwrap();
}

/// The numbers of the start info page and of the rings.
fn rings(rig: &Rig, domid: DomId, start: u64) -> (u64, u64, u64) {
    let frames = frames(rig, domid);
    let base = xendless_tests::kernel::VIRT_BASE;
    let number = (start - base) / 4096;
    assert!(frames.contains_key(&number));
    (number, number + 1, number + 2)
}

/// The guest suspends itself.
fn suspend(rig: &mut Rig, domid: DomId) {
    prepare(rig, domid);
    rig.sim.as_domain(domid).shutdown(ShutdownReason::Suspend).unwrap();
    rig.sim.raise(Virq::DomainException);
    rig.run();
}

fn wish(rig: &mut Rig, domid: DomId) -> Option<String> {
    rig.read(domid, "control/shutdown")
}

/// Asks for a domain to be saved, which it lets happen; gives the stream as far as it is.
fn begin(rig: &mut Rig, client: &mut Client, domid: DomId, keep: bool) -> (RequestId, Vec<u8>) {
    let id = client.ask(rig, Request::Save { domain: "web", keep });
    client.credit(rig, id);
    assert_eq!(client.receive(), None, "nothing before it has suspended itself");
    assert_eq!(wish(rig, domid).as_deref(), Some("suspend"));
    suspend(rig, domid);
    let (mut bytes, mut end) = client.stream(rig, id);
    while !bytes.ends_with(&Piece::End.header(0)) {
        assert_eq!(end, None);
        client.credit(rig, id);
        let (more, ended) = client.stream(rig, id);
        assert!(!more.is_empty());
        bytes.extend(more);
        end = ended;
    }
    (id, bytes)
}

/// All of it, in a safe place.
fn save(rig: &mut Rig, client: &mut Client, domid: DomId, keep: bool) -> Vec<u8> {
    let (id, bytes) = begin(rig, client, domid, keep);
    client.send(rig, &Up::Data { id, bytes: &[1] });
    client.answer(rig, id, |result| assert_eq!(result, Ok(Answer::Done)));
    bytes
}

fn config(rig: &mut Rig, client: &mut Client) -> Vec<u8> {
    client.call(rig, Request::Config { domain: "web" }, |result| match result {
        Ok(Answer::Config(bytes)) => bytes.to_vec(),
        other => panic!("{other:?}"),
    })
}

/// Makes a domain of what was saved; what was asked for, and what came of it.
fn restore(rig: &mut Rig, client: &mut Client, config: &[u8], saved: &[u8]) -> Result<DomId, Failure> {
    let kernel = kernel();
    let request =
        Request::Create { config, kernel: image(&kernel), ramdisk: None, paused: false, saved: true };
    let id = client.ask(rig, request);
    let (mut credit, mut rest, mut asked) = (0, &[][..], Vec::new());
    loop {
        client.take();
        while let Some(body) = client.inbox.pop_front() {
            match frame::parse(&body).unwrap() {
                Down::Want { file, .. } => {
                    rest = if file == File::Saved { saved } else { kernel.as_slice() };
                    asked.push(file);
                }
                Down::Credit { bytes, .. } => credit += bytes as usize,
                Down::Answer { result: Ok(Answer::Created(Created { domid })), .. } => {
                    return Ok(DomId(domid));
                }
                Down::Answer { result: Err(failure), .. } => return Err(failure),
                other => panic!("{other:?}"),
            }
        }
        let (bytes, later) = rest.split_at(rest.len().min(credit).min(CHUNK));
        assert!(!bytes.is_empty(), "it takes no more, and there is no answer: {asked:?}");
        (rest, credit) = (later, credit - bytes.len());
        client.send(rig, &Up::Data { id, bytes });
    }
}

fn web(kind: Kind) -> (Rig, Client, DomId) {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain_of(Settings { kind, ..named("web") }, Rights::Nothing);
    let frames = frames(&rig, web);
    rig.hv.map_foreign(web, Gfn(frames[&800])).unwrap().write(77, b"a secret of the guest");
    client.take();
    (rig, client, web)
}

#[test]
fn what_is_saved_and_made_again_is_the_same() {
    for kind in KINDS {
        let (mut rig, mut client, old) = web(kind);
        let settings = config(&mut rig, &mut client);
        let rings = match kind {
            Kind::Pv => rings(&rig, old, registers(&rig, old).user_regs.rsi),
            Kind::Pvh => (0, 0xf_effc, 0xf_efff),
        };
        // Others wrote there: the control domain, and the guest what it has of the machine's frames.
        let theirs = |frame: u64| LISTS.contains(&frame) || frame == rings.1 || frame == rings.2;
        let saved = save(&mut rig, &mut client, old, false);
        assert!(rig.hv.domain_info(old).is_err() && rig.control.managed().find("web").is_none());
        let new = restore(&mut rig, &mut client, &settings, &saved).unwrap();
        assert_ne!(new, old);
        assert!(!rig.hv.domain_info(new).unwrap().flags.contains(DomainFlags::PAUSED));
        assert_eq!(rig.read(new, "name").as_deref(), Some("web"), "its ring works");
        let again = save(&mut rig, &mut client, new, false);
        let sorted = |bytes| {
            let mut pieces: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            for (piece, body) in pieces_of(bytes) {
                if matches!(piece, Piece::Page { frame } if theirs(frame.number)) {
                    continue;
                }
                let place = pieces.entry(format!("{piece:?}")).or_default();
                // Frames come in the machine's order.
                let mut words: Vec<[u8; 8]> = body.as_chunks().0.to_vec();
                if piece == Piece::Frames {
                    words.extend(place.as_chunks().0);
                    words.sort_unstable();
                }
                *place = if piece == Piece::Frames { words.concat() } else { body.to_vec() };
            }
            pieces
        };
        let (first, second) = (sorted(&saved), sorted(&again));
        assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>(), "{kind:?}");
        for (piece, body) in &first {
            // What a guest has of the machine's frames in its own pages: the start info page, and the lists.
            if kind == Kind::Pv && holds_frames(piece, body, &second[piece]) {
                continue;
            }
            assert!(*body == second[piece], "{kind:?}: {piece}");
        }
        let secret = frames_of(&again).into_iter().find(|(number, _)| *number == 800).unwrap().1;
        assert_eq!(&secret[77..98], b"a secret of the guest");
    }
}

fn pieces_of(bytes: &[u8]) -> Vec<(Piece, &[u8])> {
    pieces(bytes)
}

fn frames_of(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let page = |(piece, body): (Piece, &[u8])| match piece {
        Piece::Page { frame } => Some((frame.number, body.to_vec())),
        _ => None,
    };
    pieces(bytes).into_iter().filter_map(page).collect()
}

fn holds_frames(piece: &str, first: &[u8], second: &[u8]) -> bool {
    let words = |bytes: &[u8]| bytes.as_chunks::<8>().0.to_vec();
    let differ = words(first).iter().zip(words(second)).filter(|(a, b)| **a != *b).count();
    piece == "SharedInfo" || differ <= 4
}

#[test]
fn who_is_kept_goes_on_as_if_nothing_had_been() {
    for kind in KINDS {
        let (mut rig, mut client, web) = web(kind);
        for _ in 0..2 {
            save(&mut rig, &mut client, web, true);
            let info = rig.hv.domain_info(web).unwrap();
            assert!(!info.flags.intersects(DomainFlags::PAUSED | DomainFlags::SHUTDOWN), "{kind:?}");
            assert_eq!(registers(&rig, web).user_regs.rax, 1, "its hypercall says that nothing was saved");
        }
    }
}

#[test]
fn attack_c03_who_does_not_suspend_itself_is_asked_no_longer() {
    let (mut rig, mut client, web) = web(Kind::Pvh);
    let id = client.ask(&mut rig, Request::Save { domain: "web", keep: false });
    client.credit(&mut rig, id);
    client.send(&mut rig, &Up::Cancel { id });
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
    assert_eq!(wish(&mut rig, web).as_deref(), Some(""));
    // It had taken it on before that.
    suspend(&mut rig, web);
    assert!(!rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::SHUTDOWN), "it was let go on");
    let (id, _) = begin(&mut rig, &mut client, web, false);
    assert!(rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::SHUTDOWN), "it is wanted again");
    // All of it has come, and whoever asked has no safe place for it.
    client.send(&mut rig, &Up::Cancel { id });
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
    assert!(!rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::SHUTDOWN), "nothing is lost");
}

#[test]
fn attack_e03_what_is_not_in_a_safe_place_is_not_lost() {
    for kind in KINDS {
        for leaves in [false, true] {
            let (mut rig, mut client, web) = web(kind);
            let id = client.ask(&mut rig, Request::Save { domain: "web", keep: false });
            suspend(&mut rig, web);
            client.send(&mut rig, &Up::Credit { id, bytes: 20_001 });
            let (bytes, end) = client.stream(&mut rig, id);
            assert_eq!((bytes.len(), end), (20_001, None), "credit is kept to");
            if leaves {
                client.end.close();
                client.signal(&mut rig);
            } else {
                client.send(&mut rig, &Up::Cancel { id });
                client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::Cancelled)));
            }
            let flags = rig.hv.domain_info(web).unwrap().flags;
            assert!(!flags.contains(DomainFlags::SHUTDOWN), "{kind:?}, left: {leaves}");
        }
    }
}

#[test]
fn who_says_too_early_that_all_is_safe_is_cut_off_and_nothing_is_lost() {
    for bytes in [&[1][..], &[1, 1]] {
        let (mut rig, mut client, web) = web(Kind::Pvh);
        let id = client.ask(&mut rig, Request::Save { domain: "web", keep: false });
        suspend(&mut rig, web);
        client.send(&mut rig, &Up::Credit { id, bytes: 20_001 });
        client.send(&mut rig, &Up::Data { id, bytes });
        assert!(!rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::SHUTDOWN));
    }
}

#[test]
fn who_ends_instead_is_not_saved() {
    let (mut rig, mut client, web) = web(Kind::Pv);
    let id = client.ask(&mut rig, Request::Save { domain: "web", keep: false });
    rig.sim.as_domain(web).shutdown(ShutdownReason::Poweroff).unwrap();
    rig.sim.raise(Virq::DomainException);
    rig.run();
    client.answer(&mut rig, id, |result| assert_eq!(result, Err(Failure::NotRunning)));
}

#[test]
fn a_pv_domain_that_uses_memory_of_others_is_not_saved_and_goes_on() {
    let (mut rig, mut client, web) = web(Kind::Pv);
    let id = client.ask(&mut rig, Request::Save { domain: "web", keep: false });
    client.credit(&mut rig, id);
    prepare(&rig, web);
    let mut context = registers(&rig, web);
    context.user_regs.rdx = frames(&rig, DomId(1))[&5];
    rig.hv.set_registers(web, FIRST, &zerocopy::transmute!(context)).unwrap();
    rig.sim.as_domain(web).shutdown(ShutdownReason::Suspend).unwrap();
    rig.sim.raise(Virq::DomainException);
    rig.run();
    let (_, end) = client.stream(&mut rig, id);
    let Some(Err(Failure::Create(why))) = end else { panic!("{end:?}") };
    assert_eq!(why, "the registers of virtual CPU 0 lead to memory that is not the domain's");
    assert!(!rig.hv.domain_info(web).unwrap().flags.contains(DomainFlags::SHUTDOWN));
}

#[test]
fn to_save_takes_rights_and_a_domain_that_runs() {
    const SAVE: Request<'_> = Request::Save { domain: "web", keep: false };
    for (rights, needs) in [(Rights::Observe, Rights::Children), (Rights::Children, Rights::Everything)] {
        let (mut rig, mut client) = Rig::with(rights);
        rig.domain("web", Rights::Nothing);
        assert_eq!(client.refused(&mut rig, SAVE), Failure::Forbidden { needs });
    }
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    assert_eq!(client.refused(&mut rig, SAVE), Failure::NoSuchDomain);
    for domain in ["admin", "0"] {
        let request = Request::Save { domain, keep: true };
        assert!(matches!(client.refused(&mut rig, request), Failure::Invalid(_)), "{domain}");
    }
}

#[test]
fn attack_d03_what_is_no_saved_domain_leaves_nothing() {
    for kind in KINDS {
        let (mut rig, mut client, web) = web(kind);
        let settings = config(&mut rig, &mut client);
        let saved = save(&mut rig, &mut client, web, false);
        let before = rig.sim.snapshot();
        let all = pieces(&saved);
        let join = |pieces: &[(Piece, Vec<u8>)]| {
            pieces
                .iter()
                .flat_map(|(piece, body)| [&piece.header(body.len())[..], body].concat())
                .collect::<Vec<u8>>()
        };
        let owned: Vec<(Piece, Vec<u8>)> = all.iter().map(|(piece, body)| (*piece, body.to_vec())).collect();
        let without = |gone: &dyn Fn(&Piece) -> bool| {
            join(&owned.iter().filter(|(piece, _)| !gone(piece)).cloned().collect::<Vec<_>>())
        };
        let Piece::Head { translated, vcpus, pages } = all[0].0 else { panic!("no head") };
        let headed = |head: Piece| join(&[&[(head, Vec::new())], &owned[1..]].concat());
        let mut twice = owned.clone();
        twice.insert(2, owned[1].clone());
        let mut wrong = vec![
            (vec![0xff; HEADER], "something in it is no part of a saved domain"),
            (
                headed(Piece::Head { translated: !translated, vcpus, pages }),
                "it does not go with its configuration",
            ),
            (headed(Piece::Head { translated, vcpus: 9, pages }), "it does not go with its configuration"),
            (headed(Piece::Head { translated, vcpus, pages: pages - 1 }), "it lists more memory than it has"),
            (join(&owned[1..]), "its parts are not in order"),
            (join(&twice), "it lists more memory than it has"),
            (
                without(&|piece| matches!(piece, Piece::Registers { .. } | Piece::Parameter { .. })),
                "a part is missing",
            ),
        ];
        if kind == Kind::Pv {
            let lost = "something in it leads to memory that it does not have";
            wrong.push((without(&|piece| *piece == Piece::Frames), lost));
            wrong.push((without(&|piece| *piece == Piece::SharedInfo), "a part is missing"));
        }
        for (bytes, said) in wrong {
            match restore(&mut rig, &mut client, &settings, &bytes) {
                Err(Failure::Image { file: File::Saved, why }) => assert_eq!(why, said, "{kind:?}"),
                other => panic!("{kind:?}, {said}: {other:?}"),
            }
            assert!(rig.control.managed().find("web").is_none());
            let domains = rig.sim.snapshot().domains;
            assert_eq!(domains.keys().collect::<Vec<_>>(), before.domains.keys().collect::<Vec<_>>());
        }
        restore(&mut rig, &mut client, &settings, &saved).unwrap();
    }
}
