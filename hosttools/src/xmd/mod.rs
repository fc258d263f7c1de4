//! `xmd`, the relay daemon of a management domain.

pub mod mux;
