//! One direction of a byte ring that lies in a shared page.

use core::cmp::min;

use super::{BadIndex, Consumer, Producer, RingError, RingSize};
use crate::shared::Page;

/// The writing side: `SIZE` bytes at `DATA`, our index at `PROD`, the peer's at `CONS`, as offsets in the page.
#[derive(Clone, Copy, Debug)]
pub struct Sender<const DATA: usize, const SIZE: u32, const CONS: usize, const PROD: usize>(Producer);

impl<const DATA: usize, const SIZE: u32, const CONS: usize, const PROD: usize>
    Sender<DATA, SIZE, CONS, PROD>
{
    const RING: RingSize = RingSize::new(SIZE);

    /// Empties the ring for both sides: only when the peer does not use it yet, or asked for it.
    pub fn reset(page: &Page) -> Self {
        page.store_u32::<CONS>(0);
        page.store_u32::<PROD>(0);
        Self(Producer::empty(Self::RING))
    }

    /// Goes on from the indices in the page.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn attach(page: &Page) -> Result<Self, BadIndex> {
        let (ours, consumer) = (page.load_u32::<PROD>(), page.load_u32::<CONS>());
        Producer::new(Self::RING, ours, consumer).map(Self).ok_or(BadIndex {
            ours,
            was: consumer,
            is: consumer,
        })
    }

    /// Bytes that may be written now.
    ///
    /// # Errors
    /// When the peer's index is impossible.
    pub fn room(&mut self, page: &Page) -> Result<u32, BadIndex> {
        self.0.look(page.load_u32::<CONS>())
    }

    /// Copies as many bytes as fit, then publishes them; returns how many.
    ///
    /// # Errors
    /// When there is no room, or the peer's index is impossible.
    pub fn send(&mut self, page: &Page, bytes: &[u8]) -> Result<usize, RingError> {
        let room = self.room(page)?;
        let fits = min(room, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        if fits == 0 {
            return if bytes.is_empty() { Ok(0) } else { Err(RingError::NotReady) };
        }
        let at = self.0.position();
        let (bytes, _later) = bytes.split_at(size(fits));
        let (to_end, from_start) = bytes.split_at(min(bytes.len(), size(SIZE - at)));
        page.write(DATA + size(at), to_end);
        page.write(DATA, from_start);
        page.store_u32::<PROD>(self.0.advance(fits));
        Ok(bytes.len())
    }
}

/// The reading side: `SIZE` bytes at `DATA`, our index at `CONS`, the peer's at `PROD`, as offsets in the page.
#[derive(Clone, Copy, Debug)]
pub struct Receiver<const DATA: usize, const SIZE: u32, const CONS: usize, const PROD: usize>(Consumer);

impl<const DATA: usize, const SIZE: u32, const CONS: usize, const PROD: usize>
    Receiver<DATA, SIZE, CONS, PROD>
{
    const RING: RingSize = RingSize::new(SIZE);

    /// Empties the ring for both sides: only when the peer does not use it yet, or asked for it.
    pub fn reset(page: &Page) -> Self {
        page.store_u32::<CONS>(0);
        page.store_u32::<PROD>(0);
        Self(Consumer::empty(Self::RING))
    }

    /// Goes on from the indices in the page.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn attach(page: &Page) -> Result<Self, BadIndex> {
        let (ours, producer) = (page.load_u32::<CONS>(), page.load_u32::<PROD>());
        Consumer::new(Self::RING, ours, producer).map(Self).ok_or(BadIndex {
            ours,
            was: producer,
            is: producer,
        })
    }

    /// Bytes that wait to be read.
    ///
    /// # Errors
    /// When the peer's index is impossible.
    pub fn waiting(&mut self, page: &Page) -> Result<u32, BadIndex> {
        self.0.look(page.load_u32::<PROD>())
    }

    /// Copies out as many bytes as there are, then gives their room back; returns how many.
    ///
    /// # Errors
    /// When nothing waits, or the peer's index is impossible.
    pub fn receive(&mut self, page: &Page, out: &mut [u8]) -> Result<usize, RingError> {
        let waiting = self.waiting(page)?;
        let taken = min(waiting, u32::try_from(out.len()).unwrap_or(u32::MAX));
        if taken == 0 {
            return if out.is_empty() { Ok(0) } else { Err(RingError::NotReady) };
        }
        let at = self.0.position();
        let (out, _unused) = out.split_at_mut(size(taken));
        let split = min(out.len(), size(SIZE - at));
        let (to_end, from_start) = out.split_at_mut(split);
        page.read(DATA + size(at), to_end);
        page.read(DATA, from_start);
        page.store_u32::<CONS>(self.0.advance(taken));
        Ok(out.len())
    }
}

