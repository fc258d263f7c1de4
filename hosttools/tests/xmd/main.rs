//! `xmd` as it runs: clients, a control domain, and everybody's end.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states its expectations"
)]

mod clients;
mod life;
mod world;
