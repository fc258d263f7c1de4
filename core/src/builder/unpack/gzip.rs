//! gzip (RFC 1952) around DEFLATE. The output doubles as the window, so nothing is copied twice.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags},
};

use super::{Advance, Decompress, Format, Piece, UnpackError};

const CORRUPT: UnpackError = UnpackError::Corrupt(Format::Gzip);

const FIXED_HEADER: usize = 10;
const DEFLATE: u8 = 8;
const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// The most bytes of optional header fields that are read; names of kernels are short.
const MAX_HEADER: usize = 4096;

/// CRC and size behind the data.
const TRAILER: usize = 8;

const FLAGS: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
    | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
    | inflate_flags::TINFL_FLAG_IGNORE_ADLER32;

enum Stage {
    Header,
    Deflate,
    Trailer,
}

pub(super) struct Gzip {
    stage: Stage,
    inflate: DecompressorOxide,
    crc: crc32fast::Hasher,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { stage: Stage::Header, inflate: DecompressorOxide::new(), crc: crc32fast::Hasher::new() }
    }

    fn deflate(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        let (status, consumed, produced) = decompress(&mut self.inflate, input, output, at, FLAGS);
        self.crc.update(output.get(at..at.saturating_add(produced)).unwrap_or_default());
        match status {
            TINFLStatus::Done => {
                self.stage = Stage::Trailer;
                let rest = input.get(consumed..).unwrap_or_default();
                // A trailer that was not shown yet is read by the next call.
                let trailer = if rest.len() < TRAILER {
                    Advance::default()
                } else {
                    self.trailer(rest, at.saturating_add(produced))?
                };
                Ok(Advance { consumed: consumed.saturating_add(trailer.consumed), produced, ..trailer })
            }
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => {
                Ok(Advance { consumed, produced, ..Advance::default() })
            }
            _ => Err(CORRUPT),
        }
    }

    fn trailer(&self, input: &[u8], at: usize) -> Result<Advance, UnpackError> {
        let Some([c0, c1, c2, c3, s0, s1, s2, s3]) = input.first_chunk::<TRAILER>() else {
            return Err(UnpackError::Truncated("gzip trailer"));
        };
        let crc = u32::from_le_bytes([*c0, *c1, *c2, *c3]);
        let size = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
        if crc != self.crc.clone().finalize() || usize::try_from(size) != Ok(at) {
            return Err(CORRUPT);
        }
        Ok(Advance { consumed: TRAILER, done: true, ..Advance::default() })
    }
}

impl Decompress for Gzip {
    fn piece(&self) -> Piece {
        Piece { input: 16 << 10, output: 32 << 10 }
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError> {
        match self.stage {
            Stage::Header => {
                let consumed = header_len(input)?;
                self.stage = Stage::Deflate;
                Ok(Advance { consumed, ..Advance::default() })
            }
            Stage::Deflate => self.deflate(input, output, at),
            Stage::Trailer => self.trailer(input, at),
        }
    }
}

/// Bytes of header before the DEFLATE data.
fn header_len(input: &[u8]) -> Result<usize, UnpackError> {
    const CUT: UnpackError = UnpackError::Truncated("gzip header");
    let input = input.get(..MAX_HEADER).unwrap_or(input);
    let Some([0x1f, 0x8b, DEFLATE, flags, ..]) = input.first_chunk::<FIXED_HEADER>() else {
        return Err(if input.len() < FIXED_HEADER { CUT } else { CORRUPT });
    };
    if flags & RESERVED != 0 {
        return Err(CORRUPT);
    }
    let mut at = FIXED_HEADER;
    if flags & FEXTRA != 0 {
        let length = input.get(at..).and_then(|rest| rest.first_chunk()).ok_or(CUT)?;
        at = at.saturating_add(2).saturating_add(usize::from(u16::from_le_bytes(*length)));
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            let rest = input.get(at..).ok_or(CUT)?;
            at += rest.iter().position(|byte| *byte == 0).ok_or(CUT)? + 1;
        }
    }
    if flags & FHCRC != 0 {
        at = at.saturating_add(2);
    }
    if at > input.len() { Err(CUT) } else { Ok(at) }
}
