//! Host-side tools of xendless.

pub mod bundle;
pub mod xenstored;
