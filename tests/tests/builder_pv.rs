//! Plans for PV domains, checked by a page walk that knows nothing of how the tables were made.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proptest::prelude::*;
use xendless_core::abi::start_info::SIF_MOD_START_PFN;
use xendless_core::builder::image::PvKernel;
use xendless_core::builder::pv::{ENTRIES, Facts, PvPlan};
use xendless_core::builder::{PlanError, Request, Ring};
use xendless_core::hyper::{Gfn, Mfn, Port};
use xendless_tests::kernel::VIRT_BASE;

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;
/// Where Linux wants its frame list.
const LINUX_P2M: u64 = 0x80_0000_0000;

fn request(pages: u64, ramdisk: u64) -> Request {
    Request { pages, command_line: b"console=hvc0".to_vec(), ramdisk }
}

/// A kernel that loads at 1 MiB.
fn small(bytes: u64) -> PvKernel {
    let start = VIRT_BASE + MIB;
    PvKernel {
        virt_base: VIRT_BASE,
        start,
        end: start + bytes,
        offset: VIRT_BASE,
        entry: start,
        hypercall_page: None,
        init_p2m: None,
        unmapped_ramdisk: false,
    }
}

/// Debian's, which loads at 16 MiB.
fn linux() -> PvKernel {
    PvKernel {
        start: VIRT_BASE + 16 * MIB,
        end: VIRT_BASE + 0x4a0_0000,
        entry: VIRT_BASE + 0x307_91c0,
        init_p2m: Some(LINUX_P2M),
        unmapped_ramdisk: true,
        ..small(0)
    }
}

/// Machine frames that are neither in order nor near zero.
fn machine(frame: u64) -> u64 {
    0x10_0000 + (frame ^ 0x2a5)
}

struct Leaf {
    frame: u64,
    writable: bool,
}

/// Everything a processor would find mapped, by virtual address, and the frames of the tables it went through.
fn walk(plan: &PvPlan) -> (BTreeMap<u64, Leaf>, BTreeSet<u64>) {
    let pages = plan.request().pages;
    let known = |frame| (frame < pages).then(|| machine(frame));
    let back: BTreeMap<u64, u64> = (0..pages).map(|frame| (machine(frame), frame)).collect();
    let mut memory = BTreeMap::new();
    for table in plan.tables().iter() {
        let mut entries = [u64::MAX; ENTRIES];
        plan.tables().fill(table, known, &mut entries);
        assert!(memory.insert(table.frame, entries).is_none(), "frame {} holds two tables", table.frame);
    }
    let mut leaves = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut todo = vec![(4, 0, plan.tables().boot().start)];
    while let Some((level, virt, frame)) = todo.pop() {
        assert!(used.insert(frame), "the table in frame {frame} is entered twice");
        let entries = memory.get(&frame).unwrap_or_else(|| panic!("frame {frame} is no table"));
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| **entry != 0) {
            assert_eq!(entry & 1, 1, "present");
            let virt = virt | (index as u64) << (12 + 9 * (level - 1));
            let frame = back[&(entry >> 12 & 0xff_ffff_ffff)];
            if level > 1 {
                todo.push((level - 1, virt, frame));
            } else {
                // Addresses are sign-extended from bit 47.
                let virt = ((virt << 16) as i64 >> 16) as u64;
                leaves.insert(virt, Leaf { frame, writable: entry & 2 != 0 });
            }
        }
    }
    (leaves, used)
}

fn regions(plan: &PvPlan) -> Vec<(&'static str, Range<u64>)> {
    let one = |frame| frame..frame + 1;
    let kernel = plan.kernel();
    let tables: Vec<_> = plan.tables().iter().map(|table| ("table", one(table.frame))).collect();
    let mut regions = vec![
        ("kernel", plan.frame_of(kernel.start)..plan.frame_of(kernel.end - 1) + 1),
        ("ramdisk", plan.ramdisk()),
        ("frame list", plan.frame_list()),
        ("start info", one(plan.start_info())),
        ("XenStore", one(plan.store())),
        ("console", one(plan.console())),
        ("stack", one(plan.stack())),
        ("padding", plan.stack() + 1..plan.stack() + 129),
    ];
    regions.extend(tables);
    regions
}

