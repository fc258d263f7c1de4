//! Real Xen in QEMU, driven without a terminal: what `ci/vm` and the whole-system tests share.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`artifacts`] | the files a machine boots: Xen from the cache, control domain and bundle built here |
//! | [`machine`] | a machine as a value, and the QEMU command line that it means |
//! | [`accel`] | whether KVM can be used instead of emulation: found out by trying |
//! | [`serial`] | what the lines on the serial port say |
//! | [`running`] | a machine that runs: its serial port, its end |
//! | `turn` | how many machines run at once |
//! | [`budget`] | the promised figures, and the check that they are kept |
//!
//! Nothing here depends on how fast the host is. Wall time appears once, as a watchdog that ends a machine that
//! hangs.

pub mod accel;
pub mod artifacts;
pub mod budget;
pub mod machine;
pub mod running;
pub mod serial;
mod turn;
