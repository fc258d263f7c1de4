//! Why a build failed, and whether anything of it is left.
#![forbid(unsafe_code)]

use core::fmt;

use super::{PlanError, image::ImageError, restore::Wrong};
use crate::hyper::{DomId, HvError};

/// A build that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuildError {
    /// What went wrong first.
    pub cause: Cause,
    /// The half-built domain, when Xen refused to destroy it too, and its refusal.
    pub left: Option<(DomId, HvError)>,
}

/// What can go wrong with a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The kernel is at fault.
    Image(ImageError),
    /// The kernel and the request do not go together.
    Plan(PlanError),
    /// What was saved of it makes no domain.
    Saved(Wrong),
    /// Xen refused.
    Hypervisor(HvError),
    /// The host has too little free memory.
    HostMemory {
        /// Pages the domain should get.
        wanted: u64,
        /// Pages it got before memory ran out.
        given: u64,
    },
    /// The control domain has too little memory to build a domain of this size.
    ControlMemory,
    /// Whoever asked for the build does not want it any more.
    Cancelled,
}

impl BuildError {
    /// A failure after which nothing is left.
    pub(super) const fn clean(cause: Cause) -> Self {
        Self { cause, left: None }
    }
}

impl From<ImageError> for Cause {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<PlanError> for Cause {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<Wrong> for Cause {
    fn from(wrong: Wrong) -> Self {
        Self::Saved(wrong)
    }
}

impl From<HvError> for Cause {
    fn from(error: HvError) -> Self {
        Self::Hypervisor(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Plan(error) => error.fmt(f),
            Self::Saved(wrong) => wrong.fmt(f),
            Self::Hypervisor(error) => error.fmt(f),
            Self::HostMemory { wanted, given } => {
                let kib = |pages: u64| pages.saturating_mul(4);
                write!(f, "the host has too little free memory: {} of {} KiB", kib(*given), kib(*wanted))
            }
            Self::ControlMemory => {
                f.write_str("the control domain has too little memory to build the domain")
            }
            Self::Cancelled => f.write_str("the build was cancelled"),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        if let Some((domid, error)) = &self.left {
            write!(f, "; domain {domid} could not be destroyed: {error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for BuildError {}
