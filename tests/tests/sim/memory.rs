//! Memory behaves as Xen's does.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{CreateFlags, DomId, Domains, ForeignMemory, Gfn, Mfn, PhysMemory};
use xendless_core::shared::Page;
use xendless_tests::sim::{Config, SimDomain, SimHypervisor};

use crate::{TABLE, create, destroy, errno, machine, pv_with_memory, set_entry, with_tables};

#[test]
fn a_pv_domain_learns_its_machine_frames_and_an_hvm_domain_does_not() {
    let (_, control) = machine();
    let (pv, frames) = pv_with_memory(&control, 3);
    assert_ne!(frames, [0, 1, 2]);
    let hvm = create(&control, CreateFlags::HVM);
    let mut wanted = [0xf_0000, 0xf_0001];
    assert_eq!(control.populate(hvm, &mut wanted), Ok(2));
    assert_eq!(wanted, [0xf_0000, 0xf_0001]);
    assert_eq!(control.domain_info(pv).unwrap().pages, 3);
    assert!(control.map_foreign(hvm, Gfn(0xf_0001)).is_ok());
}

#[test]
fn which_frames_is_up_to_the_seed() {
    let frames = |seed| {
        let sim = SimHypervisor::new(Config { seed, ..Config::default() });
        pv_with_memory(&sim.control(), 20).1
    };
    assert_eq!(frames(5), frames(5));
    assert_ne!(frames(5), frames(6));
}

#[test]
fn memory_ends_at_the_limit_and_with_the_machine() {
    let sim = SimHypervisor::new(Config { pages: 300, ..Config::default() });
    let control = sim.control();
    let domid = create(&control, CreateFlags::empty());
    assert_eq!(control.populate(domid, &mut [0; 257]), Ok(256), "1 MiB is its limit");
    let second = create(&control, CreateFlags::empty());
    assert_eq!(control.populate(second, &mut [0; 50]), Ok(44), "that was all the machine has");
    destroy(&control, domid);
    destroy(&control, second);
    sim.assert_pristine();
}

#[test]
fn refusals_of_populate_and_release_are_counts() {
    let (sim, control) = machine();
    let (domid, frames) = pv_with_memory(&control, 2);
    let guest = sim.as_domain(domid);
    assert_eq!(control.populate(DomId(99), &mut [0]), Ok(0));
    assert_eq!(guest.populate(DomId(0), &mut [0]), Ok(0));
    assert_eq!(control.release(DomId(99), &frames), Ok(0));
    assert_eq!(guest.release(DomId(0), &frames), Ok(0));
    let (other, theirs) = pv_with_memory(&control, 1);
    assert_eq!(
        control.release(domid, &[frames[0], theirs[0], frames[1]]),
        Ok(1),
        "stops at what is not its own"
    );
    assert_eq!(control.domain_info(domid).unwrap().pages, 1);
    assert_eq!(guest.release(DomId::SELF, &frames[1..]), Ok(1));
    assert_eq!(control.domain_info(other).unwrap().pages, 1);
}

#[test]
fn a_mapped_page_is_the_same_memory_for_all() {
    let (_, control) = machine();
    let (domid, frames) = pv_with_memory(&control, 1);
    let one = control.map_foreign(domid, Gfn(frames[0])).unwrap();
    let two = control.map_foreign(domid, Gfn(frames[0])).unwrap();
    one.store_u32::<100>(42);
    assert_eq!(two.load_u32::<100>(), 42);
    drop((one, two));
    assert_eq!(control.map_foreign(domid, Gfn(frames[0])).unwrap().load_u32::<100>(), 42, "it stays");
}

#[test]
fn attack_d05_memory_comes_empty() {
    let sim = SimHypervisor::new(Config { pages: 1, ..Config::default() });
    let control = sim.control();
    let (first, frames) = pv_with_memory(&control, 1);
    control.map_foreign(first, Gfn(frames[0])).unwrap().store_u32::<0>(1);
    destroy(&control, first);
    let (second, again) = pv_with_memory(&control, 1);
    assert_eq!(again, frames);
    assert_eq!(control.map_foreign(second, Gfn(again[0])).unwrap().load_u32::<0>(), 0);
}

#[test]
fn refusals_of_foreign_mappings() {
    let (sim, control) = machine();
    let (domid, frames) = pv_with_memory(&control, 1);
    let (other, theirs) = pv_with_memory(&control, 1);
    let hvm = create(&control, CreateFlags::HVM);
    let map = |hv: &SimDomain, domid, frame| errno(hv.map_foreign(domid, Gfn(frame)));
    assert_eq!(map(&control, DomId(99), frames[0]), Errno::ESRCH);
    assert_eq!(map(&sim.as_domain(domid), other, theirs[0]), Errno::EPERM);
    assert_eq!(map(&control, domid, theirs[0]), Errno::EBUSY, "memory of another");
    assert_eq!(map(&control, domid, 0x1_0000_0000), Errno::EPERM, "no memory at all");
    assert_eq!(map(&control, hvm, 0), Errno::EINVAL, "nothing there");
    control.release(domid, &frames).unwrap();
    assert_eq!(map(&control, domid, frames[0]), Errno::EBUSY, "memory of nobody");
}

