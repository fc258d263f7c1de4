//! Why a kernel and a request do not go together.

use core::fmt;

/// Why there is no plan. The request is at fault, except where the kernel's addresses are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// The command line is too long for the start info page, or has a zero byte.
    CommandLine,
    /// The domain's memory is too small for what has to be in it at the start.
    Memory {
        /// Pages the domain gets.
        given: u64,
        /// Pages it needs at least, as far as that is known.
        needed: u64,
    },
    /// The kernel wants its memory, or its frame list, where none can be mapped.
    Address(u64),
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
            Self::Address(virt) => write!(f, "the kernel wants memory at {virt:#x}, where none can be"),
        }
    }
}

impl core::error::Error for PlanError {}

const fn kib(pages: u64) -> u64 {
    pages.saturating_mul(4)
}
