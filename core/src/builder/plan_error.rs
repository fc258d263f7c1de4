//! Why a kernel and a request do not go together.

#![forbid(unsafe_code)]

use core::fmt;

/// Why there is no plan. The request is at fault, except where the kernel's addresses are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// The command line is too long, or has a zero byte.
    CommandLine,
    /// The domain's memory is too small for what has to be in it at the start.
    Memory {
        /// Pages the domain gets.
        given: u64,
        /// Pages it needs at least, as far as that is known.
        needed: u64,
    },
    /// More memory than an address can reach, in pages.
    TooMuchMemory(u64),
    /// The kernel wants its memory, or its frame list, where none can be.
    Address(u64),
    /// More virtual CPUs than this kind of domain can have.
    Vcpus {
        /// Virtual CPUs asked for.
        asked: u32,
        /// The most there can be.
        limit: u32,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the kernel command line is too long, or has a zero byte"),
            Self::Memory { given, needed } => {
                write!(
                    f,
                    "{} KiB of memory are too few to start this kernel, it needs {} KiB",
                    kib(*given),
                    kib(*needed)
                )
            }
            Self::TooMuchMemory(pages) => write!(f, "no domain can have {pages} pages of memory"),
            Self::Vcpus { asked, limit } => {
                write!(f, "{asked} virtual CPUs are too many, {limit} are possible")
            }
            Self::Address(virt) => write!(f, "the kernel wants memory at {virt:#x}, where none can be"),
        }
    }
}

impl core::error::Error for PlanError {}

const fn kib(pages: u64) -> u64 {
    pages.saturating_mul(4)
}
