//! What Linux in an unprivileged domain offers of Xen, by its devices under `/dev/xen`.
//!
//! The devices' calls are described in Xen's `xen/sys/gntdev.h`, `xen/sys/evtchn.h` and `xen/io/xs_wire.h`. Unsafe
//! code stands in `gntdev` and `call` alone, behind types that are safe to use.
//!
//! [`ControlRing`] puts them together: it finds the ring that the control domain offers to this domain, and keeps
//! the connection.

#[expect(unsafe_code, reason = "the one place that asks a device driver; the trait says what must hold")]
pub(crate) mod call;
mod control;
mod evtchn;
mod finder;
#[expect(unsafe_code, reason = "maps another domain's pages; each mapping owns its address")]
mod gntdev;
mod xenbus;

pub use control::{ControlRing, RingState};
pub use evtchn::Channel;
pub use gntdev::{GrantDevice, GrantedPage};
pub use xenbus::Xenbus;
