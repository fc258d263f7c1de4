//! The state of a domain besides its memory goes into another domain as it came out.

use xendless_core::abi::arch::{VGCF_ONLINE, VcpuGuestContext, cr3_of};
use xendless_core::abi::domctl::context::ExtVcpuContext;
use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    CONTEXT, CreateFlags, DomId, Domains, EXTENDED, FRAMES, FrameUse, Inspect, Launch, Mfn, PhysMemory,
    PvhStart, Scheduler, ShutdownReason, TableLevel, Transfer, VcpuId, Vcpus, set_return_value,
};
use xendless_tests::sim::SimDomain;
use zerocopy::{FromBytes, IntoBytes};

use crate::{create, errno, machine, pv_with_memory, set_entry, with_tables};

const FIRST: VcpuId = VcpuId(0);
const SECOND: VcpuId = VcpuId(1);

/// A PVH domain with two virtual CPUs that has run and was then suspended.
fn suspended(control: &SimDomain) -> DomId {
    let domid = fresh(control);
    control.start_pvh(domid, &PvhStart { entry: 0x1000, start_info: 0x2000, vcpus: 2 }).unwrap();
    control.unpause_domain(domid).unwrap();
    control.machine().as_domain(domid).shutdown(ShutdownReason::Suspend).unwrap();
    domid
}

/// One that was only made.
fn fresh(control: &SimDomain) -> DomId {
    let domid = create(control, CreateFlags::HVM);
    control.set_max_vcpus(domid, 2).unwrap();
    domid
}

fn records(control: &SimDomain, domid: DomId) -> Vec<u8> {
    let mut records = vec![0; control.platform_size(domid).unwrap()];
    let filled = control.platform(domid, &mut records).unwrap();
    records.truncate(filled);
    records
}

fn registers(control: &SimDomain, domid: DomId, vcpu: VcpuId) -> VcpuGuestContext {
    let mut context = [0; CONTEXT];
    control.registers(domid, vcpu, &mut context).unwrap();
    VcpuGuestContext::read_from_bytes(&context).unwrap()
}

fn set(control: &SimDomain, domid: DomId, vcpu: VcpuId, context: VcpuGuestContext) -> Result<(), Errno> {
    control.set_registers(domid, vcpu, &zerocopy::transmute!(context)).map_err(|error| error.errno)
}

/// An XSAVE state with AVX.
fn state(fill: u8) -> Vec<u8> {
    let mut state = vec![fill; 16 + 576 + 256];
    state[..16].copy_from_slice([7_u64, 7].as_bytes());
    state
}

fn xsave(control: &SimDomain, domid: DomId, vcpu: VcpuId) -> Vec<u8> {
    let mut state = vec![0; control.xsave_size(domid, vcpu).unwrap()];
    let used = control.xsave(domid, vcpu, &mut state).unwrap();
    state.truncate(used);
    state
}

#[test]
fn a_platform_goes_into_a_new_domain_and_brings_its_virtual_cpus_online() {
    let (_, control) = machine();
    let (old, new) = (suspended(&control), fresh(&control));
    assert_eq!(control.domain_info(old).unwrap().shutdown, Some(ShutdownReason::Suspend));
    let taken = records(&control, old);
    assert!(control.platform_size(old).unwrap() > taken.len(), "Xen tells the most that it can be");
    assert_eq!(control.domain_info(new).unwrap().online_vcpus, 0);
    control.set_platform(new, &taken).unwrap();
    assert_eq!(records(&control, new), taken);
    assert!(control.vcpu_info(new, FIRST).unwrap().online);
    assert!(!control.vcpu_info(new, SECOND).unwrap().online, "the second one never ran");
}

