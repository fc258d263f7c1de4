//! Host-side tools of xendless.

pub mod bundle;
pub mod client;
pub mod config;
pub mod links;
#[expect(unsafe_code, reason = "names the structures of the loop driver's calls")]
pub mod loops;
pub mod pollable;
mod shown;
pub mod xen;
pub mod xenstored;
pub mod xm;
pub mod xmd;
