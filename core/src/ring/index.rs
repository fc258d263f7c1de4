//! Index arithmetic of a byte ring, without the ring.
//!
//! Indices count bytes since ever, modulo 2^32. All that is kept is our own index and the peer's as last seen;
//! the invariant is that the producer is ahead of the consumer by at most the size of the ring. A peer's index
//! may only move forward, and never past the point that the invariant allows.

use core::fmt;

/// Bytes in a ring: a power of two, so that positions go on seamlessly where indices wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingSize(u32);

impl RingSize {
    /// A ring of so many bytes.
    ///
    /// # Panics
    /// When it is no power of two: sizes are this project's constants, never a peer's word.
    #[must_use]
    pub const fn new(bytes: u32) -> Self {
        assert!(bytes.is_power_of_two(), "the size of a ring is a power of two");
        Self(bytes)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }

    /// Where in the buffer the byte of an index stands.
    #[must_use]
    pub const fn position(self, index: u32) -> u32 {
        index & (self.0 - 1)
    }
}

/// A peer's index that cannot be: further than the ring allows, or behind where it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadIndex {
    /// Our index.
    pub ours: u32,
    /// The peer's index when it was last right.
    pub was: u32,
    /// What the peer made of it.
    pub is: u32,
}

impl fmt::Display for BadIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours, was, is } = self;
        write!(f, "the peer moved its ring index from {was:#x} to {is:#x} while ours is {ours:#x}")
    }
}

impl core::error::Error for BadIndex {}

/// The writing side's view: how much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Producer {
    size: RingSize,
    ours: u32,
    consumer: u32,
}

impl Producer {
    /// Starts a fresh, empty ring.
    #[must_use]
    pub const fn empty(size: RingSize) -> Self {
        Self { size, ours: 0, consumer: 0 }
    }

    /// Goes on from two indices; `None` when they contradict each other.
    #[must_use]
    pub fn new(size: RingSize, ours: u32, consumer: u32) -> Option<Self> {
        (ours.wrapping_sub(consumer) <= size.0).then_some(Self { size, ours, consumer })
    }

    /// Takes note of the peer's index; returns the bytes that may be written.
    ///
    /// # Errors
    /// When the peer consumed what was never produced, or took back what it consumed.
    pub fn look(&mut self, consumer: u32) -> Result<u32, BadIndex> {
        let unread = self.ours.wrapping_sub(self.consumer);
        if consumer.wrapping_sub(self.consumer) > unread {
            return Err(BadIndex { ours: self.ours, was: self.consumer, is: consumer });
        }
        self.consumer = consumer;
        Ok(self.size.0 - self.ours.wrapping_sub(consumer))
    }

    /// Counts bytes as written, no more than [`Producer::look`] allowed; returns the index to publish.
    #[must_use = "the peer sees nothing until the index is published"]
    pub fn advance(&mut self, bytes: u32) -> u32 {
        let room = self.size.0 - self.ours.wrapping_sub(self.consumer);
        self.ours = self.ours.wrapping_add(bytes.min(room));
        self.ours
    }

    /// Where the next byte goes.
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.size.position(self.ours)
    }
}

/// The reading side's view: how much there is to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consumer {
    size: RingSize,
    ours: u32,
    producer: u32,
}

impl Consumer {
    /// Starts a fresh, empty ring.
    #[must_use]
    pub const fn empty(size: RingSize) -> Self {
        Self { size, ours: 0, producer: 0 }
    }

    /// Goes on from two indices; `None` when they contradict each other.
    #[must_use]
    pub fn new(size: RingSize, ours: u32, producer: u32) -> Option<Self> {
        (producer.wrapping_sub(ours) <= size.0).then_some(Self { size, ours, producer })
    }

    /// Takes note of the peer's index; returns the bytes that may be read.
    ///
    /// # Errors
    /// When the peer claims more than the ring holds, or took back what it produced.
    pub fn look(&mut self, producer: u32) -> Result<u32, BadIndex> {
        let known = self.producer.wrapping_sub(self.ours);
        let unread = producer.wrapping_sub(self.ours);
        if unread < known || unread > self.size.0 {
            return Err(BadIndex { ours: self.ours, was: self.producer, is: producer });
        }
        self.producer = producer;
        Ok(unread)
    }

