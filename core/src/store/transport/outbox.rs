//! Whole messages on their way out.

use alloc::collections::VecDeque;

use embedded_io::{Write, WriteReady};

use crate::store::wire::Message;

/// Messages that wait to be written, in order. Whoever puts messages in sees to its bound.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Message>,
    /// Bytes of the first message that are written already.
    written: usize,
}

impl Outbox {
    /// Holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a message behind the others.
    pub fn push(&mut self, message: Message) {
        self.waiting.push_back(message);
    }

    /// Whether all is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The bytes to write next; empty when all is written.
    #[must_use]
    pub fn next_bytes(&self) -> &[u8] {
        self.waiting.front().and_then(|message| message.as_bytes().get(self.written..)).unwrap_or_default()
    }

    /// Counts bytes of [`Outbox::next_bytes`] as written. Returns the message that this finished, if any.
    pub fn advance(&mut self, bytes: usize) -> Option<Message> {
        self.written += bytes;
        if !self.next_bytes().is_empty() {
            return None;
        }
        self.written = 0;
        self.waiting.pop_front()
    }

    /// Writes what the stream takes now. Returns how many bytes that were.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn flush<W: Write + WriteReady>(&mut self, to: &mut W) -> Result<usize, W::Error> {
        let mut total = 0;
        while !self.is_empty() && to.write_ready()? {
            let bytes = to.write(self.next_bytes())?;
            if bytes == 0 {
                break;
            }
            total += bytes;
            self.advance(bytes);
        }
        Ok(total)
    }
}