#[test]
fn refusals_of_a_platform() {
    let (sim, control) = machine();
    let (old, new) = (suspended(&control), fresh(&control));
    let good = records(&control, old);
    assert_eq!(errno(control.platform(old, &mut vec![0; good.len()])), Errno::ENOSPC);
    let refused = |domid, records: &[u8]| errno(control.set_platform(domid, records));
    assert_eq!(refused(new, &[]), Errno::ENODATA);
    assert_eq!(refused(new, &good[32..]), Errno::ENODATA, "no header");
    assert_eq!(refused(new, &good[..good.len() - 8]), Errno::ENODATA, "no end");
    assert_eq!(refused(new, &good[..good.len() - 9]), Errno::EINVAL, "a record that is cut off");
    let changed = |at: usize, value: u8| {
        let mut records = good.clone();
        records[at] = value;
        refused(new, &records)
    };
    assert_eq!(changed(8, 0), Errno::EINVAL, "another magic number");
    assert_eq!(changed(32, 1), Errno::EINVAL, "a second header");
    assert_eq!(changed(32, 21), Errno::EINVAL, "a kind that is not known");
    assert_eq!(changed(34, 2), Errno::EINVAL, "a virtual CPU that is not there");
    let pv = create(&control, CreateFlags::empty());
    assert_eq!(refused(pv, &good), Errno::EINVAL);
    assert_eq!(errno(control.platform_size(pv)), Errno::EINVAL);
    assert_eq!(refused(DomId(0), &good), Errno::EINVAL);
    assert_eq!(refused(DomId(99), &good), Errno::ESRCH);
    assert_eq!(errno(sim.as_domain(old).set_platform(new, &good)), Errno::EPERM);
    assert_eq!(control.domain_info(new).unwrap().online_vcpus, 0);
}

#[test]
fn a_suspended_domain_is_told_what_its_hypercall_returns() {
    let (_, control) = machine();
    let domid = suspended(&control);
    let before = registers(&control, domid, FIRST);
    control.set_xsave(domid, FIRST, &state(3)).unwrap();
    set_return_value(&control, domid, FIRST, 1).unwrap();
    let mut after = registers(&control, domid, FIRST);
    assert_eq!(after.user_regs.rax, 1);
    after.user_regs.rax = before.user_regs.rax;
    assert_eq!(after, before);
    assert_eq!(xsave(&control, domid, FIRST), state(3), "all of it");
    control.resume_domain(domid).unwrap();
    assert_eq!(control.domain_info(domid).unwrap().shutdown, None);
    assert_eq!(errno(set_return_value(&control, domid, SECOND, 1)), Errno::ENODATA, "it never ran");
}

#[test]
fn registers_take_the_rest_of_the_xsave_state_away() {
    let (_, control) = machine();
    let domid = suspended(&control);
    control.set_xsave(domid, FIRST, &state(3)).unwrap();
    let context = registers(&control, domid, FIRST);
    set(&control, domid, FIRST, context).unwrap();
    assert_ne!(xsave(&control, domid, FIRST), state(3));
}

