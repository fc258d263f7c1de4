//! One direction of a connection: bytes over several pages, or over a part of the control page.

use alloc::vec::Vec;
use core::cmp::min;
use core::ops::Deref;

use super::layout::Place;
use crate::ring::{BadIndex, Consumer, Producer, RingError, RingSize};
use crate::shared::{PAGE_SIZE, Page};

/// Where the bytes of a ring lie.
#[derive(Debug)]
pub(super) struct Buffer<P> {
    place: Place,
    pages: Vec<P>,
}

impl<P: Deref<Target = Page>> Buffer<P> {
    /// A ring at `place`; `None` when that has another number of pages.
    pub(super) fn new(place: Place, pages: Vec<P>) -> Option<Self> {
        (pages.len() == place.pages()).then_some(Self { place, pages })
    }

    pub(super) const fn place(&self) -> Place {
        self.place
    }

    pub(super) fn pages(&self) -> &[P] {
        &self.pages
    }

    pub(super) fn size(&self) -> RingSize {
        RingSize::new(1 << self.place.order())
    }

    /// Calls `copy` for each page's part of the `len` bytes from `at` on, with the page, where in it the part starts,
    /// and which of the bytes it is. The range stays inside the ring or goes on at its start.
    fn parts(&self, control: &Page, at: u32, len: usize, mut copy: impl FnMut(&Page, usize, usize, usize)) {
        let size = bytes(self.size().bytes());
        let mut done = 0;
        while done < len {
            let position = (bytes(at) + done) % size;
            let (page, inside, part) = match self.pages.get(position / PAGE_SIZE) {
                Some(page) => (&**page, position % PAGE_SIZE, min(size, PAGE_SIZE)),
                None => (control, position, size),
            };
            let count = min(len - done, part - inside);
            let start = if self.pages.is_empty() { self.place.offset() + inside } else { inside };
            copy(page, start, done, count);
            done += count;
        }
    }
}

/// Positions fit into the ring and so into any `usize`.
const fn bytes(count: u32) -> usize {
    count as usize
}

/// The reading side, with the offsets of both indices in the control page.
#[derive(Debug)]
pub(super) struct Incoming<P, const CONS: usize, const PROD: usize> {
    buffer: Buffer<P>,
    pub(super) index: Consumer,
    /// Bytes were read since this was last cleared.
    pub(super) moved: bool,
}

impl<P: Deref<Target = Page>, const CONS: usize, const PROD: usize> Incoming<P, CONS, PROD> {
    /// An empty ring.
    pub(super) fn new(buffer: Buffer<P>) -> Self {
        Self { index: Consumer::empty(buffer.size()), buffer, moved: false }
    }

    /// Starts again with an empty ring.
    pub(super) fn restart(&mut self) {
        self.index = Consumer::empty(self.buffer.size());
        self.moved = false;
    }

    pub(super) const fn buffer(&self) -> &Buffer<P> {
        &self.buffer
    }

    pub(super) fn waiting(&mut self, control: &Page) -> Result<u32, BadIndex> {
        self.index.look(control.load_u32::<PROD>())
    }

    pub(super) fn receive(&mut self, control: &Page, out: &mut [u8]) -> Result<usize, RingError> {
        let waiting = self.waiting(control)?;
        let taken = min(waiting, u32::try_from(out.len()).unwrap_or(u32::MAX));
        if taken == 0 {
            return if out.is_empty() { Ok(0) } else { Err(RingError::NotReady) };
        }
        self.buffer.parts(control, self.index.position(), bytes(taken), |page, start, done, count| {
            if let Some(out) = out.get_mut(done..done + count) {
                page.read(start, out);
            }
        });
        control.store_u32::<CONS>(self.index.advance(taken));
        self.moved = true;
        Ok(bytes(taken))
    }
}

/// The writing side, with the offsets of both indices in the control page.
#[derive(Debug)]
pub(super) struct Outgoing<P, const CONS: usize, const PROD: usize> {
    buffer: Buffer<P>,
    pub(super) index: Producer,
    /// Bytes were written since this was last cleared.
    pub(super) moved: bool,
}

impl<P: Deref<Target = Page>, const CONS: usize, const PROD: usize> Outgoing<P, CONS, PROD> {
    /// An empty ring.
    pub(super) fn new(buffer: Buffer<P>) -> Self {
        Self { index: Producer::empty(buffer.size()), buffer, moved: false }
    }

    /// Starts again with an empty ring.
    pub(super) fn restart(&mut self) {
        self.index = Producer::empty(self.buffer.size());
        self.moved = false;
    }

    pub(super) const fn buffer(&self) -> &Buffer<P> {
        &self.buffer
    }

    pub(super) fn room(&mut self, control: &Page) -> Result<u32, BadIndex> {
        self.index.look(control.load_u32::<CONS>())
    }

    pub(super) fn send(&mut self, control: &Page, input: &[u8]) -> Result<usize, RingError> {
        let room = self.room(control)?;
        let fits = min(room, u32::try_from(input.len()).unwrap_or(u32::MAX));
        if fits == 0 {
            return if input.is_empty() { Ok(0) } else { Err(RingError::NotReady) };
        }
        self.buffer.parts(control, self.index.position(), bytes(fits), |page, start, done, count| {
            if let Some(input) = input.get(done..done + count) {
                page.write(start, input);
            }
        });
        control.store_u32::<PROD>(self.index.advance(fits));
        self.moved = true;
        Ok(bytes(fits))
    }
}
