//! What a domain gets before it first runs.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    CreateFlags, DomId, Domains, ForeignMemory, Gfn, Launch, Mfn, PhysMemory, PvStart,
};

use crate::{create, errno, machine, pv_with_memory, with_tables};

fn start(root: u64) -> PvStart {
    PvStart { entry: 0x1000, stack: 0x2000, start_info: 0x3000, top_table: Mfn(root) }
}

#[test]
fn the_first_processor_comes_online_with_its_registers() {
    let (sim, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    control.set_max_vcpus(domid, 2).unwrap();
    assert_eq!(control.domain_info(domid).unwrap().online_vcpus, 0);
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    control.start_pv(domid, &start(frames[0])).unwrap();
    assert_eq!(control.domain_info(domid).unwrap().online_vcpus, 1);
    assert_eq!(sim.start_of(domid), Some(start(frames[0])));
}

#[test]
fn refusals_of_start() {
    let (sim, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    let (other, _) = pv_with_memory(&control, 1);
    let good = start(frames[0]);
    let refused = |domid| errno(control.start_pv(domid, &good));
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    assert_eq!(refused(domid), Errno::EINVAL, "no virtual CPU yet");
    control.set_max_vcpus(domid, 2).unwrap();
    assert_eq!(errno(control.start_pv(domid, &start(frames[1]))), Errno::EINVAL, "not a top table");
    control.set_max_vcpus(other, 2).unwrap();
    assert_eq!(refused(other), Errno::EINVAL, "not its own table");
    assert_eq!(refused(DomId(0)), Errno::EINVAL, "oneself");
    assert_eq!(refused(DomId(99)), Errno::ESRCH);
    assert_eq!(errno(sim.as_domain(other).start_pv(domid, &good)), Errno::EPERM);
    assert_eq!(sim.start_of(domid), None);
}

#[test]
fn the_hypercall_page_is_a_page_of_the_domain_that_is_no_table() {
    let (sim, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    let (other, theirs) = pv_with_memory(&control, 1);
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    let refused = |domid, frame| errno(control.init_hypercall_page(domid, Gfn(frame)));
    assert_eq!(refused(domid, frames[3]), Errno::EPERM, "a page table");
    assert_eq!(refused(domid, theirs[0]), Errno::EINVAL);
    assert_eq!(refused(create(&control, CreateFlags::HVM), 7), Errno::EINVAL);
    assert_eq!(refused(DomId(99), frames[4]), Errno::ESRCH);
    assert_eq!(errno(sim.as_domain(other).init_hypercall_page(domid, Gfn(frames[4]))), Errno::EPERM);
    control.init_hypercall_page(domid, Gfn(frames[4])).unwrap();
    let mut filled = [0; 2];
    control.map_foreign(domid, Gfn(frames[4])).unwrap().read(0, &mut filled);
    assert_ne!(filled, [0; 2]);
}
