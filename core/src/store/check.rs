//! The checker: compares the tree, the books and the index of watches with each other.
//!
//! It looks at everything and is meant for tests and for a person who asks; nothing depends on it.
#![forbid(unsafe_code)]

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::path::{Path, PathBuf};
use super::perms::Stamp;
use super::quota::Usage;
use super::server::Server;
use super::state::{bytes, cost};
use crate::hyper::DomId;

/// What is wrong with the store. Each of these is a bug of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A node has a name or path that no request could have given it.
    Name(Vec<u8>),
    /// A node claims to have changed in the future.
    Stamp(PathBuf, Stamp),
    /// The owner of a node does not exist, and nobody is about to remove it.
    Orphan(PathBuf, DomId),
    /// A domain's books differ from what it has.
    Books {
        /// The domain.
        domid: DomId,
        /// What it has.
        has: Usage,
        /// What the books say.
        books: Usage,
    },
    /// The sum of all books is wrong.
    Total {
        /// What all nodes, watches and transactions take.
        has: u32,
        /// What the books say.
        books: u32,
    },
    /// The index of watches differs from what the connections have.
    Watches {
        /// What the connections have.
        has: usize,
        /// What is in the index.
        index: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "invalid name {}", name.escape_ascii()),
            Self::Stamp(path, stamp) => write!(f, "{path:?} changed at {stamp}, which is yet to come"),
            Self::Orphan(path, domid) => {
                write!(f, "{path:?} belongs to domain {domid}, which does not exist")
            }
            Self::Books { domid, has, books } => {
                write!(f, "domain {domid} has {has:?}, its books say {books:?}")
            }
            Self::Total { has, books } => write!(f, "the store takes {has} bytes, the books say {books}"),
            Self::Watches { has, index } => write!(f, "{has} watches are set, {index} are in the index"),
        }
    }
}

impl core::error::Error for Fault {}

impl Server {
    /// Checks the whole store.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Fault> {
        let mut books = Books::default();
        self.check_nodes(&mut books)?;
        self.check_connections(&mut books)?;
        if !self.state.is_settled() || self.commit.is_some() {
            // Removed nodes are still on the books, or new ones on half of them.
            return Ok(());
        }
        for (domid, domain) in self.state.domains.iter() {
            let has = books.by_domain.get(&domid).copied().unwrap_or_default();
            if has != domain.usage {
                return Err(Fault::Books { domid, has, books: domain.usage });
            }
        }
        let (has, books) = (books.total, self.state.total());
        if has == books { Ok(()) } else { Err(Fault::Total { has, books }) }
    }

    fn check_nodes(&self, books: &mut Books) -> Result<(), Fault> {
        let mut path = Vec::new();
        let mut starts = Vec::new();
        for (depth, node) in self.state.tree.walk() {
            path.truncate(starts.get(depth).copied().unwrap_or(path.len()));
            starts.truncate(depth);
            starts.push(path.len());
            if depth > 0 {
                path.push(b'/');
                path.extend_from_slice(node.name());
            }
            let here = if depth == 0 { b"/" } else { path.as_slice() };
            let plain = !node.name().contains(&b'/');
            let here = Path::new(here).ok().filter(|_| plain).ok_or_else(|| Fault::Name(here.to_vec()))?;
            let perms = &node.value.perms;
            let latest = node.value.generation().max(perms.stamp());
            if latest > self.state.now() {
                return Err(Fault::Stamp(here.to_buf(), latest));
            }
            let owner = perms.owner().domid;
            let lives = self.state.domains.lives(owner, perms.stamp());
            if !lives && self.dead.is_empty() && self.dying.is_empty() {
                return Err(Fault::Orphan(here.to_buf(), owner));
            }
            books.add(lives.then_some(owner), cost(node), |usage| usage.nodes += 1);
        }
        Ok(())
    }

    fn check_connections(&self, books: &mut Books) -> Result<(), Fault> {
        let mut has = 0;
        for connection in self.conns.values() {
            let owner = Some(connection.domid);
            for watch in connection.watches.values() {
                books.add(owner, watch.cost(), |_| {});
            }
            for transaction in connection.transactions.values() {
                books.add(owner, transaction.charged, |_| {});
            }
            has += connection.watches.len();
            // Local connections all speak for one domain; its books show the latest of them.
            if let Some(domain) = self.state.domains.get(connection.domid) {
                let (own, seen) = (domain.usage, (connection.watches.len(), connection.transactions.len()));
                let (watches, transactions) = if connection.domid == self.control {
                    (own.watches, own.transactions)
                } else {
                    (bytes(seen.0), bytes(seen.1))
                };
                books.add(owner, 0, |usage| (usage.watches, usage.transactions) = (watches, transactions));
            }
        }
        let index = self.watches.len() - self.unwatched.len();
        if has == index { Ok(()) } else { Err(Fault::Watches { has, index }) }
    }
}

#[derive(Default)]
struct Books {
    by_domain: BTreeMap<DomId, Usage>,
    total: u32,
}

impl Books {
    fn add(&mut self, owner: Option<DomId>, bytes: u32, count: impl FnOnce(&mut Usage)) {
        self.total += bytes;
        if let Some(owner) = owner {
            let usage = self.by_domain.entry(owner).or_default();
            usage.memory += bytes;
            count(usage);
        }
    }
}
