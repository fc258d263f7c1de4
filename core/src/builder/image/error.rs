//! What can be wrong with a plain kernel. The file is always at fault.

use core::fmt;

/// Why an ELF file cannot be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// Not ELF, or its tables leave the file.
    NotElf,
    /// ELF, but not for a 64-bit x86 machine.
    WrongMachine,
    /// ELF, but not something that can be loaded as it is.
    NotExecutable,
    /// More segments, sections or notes than any kernel has.
    TooMany(&'static str),
    /// There is nothing to load.
    NoSegments,
    /// A segment's bytes leave the file, or are more than its memory.
    SegmentBytes(u64),
    /// A segment wraps around the end of the address space.
    SegmentTooLarge(u64),
    /// A segment's alignment is no power of two.
    SegmentAlignment(u64),
    /// Two segments share an address.
    Overlap(u64),
    /// A Xen note has a length or a content that its kind does not allow.
    BadNote(u32),
    /// It has Xen notes, but for an interface other than `xen-3.0`.
    WrongXenVersion,
    /// It cannot do without a feature that is not known.
    UnknownFeature,
    /// There are no Xen notes for PV.
    NoPv,
    /// There is no note with an entry point for PVH.
    NoPvh,
    /// The kernel lies below its own virtual base or wraps around.
    OutsideBase {
        /// Its first virtual address.
        start: u64,
        /// The first behind it.
        end: u64,
        /// Where it says that its memory begins.
        virt_base: u64,
    },
    /// The first instruction lies outside the kernel.
    Entry(u64),
    /// The hypercall page lies outside the kernel, or across two pages.
    HypercallPage(u64),
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("the kernel is not a valid ELF file"),
            Self::WrongMachine => f.write_str("the kernel is not for 64-bit x86"),
            Self::NotExecutable => f.write_str("the kernel is an ELF file but not an executable"),
            Self::TooMany(what) => write!(f, "the kernel has too many {what}"),
            Self::NoSegments => f.write_str("the kernel has nothing to load"),
            Self::SegmentBytes(paddr) => write!(f, "the kernel's segment at {paddr:#x} leaves the file"),
            Self::SegmentTooLarge(paddr) => write!(f, "the kernel's segment at {paddr:#x} is too large"),
            Self::SegmentAlignment(paddr) => {
                write!(f, "the kernel's segment at {paddr:#x} has an odd alignment")
            }
            Self::Overlap(paddr) => {
                write!(f, "the kernel's segment at {paddr:#x} overlaps the one before it")
            }
            Self::BadNote(kind) => write!(f, "the kernel's Xen note {kind} is malformed"),
            Self::WrongXenVersion => f.write_str("the kernel is for another Xen interface than xen-3.0"),
            Self::UnknownFeature => f.write_str("the kernel needs a Xen feature that is not known"),
            Self::NoPv => f.write_str("the kernel has no Xen notes for PV"),
            Self::NoPvh => f.write_str("the kernel has no Xen note for PVH"),
            Self::OutsideBase { start, end, virt_base } => {
                write!(
                    f,
                    "the kernel's addresses {start:#x} to {end:#x} do not lie behind its base {virt_base:#x}"
                )
            }
            Self::Entry(entry) => write!(f, "the kernel's entry {entry:#x} lies outside it"),
            Self::HypercallPage(page) => {
                write!(f, "the kernel's hypercall page {page:#x} does not lie inside it")
            }
        }
    }
}

impl core::error::Error for ImageError {}
