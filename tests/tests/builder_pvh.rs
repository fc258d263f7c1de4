//! Plans for PVH domains, read the way a kernel does: from the start info on, knowing nothing of how it was made.

use proptest::prelude::*;
use xendless_core::builder::image::PvhKernel;
use xendless_core::builder::pvh::PvhPlan;
use xendless_core::builder::{PlanError, Request};
use xendless_core::hyper::Port;

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;
const GIB_PAGES: u64 = 1 << 18;
const KERNEL: PvhKernel = PvhKernel { entry: 0x100_0850, start: 16 * MIB, end: 0x4a0_0000 };

fn request(pages: u64, ramdisk: u64) -> Request {
    Request { pages, command_line: b"console=hvc0 root=/dev/xvda".to_vec(), ramdisk }
}

fn plan(pages: u64, ramdisk: u64, vcpus: u32) -> PvhPlan {
    PvhPlan::new(&KERNEL, request(pages, ramdisk), vcpus).unwrap()
}

/// The plan's two blocks as a domain's memory.
struct Memory {
    blocks: [(u64, Vec<u8>); 2],
}

impl Memory {
    fn of(plan: &PvhPlan) -> Self {
        let acpi = (plan.acpi_frames().start * PAGE, plan.acpi().to_vec());
        Self { blocks: [(plan.start_info(), plan.boot_block()), acpi] }
    }

    fn at(&self, address: u64) -> &[u8] {
        let found = self.blocks.iter().find_map(|(start, bytes)| {
            address.checked_sub(*start).and_then(|at| bytes.get(usize::try_from(at).ok()?..))
        });
        found.unwrap_or_else(|| panic!("nothing is at {address:#x}"))
    }

