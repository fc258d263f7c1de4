//! The server's state as bytes, so that another server can go on where one stopped.
//!
//! A snapshot holds the tree, the domains and their limits, and the connections with their watches. It does not
//! hold transactions: whoever had one open is told that it does not exist, as after a reset. Events that were not
//! read come back as one event per watch, on the watch's own path.
//!
//! The bytes are a header (magic, version, length and CRC-32 of the rest) and a row of postcard records, in an
//! order that lets each be checked when it comes. Loading trusts none of it: what it accepts has passed the same
//! [`check`](super::check) that tests use, and is within the limits that the snapshot itself names.
#![forbid(unsafe_code)]

mod load;
mod save;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::check::Fault;
use super::perms::Stamp;
use crate::rights::Rights;

const MAGIC: [u8; 8] = *b"xdlstore";

/// The format that [`Server::save`](super::server::Server::save) writes and
/// [`Server::load`](super::server::Server::load) reads.
pub const VERSION: u32 = 2;

/// Bytes before the records: magic, version, length, checksum.
const HEADER: usize = 8 + 4 + 8 + 4;

/// A limit by name and value.
type Limit<'a> = (&'a str, u32);

/// A permission: whether to read, whether to write, and the domain.
type Entry = (bool, bool, u16);

#[derive(Serialize, Deserialize)]
enum Record<'a> {
    Server {
        control: u16,
        now: Stamp,
        last_conn: u32,
        last_watch: u64,
        #[serde(borrow)]
        limits: Vec<Limit<'a>>,
    },
    Domain {
        domid: u16,
        born: Stamp,
        conn: Option<u32>,
        shutdown: bool,
        features: u32,
        rights: Rights,
        limits: Vec<Limit<'a>>,
        territory: Vec<&'a [u8]>,
    },
    /// Permissions; others refer to them by how many came before.
    Perms {
        stamp: Stamp,
        entries: Vec<Entry>,
    },
    /// A node below the last one that came with a smaller depth.
    Node {
        depth: u32,
        name: &'a [u8],
        value: &'a [u8],
        perms: u32,
        changed: Stamp,
        listed: Stamp,
    },
    /// Who may see the special events.
    Special {
        introduce: u32,
        release: u32,
    },
    Connection {
        conn: u32,
        domid: u16,
        target: Option<(u16, Stamp)>,
        last_transaction: u32,
    },
    Watch {
        conn: u32,
        number: u64,
        subject: &'a [u8],
        token: &'a [u8],
        relative: bool,
        depth: Option<u32>,
        pending: bool,
    },
}

/// Why bytes are no snapshot that can be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// They do not begin as a snapshot does.
    Foreign,
    /// They are a snapshot of another version.
    Version(u32),
    /// There are not as many as the header says.
    Length {
        /// What the header says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// They were damaged.
    Checksum,
    /// A record makes no sense.
    Record {
        /// How many records came before it.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Every record makes sense, but not all of them together.
    Inconsistent(Fault),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("this is no snapshot of a store"),
            Self::Version(version) => {
                write!(f, "the snapshot has version {version}, this server reads {VERSION}")
            }
            Self::Length { expected, found } => {
                write!(f, "the snapshot has {found} bytes instead of {expected}")
            }
            Self::Checksum => f.write_str("the snapshot is damaged: its checksum does not fit"),
            Self::Record { index, reason } => write!(f, "record {index} of the snapshot: {reason}"),
            Self::Inconsistent(fault) => write!(f, "the snapshot contradicts itself: {fault}"),
        }
    }
}

impl core::error::Error for LoadError {}
