//! The lz4 legacy frame: blocks of at most 8 MiB, each with its own history, each behind its length.
//! Source: the LZ4 project's `lz4_Frame_format.md` and `lz4_Block_format.md`.
//!
//! Ready-made decoders take a whole block at a time, which is some ten million instructions; this one stops
//! anywhere. The output is its own window.

use super::{Advance, Decompress, Format, Piece, UnpackError};

/// What a legacy frame starts with.
pub(super) const MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];

const CORRUPT: UnpackError = UnpackError::Corrupt(Format::Lz4);
/// What one block may unpack to.
const MAX_BLOCK: usize = 8 << 20;
/// Every match is this much longer than its code.
const MIN_MATCH: usize = 4;
/// A length code that goes on in the next byte.
const GOES_ON: usize = 15;

#[derive(Clone, Copy)]
enum State {
    Magic,
    BlockLength,
    Token,
    /// Reads on the length of the literals; then a match of the second length.
    LiteralLength(usize, usize),
    Literals(usize, usize),
    Offset(usize),
    MatchLength(usize, usize),
    /// Copies so many bytes from so far back.
    Match(usize, usize),
}

pub(super) struct Lz4 {
    state: State,
    /// Input bytes left in this block.
    block: usize,
    /// Where in the output this block began.
    start: usize,
}

impl Lz4 {
    pub(super) fn new() -> Self {
        Self { state: State::Magic, block: 0, start: 0 }
    }
}

impl Decompress for Lz4 {
    fn piece(&self) -> Piece {
        Piece { input: 32 << 10, output: 32 << 10 }
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        let mut work = Work { input, output, at, exhausted: input.is_empty() };
        let done = loop {
            match self.turn(&mut work)? {
                Turn::GoOn => {}
                Turn::Pause => break false,
                Turn::End => break true,
            }
        };
        let (consumed, produced) = (input.len() - work.input.len(), work.at - at);
        Ok(Advance { consumed, produced, done, ..Advance::default() })
    }
}

/// The slices of one call.
struct Work<'a> {
    input: &'a [u8],
    output: &'a mut [u8],
    at: usize,
    /// There was nothing more to show to this call.
    exhausted: bool,
}

enum Turn {
    GoOn,
    /// Input or room ran out.
    Pause,
    /// The input ended where a frame may end.
    End,
}

impl Lz4 {
    fn turn(&mut self, work: &mut Work<'_>) -> Result<Turn, UnpackError> {
        self.state = match self.state {
            State::Magic => match work.word() {
                Some(word) if word == MAGIC => State::BlockLength,
                Some(_) => return Err(CORRUPT),
                None => return Ok(Turn::Pause),
            },
            State::BlockLength => match work.word() {
                // Frames may follow each other.
                Some(word) if word == MAGIC => State::BlockLength,
                Some(word) => self.open_block(word, work.at),
                None if work.exhausted => return Ok(Turn::End),
                None => return Ok(Turn::Pause),
            },
            State::Token if self.block == 0 => State::BlockLength,
            State::Token => match self.byte(work)? {
                Some(token) => token_state(token),
                None => return Ok(Turn::Pause),
            },
            State::LiteralLength(length, code) => match self.byte(work)? {
                Some(byte) => more_length(byte, length, code, State::LiteralLength, State::Literals)?,
                None => return Ok(Turn::Pause),
            },
            State::Literals(0, code) => after_literals(self.block, code),
            State::Literals(length, code) => match self.literals(work, length)? {
                0 => return Ok(Turn::Pause),
                copied => State::Literals(length - copied, code),
            },
            State::Offset(code) => match self.offset(work)? {
                Some(offset) if code == GOES_ON => State::MatchLength(code, offset),
                Some(offset) => State::Match(code + MIN_MATCH, offset),
                None => return Ok(Turn::Pause),
            },
            State::MatchLength(length, offset) => match self.byte(work)? {
                Some(byte) => more_length(byte, length, offset, State::MatchLength, |length, offset| {
                    State::Match(length + MIN_MATCH, offset)
                })?,
                None => return Ok(Turn::Pause),
            },
            State::Match(0, _) => State::Token,
            State::Match(length, offset) => match work.repeat(offset, length) {
                0 => return Ok(Turn::Pause),
                copied => State::Match(length - copied, offset),
            },
        };
        if work.at - self.start.min(work.at) > MAX_BLOCK { Err(CORRUPT) } else { Ok(Turn::GoOn) }
    }

    fn open_block(&mut self, length: [u8; 4], at: usize) -> State {
        self.block = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        self.start = at;
        State::Token
    }

    /// One byte of the block; `None` when the input ran out first.
    fn byte(&mut self, work: &mut Work<'_>) -> Result<Option<u8>, UnpackError> {
        let left = self.block.checked_sub(1).ok_or(CORRUPT)?;
        let Some((byte, rest)) = work.input.split_first() else { return Ok(None) };
        work.input = rest;
        self.block = left;
        Ok(Some(*byte))
    }

    fn literals(&mut self, work: &mut Work<'_>, length: usize) -> Result<usize, UnpackError> {
        if length > self.block {
            return Err(CORRUPT);
        }
        let room = work.output.get_mut(work.at..).unwrap_or_default();
        let count = length.min(room.len()).min(work.input.len());
        let (Some(to), Some((from, rest))) = (room.get_mut(..count), work.input.split_at_checked(count))
        else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        work.input = rest;
        work.at += count;
        self.block -= count;
        Ok(count)
    }

    fn offset(&mut self, work: &mut Work<'_>) -> Result<Option<usize>, UnpackError> {
        let left = self.block.checked_sub(2).ok_or(CORRUPT)?;
        let Some((offset, rest)) = work.input.split_first_chunk() else { return Ok(None) };
        let offset = usize::from(u16::from_le_bytes(*offset));
        if offset == 0 || offset > work.at - self.start {
            return Err(CORRUPT);
        }
        work.input = rest;
        self.block = left;
        Ok(Some(offset))
    }
}

impl Work<'_> {
    fn word(&mut self) -> Option<[u8; 4]> {
        let (word, rest) = self.input.split_first_chunk()?;
        self.input = rest;
        Some(*word)
    }

    /// Copies from `offset` bytes back, at most `length` and at most as far as there is room; returns how many.
    fn repeat(&mut self, offset: usize, length: usize) -> usize {
        let Some(source) = self.at.checked_sub(offset) else { return 0 };
        let end = self.output.len().min(self.at.saturating_add(length));
        let before = self.at;
        while self.at < end {
            // A match longer than its offset repeats itself: what is copied already doubles the period.
            let count = (self.at - source).min(end - self.at);
            self.output.copy_within(source..source + count, self.at);
            self.at += count;
        }
        self.at - before
    }
}

fn token_state(token: u8) -> State {
    let literals = usize::from(token >> 4);
    let code = usize::from(token & 15);
    if literals == GOES_ON { State::LiteralLength(literals, code) } else { State::Literals(literals, code) }
}

/// The last sequence of a block has literals only.
fn after_literals(block: usize, code: usize) -> State {
    if block == 0 { State::Token } else { State::Offset(code) }
}

fn more_length(
    byte: u8,
    length: usize,
    other: usize,
    more: impl FnOnce(usize, usize) -> State,
    done: impl FnOnce(usize, usize) -> State,
) -> Result<State, UnpackError> {
    let length = length + usize::from(byte);
    if length > MAX_BLOCK {
        return Err(CORRUPT);
    }
    Ok(if byte == u8::MAX { more(length, other) } else { done(length, other) })
}
