//! Bits of the input, the most significant of each byte first.

/// Bits read but not used yet. They outlive the slice they came from.
#[derive(Default)]
pub(super) struct Bits {
    /// The last `count` of these.
    buffer: u64,
    count: u32,
}

impl Bits {
    /// Reads until `wanted` bits are there; whether they are.
    fn fill(&mut self, wanted: u32, input: &mut &[u8]) -> bool {
        while self.count < wanted {
            let Some((byte, rest)) = input.split_first() else { return false };
            *input = rest;
            self.buffer = self.buffer << 8 | u64::from(*byte);
            self.count += 8;
        }
        true
    }

    /// Takes `wanted` bits, at most 57; `None` if the input ends first, and then nothing is lost.
    pub(super) fn take(&mut self, wanted: u32, input: &mut &[u8]) -> Option<u64> {
        if !self.fill(wanted, input) {
            return None;
        }
        self.count -= wanted;
        Some(self.buffer >> self.count & mask(wanted))
    }

    /// The next `wanted` bits, with zeros for those that the input has not got (yet).
    pub(super) fn peek(&mut self, wanted: u32, input: &mut &[u8]) -> u64 {
        if self.fill(wanted, input) {
            self.buffer >> (self.count - wanted) & mask(wanted)
        } else {
            self.buffer << (wanted - self.count) & mask(wanted)
        }
    }

    /// Takes so many of the bits that were looked at; whether they were there.
    pub(super) fn skip(&mut self, count: u32) -> bool {
        let left = self.count.checked_sub(count);
        self.count = left.unwrap_or(self.count);
        left.is_some()
    }

    /// Goes on to the next whole byte.
    pub(super) fn align(&mut self) {
        self.count -= self.count % 8;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}
