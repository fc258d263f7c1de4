//! Files by content, and kernels that are unpacked once.

use xendless_core::config::{Action, Actions, CrashAction, DomainConfig, DomainName, Settings, Uuid};
use xendless_core::hyper::ShutdownReason;
use xendless_core::images::{BeginError, Digest, Image, Images};
use xendless_core::life::{Bytes, Files, ManagedId, News, State};
use xendless_core::rights::Rights;
use xendless_tests::kernel::{Elf, bzimage};

use super::{Rig, SECOND, settings};

/// A packed kernel that takes many steps to unpack.
fn packed() -> Vec<u8> {
    let mut elf = Elf::pv().build();
    elf.resize(elf.len() + (1 << 20), 7);
    let mut payload = vec![0x02, 0x21, 0x4c, 0x18];
    let block = lz4_flex::block::compress(&elf);
    payload.extend((block.len() as u32).to_le_bytes());
    payload.extend(block);
    payload.extend((elf.len() as u32).to_le_bytes());
    bzimage(&payload)
}

fn send(images: &mut Images, bytes: &[u8]) -> Image {
    let mut receiving = images.begin(Digest::of(bytes), bytes.len()).unwrap();
    receiving.append(bytes).unwrap();
    receiving.finish(images).unwrap()
}

/// Creates domain number `n` from this kernel.
fn create(rig: &mut Rig, n: u8, actions: Actions, kernel: Bytes) -> ManagedId {
    let name = DomainName::new(format!("web-{n}")).unwrap();
    let uuid = Uuid::from_bytes([n; 16]).unwrap();
    let config = DomainConfig::new(Settings { name, uuid, actions, ..settings() }).unwrap();
    let files = Files { kernel, ramdisk: Bytes::default() };
    rig.manager.create(&mut rig.consoles, config, Rights::Nothing, files).unwrap()
}

/// Steps until this domain runs; how many that took.
fn start(rig: &mut Rig, id: ManagedId) -> usize {
    let before = rig.steps;
    rig.run();
    assert_eq!(rig.manager.status(id).unwrap().state, State::Running);
    rig.steps - before
}

/// Steps that two domains with this kernel take to start, and the first one to restart.
fn steps(images: usize, kernel: Bytes) -> [usize; 3] {
    let mut rig = Rig::new(None);
    rig.images = Images::new(images);
    let actions = Actions { crash: CrashAction::Plain(Action::Restart), ..Actions::default() };
    let first = create(&mut rig, 1, actions, kernel.clone());
    let at_first = start(&mut rig, first);
    let second = create(&mut rig, 2, Actions::default(), kernel);
    let then = start(&mut rig, second);

    rig.sim.advance(61 * SECOND);
    let before = rig.steps;
    let domid = rig.manager.status(first).unwrap().domid.unwrap();
    rig.stop(domid, ShutdownReason::Crash);
    assert_eq!(rig.manager.status(first).unwrap().restarts, 1);
    [at_first, then, rig.steps - before]
}

#[test]
fn a_kernel_is_unpacked_once_for_all_domains_and_restarts() {
    let sent = send(&mut Images::new(16 << 20), &packed());
    for kernel in [Bytes::Shared(sent), Bytes::Static(packed().leak())] {
        let [_, second, restart] = steps(0, kernel.clone());
        let [first, cached_second, cached_restart] = steps(16 << 20, kernel);
        assert!(first > cached_second + 30, "unpacking takes steps: {first}, {cached_second}");
        assert_eq!(second - cached_second, first - cached_second);
        assert_eq!(restart - cached_restart, first - cached_second);
    }
}

#[test]
fn domains_that_start_together_unpack_their_kernel_once() {
    let mut rig = Rig::new(None);
    let kernel = Bytes::Static(packed().leak());
    let alone = {
        let mut rig = Rig::new(None);
        let id = create(&mut rig, 1, Actions::default(), kernel.clone());
        start(&mut rig, id)
    };
    let ids: Vec<ManagedId> =
        (1..=4).map(|n| create(&mut rig, n, Actions::default(), kernel.clone())).collect();
    let together = start(&mut rig, ids[3]);
    assert!(together < 3 * alone, "{together} steps for four, {alone} for one");
    assert!(ids.iter().all(|id| rig.manager.status(*id).unwrap().state == State::Running));
}

#[test]
fn a_plain_kernel_is_not_copied() {
    let mut rig = Rig::new(None);
    let elf = Elf::pv().build();
    let kernel = Bytes::Shared(send(&mut rig.images, &elf));
    let id = create(&mut rig, 1, Actions::default(), kernel);
    start(&mut rig, id);
    assert_eq!(rig.images.total(), elf.len());
}

#[test]
fn images_of_domains_that_may_restart_stay_and_others_give_way() {
    let mut rig = Rig::new(None);
    let kernel = packed();
    rig.images = Images::new(2 << 20);
    let image = send(&mut rig.images, &kernel);
    let id = create(&mut rig, 1, Actions::default(), Bytes::Shared(image));
    start(&mut rig, id);
    let with_unpacked = rig.images.total();
    assert!(with_unpacked > kernel.len() + (1 << 20), "the unpacked kernel is kept");

    // All but what the domain may start from again.
    let room = (2 << 20) - kernel.len();
    let full = rig.images.begin(Digest::of(b""), room + 1).unwrap_err();
    assert_eq!(full, BeginError::Full { room });
    drop(rig.images.begin(Digest::of(b""), room).unwrap());
    assert_eq!(rig.images.total(), kernel.len());

    rig.manager.destroy(id);
    rig.run();
    drop(rig.images.begin(Digest::of(b""), 2 << 20).unwrap());
    assert_eq!(rig.images.total(), 0);
    rig.assert_clean();
}

#[test]
fn a_kernel_too_large_to_be_kept_starts_its_domains_all_the_same() {
    let mut rig = Rig::new(None);
    rig.images = Images::new(1 << 20);
    let kernel = Bytes::Static(packed().leak());
    for n in [1, 2] {
        let id = create(&mut rig, n, Actions::default(), kernel.clone());
        start(&mut rig, id);
        assert_eq!(rig.images.total(), 0);
    }
    let started = rig.take_news().iter().filter(|news| matches!(news, News::Started { .. })).count();
    assert_eq!(started, 2);
}
