//! Building domains: from the bytes of a kernel to a domain that is ready to run.
//!
//! The way is cut into parts that can each be tested alone, and each long part into steps, so that one build
//! never holds the event loop:
//!
//! 1. [`unpack`] turns a kernel file (ELF, bzImage, gzip) into plain ELF bytes, a bounded piece per step;
//! 2. [`image`] checks the ELF file and its Xen notes and keeps what a build needs to know of it;
//! 3. [`pv`] plans where everything goes in a new PV domain, as data, and carries the plan out;
//!    [`pvh`] does the same for PVH.
//!
//! A domain that was saved is made again by [`restore`] instead.
//!
//! Kernels, ramdisks and their headers come from other domains, so all of them are hostile until checked.

mod build;
mod copy;
mod error;
pub mod image;
mod plan_error;
pub mod pv;
pub mod pvh;
mod request;
pub mod restore;
pub mod unpack;

pub use build::{Build, BuildHypervisor, Built, Ring, Target, Work};
pub use error::{BuildError, Cause};
pub use plan_error::PlanError;
pub use request::Request;