fn check(plan: &PvPlan) {
    let pages = plan.request().pages;
    let mut regions = regions(plan);
    regions.sort_by_key(|(_, range)| (range.start, range.end));
    for pair in regions.windows(2) {
        assert!(pair[0].1.end <= pair[1].1.start, "{pair:?} overlap");
    }
    for (what, range) in &regions {
        assert!(range.end <= pages, "the {what} at {range:?} is not in the domain");
        assert!(range.end <= plan.placed(), "the {what} at {range:?} is not accounted for");
    }

    let (mut leaves, used) = walk(plan);
    let tables: BTreeSet<u64> = plan.tables().iter().map(|table| table.frame).collect();
    assert_eq!(used, tables, "every table is reached");
    assert_eq!(plan.tables().boot().filter(|frame| !tables.contains(frame)).count(), 0);
    for leaf in leaves.values() {
        assert_eq!(leaf.writable, !tables.contains(&leaf.frame), "frame {}", leaf.frame);
    }

    // The frame list, where the kernel wants it.
    let list_at = plan.kernel().init_p2m.unwrap_or_else(|| plan.virt_of(plan.frame_list().start));
    for (index, frame) in plan.frame_list().enumerate() {
        let virt = list_at + index as u64 * PAGE;
        assert_eq!(leaves[&virt].frame, frame, "frame list at {virt:#x}");
        if plan.kernel().init_p2m.is_some() {
            leaves.remove(&virt);
        }
    }
    // The rest is the initial mapping: one to one from the base, without gaps, to a 4 MiB boundary or the end
    // of memory.
    let base = plan.kernel().virt_base;
    for (index, (virt, leaf)) in leaves.iter().enumerate() {
        assert_eq!((*virt, leaf.frame), (base + index as u64 * PAGE, index as u64));
    }
    let mapped = leaves.len() as u64;
    assert!(mapped == pages || (base + mapped * PAGE).is_multiple_of(4 * MIB), "{mapped} pages are mapped");
    assert!(mapped > plan.stack() + 128, "512 KiB are free behind the stack");
}

#[test]
fn a_small_kernel_and_debians_are_laid_out_as_the_interface_says() {
    for (kernel, request) in [
        (small(90 << 10), request(1024, 0)),
        (small(90 << 10), request(4096, 5 * MIB + 1)),
        (linux(), request(32768, 30 * MIB)),
        (PvKernel { unmapped_ramdisk: false, ..linux() }, request(65536, 30 * MIB)),
        (PvKernel { init_p2m: None, ..linux() }, request(65536, 0)),
        (linux(), request(4 << 18, 1)),
    ] {
        check(&PvPlan::new(&kernel, request).unwrap());
    }
}

#[test]
fn boot_elements_follow_each_other_in_the_order_of_the_interface() {
    let plan = PvPlan::new(&small(90 << 10), request(4096, PAGE + 1)).unwrap();
    let kernel_end = plan.frame_of(plan.kernel().end - 1) + 1;
    assert_eq!(plan.ramdisk(), kernel_end..kernel_end + 2);
    assert_eq!(plan.frame_list(), kernel_end + 2..kernel_end + 10);
    assert_eq!(plan.start_info(), kernel_end + 10);
    assert_eq!(plan.store(), kernel_end + 11);
    assert_eq!(plan.console(), kernel_end + 12);
    // One table per level, and a second one for the second 2 MiB.
    assert_eq!(plan.tables().boot(), kernel_end + 13..kernel_end + 18);
    assert_eq!(plan.stack(), kernel_end + 18);
}

const FACTS: Facts = Facts {
    shared_info: Mfn(0x777),
    store: Ring { frame: Gfn(0x501), port: Port(1) },
    console: Ring { frame: Gfn(0x502), port: Port(2) },
};

#[test]
fn the_start_info_page_says_where_everything_is() {
    let plan = PvPlan::new(&small(90 << 10), request(4096, PAGE + 1)).unwrap();
    let info = plan.start_info_page(&FACTS);
    assert!(info.magic.starts_with(b"xen-3.0-x86_64\0"));
    assert!(info.cmd_line.starts_with(b"console=hvc0\0"));
    assert_eq!((info.nr_pages, info.shared_info, info.flags), (4096, 0x77_7000, 0));
    assert_eq!((info.store_mfn, info.store_evtchn), (0x501, 1));
    assert_eq!((info.console_mfn, info.console_evtchn), (0x502, 2));
    assert_eq!((info.pt_base, info.nr_pt_frames), (plan.virt_of(plan.tables().boot().start), 5));
    assert_eq!(info.mfn_list, plan.virt_of(plan.frame_list().start));
    assert_eq!((info.mod_start, info.mod_len), (plan.virt_of(plan.ramdisk().start), PAGE + 1));
    assert_eq!((info.first_p2m_pfn, info.nr_p2m_frames), (0, 0));
}

