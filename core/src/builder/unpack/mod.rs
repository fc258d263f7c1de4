//! From a kernel file to plain ELF bytes, in bounded steps.
//!
//! [`Unpack`] looks at the file, knows the limit before it starts (the smaller of what the file claims and what
//! the caller allows) and then does about a third of a million instructions of work per [`Unpack::step`]. Every
//! format sits behind [`Decompress`], which sees slices only.
//!
//! Sources: Linux `Documentation/arch/x86/boot.rst` (payload of a bzImage, formats by magic number); the last
//! four bytes of a payload are its unpacked size, which for gzip is the format's own trailer.
#![forbid(unsafe_code)]

mod bzimage;
mod bzip2;
mod error;
mod gzip;
mod lz4;
mod lzma;
mod zstd;

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, mem, ops::Range};

pub use error::UnpackError;

/// What the caller grants to unpacking, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest unpacked kernel.
    pub kernel: usize,
    /// The largest dictionary a format may keep besides its output.
    pub dictionary: usize,
}

impl Default for Limits {
    /// Room for any distribution's kernel: theirs unpack to 50 to 70 MiB with dictionaries of 32 MiB.
    fn default() -> Self {
        Self { kernel: 192 << 20, dictionary: 64 << 20 }
    }
}

/// How a kernel is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// gzip (RFC 1952).
    Gzip,
    /// xz, with the filter for x86 code.
    Xz,
    /// The `.lzma` format that came before xz.
    Lzma,
    /// zstd (RFC 8878).
    Zstd,
    /// The lz4 legacy frame.
    Lz4,
    /// bzip2.
    Bzip2,
}

/// The first bytes of each format.
const MAGIC: [(&[u8], Format); 6] = [
    (&[0x1f, 0x8b], Format::Gzip),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Format::Xz),
    (&[0x5d, 0, 0], Format::Lzma),
    (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstd),
    (&lz4::MAGIC, Format::Lz4),
    (b"BZh", Format::Bzip2),
];

/// Formats of kernels that are not read: LZO for want of a decoder.
const UNSUPPORTED: [(&[u8], &str); 1] = [(&[0x89, b'L', b'Z', b'O', 0, b'\r', b'\n', 0x1a, b'\n'], "lzo")];

impl Format {
    /// Recognises a format by its first bytes.
    pub fn detect(bytes: &[u8]) -> Result<Option<Self>, UnpackError> {
        if let Some((_, name)) = UNSUPPORTED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(UnpackError::Unsupported(name));
        }
        Ok(MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, format)| *format))
    }

    /// The name people know it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Bzip2 => "bzip2",
        }
    }

    fn decoder(
        self,
        payload: &[u8],
        size: usize,
        limits: Limits,
    ) -> Result<Box<dyn Decompress>, UnpackError> {
        Ok(match self {
            Self::Gzip => Box::new(gzip::Gzip::new()),
            Self::Xz => Box::new(lzma::Xz::new(limits.dictionary)),
            Self::Lzma => Box::new(lzma::Lzma::new(payload, size)?),
            Self::Zstd => Box::new(zstd::Zstd::new(payload, size)?),
            Self::Lz4 => Box::new(lz4::Lz4::new()),
            Self::Bzip2 => Box::new(bzip2::Bzip2::new(payload, limits.dictionary)?),
        })
    }
}

/// What one call of a decoder did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Advance {
    /// Bytes of input it is done with.
    pub consumed: usize,
    /// Bytes it added to the output.
    pub produced: usize,
    /// It had something else to do, and goes on without more input or room.
    pub worked: bool,
    /// The stream is complete and its checksum right.
    pub done: bool,
}

/// A decoder that works on slices and never further than the room it is given.
pub trait Decompress {
    /// The most input and output bytes that make one step, for this format's cost per byte.
    fn piece(&self) -> Piece;

    /// Goes on with `input`. `output` up to `at` is what was produced before; the rest is room.
    fn advance(&mut self, input: &[u8], output: &mut [u8], at: usize) -> Result<Advance, UnpackError>;
}

/// How much a decoder gets per step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Input bytes shown to it.
    pub input: usize,
    /// Room for output bytes.
    pub output: usize,
}

/// The outcome of a step.
#[derive(Debug)]
#[must_use = "unpacking goes on until it is done"]
pub enum Step<F> {
    /// There is more to do.
    More(Unpack<F>),
    /// The plain kernel.
    Done(Plain<F>),
}

/// Plain ELF bytes: the file itself when nothing was packed, else what came out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plain<F> {
    /// The file was plain already.
    File(F),
    /// The file is no longer needed.
    Unpacked(Vec<u8>),
}

