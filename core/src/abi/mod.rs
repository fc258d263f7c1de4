//! Xen's public interface: every structure, constant and number this project uses, declared once.
//!
//! Sources are the public headers of Xen (the `xen/` include folder of Debian's `libxen-dev`); each file here
//! names the header it follows.
#![forbid(unsafe_code)]

pub mod errno;
