//! One block: what was sorted by the compressor is put back in order, and its runs are written out.

use alloc::vec::Vec;

/// Entries chained in one step, some 8 instructions each.
const CHAIN_STEP: usize = 32 << 10;

/// A run of so many equal bytes is followed by a count of more.
const RUN: u8 = 4;

/// The bytes of a block in sorted order; later, in the upper 24 bits of each, which one comes next.
pub(super) struct Block {
    entries: Vec<u32>,
    /// How often each byte comes; later, where the next of them goes.
    places: [u32; 256],
    /// Entries chained so far.
    chained: usize,
    output: Output,
}

/// Where writing out stands.
#[derive(Default)]
struct Output {
    next: usize,
    /// Entries still to be visited.
    left: usize,
    last: u8,
    /// Equal bytes in a row, up to [`RUN`].
    run: u8,
    /// How often the last byte is still to be repeated.
    repeat: usize,
    crc: Crc,
}

/// The block is not one.
pub(super) struct Bad;

impl Block {
    /// `entries` is empty and has room for the largest block.
    pub(super) fn new(entries: Vec<u32>) -> Self {
        Self { entries, places: [0; 256], chained: 0, output: Output::default() }
    }

    /// Begins a new block.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.places = [0; 256];
        (self.chained, self.output) = (0, Output::default());
    }

    /// Appends `count` times `byte`, up to blocks of `limit` bytes.
    pub(super) fn push(&mut self, byte: u8, count: usize, limit: usize) -> Result<(), Bad> {
        let len = self.entries.len().checked_add(count).ok_or(Bad)?;
        let place = self.places.get_mut(usize::from(byte)).ok_or(Bad)?;
        if len > limit.min(self.entries.capacity()) {
            return Err(Bad);
        }
        self.entries.resize(len, u32::from(byte));
        *place = place.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }

    /// All bytes are there; the entry at `origin` leads to the first one.
    pub(super) fn begin_chain(&mut self, origin: usize) -> Result<(), Bad> {
        let mut sum = 0_u32;
        for place in &mut self.places {
            (*place, sum) = (sum, sum.saturating_add(*place));
        }
        self.output.next = origin;
        self.output.left = self.entries.len();
        if origin < self.entries.len() { Ok(()) } else { Err(Bad) }
    }

    /// Chains some entries; whether all are.
    pub(super) fn chain(&mut self) -> bool {
        let end = self.entries.len().min(self.chained.saturating_add(CHAIN_STEP));
        for at in self.chained..end {
            let byte = self.entries.get(at).map_or(0, |entry| usize::from(low_byte(*entry)));
            let Some(place) = self.places.get_mut(byte) else { continue };
            let target = usize::try_from(*place).ok().and_then(|to| self.entries.get_mut(to));
            *place = place.saturating_add(1);
            if let Some(entry) = target {
                // Blocks have fewer than 2^24 bytes.
                *entry |= u32::try_from(at).unwrap_or(0) << 8;
            }
        }
        self.chained = end;
        if end == self.entries.len() {
            self.output.next = self.entries.get(self.output.next).map_or(0, |entry| above(*entry));
            return true;
        }
        false
    }

    /// Writes as much as there is room for; returns how much, and whether that is the end of the block.
    pub(super) fn write(&mut self, room: &mut [u8]) -> (usize, bool) {
        let output = &mut self.output;
        let mut written = 0;
        loop {
            let rest = room.get_mut(written..).unwrap_or_default();
            if output.repeat > 0 && !rest.is_empty() {
                let count = output.repeat.min(rest.len());
                let run = rest.get_mut(..count).unwrap_or_default();
                run.fill(output.last);
                run.iter().for_each(|byte| output.crc.add(*byte));
                output.repeat -= count;
                written += count;
                continue;
            }
            if output.left == 0 || rest.is_empty() {
                return (written, output.left == 0 && output.repeat == 0);
            }
            let entry = self.entries.get(output.next).copied().unwrap_or(0);
            (output.next, output.left) = (above(entry), output.left - 1);
            written += output.byte(low_byte(entry), rest);
        }
    }

    /// The checksum of all that was written.
    pub(super) fn checksum(&self) -> u32 {
        self.output.crc.value()
    }
}

impl Output {
    /// Takes the next byte of the block, which may be a count; how many bytes of `rest` it wrote.
    fn byte(&mut self, byte: u8, rest: &mut [u8]) -> usize {
        if self.run == RUN {
            (self.run, self.repeat) = (0, usize::from(byte));
            return 0;
        }
        self.run = if self.run > 0 && byte == self.last { self.run + 1 } else { 1 };
        self.last = byte;
        self.crc.add(byte);
        if let Some(first) = rest.first_mut() {
            *first = byte;
        }
        1
    }
}

const fn low_byte(entry: u32) -> u8 {
    entry.to_le_bytes()[0]
}

fn above(entry: u32) -> usize {
    usize::try_from(entry >> 8).unwrap_or(0)
}

/// CRC-32 with the most significant bit first, unlike that of gzip.
struct Crc(u32);

const TABLE: [u32; 256] = table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0_u32;
    while at < 256 {
        let mut value = at << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value >> 31 == 1 { value << 1 ^ 0x04c1_1db7 } else { value << 1 };
            bit += 1;
        }
        table[at as usize] = value;
        at += 1;
    }
    table
}

impl Default for Crc {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc {
    fn add(&mut self, byte: u8) {
        let at = usize::from(self.0.to_be_bytes()[0] ^ byte);
        self.0 = self.0 << 8 ^ TABLE.get(at).copied().unwrap_or(0);
    }

    const fn value(&self) -> u32 {
        !self.0
    }
}