#[test]
fn registers_of_a_pv_domain_bring_its_virtual_cpus_online() {
    let (_, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    control.set_max_vcpus(domid, 2).unwrap();
    let ctrlreg = [0, 0, 0, cr3_of(frames[0]), 0, 0, 0, 0];
    let mut context = VcpuGuestContext { flags: VGCF_ONLINE, ctrlreg, gdt_ents: 1, ..VcpuGuestContext::ZERO };
    context.gdt_frames[0] = frames[4];
    context.user_regs.rip = 0x77;
    set(&control, domid, SECOND, context).unwrap();
    assert_eq!(registers(&control, domid, SECOND), context);
    assert!(control.vcpu_info(domid, SECOND).unwrap().online);
    assert!(!control.vcpu_info(domid, FIRST).unwrap().online);
    assert_eq!(control.domain_info(domid).unwrap().online_vcpus, 1);
    let mut uses = [FrameUse::Absent; 1];
    control.frame_uses(domid, &frames[..1], &mut uses).unwrap();
    assert_eq!(uses, [FrameUse::Table { level: TableLevel::L4, pinned: false }]);
    // Those it has may be set again, with the same tables.
    context.user_regs.rax = 1;
    set(&control, domid, SECOND, context).unwrap();
    let other = VcpuGuestContext { gdt_ents: 0, ..context };
    assert_eq!(set(&control, domid, SECOND, other), Err(Errno::EOPNOTSUPP));
    context.flags = 0;
    set(&control, domid, SECOND, context).unwrap();
    assert!(!control.vcpu_info(domid, SECOND).unwrap().online);
}

#[test]
fn refusals_of_registers() {
    let (sim, control) = machine();
    let (domid, frames) = with_tables(&control, |_, _| ());
    let (other, theirs) = pv_with_memory(&control, 1);
    control.set_max_vcpus(domid, 2).unwrap();
    let roots = |kernel, user| {
        let ctrlreg = [0, user, 0, cr3_of(kernel), 0, 0, 0, 0];
        VcpuGuestContext { ctrlreg, ..VcpuGuestContext::ZERO }
    };
    let good = roots(frames[0], 0);
    control.pin_l4(domid, Mfn(frames[0])).unwrap();
    let refused = |context| set(&control, domid, FIRST, context);
    assert_eq!(refused(roots(frames[1], 0)), Err(Errno::EINVAL), "a table of another level");
    assert_eq!(refused(roots(theirs[0], 0)), Err(Errno::EINVAL));
    assert_eq!(refused(roots(frames[0], cr3_of(frames[1]))), Err(Errno::EINVAL), "the user's");
    let mut gdt = VcpuGuestContext { gdt_ents: 513, ..good };
    gdt.gdt_frames[..2].copy_from_slice(&[frames[4], frames[3]]);
    assert_eq!(refused(gdt), Err(Errno::EINVAL), "descriptors in a page table");
    assert_eq!(refused(VcpuGuestContext { gdt_ents: 8193, ..good }), Err(Errno::EINVAL));
    assert_eq!(set(&control, domid, VcpuId(2), good), Err(Errno::EINVAL));
    assert_eq!(set(&control, DomId(0), FIRST, good), Err(Errno::EINVAL));
    assert_eq!(set(&control, DomId(99), FIRST, good), Err(Errno::ESRCH));
    assert_eq!(set(&sim.as_domain(other), domid, FIRST, good), Err(Errno::EPERM));
    assert_eq!(refused(good), Ok(()));
}

#[test]
fn what_is_extended_goes_over_with_the_number_of_its_new_virtual_cpu() {
    let (_, control) = machine();
    let domid = create(&control, CreateFlags::empty());
    let mut out = [0; EXTENDED];
    assert_eq!(errno(control.extended(domid, FIRST, &mut out)), Errno::ESRCH, "none yet");
    control.set_max_vcpus(domid, 2).unwrap();
    let context = ExtVcpuContext { syscall32_callback_eip: 5, caps: 6, ..ExtVcpuContext::ZERO };
    control.set_extended(domid, SECOND, &zerocopy::transmute!(context)).unwrap();
    control.extended(domid, SECOND, &mut out).unwrap();
    let expected = ExtVcpuContext { vcpu: 1, size: 64, ..context };
    assert_eq!(ExtVcpuContext::read_from_bytes(&out), Ok(expected));
    control.extended(domid, FIRST, &mut out).unwrap();
    assert_eq!(
        ExtVcpuContext::read_from_bytes(&out),
        Ok(ExtVcpuContext { size: 64, ..ExtVcpuContext::ZERO })
    );
    let wild = ExtVcpuContext { sysenter_callback_eip: 1 << 47, ..context };
    assert_eq!(errno(control.set_extended(domid, FIRST, &zerocopy::transmute!(wild))), Errno::EINVAL);
    let hvm = fresh(&control);
    assert_eq!(errno(control.set_extended(hvm, FIRST, &zerocopy::transmute!(context))), Errno::EINVAL);
    assert_eq!(errno(control.set_extended(DomId(0), FIRST, &out)), Errno::ESRCH);
}

#[test]
fn xsave_states_are_refused_unless_the_machine_could_have_made_them() {
    let (_, control) = machine();
    let domid = fresh(&control);
    assert_eq!(xsave(&control, domid, FIRST), [0; 0], "never used");
    control.set_xsave(domid, FIRST, &[]).unwrap();
    control.set_xsave(domid, FIRST, &state(9)).unwrap();
    assert_eq!(xsave(&control, domid, FIRST), state(9));
    assert_eq!(xsave(&control, domid, SECOND), [0; 0]);
    assert_eq!(errno(control.xsave(domid, FIRST, &mut [0; 847])), Errno::EINVAL, "too little room");
    let masks = |used: u64, ever: u64, length: usize| {
        let mut state = state(0);
        state[..16].copy_from_slice([used, ever].as_bytes());
        control.set_xsave(domid, FIRST, &state[..length]).map_err(|error| error.errno)
    };
    assert_eq!(masks(3, 3, 592), Ok(()));
    assert_eq!(masks(7, 7, 592), Err(Errno::EINVAL), "the area is too short");
    assert_eq!(masks(7, 15, 848), Err(Errno::EINVAL), "a feature that is not there");
    assert_eq!(masks(7, 3, 592), Err(Errno::EINVAL), "in use and never used");
    assert_eq!(masks(7, 7, 15), Err(Errno::EINVAL));
    assert_eq!(errno(control.set_xsave(domid, VcpuId(2), &state(1))), Errno::ESRCH);
    assert_eq!(errno(control.set_xsave(DomId(0), FIRST, &state(1))), Errno::EINVAL);
}

#[test]
fn frames_are_used_as_what_they_were_pinned_as() {
    let (_, control) = machine();
    let (domid, frames) = with_tables(&control, |leaf, frames| set_entry(leaf, 0, frames[4], 1));
    let (_, theirs) = pv_with_memory(&control, 1);
    control.set_max_vcpus(domid, 2).unwrap();
    let shared_info = control.domain_info(domid).unwrap().shared_info;
    let asked = [frames[0], frames[1], frames[2], frames[3], frames[4], theirs[0], shared_info, 3];
    let look = || {
        let mut uses = [FrameUse::Absent; 8];
        control.frame_uses(domid, &asked, &mut uses).unwrap();
        uses
    };
    let table = |level, pinned| FrameUse::Table { level, pinned };
    let (plain, absent) = (FrameUse::Plain, FrameUse::Absent);
    assert_eq!(look(), [plain, plain, plain, plain, plain, absent, absent, absent]);
    control.pin_table(domid, TableLevel::L1, Mfn(frames[3])).unwrap();
    assert_eq!(look()[..5], [plain, plain, plain, table(TableLevel::L1, true), plain]);
    assert_eq!(errno(control.pin_table(domid, TableLevel::L2, Mfn(frames[3]))), Errno::EINVAL);
    control.pin_table(domid, TableLevel::L4, Mfn(frames[0])).unwrap();
    let levels = [TableLevel::L4, TableLevel::L3, TableLevel::L2, TableLevel::L1];
    let pinned = [true, false, false, true];
    let mut tables = levels.iter().zip(pinned).map(|(level, pinned)| table(*level, pinned));
    assert!(look().iter().take(4).all(|what| Some(*what) == tables.next()));
    // What is pinned by itself stays a table.
    control.unpin_l4(domid, Mfn(frames[0])).unwrap();
    assert_eq!(look()[..5], [plain, plain, plain, table(TableLevel::L1, true), plain]);
}

#[test]
fn frames_of_a_pvh_domain_have_its_own_numbers() {
    let (_, control) = machine();
    let domid = create(&control, CreateFlags::HVM);
    assert_eq!(control.populate(domid, &mut [0x10]), Ok(1));
    let mut uses = [FrameUse::Absent; 2];
    control.frame_uses(domid, &[0x10, 0x11], &mut uses).unwrap();
    assert_eq!(uses, [FrameUse::Plain, FrameUse::Absent]);
    assert_eq!(errno(control.frame_uses(domid, &[0x10], &mut uses)), Errno::E2BIG);
    let (many, mut uses) = ([0; FRAMES + 1], [FrameUse::Absent; FRAMES + 1]);
    assert_eq!(errno(control.frame_uses(domid, &many, &mut uses)), Errno::E2BIG);
    assert_eq!(errno(control.pin_table(domid, TableLevel::L4, Mfn(0x10))), Errno::EINVAL);
    assert_eq!(errno(control.frame_uses(DomId(99), &[], &mut [])), Errno::ESRCH);
}
