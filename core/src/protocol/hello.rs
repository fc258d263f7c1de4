//! The first messages of a connection.

use core::fmt;

use postcard_schema::Schema;
use postcard_schema::key::Key;
use serde::{Deserialize, Serialize};

use super::{Down, Happening, Up};
use crate::config;
use crate::rights::Rights;

/// The version of the protocol: what messages mean. How they are encoded is the [`FINGERPRINT`]'s matter.
pub const VERSION: u16 = 1;

/// A number that any change of any message's encoding changes.
pub const FINGERPRINT: u64 = {
    let up = u64::from_le_bytes(Key::for_path::<Up<'static>>("xendless/up").to_bytes());
    let down = u64::from_le_bytes(Key::for_path::<Down<'static>>("xendless/down").to_bytes());
    let happening = u64::from_le_bytes(Key::for_path::<Happening>("xendless/happening").to_bytes());
    up ^ down.rotate_left(1) ^ happening.rotate_left(2) ^ config::SCHEMA as u64
};

/// What a client says first. Its encoding never changes, so that any two versions can tell each other apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Hello {
    /// [`VERSION`] of the client.
    pub version: u16,
    /// [`FINGERPRINT`] of the client.
    pub fingerprint: u64,
}

impl Hello {
    /// What this code says.
    pub const OURS: Self = Self { version: VERSION, fingerprint: FINGERPRINT };

    /// Whether both sides speak the same.
    ///
    /// # Errors
    ///
    /// Says which side is what when they do not.
    pub fn check(self) -> Result<(), Rejection> {
        if self == Self::OURS { Ok(()) } else { Err(Rejection::Version(Self::OURS)) }
    }
}

/// What the server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Welcome {
    /// What the client's domain may ask for.
    pub rights: Rights,
    /// The client's domain.
    pub domid: u16,
}

/// Why a server closes a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Rejection {
    /// The server speaks another version; this is what it would say.
    Version(Hello),
    /// A message came before the hello, or it came twice.
    Order,
    /// A frame was longer than frames may be, or was no message.
    Malformed,
    /// An id was used again before its answer, or a stream got more than its credit.
    Misuse,
    /// There are too many requests at once, or too many answers unread.
    TooMany,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(server) => write!(
                f,
                "this side speaks version {VERSION} ({FINGERPRINT:016x}) of the control protocol, the other {} ({:016x}): \
                 both have to come from the same release",
                server.version, server.fingerprint
            ),
            Self::Order => f.write_str("the control protocol's hello did not come first"),
            Self::Malformed => f.write_str("bytes that are no message of the control protocol"),
            Self::Misuse => f.write_str("a message that breaks the rules of the control protocol"),
            Self::TooMany => f.write_str("too many requests at once"),
        }
    }
}

impl core::error::Error for Rejection {}
