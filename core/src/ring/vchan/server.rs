//! The end that offers the pages, and stays while clients come and go.

use alloc::vec::Vec;
use core::ops::Deref;

use super::buffer::{Buffer, Incoming, Outgoing};
use super::layout::{
    AWAITED, CLI_LIVE, CLI_NOTIFY, GONE, GRANTS, LEFT_CONS, LEFT_ORDER, LEFT_PROD, LIVE, Place, RIGHT_CONS,
    RIGHT_ORDER, RIGHT_PROD, SRV_LIVE, SRV_NOTIFY, fits,
};
use super::{Wants, ready};
use crate::hyper::SharedOut;
use crate::ring::BadIndex;
use crate::ring::stream::byte_stream;
use crate::shared::Page;

/// What the control page says of the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// None came since the ring is fresh.
    Awaited,
    /// One is at work.
    Connected,
    /// It has gone, or wants a fresh ring, or wrote what means nothing: [`ServerEnd::reset`] is due.
    Gone,
}

/// The server's end: reads `left`, writes `right`.
#[derive(Debug)]
pub struct ServerEnd<P> {
    pub(super) page: P,
    pub(super) input: Incoming<P, LEFT_CONS, LEFT_PROD>,
    pub(super) output: Outgoing<P, RIGHT_CONS, RIGHT_PROD>,
}

impl<P: SharedOut> ServerEnd<P> {
    /// Offers a fresh connection over a control page and the pages of both rings, all granted to the client. A ring
    /// without pages lies in the control page: 1024 bytes for `left`, 2048 for `right`.
    ///
    /// `None` when the numbers of pages are neither 0 nor powers of two up to 256, or when their grants have no room
    /// in the control page.
    pub fn open(control: P, left: Vec<P>, right: Vec<P>) -> Option<Self> {
        let left_place = if left.is_empty() { Place::Small } else { Place::of_pages(left.len())? };
        let right_place = if right.is_empty() { Place::Large } else { Place::of_pages(right.len())? };
        if !fits(left_place, right_place) {
            return None;
        }
        let input = Incoming::new(Buffer::new(left_place, left)?);
        let output = Outgoing::new(Buffer::new(right_place, right)?);
        let mut end = Self { page: control, input, output };
        end.reset();
        Some(end)
    }

    /// Makes everything fresh for the next client. A client may already wait for that: signal it.
    pub fn reset(&mut self) {
        let page = &*self.page;
        self.input.restart();
        self.output.restart();
        page.store_u32::<LEFT_CONS>(0);
        page.store_u32::<LEFT_PROD>(0);
        page.store_u32::<RIGHT_CONS>(0);
        page.store_u32::<RIGHT_PROD>(0);
        let (left, right) = (self.input.buffer(), self.output.buffer());
        page.write(LEFT_ORDER, &left.place().order().to_ne_bytes());
        page.write(RIGHT_ORDER, &right.place().order().to_ne_bytes());
        for (index, granted) in left.pages().iter().chain(right.pages()).enumerate() {
            page.write(GRANTS + index * size_of::<u32>(), &granted.grant().0.to_ne_bytes());
        }
        page.store_u8::<CLI_NOTIFY>(Wants::DATA.bits());
        page.store_u8::<SRV_NOTIFY>(0);
        page.store_u8::<SRV_LIVE>(LIVE);
        // Last, because it tells the client that all of the above is there.
        page.store_u8::<CLI_LIVE>(AWAITED);
    }
}

impl<P: Deref<Target = Page>> ServerEnd<P> {
    /// What the control page says of the client, now.
    pub fn client(&self) -> Client {
        match self.page.load_u8::<CLI_LIVE>() {
            AWAITED => Client::Awaited,
            LIVE => Client::Connected,
            _ => Client::Gone,
        }
    }

    /// Bytes that can be read now.
    ///
    /// # Errors
    /// When the client's index is impossible.
    pub fn waiting(&mut self) -> Result<u32, BadIndex> {
        self.input.waiting(&self.page)
    }

    /// Bytes that can be written now.
    ///
    /// # Errors
    /// When the client's index is impossible.
    pub fn room(&mut self) -> Result<u32, BadIndex> {
        self.output.room(&self.page)
    }

    /// Asks the client to signal when there is what is wanted; returns what of it is there already. Sleep only when
    /// that is nothing.
    ///
    /// # Errors
    /// When the client's index is impossible.
    pub fn ask(&mut self, wants: Wants) -> Result<Wants, BadIndex> {
        self.page.set_bits::<CLI_NOTIFY>(wants.bits());
        ready(&self.page, &mut self.input, &mut self.output, wants)
    }

    /// Whether the client is to be signalled because of bytes moved since this was last asked.
    #[must_use = "the client may sleep until it is signalled"]
    pub fn owes_signal(&mut self) -> bool {
        let mut done = Wants::empty();
        done.set(Wants::DATA, core::mem::take(&mut self.output.moved));
        done.set(Wants::ROOM, core::mem::take(&mut self.input.moved));
        !done.is_empty() && self.page.clear_bits::<SRV_NOTIFY>(done.bits()) & done.bits() != 0
    }

    /// Tells the client that the server goes away; signal it.
    pub fn close(&self) {
        self.page.store_u8::<SRV_LIVE>(GONE);
    }
}

byte_stream!(ServerEnd);
