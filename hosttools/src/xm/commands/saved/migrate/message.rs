//! What the two sides of a migration tell each other: a byte that says what it is, the bytes of its body (32 bits,
//! little-endian), and the body.

use std::io::{self, ErrorKind, Read};

use super::super::CONFIG;

/// What the receiving side says first, so that nothing else is taken for it.
pub(super) const GREETING: &[u8] = b"xendless migration 1\n";

/// What is said of anything else.
pub(super) const GARBAGE: &str = "what came is no part of a migration";

/// The most bytes of a text.
const TEXT: usize = 2000;

/// One thing that is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Message {
    /// The domain's definition is to be kept there, too: this.
    Definition(Vec<u8>),
    /// The saved domain follows, up to its pieces.
    Begin,
    /// They are wanted: the domain can be made.
    Want,
    /// It was made, and is paused.
    Ready,
    /// It is about to be taken down where it was: from now on it is kept here, whatever happens.
    Committing,
    /// That was understood.
    Committed,
    /// It was not taken down after all, and is to go away here.
    Abort,
    /// It was taken down, and is to go on here.
    Go,
    /// It goes on; the text is what went wrong beside that, if anything did.
    Done(String),
    /// It came to nothing, and why.
    Failed(String),
}

impl Message {
    /// As it is sent.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (tag, body): (u8, &[u8]) = match self {
            Self::Definition(bytes) => (1, bytes),
            Self::Begin => (2, &[]),
            Self::Want => (3, &[]),
            Self::Ready => (4, &[]),
            Self::Committing => (5, &[]),
            Self::Committed => (6, &[]),
            Self::Abort => (7, &[]),
            Self::Go => (8, &[]),
            Self::Done(text) => (9, cut(text)),
            Self::Failed(text) => (10, cut(text)),
        };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![tag];
        bytes.extend(length.to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// The next one; none at the end.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut tag = [0];
        match from.read_exact(&mut tag) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let [tag] = tag;
        let longest = match tag {
            1 => CONFIG,
            9 | 10 => TEXT,
            _ => 0,
        };
        let length = usize::try_from(u32::from_le_bytes(length)).ok().filter(|length| *length <= longest);
        let mut body = vec![0; length.ok_or_else(garbage)?];
        from.read_exact(&mut body)?;
        Ok(Some(match tag {
            1 => Self::Definition(body),
            2 => Self::Begin,
            3 => Self::Want,
            4 => Self::Ready,
            5 => Self::Committing,
            6 => Self::Committed,
            7 => Self::Abort,
            8 => Self::Go,
            9 => Self::Done(String::from_utf8_lossy(&body).into_owned()),
            10 => Self::Failed(String::from_utf8_lossy(&body).into_owned()),
            _ => return Err(garbage()),
        }))
    }
}

/// What is understood of `bytes`, said again.
pub(in crate::xm) fn said(mut bytes: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(message)) = Message::read(&mut bytes) {
        said.extend(message.encode());
    }
    said
}

/// As much of a text as there is room for.
fn cut(text: &str) -> &[u8] {
    let end = (0..=text.len().min(TEXT)).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.as_bytes().get(..end)).unwrap_or_default()
}

fn garbage() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, GARBAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Message> {
        vec![
            Message::Definition(vec![0, 255, 7]),
            Message::Begin,
            Message::Want,
            Message::Ready,
            Message::Committing,
            Message::Committed,
            Message::Abort,
            Message::Go,
            Message::Done(String::new()),
            Message::Failed("no room ü".to_owned()),
        ]
    }

    #[test]
    fn what_is_said_is_heard() {
        let bytes: Vec<u8> = all().iter().flat_map(Message::encode).collect();
        let mut from = bytes.as_slice();
        for message in all() {
            assert_eq!(Message::read(&mut from).unwrap(), Some(message));
        }
        assert_eq!(Message::read(&mut from).unwrap(), None);
        let long = Message::Failed("ü".repeat(TEXT)).encode();
        assert!(matches!(Message::read(&mut long.as_slice()), Ok(Some(Message::Failed(_)))));
    }

    #[test]
    fn attack_d03_what_is_no_message_is_refused_and_takes_no_memory() {
        for message in all() {
            let bytes = message.encode();
            for end in 1..bytes.len() {
                assert!(Message::read(&mut &bytes[..end]).is_err(), "{message:?} cut at {end}");
            }
        }
        for tag in 0..=255 {
            let bytes = [tag, 255, 255, 255, 127, 0, 0];
            assert!(Message::read(&mut bytes.as_slice()).is_err(), "{tag}");
        }
    }
}
