//! Host-side tools of xendless.

pub mod bundle;
pub mod client;
pub mod config;
mod shown;
pub mod xenstored;
pub mod xm;