    /// Counts bytes as read, no more than [`Consumer::look`] allowed; returns the index to publish.
    #[must_use = "the peer gets no room until the index is published"]
    pub fn advance(&mut self, bytes: u32) -> u32 {
        let unread = self.producer.wrapping_sub(self.ours);
        self.ours = self.ours.wrapping_add(bytes.min(unread));
        self.ours
    }

    /// Where the next byte stands.
    #[must_use]
    pub const fn position(&self) -> u32 {
        self.size.position(self.ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: RingSize = RingSize::new(4);

    /// Starts around every place where the arithmetic could trip.
    const STARTS: [u32; 7] = [0, 1, 0x7fff_fffe, 0x8000_0000, u32::MAX - 4, u32::MAX - 1, u32::MAX];

    /// Every state of a ring of four bytes near each start, with every move that a peer could make from it and
    /// a band of impossible ones around.
    fn every_state(mut check: impl FnMut(u32, u32, u32, u32)) {
        for consumer in STARTS {
            for filled in 0..=SIZE.bytes() {
                let producer = consumer.wrapping_add(filled);
                for step in -12i32..=12 {
                    check(consumer, producer, filled, step.cast_unsigned());
                }
                for far in [0x7fff_ffff, 0x8000_0000, 0x8000_0001] {
                    check(consumer, producer, filled, far);
                }
            }
        }
    }

    #[test]
    fn attack_b01_a_consumer_stays_between_where_it_was_and_the_producer() {
        every_state(|consumer, producer, filled, step| {
            let mut ours = Producer::new(SIZE, producer, consumer).unwrap();
            let moved = consumer.wrapping_add(step);
            if step <= filled {
                assert_eq!(ours.look(moved), Ok(SIZE.bytes() - filled + step));
            } else {
                let before = ours;
                assert_eq!(ours.look(moved), Err(BadIndex { ours: producer, was: consumer, is: moved }));
                assert_eq!(ours, before, "a bad index leaves no trace");
            }
        });
    }

    #[test]
    fn attack_b01_a_producer_stays_between_where_it_was_and_a_ring_ahead() {
        every_state(|consumer, producer, filled, step| {
            let mut ours = Consumer::new(SIZE, consumer, producer).unwrap();
            let moved = producer.wrapping_add(step);
            if step <= SIZE.bytes() - filled {
                assert_eq!(ours.look(moved), Ok(filled + step));
            } else {
                let before = ours;
                assert_eq!(ours.look(moved), Err(BadIndex { ours: consumer, was: producer, is: moved }));
                assert_eq!(ours, before, "a bad index leaves no trace");
            }
        });
    }

    #[test]
    fn attack_a16_indices_and_positions_go_on_across_the_wrap() {
        let start = u32::MAX - 2;
        let mut producer = Producer::new(SIZE, start, start).unwrap();
        let mut consumer = Consumer::new(SIZE, start, start).unwrap();
        for step in 0..8u32 {
            assert_eq!(producer.position(), (start.wrapping_add(step)) % 4);
            let published = producer.advance(1);
            assert_eq!(published, start.wrapping_add(step + 1));
            assert_eq!(consumer.look(published), Ok(1));
            assert_eq!(consumer.position(), (start.wrapping_add(step)) % 4);
            assert_eq!(producer.look(consumer.advance(1)), Ok(4));
        }
    }

    #[test]
    fn no_side_advances_past_what_it_saw() {
        let mut producer = Producer::new(SIZE, 0, 0).unwrap();
        assert_eq!(producer.advance(9), 4);
        let mut consumer = Consumer::new(SIZE, 0, 2).unwrap();
        assert_eq!(consumer.advance(9), 2);
    }

    #[test]
    fn contradicting_starts_are_refused() {
        assert_eq!(Producer::new(SIZE, 5, 0), None);
        assert_eq!(Producer::new(SIZE, 0, 1), None);
        assert_eq!(Consumer::new(SIZE, 0, 5), None);
        assert_eq!(Consumer::new(SIZE, 1, 0), None);
        assert!(Consumer::new(SIZE, u32::MAX, 3).is_some());
    }
}
