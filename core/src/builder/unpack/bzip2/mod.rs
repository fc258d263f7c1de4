//! bzip2: blocks of at most 900,000 bytes, each sorted (Burrows-Wheeler), then coded.
//!
//! Ready-made decoders do a block at a time, which is some twenty million instructions; this one stops anywhere. It
//! needs four bytes of memory for each byte of a block. Blocks that are "randomised", which no compressor has made
//! since 1999, are refused.
//!
//! Source: the layout of the format as its author's program defines it, described by Joe Tsai, "BZIP2: Format
//! Specification" (2016).

mod bits;
mod block;
mod code;

use alloc::vec::Vec;

use super::{Advance, Decompress, Format, Piece, UnpackError};
use bits::Bits;
use block::{Bad, Block};
use code::{Code, LONGEST};

const CORRUPT: UnpackError = UnpackError::Corrupt(Format::Bzip2);

const STREAM: &[u8; 3] = b"BZh";
const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
const END_MAGIC: u64 = 0x1772_4538_5090;
/// Block sizes are multiples of this many bytes, from one to nine.
const LEVEL: usize = 100_000;

/// Symbols decoded in one step, some 40 instructions each.
const SYMBOL_STEP: usize = 4096;
/// Symbols after which another table may be chosen.
const GROUP: usize = 50;
/// The most choices that a block needs; more are read and forgotten.
const SELECTORS: usize = 900_000 / GROUP + 2;
const TABLES: usize = 6;

#[derive(Clone, Copy)]
enum State {
    /// A stream begins.
    Stream,
    /// A block follows, or the end of the stream.
    Magic,
    /// Checksum, flag, origin.
    Head,
    /// Which sixteenths of all bytes are used.
    Sixteenths,
    /// Which bytes of those sixteenths, the next one first.
    Used(u16, u8),
    /// How many tables and choices.
    Counts,
    /// So many choices are still to come.
    Selectors(usize),
    /// The first length of a table.
    Table,
    /// The lengths of its symbols, and what the next one is before it is changed.
    Lengths(u8),
    Symbols,
    Chain,
    Write,
    /// The checksum of the stream.
    Trailer,
}

/// What a block's header says, and where decoding its symbols stands.
#[derive(Default)]
struct Coding {
    checksum: u32,
    origin: usize,
    /// The bytes used, the most recently used first.
    recent: Vec<u8>,
    tables: usize,
    selectors: Vec<u8>,
    /// The tables, the one chosen last first.
    order: [u8; TABLES],
    lengths: Vec<u8>,
    codes: Vec<Code>,
    /// Symbols decoded.
    symbols: usize,
    /// A run that is being counted, and what its next digit is worth.
    run: usize,
    digit: usize,
}

pub(super) struct Bzip2 {
    state: State,
    bits: Bits,
    /// Bytes in a block of this stream, at most.
    limit: usize,
    coding: Coding,
    block: Block,
    /// The checksum of the stream so far.
    checksum: u32,
}

enum Turn {
    GoOn,
    /// Enough for one step.
    Rest,
    /// There is not enough input, or room.
    Starved,
    /// The input ended where a stream may end.
    End,
}

impl From<Bad> for UnpackError {
    fn from(_: Bad) -> Self {
        CORRUPT
    }
}

impl Bzip2 {
    /// Takes the memory for the blocks of `payload`, at most `dictionary` bytes.
    pub(super) fn new(payload: &[u8], dictionary: usize) -> Result<Self, UnpackError> {
        let digit = payload.get(STREAM.len()).ok_or(UnpackError::Truncated("bzip2 header"))?;
        let limit = block_size(*digit)?;
        let bytes = limit * size_of::<u32>();
        if bytes > dictionary {
            return Err(UnpackError::Dictionary { format: Format::Bzip2, limit: dictionary });
        }
        let mut entries = Vec::new();
        entries.try_reserve_exact(limit).map_err(|_| UnpackError::NoMemory(bytes))?;
        Ok(Self {
            state: State::Stream,
            bits: Bits::default(),
            limit,
            coding: Coding::default(),
            block: Block::new(entries),
            checksum: 0,
        })
    }
}

/// Bytes in a block, by the digit of the stream's header.
fn block_size(digit: u8) -> Result<usize, UnpackError> {
    match digit {
        b'1'..=b'9' => Ok(usize::from(digit - b'0') * LEVEL),
        _ => Err(CORRUPT),
    }
}

