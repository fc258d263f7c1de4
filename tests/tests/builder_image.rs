//! Kernels as ELF files: what is understood, and what is refused with which reason.
#![allow(missing_docs, reason = "test binaries have no readers of documentation")]

use proptest::prelude::*;
use xendless_core::builder::image::{Feature, ImageError, Kernel};
use xendless_tests::kernel::{Elf, NotesIn, Segment, VIRT_BASE, note};

fn parse(elf: &Elf) -> Result<Kernel<Vec<u8>>, ImageError> {
    Kernel::parse(elf.build())
}

/// Offsets in the first `PT_LOAD` entry, which is the second of the table.
const FIRST_LOAD: usize = 64 + 56;
const OFFSET: usize = FIRST_LOAD + 8;
const FILE_SIZE: usize = FIRST_LOAD + 32;
const ALIGN: usize = FIRST_LOAD + 48;

fn with_word(at: usize, word: u64) -> Result<Kernel<Vec<u8>>, ImageError> {
    let mut file = Elf::pv().build();
    file[at..at + 8].copy_from_slice(&word.to_le_bytes());
    Kernel::parse(file)
}

#[test]
fn a_kernel_is_understood_whichever_table_lists_its_notes() {
    for notes_in in [NotesIn::Segments, NotesIn::Sections] {
        let kernel = parse(&Elf { notes_in, ..Elf::pv() }).unwrap();
        let pv = kernel.pv().unwrap();
        assert_eq!(pv.virt_base, VIRT_BASE);
        assert_eq!((pv.start, pv.end), (VIRT_BASE + 0x10_0000, VIRT_BASE + 0x10_5000));
        assert_eq!(pv.entry, VIRT_BASE + 0x10_0000);
        assert_eq!(pv.hypercall_page, Some(VIRT_BASE + 0x10_1000));
        assert_eq!(pv.init_p2m, None);
        assert!(!pv.unmapped_ramdisk);
        let pvh = kernel.pvh().unwrap();
        assert_eq!((pvh.entry, pvh.start, pvh.end), (0x10_0040, 0x10_0000, 0x10_5000));
        assert!(kernel.notes().features.requires(Feature(0)));
        assert!(kernel.notes().features.supports(Feature(4)));
        assert!(!kernel.notes().features.supports(Feature(2)));
    }
}

#[test]
fn segments_come_in_order_with_their_bytes() {
    let mut elf = Elf::pv();
    elf.segments.reverse();
    let kernel = parse(&elf).unwrap();
    let [first, second] = kernel.segments() else { panic!("two segments") };
    assert_eq!((first.paddr, first.size), (0x10_0000, 0x2000));
    assert_eq!(kernel.contents(first).len(), 0x1800);
    assert_eq!((second.paddr, second.end()), (0x10_2000, 0x10_5000));
    assert_eq!(kernel.contents(second), [0xdd; 0x800]);
}

#[test]
fn a_kernel_linked_at_its_virtual_address_says_so_by_its_offset() {
    let mut elf = Elf::pv().with_note(note::PADDR_OFFSET, VIRT_BASE.to_le_bytes());
    for segment in &mut elf.segments {
        segment.paddr += VIRT_BASE;
    }
    let pv = parse(&elf).unwrap().pv().unwrap();
    assert_eq!((pv.start, pv.end), (VIRT_BASE + 0x10_0000, VIRT_BASE + 0x10_5000));
}

#[test]
fn a_base_that_is_not_aligned_counts_from_the_4_mib_below() {
    let elf = Elf::pv()
        .with_note(note::VIRT_BASE, (VIRT_BASE + 0x1000).to_le_bytes())
        .with_note(note::ENTRY, (VIRT_BASE + 0x10_1000).to_le_bytes());
    let pv = parse(&elf).unwrap().pv().unwrap();
    assert_eq!((pv.virt_base, pv.start), (VIRT_BASE, VIRT_BASE + 0x10_1000));
}

#[test]
fn a_kernel_without_xen_notes_has_nothing_to_offer() {
    let kernel = parse(&Elf { notes: vec![], ..Elf::pv() }).unwrap();
    assert_eq!(kernel.pv(), Err(ImageError::NoPv));
    assert_eq!(kernel.pvh(), Err(ImageError::NoPvh));
}

#[test]
fn attack_d01_segments_that_overlap_are_refused() {
    let mut elf = Elf::pv();
    elf.segments[1].paddr = 0x10_1fff;
    assert_eq!(parse(&elf).unwrap_err(), ImageError::Overlap(0x10_1fff));
    elf.segments[1].paddr = 0x10_0000;
    assert_eq!(parse(&elf).unwrap_err(), ImageError::Overlap(0x10_0000));
}

