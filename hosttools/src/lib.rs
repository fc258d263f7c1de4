//! Host-side tools of xendless.

pub mod bundle;
pub mod config;
pub mod pollable;
pub mod xen;
pub mod xenstored;
pub mod xmd;
