//! What the fuzzers run, as plain functions: each takes any bytes and panics when something is wrong.
//!
//! `ci/fuzz` drives them with libFuzzer for as long as one likes; a test drives them, on stable Rust and for a
//! moment, with the kept corpus and seeded mutations of it.

mod names;
mod ring;
mod sessions;

pub use names::{paths, permissions};
pub use ring::frames;
pub use sessions::sessions;

/// A target, by the name of its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its folder below `fuzz/corpus`.
    pub name: &'static str,
    /// What it does with a piece of input.
    pub run: fn(&[u8]),
    /// Bytes beyond which input tells nothing new.
    pub max_len: usize,
    /// How many mutations the test tries.
    pub tries: usize,
}

/// All targets.
pub const TARGETS: [Target; 4] = [
    Target { name: "frames", run: frames, max_len: 4096, tries: 400 },
    Target { name: "paths", run: paths, max_len: 4096, tries: 20_000 },
    Target { name: "permissions", run: permissions, max_len: 256, tries: 4000 },
    Target { name: "sessions", run: sessions, max_len: 2048, tries: 200 },
];
