//! The content of one definition's file: a mark with a version, the length and checksum of what follows, then name and
//! configuration.

use std::fmt;

use xendless_core::protocol::Definition;

/// What each file begins with. The newline shows when something treated it as text.
const MARK: [u8; 7] = *b"xmdef\r\n";

/// The version that is written and read here.
const VERSION: u8 = 1;

/// Bytes before the encoded definition: mark, version, its length, its CRC-32.
const HEADER: usize = MARK.len() + 1 + 4 + 4;

/// Why a file's content is no definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum RecordError {
    /// Another version wrote it.
    Version(u8),
    /// It is not as it was written.
    Damaged(&'static str),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "its version {version} is not known here"),
            Self::Damaged(why) => f.write_str(why),
        }
    }
}

/// The content for a definition.
pub(super) fn make(name: &str, config: &[u8]) -> Result<Vec<u8>, postcard::Error> {
    let body = postcard::to_allocvec(&Definition { name, config })?;
    let length = u32::try_from(body.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
    let mut content = Vec::with_capacity(HEADER + body.len());
    content.extend_from_slice(&MARK);
    content.push(VERSION);
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    content.extend_from_slice(&body);
    Ok(content)
}

/// The configuration in the file of the domain `name`.
pub(super) fn parse(name: &str, content: &[u8]) -> Result<Vec<u8>, RecordError> {
    let damaged = RecordError::Damaged;
    let rest = content.strip_prefix(&MARK).ok_or(damaged("it does not begin as such a file does"))?;
    let (version, rest) = rest.split_first().ok_or(damaged("it is too short"))?;
    if *version != VERSION {
        return Err(RecordError::Version(*version));
    }
    let (length, rest) = rest.split_first_chunk().ok_or(damaged("it is too short"))?;
    let (checksum, body) = rest.split_first_chunk().ok_or(damaged("it is too short"))?;
    if usize::try_from(u32::from_le_bytes(*length)) != Ok(body.len()) {
        return Err(damaged("it is not as long as it says"));
    }
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return Err(damaged("its checksum is not that of its content"));
    }
    match postcard::take_from_bytes::<Definition<'_>>(body) {
        Ok((definition, [])) if definition.name == name => Ok(definition.config.to_vec()),
        Ok((_, [])) => Err(damaged("it is of a domain of another name")),
        _ => Err(damaged("its content makes no sense")),
    }
}