#[test]
fn what_is_mapped_outlives_its_release_and_its_domain() {
    let (sim, control) = machine();
    let (domid, frames) = pv_with_memory(&control, 2);
    let before = sim.snapshot().free_pages;
    let first = control.map_foreign(domid, Gfn(frames[0])).unwrap();
    let second = control.map_foreign(domid, Gfn(frames[1])).unwrap();
    control.release(domid, &frames[..1]).unwrap();
    assert_eq!(sim.snapshot().free_pages, before, "not free while mapped");
    drop(first);
    assert_eq!(sim.snapshot().free_pages, before + 1);
    destroy(&control, domid);
    assert!(control.domain_info(domid).is_ok(), "it cannot vanish yet");
    drop(second);
    sim.assert_pristine();
}

/// An entry that maps for reading only.
const READ_ONLY: u64 = 0b101;

#[test]
fn sound_page_tables_are_pinned_and_guarded() {
    let (_, control) = machine();
    let (domid, frames) = with_tables(&control, |l1, frames| {
        set_entry(l1, 0, frames[4], TABLE);
        for (slot, table) in frames[..4].iter().enumerate() {
            set_entry(l1, slot + 1, *table, READ_ONLY);
        }
    });
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    assert_eq!(errno(control.pin_l4(domid, Mfn(frames[0]))), Errno::EINVAL, "once is enough");
    for table in &frames[..4] {
        assert_eq!(errno(control.map_foreign(domid, Gfn(*table))), Errno::EBUSY);
    }
    assert!(control.map_foreign(domid, Gfn(frames[4])).is_ok());
    control.unpin_l4(domid, Mfn(frames[0])).unwrap();
    assert_eq!(errno(control.unpin_l4(domid, Mfn(frames[0]))), Errno::EINVAL);
    assert!(control.map_foreign(domid, Gfn(frames[0])).is_ok());
}

#[test]
fn page_tables_that_would_break_isolation_are_refused() {
    let (_, control) = machine();
    let (_, theirs) = pv_with_memory(&control, 1);
    let pin = |leaf: &dyn Fn(&Page, &[u64])| {
        let (domid, frames) = with_tables(&control, leaf);
        control.pin_l4(domid, Mfn(frames[0])).map_err(|error| error.errno)
    };
    assert_eq!(
        pin(&|l1, _| set_entry(l1, 0, theirs[0], TABLE)),
        Err(Errno::EBUSY),
        "memory of another domain"
    );
    assert_eq!(pin(&|l1, frames| set_entry(l1, 0, frames[2], TABLE)), Err(Errno::EBUSY), "a writable table");
    assert_eq!(pin(&|l1, frames| set_entry(l1, 511, frames[4], TABLE)), Ok(()));
}

#[test]
fn tables_must_have_one_level_and_no_large_pages() {
    let (_, control) = machine();
    for (slot, frame, flags) in [(1, 2, TABLE), (1, 4, TABLE | 1 << 7)] {
        let (domid, frames) = with_tables(&control, |_, _| ());
        set_entry(&control.map_foreign(domid, Gfn(frames[0])).unwrap(), slot, frames[frame], flags);
        assert_eq!(errno(control.pin_l4(domid, Mfn(frames[0]))), Errno::EINVAL);
    }
    // Xen's own slots are not looked at.
    let (domid, frames) = with_tables(&control, |_, _| ());
    set_entry(&control.map_foreign(domid, Gfn(frames[0])).unwrap(), 256, 0x1234, TABLE);
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
}

#[test]
fn refusals_of_pinning() {
    let (sim, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    let hvm = create(&control, CreateFlags::HVM);
    let root = Mfn(frames[0]);
    assert_eq!(errno(control.pin_l4(DomId(99), root)), Errno::ESRCH);
    assert_eq!(errno(control.pin_l4(hvm, root)), Errno::EINVAL);
    let other = create(&control, CreateFlags::empty());
    assert_eq!(errno(sim.as_domain(other).pin_l4(domid, root)), Errno::EPERM);
    assert_eq!(errno(control.pin_l4(other, root)), Errno::EINVAL, "not its own");
    let mapped = control.map_foreign(domid, Gfn(frames[1])).unwrap();
    assert_eq!(errno(control.pin_l4(domid, root)), Errno::EINVAL, "somebody could still write to it");
    drop(mapped);
    control.pin_l4(domid, root).unwrap();
}

#[test]
fn tables_shared_by_two_roots_stay_tables() {
    let (_, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    let second = frames[4];
    set_entry(&control.map_foreign(domid, Gfn(second)).unwrap(), 0, frames[1], TABLE);
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    control.pin_l4(domid, Mfn(second)).unwrap();
    control.unpin_l4(domid, Mfn(frames[0])).unwrap();
    assert_eq!(errno(control.map_foreign(domid, Gfn(frames[1]))), Errno::EBUSY);
    assert!(control.map_foreign(domid, Gfn(frames[0])).is_ok());
}
