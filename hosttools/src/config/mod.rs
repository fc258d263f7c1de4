//! Configuration files: evaluated here, on the host side, into the typed configuration that travels.
//!
//! [`evaluate`] runs a file in a language of its own (`python`), which reaches nothing but what the caller
//! provides, then checks every variable against one [`table`] and makes a
//! [`DomainConfig`](xendless_core::config::DomainConfig) of them.
#![forbid(unsafe_code)]

pub mod datum;
pub mod diagnostic;
mod draft;
mod evaluate;
pub mod host;
pub mod pool;
mod python;
pub mod reference;
mod specs;
pub(crate) mod suggest;
pub mod sxp;
pub mod table;
mod take;

pub use self::evaluate::{Evaluated, Request, evaluate};
pub use self::python::Limits;
pub(crate) use self::python::quoted;

/// The disk that the words of `xm block-attach` mean, and warnings about it.
///
/// # Errors
///
/// What is wrong with one of them, in the words of the classic tools.
pub fn disk(
    back: &str,
    front: &str,
    mode: &str,
    backend: Option<&str>,
) -> Result<(xendless_core::config::devices::Disk, Vec<String>), String> {
    specs::disk_words(back, front, mode, backend).map_err(|complaint| complaint.message)
}

/// The interface that the words of `xm network-attach` mean, and warnings about it.
///
/// # Errors
///
/// What is wrong with one of them, in the words of the classic tools.
pub fn vif(words: &[&str]) -> Result<(xendless_core::config::devices::Vif, Vec<String>), String> {
    specs::vif_words(words)
}
