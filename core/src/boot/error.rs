//! Why boot failed, in words for the person at the console: what is wrong, and what to do.

use core::fmt;

use super::OptionsError;
use crate::abi::interface::NoInterface;
use crate::bundle::BundleError;
use crate::events::BindError;
use crate::hyper::{HvError, Port};

/// Why the control domain cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BootError {
    /// The command line has a word it may not have.
    Options(OptionsError),
    /// Xen started another domain before us.
    NotInitialDomain,
    /// Xen gave us no rights over other domains.
    NotPrivileged,
    /// The hypervisor speaks no control interface that this build knows.
    NoInterface(NoInterface),
    /// Too little memory to work with.
    TooLittleMemory {
        /// Pages we have.
        pages: u64,
        /// Pages we need.
        needed: u64,
    },
    /// Xen loaded no second module.
    NoBundle,
    /// The boot bundle cannot be used.
    BadBundle(BundleError),
    /// Xen gave us an event channel that we cannot use.
    BadPort {
        /// The channel.
        port: Port,
        /// Why not.
        reason: BindError,
    },
    /// The heap is full before boot is done.
    OutOfMemory,
    /// Xen refused a hypercall that boot needs.
    Refused(HvError),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(error) => error.fmt(f),
            Self::NotInitialDomain => f.write_str(
                "not the initial domain: boot xendless as Xen's first module, in place of a dom0 kernel",
            ),
            Self::NotPrivileged => {
                f.write_str("no control privilege: Xen has to start xendless as its initial domain")
            }
            Self::NoInterface(reason) => write!(f, "{reason}; use a release of Xen that is known"),
            Self::TooLittleMemory { pages, needed } => write!(
                f,
                "{} KiB of memory are too little: give at least {} KiB with Xen's dom0_mem option",
                pages.saturating_mul(4),
                needed.saturating_mul(4)
            ),
            Self::NoBundle => {
                f.write_str("no boot bundle: load one made by xm-bundle as Xen's second module")
            }
            Self::BadBundle(error) => {
                write!(f, "the boot bundle is unusable: {error}; make it again with xm-bundle")
            }
            Self::BadPort { port, reason: BindError::OutOfRange } => {
                write!(f, "Xen gave event channel {port}, which is out of range: this is a fault in Xen")
            }
            Self::BadPort { port, reason: BindError::Taken } => {
                write!(f, "Xen gave event channel {port} twice: this is a fault in Xen")
            }
            Self::BadPort { reason: BindError::OutOfMemory, .. } | Self::OutOfMemory => {
                f.write_str("out of memory during boot: give more with Xen's dom0_mem option")
            }
            Self::Refused(refusal) => {
                write!(f, "{refusal}: boot cannot go on without it; Xen's messages above may say why")
            }
        }
    }
}

impl core::error::Error for BootError {}

impl From<HvError> for BootError {
    fn from(refusal: HvError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OptionsError> for BootError {
    fn from(error: OptionsError) -> Self {
        Self::Options(error)
    }
}
