//! Domains that are made again from what was saved of them ([`crate::saved`]), as it comes in.
//!
//! [`Restore`] is fed as much as it has room for, a piece of work per step follows, and it says what it has taken. What it
//! is fed may be anything: nothing of it is believed that Xen or this does not check. It takes [`WINDOW`] of the control
//! domain's memory, what is said of virtual CPUs, and 4 bytes for each page of a PV domain.
#![forbid(unsafe_code)]

mod input;
mod pv;
mod pvh;
mod work;

pub use input::{Overfull, WINDOW};
pub use work::{Restore, RestoreWork, Wrong};
