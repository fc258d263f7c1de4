//! A connection between two domains as libxenvchan makes it: a control page with the indices of two byte rings, and
//! the rings' bytes in pages of their own or in the rest of the control page.
//!
//! Source: `xen/io/libxenvchan.h`. The server's domain grants all pages to the client's; `left` is what the client
//! writes, `right` what it reads.
//!
//! # Signals
//!
//! Each end asks the other, by bits in the control page, to signal it when bytes were written or read. The rule that
//! loses no wake-up: after moving bytes, signal if `owes_signal` says so; before sleeping, `ask` and look at what it
//! returns.
//!
//! # One client after the other
//!
//! The server end outlives its clients. [`ServerEnd::reset`] makes everything fresh for the next one, and only then
//! says that a client is awaited. [`ClientEnd::connect`] starts on a fresh ring alone; when it finds another's
//! leftovers it says that the client is gone and waits for the server to clear them away. So a client that was killed
//! and starts again at once never goes on in the middle of its predecessor's messages. libxenvchan's own client does
//! not take this care: after such a one was killed, give the server time to see it.
//!
//! A small ring lies in the control page's own rest, as libxenvchan has it.

mod buffer;
mod client;
mod layout;
mod server;
#[cfg(test)]
mod tests;

use bitflags::bitflags;

use super::BadIndex;
use crate::abi::io::vchan::{VCHAN_NOTIFY_READ, VCHAN_NOTIFY_WRITE};
use crate::shared::Page;
use buffer::{Incoming, Outgoing};
use core::ops::Deref;

pub use client::{ClientEnd, Link, OpenError};
pub use layout::{MAX_ORDER, Offer, OfferError};
pub use server::{Client, ServerEnd};

bitflags! {
    /// What an end waits for.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Wants: u8 {
        /// Bytes to read.
        const DATA = VCHAN_NOTIFY_WRITE;
        /// Room to write.
        const ROOM = VCHAN_NOTIFY_READ;
    }
}

/// What of `wants` is there now.
fn ready<P, const IC: usize, const IP: usize, const OC: usize, const OP: usize>(
    page: &Page,
    input: &mut Incoming<P, IC, IP>,
    output: &mut Outgoing<P, OC, OP>,
    wants: Wants,
) -> Result<Wants, BadIndex>
where
    P: Deref<Target = Page>,
{
    let mut ready = Wants::empty();
    ready.set(Wants::DATA, input.waiting(page)? != 0);
    ready.set(Wants::ROOM, output.room(page)? != 0);
    Ok(ready & wants)
}
