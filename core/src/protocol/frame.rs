//! Frames: the length of a message in four bytes, least first, then the message.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::config::MAX_ENCODED;

/// The longest message: a configuration of the greatest length and what goes with it.
pub const MAX_MESSAGE: usize = MAX_ENCODED + 1024;

/// Bytes before a message.
pub const HEADER: usize = 4;

/// Why bytes are not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The sender announced more than [`MAX_MESSAGE`] bytes, or none.
    Length,
    /// The message's bytes are none, or others follow it in its frame.
    Message,
    /// The receiver has no memory for the message.
    OutOfMemory,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a message of a length that messages do not have",
            Self::Message => "bytes that are no message",
            Self::OutOfMemory => "no memory for a message",
        })
    }
}

impl core::error::Error for FrameError {}

impl From<TryReserveError> for FrameError {
    fn from(_: TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

/// Appends `message` in its frame to `out`. When that fails, `out` is as it was.
///
/// # Errors
///
/// When the message is too long, or there is no memory.
pub fn append(out: &mut Vec<u8>, message: &impl Serialize) -> Result<(), FrameError> {
    let start = out.len();
    let outcome = append_to(out, message, start);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn append_to(out: &mut Vec<u8>, message: &impl Serialize, start: usize) -> Result<(), FrameError> {
    let size = postcard::experimental::serialized_size(message).map_err(|_| FrameError::Message)?;
    if size > MAX_MESSAGE {
        return Err(FrameError::Length);
    }
    out.try_reserve(HEADER + size)?;
    out.extend_from_slice(&u32::try_from(size).map_err(|_| FrameError::Length)?.to_le_bytes());
    out.resize(start + HEADER + size, 0);
    let body = out.get_mut(start + HEADER..).ok_or(FrameError::Message)?;
    postcard::to_slice(message, body).map(drop).map_err(|_| FrameError::Message)
}

/// Reads one message out of its frame's body.
///
/// # Errors
///
/// When the bytes are not exactly one.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Message),
    }
}

/// Puts a stream of bytes together to frames. Holds one frame at most.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Header and body of the frame that is coming, or has come.
    bytes: Vec<u8>,
}

impl Assembler {
    /// How many bytes are missing of what is coming; 0 when a frame is whole.
    ///
    /// # Errors
    ///
    /// When the frame announces a length that frames do not have.
    pub fn missing(&self) -> Result<usize, FrameError> {
        let Some(header) = self.bytes.first_chunk::<HEADER>() else { return Ok(HEADER - self.bytes.len()) };
        let length = usize::try_from(u32::from_le_bytes(*header)).map_err(|_| FrameError::Length)?;
        if length == 0 || length > MAX_MESSAGE {
            return Err(FrameError::Length);
        }
        Ok((HEADER + length).saturating_sub(self.bytes.len()))
    }

    /// Takes bytes of the frame that is coming from the front of `input`.
    ///
    /// # Errors
    ///
    /// When the frame announces a length that frames do not have, or there is no memory for what came of it.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<(), FrameError> {
        loop {
            let count = self.missing()?.min(input.len());
            if count == 0 {
                return Ok(());
            }
            let (now, later) = input.split_at(count);
            self.bytes.try_reserve(count)?;
            self.bytes.extend_from_slice(now);
            *input = later;
        }
    }

    /// Takes all of `input`; `each` gets the body of every frame that is whole with it.
    ///
    /// # Errors
    ///
    /// Those of [`Assembler::take`], and those of `each`.
    pub fn take_all<E: From<FrameError>>(
        &mut self,
        mut input: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !input.is_empty() {
            self.take(&mut input)?;
            if let Some(body) = self.frame() {
                each(body)?;
                self.clear();
            }
        }
        Ok(())
    }

    /// The body of the frame, when it is whole.
    #[must_use]
    pub fn frame(&self) -> Option<&[u8]> {
        matches!(self.missing(), Ok(0)).then(|| self.bytes.get(HEADER..))?
    }

    /// Forgets the frame, so that the next can come. Memory for a long one is given back.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(super::CHUNK + 64);
    }
}