#[test]
fn linux_finds_its_ramdisk_and_frame_list_by_frame_number() {
    let plan = PvPlan::new(&linux(), request(32768, 3 * PAGE)).unwrap();
    let info = plan.start_info_page(&FACTS);
    assert_eq!(info.flags, SIF_MOD_START_PFN);
    assert_eq!((info.mod_start, info.mod_len), (plan.ramdisk().start, 3 * PAGE));
    assert_eq!(info.mfn_list, LINUX_P2M);
    // 64 pages of list, and three tables of its own: it has a slot of the top table for itself.
    assert_eq!((info.first_p2m_pfn, info.nr_p2m_frames), (plan.frame_list().start, 64 + 3));
    assert_eq!(plan.ramdisk().start, plan.frame_list().start + 64 + 3);
}

#[test]
fn the_first_cpu_starts_in_the_kernel() {
    let plan = PvPlan::new(&small(90 << 10), request(1024, 0)).unwrap();
    let start = plan.start(Mfn(0x503));
    assert_eq!((start.entry, start.start_info), (plan.kernel().entry, plan.virt_of(plan.start_info())));
    assert_eq!((start.stack, start.top_table), (plan.virt_of(plan.stack() + 1), Mfn(0x503)));
}

#[test]
fn too_little_memory_is_told_with_the_need() {
    let error = PvPlan::new(&linux(), request(1024, 0)).unwrap_err();
    assert!(matches!(error, PlanError::Memory { given: 1024, needed: 18946.. }), "{error}");
    assert!(error.to_string().starts_with("4096 KiB of memory are too few"), "{error}");
    assert_eq!(PvPlan::new(&linux(), request(u64::MAX, 0)), Err(PlanError::TooMuchMemory(u64::MAX)));
    for pages in [1 << 40, 1 << 20] {
        let huge = PvPlan::new(&small(u64::MAX - VIRT_BASE - MIB), request(pages, 0));
        assert!(huge.is_err(), "the mapping would wrap around");
    }
    assert!(matches!(PvPlan::new(&linux(), request(32768, u64::MAX)), Err(PlanError::Memory { .. })));
    let PlanError::Memory { needed, .. } = PvPlan::new(&small(90 << 10), request(400, 0)).unwrap_err() else {
        panic!("memory is short")
    };
    assert!(PvPlan::new(&small(90 << 10), request(needed, 0)).is_ok(), "the need is enough");
}

#[test]
fn attack_d01_addresses_of_the_hypervisor_are_refused() {
    let at = |virt_base: u64| PvKernel {
        virt_base,
        start: virt_base + MIB,
        end: virt_base + 2 * MIB,
        entry: virt_base + MIB,
        offset: virt_base,
        ..small(0)
    };
    for virt_base in [0x8000_0000_0000, 0xffff_8000_0000_0000, 0xffff_87ff_ffc0_0000] {
        assert!(
            matches!(PvPlan::new(&at(virt_base), request(4096, 0)), Err(PlanError::Address(_))),
            "{virt_base:#x}"
        );
    }
    for virt_base in [0, 0x7fff_ffc0_0000, 0xffff_8800_0000_0000] {
        check(&PvPlan::new(&at(virt_base), request(4096, 0)).unwrap());
    }
    for list in [VIRT_BASE, VIRT_BASE + 4 * MIB - PAGE, 0xffff_8000_0000_0000, 0x1234, u64::MAX - 0xfff] {
        let kernel = PvKernel { init_p2m: Some(list), ..small(MIB) };
        assert_eq!(PvPlan::new(&kernel, request(4096, 0)), Err(PlanError::Address(list)), "{list:#x}");
    }
}

#[test]
fn a_command_line_has_to_fit() {
    let with = |command_line: Vec<u8>| PvPlan::new(&small(MIB), Request { command_line, ..request(4096, 0) });
    assert!(with(vec![b'a'; 1023]).is_ok());
    assert_eq!(with(vec![b'a'; 1024]), Err(PlanError::CommandLine));
    assert_eq!(with(vec![b'a', 0, b'b']), Err(PlanError::CommandLine));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_placed_is_mapped_once_and_in_the_domain(
        kernel_bytes in 1u64..40 * MIB,
        ramdisk in prop_oneof![Just(0), 1u64..20 * MIB],
        pages in 300u64..40_000,
        // Next to the kernel's own tables, in the same slots, and far away.
        list in prop_oneof![
            Just(None),
            Just(Some(LINUX_P2M)),
            (0u64..1024).prop_map(|slot| Some(VIRT_BASE + 0x1000_0000 + slot * PAGE)),
            (1u64..64).prop_map(|slot| Some(VIRT_BASE - slot * 64 * MIB)),
        ],
        unmapped_ramdisk: bool,
    ) {
        let kernel = PvKernel { init_p2m: list, unmapped_ramdisk, ..small(kernel_bytes) };
        match PvPlan::new(&kernel, request(pages, ramdisk)) {
            Ok(plan) => check(&plan),
            Err(error) => prop_assert!(matches!(error, PlanError::Memory { .. }), "{error}"),
        }
    }
}
