//! The end that maps what a server offers.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use super::buffer::{Buffer, Incoming, Outgoing};
use super::layout::{
    AWAITED, CLI_LIVE, CLI_NOTIFY, GONE, LEFT_CONS, LEFT_PROD, LIVE, Offer, RIGHT_CONS, RIGHT_PROD, SRV_LIVE,
    SRV_NOTIFY,
};
use super::{Wants, ready};
use crate::ring::BadIndex;
use crate::ring::stream::byte_stream;
use crate::shared::Page;

/// How a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Both ends are there.
    Up,
    /// The server has to make the ring fresh first: connect again at its next signal.
    Waiting,
    /// The server has gone, and these pages with it.
    Gone,
}

/// The pages are not as many as the offer names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenError;

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pages are not those of the offer")
    }
}

impl core::error::Error for OpenError {}

/// The client's end: writes `left`, reads `right`.
#[derive(Debug)]
pub struct ClientEnd<P> {
    pub(super) page: P,
    pub(super) input: Incoming<P, RIGHT_CONS, RIGHT_PROD>,
    pub(super) output: Outgoing<P, LEFT_CONS, LEFT_PROD>,
}

impl<P: Deref<Target = Page>> ClientEnd<P> {
    /// Takes the control page and the pages of its `offer`, mapped. They are not used before
    /// [`ClientEnd::connect`].
    ///
    /// # Errors
    /// When the pages are not as many as they should be.
    pub fn open(control: P, offer: &Offer, left: Vec<P>, right: Vec<P>) -> Result<Self, OpenError> {
        let input = Incoming::new(Buffer::new(offer.right, right).ok_or(OpenError)?);
        let output = Outgoing::new(Buffer::new(offer.left, left).ok_or(OpenError)?);
        Ok(Self { page: control, input, output })
    }

    /// Takes the ring if it is fresh; else asks for a fresh one. Signal the server in both cases.
    pub fn connect(&mut self) -> Link {
        let page = &*self.page;
        if page.load_u8::<SRV_LIVE>() != LIVE {
            return Link::Gone;
        }
        if page.load_u8::<CLI_LIVE>() != AWAITED || !self.is_fresh() {
            page.store_u8::<CLI_LIVE>(GONE);
            return Link::Waiting;
        }
        self.input.restart();
        self.output.restart();
        let page = &*self.page;
        page.store_u8::<SRV_NOTIFY>(Wants::DATA.bits());
        page.store_u8::<CLI_LIVE>(LIVE);
        Link::Up
    }

    /// How the connection stands now. Anything but [`Link::Up`] ends it, also what was already on its way.
    pub fn link(&self) -> Link {
        match (self.page.load_u8::<SRV_LIVE>(), self.page.load_u8::<CLI_LIVE>()) {
            (LIVE, LIVE) => Link::Up,
            (LIVE, _) => Link::Waiting,
            _ => Link::Gone,
        }
    }

    /// Bytes that can be read now.
    ///
    /// # Errors
    /// When the server's index is impossible.
    pub fn waiting(&mut self) -> Result<u32, BadIndex> {
        self.input.waiting(&self.page)
    }

    /// Bytes that can be written now.
    ///
    /// # Errors
    /// When the server's index is impossible.
    pub fn room(&mut self) -> Result<u32, BadIndex> {
        self.output.room(&self.page)
    }

    /// Asks the server to signal when there is what is wanted; returns what of it is there already. Sleep only when
    /// that is nothing.
    ///
    /// # Errors
    /// When the server's index is impossible.
    pub fn ask(&mut self, wants: Wants) -> Result<Wants, BadIndex> {
        self.page.set_bits::<SRV_NOTIFY>(wants.bits());
        ready(&self.page, &mut self.input, &mut self.output, wants)
    }

    /// Whether the server is to be signalled because of bytes moved since this was last asked.
    #[must_use = "the server may sleep until it is signalled"]
    pub fn owes_signal(&mut self) -> bool {
        let mut done = Wants::empty();
        done.set(Wants::DATA, core::mem::take(&mut self.output.moved));
        done.set(Wants::ROOM, core::mem::take(&mut self.input.moved));
        !done.is_empty() && self.page.clear_bits::<CLI_NOTIFY>(done.bits()) & done.bits() != 0
    }

    /// Tells the server that the client goes away; signal it.
    pub fn close(&self) {
        self.page.store_u8::<CLI_LIVE>(GONE);
    }

    fn is_fresh(&self) -> bool {
        let page = &*self.page;
        let indices = [
            page.load_u32::<LEFT_CONS>(),
            page.load_u32::<LEFT_PROD>(),
            page.load_u32::<RIGHT_CONS>(),
            page.load_u32::<RIGHT_PROD>(),
        ];
        indices == [0; 4]
    }
}

byte_stream!(ClientEnd);