impl<F: AsRef<[u8]>> AsRef<[u8]> for Plain<F> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::File(file) => file.as_ref(),
            Self::Unpacked(bytes) => bytes,
        }
    }
}

/// A kernel file on its way to plain ELF bytes. The file may be owned, or lie in the boot bundle.
pub struct Unpack<F> {
    file: F,
    /// What the decoder has not seen yet, or `None` when there is nothing to decode.
    packed: Option<Packed>,
}

/// Room behind the claimed size: a stream that fills it is longer than it claims, and one that needs room to see
/// its own end has some.
const SLACK: usize = 1;

struct Packed {
    decoder: Box<dyn Decompress>,
    input: Range<usize>,
    output: Vec<u8>,
    size: usize,
}

impl<F> fmt::Debug for Unpack<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.packed.as_ref().map(|packed| (packed.output.len(), packed.size));
        f.debug_struct("Unpack").field("done", &done).finish()
    }
}

impl<F: AsRef<[u8]>> Unpack<F> {
    /// Looks at a kernel file and reserves the memory for its contents.
    pub fn new(file: F, limits: Limits) -> Result<Self, UnpackError> {
        let packed = match recognise(file.as_ref())? {
            Some((format, payload)) => Some(Packed::new(file.as_ref(), format, payload, limits)?),
            None => None,
        };
        Ok(Self { file, packed })
    }

    /// Does a bounded piece of the work. An error ends it and frees everything.
    pub fn step(mut self) -> Result<Step<F>, UnpackError> {
        let Some(packed) = &mut self.packed else { return Ok(Step::Done(Plain::File(self.file))) };
        Ok(if packed.step(self.file.as_ref())? {
            Step::Done(Plain::Unpacked(mem::take(&mut packed.output)))
        } else {
            Step::More(self)
        })
    }
}

impl Packed {
    fn new(file: &[u8], format: Format, payload: Range<usize>, limits: Limits) -> Result<Self, UnpackError> {
        let bytes = file.get(payload.clone()).unwrap_or_default();
        let (stream, size) = bytes.split_last_chunk().ok_or(UnpackError::Truncated("kernel payload"))?;
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        if size > limits.kernel {
            return Err(UnpackError::TooLarge { claimed: size, limit: limits.kernel });
        }
        // gzip's size is part of its own trailer; the others have it appended behind the stream.
        let stream = if format == Format::Gzip { bytes } else { stream };
        let decoder = format.decoder(stream, size, limits)?;
        let mut output = Vec::new();
        output.try_reserve_exact(size.saturating_add(SLACK)).map_err(|_| UnpackError::NoMemory(size))?;
        let input = payload.start..payload.start.saturating_add(stream.len());
        Ok(Self { decoder, input, output, size })
    }

    /// Whether all is out.
    fn step(&mut self, file: &[u8]) -> Result<bool, UnpackError> {
        let piece = self.decoder.piece();
        let at = self.output.len();
        let left = file.get(self.input.clone()).unwrap_or_default();
        let shown = left.get(..piece.input).unwrap_or(left);
        let room = self.size.saturating_add(SLACK).min(at.saturating_add(piece.output));
        self.output.resize(room, 0);
        let advance = self.decoder.advance(shown, &mut self.output, at)?;
        self.input.start = self.input.start.saturating_add(advance.consumed);
        self.output.truncate(at.saturating_add(advance.produced));
        let found = self.output.len();
        if found > self.size {
            return Err(UnpackError::LongerThanClaimed(self.size));
        }
        let starved = advance.consumed == 0 && advance.produced == 0 && !advance.worked;
        match (advance.done, starved) {
            (true, _) if found == self.size => Ok(true),
            (true, _) => Err(UnpackError::ShorterThanClaimed { claimed: self.size, found }),
            (false, true) => Err(UnpackError::Truncated("kernel payload")),
            (false, false) => Ok(false),
        }
    }
}

/// Tells what kind of file this is: `None` for plain ELF, else the format and where its bytes are.
fn recognise(file: &[u8]) -> Result<Option<(Format, Range<usize>)>, UnpackError> {
    if file.is_empty() {
        return Err(UnpackError::Empty);
    }
    if file.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    if let Some(payload) = bzimage::payload(file)? {
        let bytes = file.get(payload.clone()).unwrap_or_default();
        let format = Format::detect(bytes)?.ok_or(UnpackError::UnknownPayload)?;
        return Ok(Some((format, payload)));
    }
    match Format::detect(file)? {
        Some(Format::Gzip) => Ok(Some((Format::Gzip, 0..file.len()))),
        _ => Err(UnpackError::NotAKernel),
    }
}
