//! The client's side of XenStore.
//!
//! [`Client`] is the protocol alone: it numbers requests, matches replies in whatever order they come, and keeps
//! events until they are asked for. [`Session`] puts it on a blocking byte stream and offers what programs want:
//! reading and writing nodes, listings of any length, transactions that are tried again.
#![forbid(unsafe_code)]

mod error;
mod nodes;
mod protocol;
mod session;
#[cfg(test)]
mod tests;

pub use error::{ClientError, Misbehaviour};
pub use nodes::Nodes;
pub use protocol::{Answer, Client, Ticket, WatchEvent};
pub use session::Session;