#[test]
fn attack_d01_segments_that_overflow_are_refused() {
    assert_eq!(with_word(OFFSET, u64::MAX), Err(ImageError::SegmentBytes(0x10_0000)));
    assert_eq!(with_word(FILE_SIZE, u64::MAX), Err(ImageError::SegmentBytes(0x10_0000)));
    assert_eq!(with_word(FILE_SIZE, 0x2001), Err(ImageError::SegmentBytes(0x10_0000)));
    let mut elf = Elf::pv();
    elf.segments[1].memory = u64::MAX - 0x10_2000 + 1;
    assert_eq!(parse(&elf).unwrap_err(), ImageError::SegmentTooLarge(0x10_2000));
    elf.segments[1].memory -= 1;
    assert!(
        matches!(parse(&elf).unwrap().pv(), Err(ImageError::OutsideBase { .. })),
        "wraps around its base"
    );
}

#[test]
fn attack_d01_odd_alignments_are_refused() {
    assert_eq!(with_word(ALIGN, 3), Err(ImageError::SegmentAlignment(0x10_0000)));
    assert_eq!(with_word(ALIGN, u64::MAX), Err(ImageError::SegmentAlignment(0x10_0000)));
    assert!(with_word(ALIGN, 0).is_ok());
}

#[test]
fn attack_d01_tables_without_end_are_refused() {
    let mut elf = Elf::pv();
    elf.segments = (0..100).map(|i| Segment { paddr: i << 12, bytes: vec![], memory: 1 }).collect();
    assert_eq!(parse(&elf).unwrap_err(), ImageError::TooMany("segments"));
    let mut elf = Elf::pv();
    elf.notes.extend(vec![(99, vec![]); 2000]);
    assert_eq!(parse(&elf).unwrap_err(), ImageError::TooMany("notes"));
    assert_eq!(parse(&Elf { segments: vec![], ..Elf::pv() }).unwrap_err(), ImageError::NoSegments);
}

#[test]
fn attack_d01_notes_that_lie_are_refused() {
    let refused = |kind, contents: &[u8]| {
        let kernel = parse(&Elf::pv().with_note(kind, contents));
        kernel.and_then(|kernel| kernel.pv()).unwrap_err()
    };
    assert_eq!(refused(note::ENTRY, &[1, 2, 3]), ImageError::BadNote(note::ENTRY));
    assert_eq!(refused(note::ENTRY, &[0; 16]), ImageError::BadNote(note::ENTRY));
    assert_eq!(refused(note::PHYS32_ENTRY, &[0xff; 8]), ImageError::BadNote(note::PHYS32_ENTRY));
    assert_eq!(refused(note::XEN_VERSION, b"xen-9\0"), ImageError::WrongXenVersion);
    assert_eq!(refused(note::FEATURES, b"!time_travel"), ImageError::UnknownFeature);
    assert_eq!(refused(note::ENTRY, &7u64.to_le_bytes()), ImageError::Entry(7));
    let page = VIRT_BASE + 0x10_4001;
    assert_eq!(refused(note::HYPERCALL_PAGE, &page.to_le_bytes()), ImageError::HypercallPage(page));
    assert_eq!(refused(note::HYPERCALL_PAGE, &[0; 8]), ImageError::HypercallPage(0));
    let high = refused(note::VIRT_BASE, &(u64::MAX - 0xfff).to_le_bytes());
    assert!(matches!(high, ImageError::OutsideBase { .. }), "{high}");
}

/// The first note's length fields lead far out of its table, or back to its start: reading goes forward only.
#[test]
fn attack_d01_notes_that_lead_astray_end_the_table() {
    let elf = Elf::pv();
    let file = elf.build();
    let notes_at = file.windows(4).position(|bytes| bytes == b"Xen\0").unwrap() - 12;
    for (field, value) in [(0, u32::MAX), (4, u32::MAX), (0, u32::MAX - 11), (4, u32::MAX - 15)] {
        let mut file = file.clone();
        file[notes_at + field..notes_at + field + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(Kernel::parse(file).unwrap().pv(), Err(ImageError::NoPv));
    }
}

#[test]
fn attack_d03_every_truncation_is_refused_or_harmless() {
    let file = Elf::pv().build();
    for length in 0..file.len() {
        assert!(Kernel::parse(&file[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn attack_d03_other_machines_are_refused() {
    let change = |at: usize, value: u8| {
        let mut file = Elf::pv().build();
        file[at] = value;
        Kernel::parse(file).unwrap_err()
    };
    assert_eq!(change(4, 1), ImageError::WrongMachine, "32-bit");
    assert_eq!(change(5, 2), ImageError::WrongMachine, "big-endian");
    assert_eq!(change(18, 183), ImageError::WrongMachine, "arm64");
    assert_eq!(change(16, 1), ImageError::NotExecutable, "relocatable");
}

proptest! {
    #[test]
    fn attack_d03_damaged_files_never_break_the_parser(
        damage in prop::collection::vec((0usize..512, any::<u8>()), 1..8),
    ) {
        let mut file = Elf::pv().build();
        for (at, byte) in damage {
            file[at] = byte;
        }
        if let Ok(kernel) = Kernel::parse(file) {
            let _ = (kernel.pv(), kernel.pvh());
            for pair in kernel.segments().windows(2) {
                prop_assert!(pair[0].end() <= pair[1].paddr);
            }
            for segment in kernel.segments() {
                prop_assert!(kernel.contents(segment).len() as u64 <= segment.size);
            }
        }
    }
}
