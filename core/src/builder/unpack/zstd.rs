//! zstd (RFC 8878).
//!
//! The decoder works a block (at most 128 KiB) at a time and keeps a window of its own. Linux compresses from a
//! pipe, so frames ask for a window of 128 MiB whatever the kernel's size; since no match can reach further back
//! than the kernel is long, the header is rewritten to ask for no more than that.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ruzstd::{
    decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError},
    io::Read,
};

use super::{Advance, Decompress, Format, Piece, UnpackError};

const CORRUPT: UnpackError = UnpackError::Corrupt(Format::Zstd);

/// Magic number, descriptor, window, dictionary id and content size at their longest.
const MAX_HEADER: usize = 18;
const DESCRIPTOR: usize = 4;
const WINDOW: usize = 5;
const SINGLE_SEGMENT: u8 = 1 << 5;
/// Windows are multiples of an eighth of a power of two that is at least this.
const MIN_WINDOW_LOG: u32 = 10;

/// What the decoder keeps besides its window: two blocks and what little else it needs.
const BLOCKS: usize = 512 << 10;

/// Bytes handed over per step once the window holds them.
const OUTPUT: usize = 64 << 10;

pub(super) struct Zstd {
    decoder: Box<FrameDecoder>,
    /// Header bytes still to be skipped.
    header: usize,
}

impl Zstd {
    pub(super) fn new(payload: &[u8], size: usize) -> Result<Self, UnpackError> {
        let mut header = [0; MAX_HEADER];
        for (byte, value) in header.iter_mut().zip(payload) {
            *byte = *value;
        }
        let single = header.get(DESCRIPTOR).is_some_and(|descriptor| descriptor & SINGLE_SEGMENT != 0);
        if let (false, Some(wanted)) = (single, header.get_mut(WINDOW)) {
            *wanted = (*wanted).min(window_byte(size));
        }
        let limit = largest_window(size);
        // The decoder takes the memory for its window now, and has no way to say that there is none.
        let mut window = Vec::<u8>::new();
        window.try_reserve_exact(limit + BLOCKS).map_err(|_| UnpackError::NoMemory(limit))?;
        // The box keeps the compiler from leaving out what nothing uses.
        drop(core::hint::black_box(window));
        let mut decoder = Box::new(FrameDecoder::new());
        decoder.set_max_window_size(u64::try_from(limit).unwrap_or(u64::MAX));
        let mut reader = header.as_slice();
        decoder.init(&mut reader).map_err(|error| match error {
            FrameDecoderError::WindowSizeTooBig { .. } => {
                UnpackError::Dictionary { format: Format::Zstd, limit }
            }
            _ => CORRUPT,
        })?;
        let header = MAX_HEADER - reader.len();
        if header > payload.len() {
            return Err(UnpackError::Truncated("zstd header"));
        }
        Ok(Self { decoder, header })
    }

    fn block(&mut self, input: &[u8]) -> Result<usize, UnpackError> {
        let mut reader = input;
        self.decoder.decode_blocks(&mut reader, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| CORRUPT)?;
        Ok(input.len() - reader.len())
    }

    fn checked(&self) -> Result<(), UnpackError> {
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
            return Err(CORRUPT);
        }
        Ok(())
    }
}

impl Decompress for Zstd {
    fn piece(&self) -> Piece {
        Piece { input: usize::MAX, output: OUTPUT }
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        if self.header > 0 {
            let consumed = core::mem::take(&mut self.header);
            return Ok(Advance { consumed, ..Advance::default() });
        }
        if self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            return Ok(Advance { consumed: self.block(input)?, ..Advance::default() });
        }
        let room = output.get_mut(at..).unwrap_or_default();
        let produced = self.decoder.read(room).map_err(|_| CORRUPT)?;
        let done = self.decoder.is_finished() && self.decoder.can_collect() == 0;
        if done {
            self.checked()?;
        }
        Ok(Advance { produced, done, ..Advance::default() })
    }
}

/// No match reaches further back than this in a kernel of `size` bytes.
fn largest_window(size: usize) -> usize {
    size.clamp(1 << MIN_WINDOW_LOG, 1 << 40).next_power_of_two()
}

/// The window descriptor for [`largest_window`].
fn window_byte(size: usize) -> u8 {
    let exponent = largest_window(size).ilog2() - MIN_WINDOW_LOG;
    u8::try_from(exponent << 3).unwrap_or(u8::MAX)
}
