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
