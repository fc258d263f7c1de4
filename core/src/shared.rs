//! Memory that another domain can change at any time.
//!
//! [`Page`] is the only way this project looks at such memory. Its bytes are atomics, so a peer that writes
//! while we read is defined behaviour, and there is no way to borrow them: every read makes a copy, and what is
//! parsed is the copy. Bytes that were checked can therefore not change afterwards (the double-fetch class).
//!
//! Do not add a second way in. What needs another width is built from these.

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Bytes in a page.
pub const PAGE_SIZE: usize = 4096;

/// Bytes in the words by which bulk data is copied.
/// Words that are written in one go.
const BLOCK: usize = 16;

const WORD: usize = size_of::<AtomicU64>();

/// One page of shared memory. Offsets are in bytes from its start.
#[repr(C, align(4096))]
pub struct Page([AtomicU8; PAGE_SIZE]);

impl Page {
    /// A zeroed page.
    #[must_use]
    pub const fn new() -> Self {
        Self([const { AtomicU8::new(0) }; PAGE_SIZE])
    }

    /// Reads the 32-bit word at `AT`; later accesses of ours stay behind it (acquire).
    #[must_use]
    pub fn load_u32<const AT: usize>(&self) -> u32 {
        self.word32::<AT>().load(Ordering::Acquire)
    }

    /// Writes the 32-bit word at `AT`; earlier accesses of ours stay before it (release).
    pub fn store_u32<const AT: usize>(&self, value: u32) {
        self.word32::<AT>().store(value, Ordering::Release);
    }

    /// Reads the byte at `AT`; later accesses of ours stay behind it (acquire).
    #[must_use]
    pub fn load_u8<const AT: usize>(&self) -> u8 {
        self.byte::<AT>().load(Ordering::Acquire)
    }

    /// Writes the byte at `AT`; earlier accesses of ours stay before it (release).
    pub fn store_u8<const AT: usize>(&self, value: u8) {
        self.byte::<AT>().store(value, Ordering::Release);
    }

    /// Sets `bits` of the byte at `AT` in one step, and no others; returns what the byte was. No access of ours
    /// passes it in either direction.
    pub fn set_bits<const AT: usize>(&self, bits: u8) -> u8 {
        self.byte::<AT>().fetch_or(bits, Ordering::SeqCst)
    }

    /// Clears `bits` of the byte at `AT`, as [`Page::set_bits`] sets them.
    pub fn clear_bits<const AT: usize>(&self, bits: u8) -> u8 {
        self.byte::<AT>().fetch_and(!bits, Ordering::SeqCst)
    }

    /// Copies bytes out of the page.
    ///
    /// # Panics
    /// When the range leaves the page: callers compute offsets from their own state, never from a peer's.
    pub fn read(&self, at: usize, out: &mut [u8]) {
        let (head, words, tail) = self.split(at, out.len());
        let (out_head, rest) = out.split_at_mut(head.len());
        let (out_words, out_tail) = rest.split_at_mut(words.len() * WORD);
        read_bytes(head, out_head);
        for (word, bytes) in words.iter().zip(out_words.chunks_exact_mut(WORD)) {
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        read_bytes(tail, out_tail);
    }

    /// Copies bytes into the page.
    ///
    /// # Panics
    /// When the range leaves the page: callers compute offsets from their own state, never from a peer's.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let (head, words, tail) = self.split(at, bytes.len());
        let (in_head, rest) = bytes.split_at(head.len());
        let (in_words, in_tail) = rest.split_at(words.len() * WORD);
        write_bytes(head, in_head);
        // In blocks of a known length, whose loops the compiler unrolls.
        let (blocks, words) = words.as_chunks::<BLOCK>();
        let (in_blocks, in_words) = in_words.as_chunks::<{ BLOCK * WORD }>();
        for (block, bytes) in blocks.iter().zip(in_blocks) {
            write_words(block, bytes);
        }
        write_words(words, in_words);
        write_bytes(tail, in_tail);
    }

    /// Zeroes the whole page.
    pub fn clear(&self) {
        let (_, words, _) = self.split(0, PAGE_SIZE);
        for word in words {
            word.store(0, Ordering::Relaxed);
        }
    }

