//! Grants behave as Xen's do.

use xendless_core::abi::errno::Errno;
use xendless_core::abi::grant_table::{GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE};
use xendless_core::hyper::{
    Access, CreateDomain, CreateFlags, DomId, Domains, Gfn, GrantRef, Grants, SharedOut,
};

use crate::{create, destroy, errno, machine, pv_with_memory, request};

const RW: Access = Access::ReadWrite;
const CONSOLE: GrantRef = GrantRef(GNTTAB_RESERVED_CONSOLE);

#[test]
fn an_offered_page_is_the_same_memory_on_both_sides() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    let offer = guest.offer_page(DomId(0), RW).unwrap();
    assert!(offer.grant().0 >= 8, "the first entries have fixed purposes");
    let mapped = control.map_grant(guest.domid(), offer.grant(), RW).unwrap();
    mapped.store_u32::<8>(5);
    assert_eq!(offer.load_u32::<8>(), 5);
    drop((mapped, offer));
    destroy(&control, guest.domid());
    sim.assert_pristine();
}

#[test]
fn a_seeded_grant_gives_a_frame_of_the_guest() {
    let (sim, control) = machine();
    let (guest, frames) = pv_with_memory(&control, 2);
    control.seed_grant(guest, CONSOLE, DomId(0), Gfn(frames[1])).unwrap();
    control.map_grant(guest, CONSOLE, RW).unwrap().store_u32::<0>(7);
    let seen = xendless_core::hyper::ForeignMemory::map_foreign(&control, guest, Gfn(frames[1])).unwrap();
    assert_eq!(seen.load_u32::<0>(), 7);
    drop(seen);
    destroy(&control, guest);
    sim.assert_pristine();
}

#[test]
fn refusals_of_map() {
    let (sim, control) = machine();
    let (guest, _) = pv_with_memory(&control, 1);
    let other = sim.as_domain(create(&control, CreateFlags::empty()));
    let offer = sim.as_domain(guest).offer_page(DomId(0), Access::ReadOnly).unwrap();
    let xenstore = GrantRef(GNTTAB_RESERVED_XENSTORE);
    control.seed_grant(guest, xenstore, DomId(0), Gfn(1)).unwrap();
    let map =
        |hv: &xendless_tests::sim::SimDomain, domid, gref, access| errno(hv.map_grant(domid, gref, access));
    assert_eq!(map(&control, DomId(99), offer.grant(), RW), Errno::ESRCH);
    assert_eq!(map(&control, guest, GrantRef(4 * 512), RW), Errno::ENOENT, "beyond the table");
    assert_eq!(map(&control, guest, GrantRef(100), RW), Errno::EIO, "an empty entry");
    assert_eq!(map(&other, guest, offer.grant(), Access::ReadOnly), Errno::EIO, "granted to another");
    assert_eq!(map(&control, guest, offer.grant(), RW), Errno::EIO, "granted for reading");
    assert_eq!(map(&control, guest, xenstore, RW), Errno::EINVAL, "attack_b04: not a page of the granter");
    assert!(control.map_grant(guest, offer.grant(), Access::ReadOnly).is_ok());
}

#[test]
fn refusals_of_seed_and_offer() {
    let (sim, control) = machine();
    let (guest, frames) = pv_with_memory(&control, 1);
    let hv = sim.as_domain(guest);
    assert_eq!(errno(control.seed_grant(DomId(99), CONSOLE, DomId(0), Gfn(0))), Errno::ESRCH);
    assert_eq!(errno(hv.seed_grant(DomId(0), CONSOLE, guest, Gfn(frames[0]))), Errno::EPERM);
    assert_eq!(errno(control.seed_grant(guest, GrantRef(4 * 512), DomId(0), Gfn(0))), Errno::EINVAL);
    let offers: Vec<_> = (8..4 * 512).map(|_| hv.offer_page(DomId(0), RW).unwrap()).collect();
    assert_eq!(errno(hv.offer_page(DomId(0), RW)), Errno::ENOSPC);
    drop(offers);
    assert!(hv.offer_page(DomId(0), RW).is_ok());
}

#[test]
fn attack_b04_a_withdrawn_page_stays_away_from_others_while_it_is_mapped() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    let before = sim.snapshot();
    let offer = control.offer_page(guest.domid(), RW).unwrap();
    let gref = offer.grant();
    let mapped = guest.map_grant(DomId(0), gref, RW).unwrap();
    drop(offer);
    assert_eq!(sim.snapshot().domains[&DomId(0)].offered, 1, "still out of use");
    let next = control.offer_page(guest.domid(), RW).unwrap();
    assert_ne!(next.grant(), gref, "nor is the entry used again");
    next.store_u32::<0>(1);
    assert_eq!(mapped.load_u32::<0>(), 0);
    drop(mapped);
    assert_eq!(errno(guest.map_grant(DomId(0), gref, RW)), Errno::EIO);
    drop(next);
    assert_eq!(sim.snapshot(), before);
}

#[test]
fn a_dead_domain_is_kept_by_what_others_have_mapped() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    let offer = guest.offer_page(DomId(0), RW).unwrap();
    let mapped = control.map_grant(guest.domid(), offer.grant(), RW).unwrap();
    destroy(&control, guest.domid());
    assert!(control.domain_info(guest.domid()).is_ok());
    drop(mapped);
    assert_eq!(errno(control.domain_info(guest.domid())), Errno::ESRCH);
    drop(offer);
    sim.assert_pristine();
}

#[test]
fn a_dying_domain_lets_go_of_what_it_has_mapped() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    let offer = control.offer_page(guest.domid(), RW).unwrap();
    let mapped = guest.map_grant(DomId(0), offer.grant(), RW).unwrap();
    destroy(&control, guest.domid());
    drop(offer);
    sim.assert_pristine();
    drop(mapped);
    sim.assert_pristine();
}

#[test]
fn mappings_are_limited() {
    let (sim, control) = machine();
    let request = CreateDomain { max_maptrack_frames: 0, ..request(CreateFlags::empty()) };
    let guest = sim.as_domain(control.create_domain(&request).unwrap());
    let offer = control.offer_page(guest.domid(), RW).unwrap();
    assert_eq!(errno(guest.map_grant(DomId(0), offer.grant(), RW)), Errno::ENOSPC);
}
