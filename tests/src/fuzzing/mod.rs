//! What the fuzzers run, as plain functions: each takes any bytes and panics when something is wrong.
//!
//! `ci/fuzz` drives them with libFuzzer for as long as one likes; a test drives them, on stable Rust and for a
//! moment, with the kept corpus and seeded mutations of it.

mod bundles;
mod kernels;
mod migrations;
mod names;
mod ring;
mod saved;
mod sessions;

pub use bundles::{bundles, configs};
pub use kernels::{bzip2, elf, files, gzip, lz4, lzma, xz, zstd};
pub use migrations::migrations;
pub use names::{paths, permissions};
pub use ring::frames;
pub use saved::saved;
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
pub const TARGETS: [Target; 16] = [
    Target { name: "bundles", run: bundles, max_len: 4096, tries: 2000 },
    Target { name: "bzip2", run: bzip2, max_len: 4096, tries: 300 },
    Target { name: "configs", run: configs, max_len: 4096, tries: 4000 },
    Target { name: "elf", run: elf, max_len: 4096, tries: 400 },
    Target { name: "files", run: files, max_len: 4096, tries: 1000 },
    Target { name: "frames", run: frames, max_len: 4096, tries: 400 },
    Target { name: "gzip", run: gzip, max_len: 4096, tries: 500 },
    Target { name: "lz4", run: lz4, max_len: 4096, tries: 500 },
    Target { name: "lzma", run: lzma, max_len: 4096, tries: 300 },
    Target { name: "migrations", run: migrations, max_len: 4096, tries: 4000 },
    Target { name: "paths", run: paths, max_len: 4096, tries: 20_000 },
    Target { name: "permissions", run: permissions, max_len: 256, tries: 4000 },
    Target { name: "saved", run: saved, max_len: 4096, tries: 400 },
    Target { name: "sessions", run: sessions, max_len: 2048, tries: 200 },
    Target { name: "xz", run: xz, max_len: 4096, tries: 300 },
    Target { name: "zstd", run: zstd, max_len: 4096, tries: 300 },
];