    const fn byte<const AT: usize>(&self) -> &AtomicU8 {
        const { assert!(AT < PAGE_SIZE, "a byte has to lie in the page") };
        let start = self.0.as_ptr().wrapping_add(AT);
        // SAFETY: `start` lies in the page (asserted above) and lives as long as `self`.
        unsafe { &*start }
    }

    fn word32<const AT: usize>(&self) -> &AtomicU32 {
        const {
            assert!(AT.is_multiple_of(size_of::<AtomicU32>()), "a word has to be aligned");
            assert!(AT + size_of::<AtomicU32>() <= PAGE_SIZE, "a word has to lie in the page");
        }
        let start = self.0.as_ptr().wrapping_add(AT).cast::<AtomicU32>();
        // SAFETY: the page is 4096-aligned and AT is a multiple of 4 inside it (asserted above), so `start` is
        // aligned and its four bytes live as long as `self`; atomics have no invalid values.
        unsafe { &*start }
    }

    fn split(&self, at: usize, len: usize) -> (&[AtomicU8], &[AtomicU64], &[AtomicU8]) {
        let range = at.checked_add(len).and_then(|end| self.0.get(at..end));
        assert!(range.is_some(), "bytes {at}+{len} leave the page");
        // SAFETY: AtomicU64 has the layout of eight AtomicU8 apart from its alignment, which `align_to` sees to,
        // and every bit pattern is valid for both.
        unsafe { range.unwrap_or_default().align_to::<AtomicU64>() }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

fn read_bytes(from: &[AtomicU8], to: &mut [u8]) {
    for (byte, out) in from.iter().zip(to) {
        *out = byte.load(Ordering::Relaxed);
    }
}

#[inline]
fn write_words(to: &[AtomicU64], from: &[u8]) {
    let (values, _) = from.as_chunks();
    for (word, value) in to.iter().zip(values) {
        word.store(u64::from_ne_bytes(*value), Ordering::Relaxed);
    }
}

fn write_bytes(to: &[AtomicU8], from: &[u8]) {
    for (byte, value) in to.iter().zip(from) {
        byte.store(*value, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn words_and_bytes_are_the_same_memory() {
        let page = Page::new();
        page.store_u32::<2048>(0x0403_0201);
        let mut bytes = [0; 4];
        page.read(2048, &mut bytes);
        assert_eq!(u32::from_ne_bytes(bytes), 0x0403_0201);
        page.write(4092, &7u32.to_ne_bytes());
        assert_eq!(page.load_u32::<4092>(), 7);
    }

    #[test]
    fn bits_of_a_byte_change_alone() {
        let page = Page::new();
        page.write(20, &[0xff, 0x81, 0xff]);
        assert_eq!((page.set_bits::<21>(2), page.clear_bits::<21>(0x80)), (0x81, 0x83));
        assert_eq!(page.load_u8::<21>(), 3);
        page.store_u8::<21>(9);
        let mut bytes = [0; 4];
        page.read(20, &mut bytes);
        assert_eq!(bytes, [0xff, 9, 0xff, 0]);
    }

    #[test]
    #[should_panic(expected = "leave the page")]
    fn a_range_past_the_end_is_refused() {
        Page::new().read(4090, &mut [0; 7]);
    }

    #[test]
    fn clear_zeroes_every_byte() {
        let page = Page::new();
        page.write(0, &[0xff; PAGE_SIZE]);
        page.clear();
        let mut bytes = [1; PAGE_SIZE];
        page.read(0, &mut bytes);
        assert_eq!(bytes, [0; PAGE_SIZE]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else_changes(at in 0usize..4096, len in 0usize..64) {
            let len = len.min(PAGE_SIZE - at);
            let page = Page::new();
            let bytes: vec::Vec<u8> = (1..).take(len).collect();
            page.write(at, &bytes);
            let mut all = [0; PAGE_SIZE];
            page.read(0, &mut all);
            prop_assert_eq!(&all[at..at + len], &bytes[..]);
            prop_assert!(all[..at].iter().chain(&all[at + len..]).all(|byte| *byte == 0));
        }
    }
}
