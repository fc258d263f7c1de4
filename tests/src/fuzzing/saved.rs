//! Saved domains.

use xendless_core::builder::restore::{Restore, WINDOW};
use xendless_core::hyper::{CONTEXT, CreateDomain, CreateFlags, Domains, EXTENDED, Progress};
use xendless_core::saved::{Frame, HEADER, Piece};
use xendless_core::shared::PAGE_SIZE;

use crate::sim::{Config, SimHypervisor};

/// Bytes of a piece in short.
const SHORT: usize = 6;

/// Pages of the machine: Xen takes some hundred for the paging structures of a PVH domain.
const PAGES: usize = 2048;

/// A saved domain of either kind: pieces in short up to a zero, and then bytes as they are.
pub fn saved(input: &[u8]) {
    let Some((kind, mut rest)) = input.split_first() else { return };
    let mut bytes = Vec::new();
    while let Some((short, more)) = rest.split_first_chunk::<SHORT>() {
        rest = more;
        let Some((piece, body)) = piece(short) else { break };
        bytes.extend(piece.header(body.len()));
        bytes.extend(body);
    }
    bytes.extend(rest);
    restore(kind & 1 != 0, &bytes);
}

/// A piece in short: what it is, what it says, and what its body is full of.
fn piece(short: &[u8; SHORT]) -> Option<(Piece, Vec<u8>)> {
    let [code, low, high, fill, step, count] = short.map(u64::from);
    let says = low | high << 8;
    let words = |count: u64| (0..count).flat_map(|at| (fill + at * step).to_le_bytes()).collect::<Vec<u8>>();
    let vcpu = u32::try_from(low).ok()?;
    let full = |size: usize| words(size as u64 / 8 + 1)[..size].to_vec();
    Some(match code % 12 {
        1 => (Piece::Head { translated: high & 1 != 0, vcpus: 2, pages: vcpu }, Vec::new()),
        2 => (Piece::Frames, words(count)),
        3 => (Piece::Page { frame: Frame::decode((step & 15) << 60 | says).ok()? }, full(PAGE_SIZE)),
        4 => (Piece::Platform, words(count)),
        5 => (Piece::Parameter { index: vcpu }, words(1)),
        6 => (Piece::Registers { vcpu }, full(CONTEXT)),
        7 => (Piece::Extended { vcpu }, full(EXTENDED)),
        8 => (Piece::Xsave { vcpu }, words(count)),
        9 => (Piece::SharedInfo, full(PAGE_SIZE)),
        10 => (Piece::List, words(count)),
        11 => (Piece::End, Vec::new()),
        _ => return None,
    })
}

/// Makes a domain of it as far as that goes, and takes it back; nothing stays.
fn restore(translated: bool, bytes: &[u8]) {
    let sim = SimHypervisor::new(Config { pages: PAGES, ..Config::default() });
    let hv = sim.control();
    let flags = CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC;
    let create = CreateDomain {
        domid: None,
        handle: [7; 16],
        flags: if translated { flags } else { CreateFlags::empty() },
        max_vcpus: 2,
        max_port: 63,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    };
    let mut restore = Restore::new(create, hv.domid()).expect("there is memory");
    assert_eq!(restore.takes(), WINDOW);
    let (mut rest, mut room) = (bytes, WINDOW);
    // Each step takes a piece, or some of its frames, or does some of what follows the last one.
    for _ in 0..bytes.len() / HEADER * 8 + 1000 {
        if restore.is_hungry() {
            let (more, later) = rest.split_at(rest.len().min(room).min(4096));
            if more.is_empty() {
                restore.cancel();
            }
            restore.feed(more).expect("there is room");
            (rest, room) = (later, room - more.len());
        }
        match restore.step(&hv) {
            Ok(None) => room += restore.takes(),
            Ok(Some(built)) => {
                while hv.destroy_domain(built.domid).expect("it is there") == Progress::Again {}
                return sim.assert_pristine();
            }
            Err(error) => {
                assert_eq!(error.left, None);
                return sim.assert_pristine();
            }
        }
    }
    panic!("it never ends");
}