impl Decompress for Bzip2 {
    fn piece(&self) -> Piece {
        Piece { input: 2 << 10, output: 16 << 10 }
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        let mut work = Work { left: input, room: output.get_mut(at..).unwrap_or_default(), produced: 0 };
        let mut worked = false;
        let done = loop {
            match self.turn(&mut work, input.is_empty())? {
                Turn::GoOn => worked = true,
                Turn::Rest => {
                    worked = true;
                    break false;
                }
                Turn::Starved => break false,
                Turn::End => break true,
            }
        };
        let consumed = input.len() - work.left.len();
        Ok(Advance { consumed, produced: work.produced, worked, done })
    }
}

/// The slices of one call.
struct Work<'a> {
    left: &'a [u8],
    room: &'a mut [u8],
    produced: usize,
}

impl Bzip2 {
    fn turn(&mut self, work: &mut Work<'_>, exhausted: bool) -> Result<Turn, UnpackError> {
        let input = &mut work.left;
        let next = match self.state {
            State::Stream => match self.bits.take(32, input) {
                Some(bits) => Some(self.stream(bits)?),
                None if exhausted && self.bits.is_empty() => return Ok(Turn::End),
                None => None,
            },
            State::Magic => match self.bits.take(48, input) {
                Some(BLOCK_MAGIC) => Some(State::Head),
                Some(END_MAGIC) => Some(State::Trailer),
                Some(_) => return Err(CORRUPT),
                None => None,
            },
            State::Head => self.bits.take(57, input).map(|bits| self.head(bits)).transpose()?,
            State::Sixteenths => self.bits.take(16, input).map(|bits| State::Used(low(bits), 0)),
            State::Used(0, _) => Some(self.alphabet()?),
            State::Used(map, base) => self.bits.take(16, input).map(|bits| self.used(map, base, low(bits))),
            State::Counts => self.bits.take(18, input).map(|bits| self.counts(bits)).transpose()?,
            State::Selectors(0) => Some(State::Table),
            State::Selectors(left) => self.selector(input)?.map(|()| State::Selectors(left - 1)),
            State::Table if self.coding.codes.len() == self.coding.tables => Some(State::Symbols),
            State::Table => self.bits.take(5, input).map(|bits| State::Lengths(low(bits).to_le_bytes()[0])),
            State::Lengths(length) => self.length(length, input)?,
            State::Symbols => return self.symbols(input),
            State::Chain => {
                if self.block.chain() {
                    self.state = State::Write;
                }
                return Ok(Turn::Rest);
            }
            State::Write => return self.write(work),
            State::Trailer => self.bits.take(32, input).map(|bits| self.trailer(bits)).transpose()?,
        };
        let Some(next) = next else { return Ok(Turn::Starved) };
        self.state = next;
        Ok(Turn::GoOn)
    }

    fn stream(&mut self, bits: u64) -> Result<State, UnpackError> {
        let [.., b0, b1, b2, digit] = bits.to_be_bytes();
        if [b0, b1, b2] != *STREAM {
            return Err(CORRUPT);
        }
        // Memory is there for the first stream; one behind it may need no more.
        self.limit = block_size(digit)?;
        self.checksum = 0;
        Ok(State::Magic)
    }

    fn head(&mut self, bits: u64) -> Result<State, UnpackError> {
        let coding = &mut self.coding;
        if bits >> 24 & 1 != 0 {
            return Err(CORRUPT);
        }
        coding.checksum = u32::try_from(bits >> 25).unwrap_or(0);
        coding.origin = usize::try_from(bits & 0xff_ffff).unwrap_or(usize::MAX);
        coding.recent.clear();
        coding.selectors.clear();
        coding.codes.clear();
        (coding.symbols, coding.run, coding.digit) = (0, 0, 1);
        self.block.clear();
        Ok(State::Sixteenths)
    }

    /// Notes the bytes used of the next sixteenth.
    fn used(&mut self, map: u16, base: u8, used: u16) -> State {
        let skipped = u8::try_from(map.leading_zeros()).unwrap_or(0);
        let base = base + skipped;
        let bytes = (0_u8..16).filter(|bit| used << bit & 0x8000 != 0).map(|bit| base << 4 | bit);
        self.coding.recent.extend(bytes);
        // What comes behind this one, if anything.
        State::Used((map << skipped) << 1, base.wrapping_add(1))
    }

    fn alphabet(&self) -> Result<State, UnpackError> {
        if self.coding.recent.is_empty() { Err(CORRUPT) } else { Ok(State::Counts) }
    }

    fn counts(&mut self, bits: u64) -> Result<State, UnpackError> {
        self.coding.tables = usize::from(low(bits >> 15));
        self.coding.order = [0, 1, 2, 3, 4, 5];
        let selectors = usize::from(low(bits) & 0x7fff);
        if !(2..=TABLES).contains(&self.coding.tables) || selectors == 0 {
            return Err(CORRUPT);
        }
        Ok(State::Selectors(selectors))
    }