    fn number(&self, address: u64, length: usize) -> u64 {
        self.at(address)[..length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A table with its signature, whose checksum is right.
    fn table(&self, address: u64) -> (String, &[u8]) {
        let length = self.number(address + 4, 4) as usize;
        let bytes = &self.at(address)[..length];
        assert_eq!(sum(bytes), 0, "checksum at {address:#x}");
        (String::from_utf8_lossy(&bytes[..4]).into_owned(), bytes)
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The memory map: address, size, kind.
fn map(memory: &Memory, start: u64) -> Vec<(u64, u64, u64)> {
    let (at, count) = (memory.number(start + 40, 8), memory.number(start + 48, 4));
    (0..count)
        .map(|index| at + index * 24)
        .map(|at| (memory.number(at, 8), memory.number(at + 8, 8), memory.number(at + 16, 4)))
        .collect()
}

#[test]
fn the_start_info_leads_to_ramdisk_command_line_and_memory() {
    let plan = plan(32768, 5 * MIB + 1, 2);
    let memory = Memory::of(&plan);
    let start = plan.start_info();
    assert_eq!(memory.number(start, 4), 0x336e_c578);
    assert_eq!((memory.number(start + 4, 4), memory.number(start + 8, 4)), (1, 0), "version, flags");
    assert_eq!(memory.number(start + 12, 4), 1, "one module");
    let module = memory.number(start + 16, 8);
    assert_eq!((memory.number(module, 8), memory.number(module + 8, 8)), (0x4a0_0000, 5 * MIB + 1));
    assert_eq!(plan.ramdisk(), 0x4a00..0x4a00 + 1281);
    assert!(memory.at(memory.number(start + 24, 8)).starts_with(b"console=hvc0 root=/dev/xvda\0"));
    let expected = [(0, 128 * MIB, 1), (0xfc00_0000, PAGE, 3), (0xfeff_8000, 8 * PAGE, 2)];
    assert_eq!(map(&memory, start), expected);
}

#[test]
fn without_a_ramdisk_there_is_no_module() {
    let plan = plan(32768, 0, 1);
    let memory = Memory::of(&plan);
    assert_eq!((memory.number(plan.start_info() + 12, 4), memory.number(plan.start_info() + 16, 8)), (0, 0));
    assert!(plan.ramdisk().is_empty());
}

#[test]
fn memory_beyond_the_devices_goes_above_4_gib() {
    let plan = plan(6 * GIB_PAGES, 0, 1);
    assert_eq!(plan.ram(), [0..0xf_0000, 0x10_0000..0x10_0000 + (6 * GIB_PAGES - 0xf_0000)]);
    let map = map(&Memory::of(&plan), plan.start_info());
    assert_eq!(map.first(), Some(&(0, 0xf000_0000, 1)));
    assert_eq!(map.last(), Some(&(4 << 30, 6 * GIB_PAGES * PAGE - 0xf000_0000, 1)));
}

#[test]
fn acpi_tables_are_found_from_the_root_and_name_every_processor() {
    for vcpus in [1, 2, 3, 64, 128] {
        let plan = plan(32768, 0, vcpus);
        let memory = Memory::of(&plan);
        let root = memory.number(plan.start_info() + 32, 8);
        let pointer = &memory.at(root)[..36];
        assert_eq!((&pointer[..8], pointer[15]), (&b"RSD PTR "[..], 2));
        assert_eq!((sum(&pointer[..20]), sum(pointer)), (0, 0));

        let xsdt_at = memory.number(root + 24, 8);
        let (name, xsdt) = memory.table(xsdt_at);
        assert_eq!((name.as_str(), xsdt.len()), ("XSDT", 36 + 2 * 8));
        let fadt_at = memory.number(xsdt_at + 36, 8);
        let (name, fadt) = memory.table(fadt_at);
        assert_eq!((name.as_str(), fadt.len()), ("FACP", 276));
        let (dsdt_at, facs_at) = (memory.number(fadt_at + 140, 8), memory.number(fadt_at + 132, 8));
        let (name, dsdt) = memory.table(dsdt_at);
        assert_eq!(name, "DSDT");
        assert_eq!(dsdt.windows(8).filter(|bytes| bytes == b"ACPI0007").count(), vcpus as usize);
        assert!(memory.at(facs_at).starts_with(b"FACS") && facs_at.is_multiple_of(64));

        let madt_at = memory.number(xsdt_at + 44, 8);
        let (name, madt) = memory.table(madt_at);
        assert_eq!((name.as_str(), memory.number(madt_at + 36, 4)), ("APIC", 0xfee0_0000));
        let apics: Vec<_> = madt[44..].chunks(8).collect();
        let expected: Vec<_> = (0..vcpus as u8).map(|uid| [0, 8, uid, uid * 2, 1, 0, 0, 0]).collect();
        assert_eq!(apics, expected);
    }
}

#[test]
fn rings_and_page_table_are_named_by_parameters() {
    let plan = plan(32768, 0, 2);
    let params = plan.params(Port(3), Port(4));
    assert_eq!(params, [(1, 0xfeffc), (2, 3), (17, 0xfefff), (18, 4), (12, 0xfeff_e000)]);
    assert_eq!((plan.store(), plan.console(), plan.identity()), (0xfeffc, 0xfefff, 0xfeffe));
    let extra = plan.extra();
    assert_eq!(extra, [0xfeffc, 0xfeffe, 0xfefff, 0xfc000]);
    let table: Vec<u32> = PvhPlan::identity_entries().collect();
    assert_eq!((table.len(), table[0], table[1], table[1023]), (1024, 0xe7, 0x40_00e7, 0xffc0_00e7));
}

/// What Xen's tools give, by their formula in KiB: 4 * (256 * vcpus + 2 * MiB).
#[test]
fn the_paging_pool_is_as_large_as_xens_tools_make_it() {
    assert_eq!(plan(32768, 0, 2).paging_pool(), (4 * (256 * 2 + 2 * 128)) << 10);
}

#[test]
fn what_does_not_fit_is_told() {
    let refused = |kernel: &PvhKernel, pages, ramdisk, vcpus| {
        PvhPlan::new(kernel, request(pages, ramdisk), vcpus).unwrap_err()
    };
    assert_eq!(refused(&KERNEL, 18000, 0, 1), PlanError::Memory { given: 18000, needed: 0x4a01 });
    assert!(PvhPlan::new(&KERNEL, request(0x4a01, 0), 1).is_ok(), "the need is enough");
    assert!(matches!(refused(&KERNEL, 32768, u64::MAX, 1), PlanError::Memory { .. }));
    for vcpus in [0, 129] {
        assert_eq!(refused(&KERNEL, 32768, 0, vcpus), PlanError::Vcpus { asked: vcpus, limit: 128 });
    }
    for end in [u64::MAX, 0xf000_0000] {
        let high = PvhKernel { start: end - MIB, end, ..KERNEL };
        assert_eq!(refused(&high, 1 << 40, 0, 1), PlanError::Address(end - MIB));
    }
    let with =
        |command_line: Vec<u8>| PvhPlan::new(&KERNEL, Request { command_line, ..request(32768, 0) }, 1);
    assert_eq!(with(vec![b'a'; 4096]), Err(PlanError::CommandLine));
    assert_eq!(with(vec![0]), Err(PlanError::CommandLine));
}

proptest! {
    #[test]
    fn nothing_overlaps_and_all_memory_is_mapped(
        pages in 0x4a01u64..8 * GIB_PAGES,
        ramdisk in 0u64..64 * MIB,
        vcpus in 1u32..=128,
    ) {
        let Ok(plan) = PvhPlan::new(&KERNEL, request(pages, ramdisk), vcpus) else { return Ok(()) };
        let memory = Memory::of(&plan);
        let map = map(&memory, plan.start_info());
        for pair in map.windows(2) {
            prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{map:x?}");
        }
        let ram: u64 = map.iter().filter(|(_, _, kind)| *kind == 1).map(|(_, size, _)| size).sum();
        prop_assert_eq!(ram, pages * PAGE);
        // Kernel, ramdisk, start info: one behind the other, in low memory.
        prop_assert!(KERNEL.end <= plan.ramdisk().start * PAGE);
        prop_assert!(plan.ramdisk().end * PAGE <= plan.start_info());
        prop_assert!(plan.start_info() + plan.boot_block().len() as u64 <= plan.ram()[0].end * PAGE);
        // What is beside the memory is not in it.
        for frame in plan.extra() {
            prop_assert!(plan.ram().iter().all(|ram| !ram.contains(&frame)));
            let inside = |(start, size, kind): &(u64, u64, u64)| *kind != 1 && (*start..start + size).contains(&(frame * PAGE));
            prop_assert!(map.iter().any(inside), "frame {frame:#x}");
        }
    }
}