/// Sizes of rings fit into a page and so into any `usize`.
const fn size(bytes: u32) -> usize {
    bytes as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    // A ring of eight bytes with its indices behind it.
    type Tx = Sender<16, 8, 128, 132>;
    type Rx = Receiver<16, 8, 128, 132>;

    fn ring_at(start: u32) -> (Page, Tx, Rx) {
        let page = Page::new();
        page.store_u32::<128>(start);
        page.store_u32::<132>(start);
        let (tx, rx) = (Tx::attach(&page).unwrap(), Rx::attach(&page).unwrap());
        (page, tx, rx)
    }

    #[test]
    fn full_and_empty_are_told_apart() {
        let (page, mut tx, mut rx) = ring_at(6);
        assert_eq!(rx.receive(&page, &mut [0; 4]), Err(RingError::NotReady));
        assert_eq!(tx.send(&page, b"0123456789"), Ok(8));
        assert_eq!(tx.send(&page, b"x"), Err(RingError::NotReady));
        let mut out = [0; 10];
        assert_eq!(rx.receive(&page, &mut out), Ok(8));
        assert_eq!(&out[..8], b"01234567");
        assert_eq!(rx.waiting(&page), Ok(0));
        assert_eq!(tx.room(&page), Ok(8));
        assert_eq!(tx.send(&page, b""), Ok(0));
        assert_eq!(rx.receive(&page, &mut []), Ok(0));
    }

    #[test]
    fn attack_b01_what_the_peer_writes_over_our_index_changes_nothing() {
        let (page, mut tx, mut rx) = ring_at(0);
        tx.send(&page, b"abc").unwrap();
        page.store_u32::<128>(0xdead);
        let mut out = [0; 3];
        assert_eq!(rx.receive(&page, &mut out), Ok(3));
        assert_eq!((&out, page.load_u32::<128>()), (b"abc", 3));
        page.store_u32::<132>(0xdead);
        assert_eq!(tx.send(&page, b"d"), Ok(1));
        assert_eq!(page.load_u32::<132>(), 4);
    }

    #[test]
    fn attack_b01_an_impossible_index_moves_no_byte() {
        let (page, mut tx, mut rx) = ring_at(0);
        page.store_u32::<132>(9);
        let mut out = [7; 16];
        assert!(matches!(rx.receive(&page, &mut out), Err(RingError::Peer(_))));
        assert_eq!((out, page.load_u32::<128>()), ([7; 16], 0));
        page.store_u32::<128>(1);
        let mut before = [0; 8];
        page.read(16, &mut before);
        assert!(matches!(tx.send(&page, b"x"), Err(RingError::Peer(_))));
        let mut after = [0; 8];
        page.read(16, &mut after);
        assert_eq!(before, after);
    }

    #[test]
    fn attack_b02_received_bytes_do_not_change_with_the_page() {
        let (page, mut tx, mut rx) = ring_at(0);
        tx.send(&page, b"harmless").unwrap();
        let mut copy = [0; 8];
        rx.receive(&page, &mut copy).unwrap();
        page.write(16, b"harmful!");
        assert_eq!(&copy, b"harmless");
    }

    proptest! {
        #[test]
        fn a_stream_arrives_whole_and_in_order(
            start in prop_oneof![any::<u32>(), (u32::MAX - 40)..=u32::MAX],
            moves in proptest::collection::vec((0usize..12, 0usize..12), 1..60),
        ) {
            let (page, mut tx, mut rx) = ring_at(start);
            let (mut sent, mut received): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
            for (write, read) in moves {
                let next: Vec<u8> = (0..write).map(|i| ((sent.len() + i) % 251).try_into().unwrap()).collect();
                let taken = tx.send(&page, &next).unwrap_or(0);
                prop_assert_eq!(taken, write.min(8 - (sent.len() - received.len())));
                sent.extend(&next[..taken]);
                let mut out = alloc::vec![0; read];
                let got = rx.receive(&page, &mut out).unwrap_or(0);
                received.extend(&out[..got]);
                prop_assert_eq!(&received[..], &sent[..received.len()]);
            }
        }

        #[test]
        fn attack_b01_any_words_in_the_page_are_an_answer_or_an_error(words in proptest::collection::vec(any::<(u32, u32)>(), 1..20)) {
            let (page, mut tx, mut rx) = ring_at(0);
            for (consumer, producer) in words {
                page.store_u32::<128>(consumer);
                page.store_u32::<132>(producer);
                prop_assert!(!tx.send(&page, b"abc").is_ok_and(|sent| sent > 3));
                let mut out = [0; 16];
                prop_assert!(!rx.receive(&page, &mut out).is_ok_and(|got| got > 8));
            }
        }
    }
}