    /// Reads which table is chosen, as its place in the order: so many ones, and a zero.
    fn selector(&mut self, input: &mut &[u8]) -> Result<Option<()>, UnpackError> {
        let coding = &mut self.coding;
        let ones = (self.bits.peek(8, input) << 56).leading_ones();
        let place = usize::try_from(ones).unwrap_or(usize::MAX);
        if place >= coding.tables {
            return Err(CORRUPT);
        }
        if !self.bits.skip(ones + 1) {
            return Ok(None);
        }
        let chosen = coding.order.get_mut(..=place).ok_or(CORRUPT)?;
        chosen.rotate_right(1);
        if let (true, Some(table)) = (coding.selectors.len() < SELECTORS, chosen.first()) {
            coding.selectors.push(*table);
        }
        Ok(Some(()))
    }

    /// Changes the length of the next symbol by one, or takes it as it is.
    fn length(&mut self, length: u8, input: &mut &[u8]) -> Result<Option<State>, UnpackError> {
        if !(1..=LONGEST).contains(&u32::from(length)) {
            return Err(CORRUPT);
        }
        let change = self.bits.peek(2, input);
        if !self.bits.skip(if change < 2 { 1 } else { 2 }) {
            return Ok(None);
        }
        if change >= 2 {
            return Ok(Some(State::Lengths(if change == 2 { length + 1 } else { length - 1 })));
        }
        let coding = &mut self.coding;
        coding.lengths.push(length);
        // Two digits of runs and the end, but no symbol for the most recent byte.
        if coding.lengths.len() < coding.recent.len() + 2 {
            return Ok(Some(State::Lengths(length)));
        }
        coding.codes.push(Code::new(&coding.lengths));
        coding.lengths.clear();
        Ok(Some(State::Table))
    }

    fn symbols(&mut self, input: &mut &[u8]) -> Result<Turn, UnpackError> {
        for decoded in 0..SYMBOL_STEP {
            let coding = &mut self.coding;
            let table = coding.selectors.get(coding.symbols / GROUP).ok_or(CORRUPT)?;
            let code = coding.codes.get(usize::from(*table)).ok_or(CORRUPT)?;
            let found = code.find(self.bits.peek(LONGEST, input));
            let Some((symbol, _)) = found.filter(|(_, length)| self.bits.skip(*length)) else {
                let starved = input.is_empty() && decoded == 0;
                return match found {
                    None if !input.is_empty() => Err(CORRUPT),
                    _ => Ok(if starved { Turn::Starved } else { Turn::Rest }),
                };
            };
            coding.symbols += 1;
            if self.symbol(symbol)? {
                self.block.begin_chain(self.coding.origin)?;
                self.state = State::Chain;
                return Ok(Turn::GoOn);
            }
        }
        Ok(Turn::Rest)
    }

    /// Takes a symbol; whether it is the last one.
    fn symbol(&mut self, symbol: usize) -> Result<bool, UnpackError> {
        let coding = &mut self.coding;
        if symbol < 2 {
            // Digits of value one and two, each place worth twice the one before.
            coding.run = coding.run.saturating_add((symbol + 1).saturating_mul(coding.digit));
            coding.digit = coding.digit.saturating_mul(2);
            return Ok(false);
        }
        if coding.run > 0 {
            let byte = *coding.recent.first().ok_or(CORRUPT)?;
            self.block.push(byte, coding.run, self.limit)?;
            (coding.run, coding.digit) = (0, 1);
        }
        if symbol > coding.recent.len() {
            return Ok(true);
        }
        let moved = coding.recent.get_mut(..symbol).ok_or(CORRUPT)?;
        moved.rotate_right(1);
        self.block.push(*moved.first().ok_or(CORRUPT)?, 1, self.limit)?;
        Ok(false)
    }

    fn write(&mut self, work: &mut Work<'_>) -> Result<Turn, UnpackError> {
        let room = work.room.get_mut(work.produced..).unwrap_or_default();
        let (written, is_whole) = self.block.write(room);
        work.produced += written;
        if !is_whole {
            return Ok(if written > 0 { Turn::Rest } else { Turn::Starved });
        }
        if self.block.checksum() != self.coding.checksum {
            return Err(CORRUPT);
        }
        self.checksum = self.checksum.rotate_left(1) ^ self.coding.checksum;
        self.state = State::Magic;
        Ok(Turn::Rest)
    }

    fn trailer(&mut self, bits: u64) -> Result<State, UnpackError> {
        if bits != u64::from(self.checksum) {
            return Err(CORRUPT);
        }
        self.bits.align();
        Ok(State::Stream)
    }
}

/// The low 16 bits.
const fn low(bits: u64) -> u16 {
    let [b0, b1, ..] = bits.to_le_bytes();
    u16::from_le_bytes([b0, b1])
}
