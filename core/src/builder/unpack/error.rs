//! What can be wrong with a kernel file. Except for [`UnpackError::NoMemory`] the file is at fault.

use core::fmt;

use super::Format;

/// Why a kernel file was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnpackError {
    /// There are no bytes.
    Empty,
    /// Neither ELF nor bzImage nor gzip.
    NotAKernel,
    /// A bzImage of a boot protocol before 2.08, which says nothing about its payload.
    OldProtocol(u16),
    /// The payload is in no format we know by name.
    UnknownPayload,
    /// The payload is in a format that is known but not read.
    Unsupported(&'static str),
    /// The file ends inside the part named here.
    Truncated(&'static str),
    /// The decoder of this format met what it does not allow.
    Corrupt(Format),
    /// The claimed size is over the limit.
    TooLarge {
        /// Bytes the file claims to unpack to.
        claimed: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The dictionary (window) needed is over the limit.
    Dictionary {
        /// Its format.
        format: Format,
        /// Bytes allowed.
        limit: usize,
    },
    /// More came out than the file claims.
    LongerThanClaimed(usize),
    /// Less came out than the file claims.
    ShorterThanClaimed {
        /// Bytes the file claims to unpack to.
        claimed: usize,
        /// Bytes that came out.
        found: usize,
    },
    /// The control domain has no memory for this many bytes.
    NoMemory(usize),
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the kernel file is empty"),
            Self::NotAKernel => f.write_str("the kernel file is neither ELF, nor a bzImage, nor gzip of one"),
            Self::OldProtocol(version) => {
                write!(
                    f,
                    "the bzImage has boot protocol {}.{:02}, 2.08 is needed",
                    version >> 8,
                    version & 0xff
                )
            }
            Self::UnknownPayload => f.write_str("the bzImage's payload is compressed in an unknown format"),
            Self::Unsupported(format) => {
                write!(
                    f,
                    "kernels compressed with {format} are not supported, only gzip, xz, lzma, zstd, lz4 and bzip2 are"
                )
            }
            Self::Truncated(part) => write!(f, "the kernel file is cut off inside its {part}"),
            Self::Corrupt(format) => write!(f, "the kernel's {} data is corrupt", format.name()),
            Self::TooLarge { claimed, limit } => {
                write!(f, "the kernel claims to unpack to {claimed} bytes, the limit is {limit}")
            }
            Self::Dictionary { format, limit } => {
                write!(
                    f,
                    "the kernel's {} data needs a dictionary over the limit of {limit} bytes",
                    format.name()
                )
            }
            Self::LongerThanClaimed(claimed) => {
                write!(f, "the kernel unpacks to more than the {claimed} bytes it claims")
            }
            Self::ShorterThanClaimed { claimed, found } => {
                write!(f, "the kernel unpacks to {found} bytes but claims {claimed}")
            }
            Self::NoMemory(bytes) => {
                write!(f, "the control domain has no {bytes} bytes left to unpack the kernel")
            }
        }
    }
}

impl core::error::Error for UnpackError {}
