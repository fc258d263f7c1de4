//! Host-side tools of xendless.

pub mod bundle;
pub mod client;
pub mod config;
pub mod pollable;
mod shown;
pub mod xen;
pub mod xenstored;
pub mod xm;
pub mod xmd;
