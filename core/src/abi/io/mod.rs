//! Pages that two domains share: XenStore, console and vchan rings. Sources: the headers in `xen/io/`.
//!
//! The other domain writes these pages at any time, so they are looked at through [`crate::shared::Page`] with
//! the offsets of these structures, never borrowed as one of them.

pub mod console;
pub mod vchan;
pub mod xs_wire;
