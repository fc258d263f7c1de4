//! The XenStore wire format: a header, then at most [`PAYLOAD_MAX`] bytes of payload, in both directions.
//!
//! A message comes in two steps. [`Header`] is the checked view of its first sixteen bytes and says how much
//! follows; [`Request::parse`] turns verb and payload into a type that cannot hold nonsense. Going out,
//! [`Payload`] cannot grow past the limit, so no [`Message`] can be longer than a peer may receive.
//!
//! What each verb tolerates (a missing final NUL, further strings, odd numbers) follows Xen's C xenstored;
//! `docs/misc/xenstore.txt` is the specification.
#![forbid(unsafe_code)]

mod error;
mod header;
mod kind;
mod message;
mod number;
mod perm;
mod reader;
mod request;

use crate::abi::io::xs_wire;

pub use error::XsError;
pub use header::{Header, Oversized};
pub use kind::Kind;
pub use message::{Message, Payload};
pub use perm::{Access, Perm};
pub use reader::{Reader, Strings};
pub use request::Request;

/// Bytes of payload a message may have (`XENSTORE_PAYLOAD_MAX`).
pub const PAYLOAD_MAX: usize = xs_wire::XENSTORE_PAYLOAD_MAX;
/// Bytes an absolute path may have (`XENSTORE_ABS_PATH_MAX`).
pub const ABS_PATH_MAX: usize = xs_wire::XENSTORE_ABS_PATH_MAX;
/// Bytes a relative path may have (`XENSTORE_REL_PATH_MAX`).
pub const REL_PATH_MAX: usize = xs_wire::XENSTORE_REL_PATH_MAX;
