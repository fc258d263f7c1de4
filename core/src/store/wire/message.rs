//! Building messages that no peer can choke on.

use alloc::vec::Vec;
use core::fmt;

use super::{Header, Kind, PAYLOAD_MAX, XsError};

/// A payload in the making. It refuses to grow past [`PAYLOAD_MAX`].
///
/// Room for the header is kept in front, so that the finished message is one run of bytes and was written once.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    bytes: Vec<u8>,
    len: u16,
}

impl Payload {
    /// An empty payload.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: [0; Header::SIZE].into(), len: 0 }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`XsError::E2BIG`] when they do not fit; the payload is then as before.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), XsError> {
        let grown = usize::from(self.len) + bytes.len();
        let grown = u16::try_from(grown).ok().filter(|_| grown <= PAYLOAD_MAX).ok_or(XsError::E2BIG)?;
        self.bytes.extend_from_slice(bytes);
        self.len = grown;
        Ok(())
    }

    /// Appends a string and its NUL.
    ///
    /// # Errors
    /// [`XsError::E2BIG`] when they do not fit; the payload is then as before.
    pub fn push_string(&mut self, string: &[u8]) -> Result<(), XsError> {
        if string.len() >= self.room() {
            return Err(XsError::E2BIG);
        }
        self.push(string)?;
        self.push(&[0])
    }

    /// Appends formatted text and a NUL.
    ///
    /// # Errors
    /// [`XsError::E2BIG`] when it does not fit; the payload may then end in a part of it.
    pub fn push_text(&mut self, text: fmt::Arguments<'_>) -> Result<(), XsError> {
        fmt::write(self, text).map_err(|_| XsError::E2BIG)?;
        self.push(&[0])
    }

    /// One of the protocol's own words; they are far below the limit.
    fn word(word: &'static str) -> Self {
        let mut payload = Self::new();
        let fits = payload.push_string(word.as_bytes());
        debug_assert!(fits.is_ok(), "{word} is no word of the protocol");
        payload
    }

    /// Bytes that still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        PAYLOAD_MAX.saturating_sub(self.len.into())
    }

    /// What is in it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(Header::SIZE..).unwrap_or_default()
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for Payload {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl TryFrom<&[u8]> for Payload {
    type Error = XsError;

    fn try_from(bytes: &[u8]) -> Result<Self, XsError> {
        let mut payload = Self::new();
        payload.push(bytes)?;
        Ok(payload)
    }
}

/// A whole message, ready to be sent: a header and the payload it announces, at most [`Message::MAX`] bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Payload);

impl Message {
    /// Bytes a message can have.
    pub const MAX: usize = Header::SIZE + PAYLOAD_MAX;

    /// A message of any kind.
    #[must_use]
    pub fn new(kind: Kind, req_id: u32, tx_id: u32, mut payload: Payload) -> Self {
        let header = Header::of(kind, req_id, tx_id, payload.len);
        if let Some(room) = payload.bytes.first_chunk_mut() {
            *room = header.to_bytes();
        }
        Self(payload)
    }

    /// The answer to a request.
    #[must_use]
    pub fn reply(to: &Header, payload: Payload) -> Self {
        Self::new(to.kind, to.req_id, to.tx_id, payload)
    }

    /// The answer to a request that has nothing to report but success.
    #[must_use]
    pub fn ok(to: &Header) -> Self {
        Self::reply(to, Payload::word("OK"))
    }

    /// A refusal.
    #[must_use]
    pub fn error(to: &Header, error: XsError) -> Self {
        Self::new(Kind::ERROR, to.req_id, to.tx_id, Payload::word(error.name()))
    }

    /// A watch's event.
    ///
    /// # Errors
    /// [`XsError::E2BIG`] when path and token do not fit into one message.
    pub fn event(path: &[u8], token: &[u8]) -> Result<Self, XsError> {
        let mut payload = Payload::new();
        payload.push_string(path)?;
        payload.push_string(token)?;
        Ok(Self::new(Kind::WATCH_EVENT, 0, 0, payload))
    }

    /// All bytes, header first.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The bytes behind the header.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const ASK: Header = Header::of(Kind::MKDIR, 7, 3, 9);

    #[test]
    fn replies_are_exact_bytes() {
        let ids = b"\x07\0\0\0\x03\0\0\0";
        let whole = |kind: &[u8], len: &[u8], body: &[u8]| [kind, ids, len, body].concat();
        assert_eq!(Message::ok(&ASK).as_bytes(), whole(b"\x0c\0\0\0", b"\x03\0\0\0", b"OK\0"));
        let refused = Message::error(&ASK, XsError::ENOENT);
        assert_eq!(refused.as_bytes(), whole(b"\x10\0\0\0", b"\x07\0\0\0", b"ENOENT\0"));
        assert_eq!(refused.payload(), b"ENOENT\0");
    }

    #[test]
    fn an_event_has_no_ids() {
        let event = Message::event(b"/a", b"tok").unwrap();
        assert_eq!(event.as_bytes(), b"\x0f\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0/a\0tok\0");
    }

    #[test]
    fn attack_a05_an_event_that_does_not_fit_is_refused_not_cut() {
        let path = vec![b'p'; 3000];
        assert_eq!(Message::event(&path, &vec![b't'; 1094]).unwrap().as_bytes().len(), Message::MAX);
        assert_eq!(Message::event(&path, &vec![b't'; 1095]), Err(XsError::E2BIG));
    }

    #[test]
    fn a_refused_string_leaves_the_payload_as_it_was() {
        let mut payload = Payload::try_from(vec![1; 4090].as_slice()).unwrap();
        assert_eq!(payload.push_string(b"123456"), Err(XsError::E2BIG));
        assert_eq!(payload.push(b"1234567"), Err(XsError::E2BIG));
        assert_eq!(payload.room(), 6);
        assert_eq!(payload.push_string(b"12345"), Ok(()));
        assert_eq!(payload.push_text(format_args!("")), Err(XsError::E2BIG));
        assert_eq!(payload.as_bytes().len(), PAYLOAD_MAX);
    }

    proptest! {
        #[test]
        fn attack_a21_no_sequence_of_pushes_makes_an_oversized_message(lens in proptest::collection::vec(0usize..3000, 0..6)) {
            let mut payload = Payload::new();
            for len in lens {
                let _refused = payload.push_string(&vec![b'x'; len]);
            }
            let message = Message::reply(&ASK, payload);
            prop_assert!(message.as_bytes().len() <= Message::MAX);
            let header = Header::parse(*message.as_bytes().first_chunk().unwrap()).unwrap();
            prop_assert_eq!(header.payload_len(), message.payload().len());
        }
    }
}
