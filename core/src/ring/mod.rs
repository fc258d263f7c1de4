//! Byte rings between domains: two indices that run freely modulo 2^32, and a buffer whose size divides 2^32.
//!
//! The peer can write every byte of a ring page at any time, so nothing in it is believed:
//!
//! - Our own index lives here and is only ever published, never read back. What the peer writes over it changes
//!   nothing.
//! - The peer's index is read once per look and has to lie where it can lie; else the answer is [`BadIndex`] and
//!   the ring is given up.
//! - Data is copied out in the same look and parsed from the copy.
//!
//! [`Producer`] and [`Consumer`] are the index arithmetic alone, for any ring; [`Sender`] and [`Receiver`] add the
//! bytes of one page; [`console`] and [`xenstore`] are the pages that PV consoles and XenStore use; [`vchan`] is a
//! connection between two domains over as many pages as they want.
#![forbid(unsafe_code)]

mod bytes;
pub mod console;
mod error;
mod index;
mod stream;
pub mod vchan;
pub mod xenstore;

pub use bytes::{Receiver, Sender};
pub use error::RingError;
pub use index::{BadIndex, Consumer, Producer, RingSize};
