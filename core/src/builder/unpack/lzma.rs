//! xz, and the `.lzma` format that came before it.

use lzma_rust2::{Action, Error, LzmaStream, Status, StreamResult, XzStream};

use super::{Advance, Decompress, Format, Piece, UnpackError};

/// LZMA costs some 70 instructions per byte of kernel code, and up to 250 for data that does not compress.
const PIECE: Piece = Piece { input: 4 << 10, output: 4 << 10 };

/// What decoders keep besides the dictionary, with some room.
const STATE_KIB: u32 = 64;

pub(super) struct Xz {
    stream: XzStream,
    dictionary: usize,
}

impl Xz {
    /// `dictionary` is the most bytes the stream's dictionary may take.
    pub(super) fn new(dictionary: usize) -> Self {
        let kib = u32::try_from(dictionary >> 10).unwrap_or(u32::MAX).saturating_add(STATE_KIB);
        Self { stream: XzStream::new_mem_limit(false, kib), dictionary }
    }
}

impl Decompress for Xz {
    fn piece(&self) -> Piece {
        PIECE
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        let room = output.get_mut(at..).unwrap_or_default();
        advance(Format::Xz, self.dictionary, self.stream.process(input, room, Action::Run))
    }
}

pub(super) struct Lzma {
    stream: LzmaStream,
    /// Header bytes still to be skipped.
    header: usize,
    dictionary: usize,
}

/// Properties, dictionary size, unpacked size.
const LZMA_HEADER: usize = 13;
/// The size that means "until the end marker".
const UNKNOWN_SIZE: u64 = u64::MAX;
/// The smallest dictionary the format knows.
const MIN_DICTIONARY: usize = 4096;

impl Lzma {
    /// Reads the header of `payload`. Encoders ask for dictionaries far larger than the kernel; one as large as
    /// the `size` to come does as well.
    pub(super) fn new(payload: &[u8], size: usize) -> Result<Self, UnpackError> {
        let header: &[u8; LZMA_HEADER] =
            payload.first_chunk().ok_or(UnpackError::Truncated("lzma header"))?;
        let [properties, d0, d1, d2, d3, unpacked @ ..] = *header;
        let unpacked = u64::from_le_bytes(unpacked);
        if unpacked != UNKNOWN_SIZE && usize::try_from(unpacked) != Ok(size) {
            return Err(UnpackError::Corrupt(Format::Lzma));
        }
        let wanted = u32::from_le_bytes([d0, d1, d2, d3]);
        let enough = u32::try_from(size.max(MIN_DICTIONARY)).unwrap_or(u32::MAX);
        let dictionary = wanted.min(enough);
        let stream = LzmaStream::new_with_props(unpacked, properties, dictionary, None)
            .map_err(|_| UnpackError::Corrupt(Format::Lzma))?;
        let dictionary = usize::try_from(dictionary).unwrap_or(usize::MAX);
        Ok(Self { stream, header: LZMA_HEADER, dictionary })
    }
}

impl Decompress for Lzma {
    fn piece(&self) -> Piece {
        PIECE
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        if self.header > 0 {
            let consumed = core::mem::take(&mut self.header);
            return Ok(Advance { consumed, ..Advance::default() });
        }
        let room = output.get_mut(at..).unwrap_or_default();
        advance(Format::Lzma, self.dictionary, self.stream.process(input, room, Action::Run))
    }
}

fn advance(
    format: Format,
    limit: usize,
    outcome: Result<StreamResult, Error>,
) -> Result<Advance, UnpackError> {
    match outcome {
        Ok(result) => Ok(Advance {
            consumed: result.bytes_consumed,
            produced: result.bytes_produced,
            done: result.status == Status::StreamEnd,
            ..Advance::default()
        }),
        Err(Error::OutOfMemory(_)) => Err(UnpackError::Dictionary { format, limit }),
        Err(_) => Err(UnpackError::Corrupt(format)),
    }
}
