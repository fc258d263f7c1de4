//! Reading a snapshot.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::{Entry, HEADER, Limit, LoadError, MAGIC, Record, VERSION};
use crate::hyper::DomId;
use crate::ring::xenstore::Features;
use crate::store::conn::Connection;
use crate::store::domain::{Domain, FEATURES, Territory};
use crate::store::path::{Home, Path, PathBuf, check_special};
use crate::store::perms::{Incarnation, Perms, Stamp};
use crate::store::quota::{Limits, Quota, Usage};
use crate::store::server::{ConnId, Server};
use crate::store::tree::Data;
use crate::store::watch::{Subject, TOKEN_MAX, Watch};
use crate::store::wire::{Access, Perm};

type Result<T> = core::result::Result<T, &'static str>;

impl Server {
    /// A server in the state that was saved. Transports of its connections are for the caller to restore: see
    /// [`Server::domains`].
    ///
    /// # Errors
    /// When the bytes are not exactly a snapshot of this version, with the reason.
    pub fn load(snapshot: &[u8]) -> core::result::Result<Self, LoadError> {
        let mut rest = open(snapshot)?;
        let mut loader =
            Loader { server: Self::new(DomId(0)), perms: Vec::new(), starts: Vec::new(), path: Vec::new() };
        let mut index = 0;
        while index == 0 || !rest.is_empty() {
            let wrong = |reason| LoadError::Record { index, reason };
            let (record, after) = postcard::take_from_bytes(rest).map_err(|_| wrong("it is malformed"))?;
            loader.take(index, record).map_err(wrong)?;
            (rest, index) = (after, index + 1);
        }
        let server = loader.server;
        let orphan = |(domid, conn): (DomId, Option<ConnId>)| {
            conn.is_some_and(|conn| server.conns.get(&conn).is_none_or(|known| known.domid != domid))
        };
        if server.domains().any(orphan) {
            return Err(LoadError::Record { index, reason: "a domain's connection never came" });
        }
        server.check().map_err(LoadError::Inconsistent)?;
        Ok(server)
    }
}

/// The records, if the header fits them.
fn open(snapshot: &[u8]) -> core::result::Result<&[u8], LoadError> {
    let (header, records) = snapshot.split_first_chunk::<HEADER>().ok_or(LoadError::Foreign)?;
    let (magic, header) = header.split_first_chunk().ok_or(LoadError::Foreign)?;
    let (version, header) = header.split_first_chunk().ok_or(LoadError::Foreign)?;
    let (length, header) = header.split_first_chunk().ok_or(LoadError::Foreign)?;
    let checksum = header.first_chunk().ok_or(LoadError::Foreign)?;
    if *magic != MAGIC {
        return Err(LoadError::Foreign);
    }
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(LoadError::Version(version));
    }
    let (expected, found) = (u64::from_le_bytes(*length), u64::try_from(records.len()).unwrap_or(u64::MAX));
    if expected != found {
        return Err(LoadError::Length { expected, found });
    }
    if u32::from_le_bytes(*checksum) != crc32fast::hash(records) {
        return Err(LoadError::Checksum);
    }
    Ok(records)
}

struct Loader {
    server: Server,
    perms: Vec<Rc<Perms>>,
    /// The path of the last node, and where each of its names ends.
    path: Vec<u8>,
    starts: Vec<usize>,
}

impl Loader {
    fn take(&mut self, index: usize, record: Record<'_>) -> Result<()> {
        if (index == 0) != matches!(record, Record::Server { .. }) {
            return Err("the first record, and no other, describes the server");
        }
        match record {
            Record::Server { control, now, last_conn, last_watch, limits } => {
                self.server = Server::new(DomId(control));
                self.server.state.restore(now, limits_of(&limits)?);
                (self.server.last_conn, self.server.last_watch) = (last_conn, last_watch);
                Ok(())
            }
            Record::Domain { domid, born, conn, shutdown, features, rights, limits, territory } => {
                let features = Features::from_bits_retain(features);
                FEATURES.contains(features).then_some(()).ok_or("a domain has unknown features")?;
                let territory = territory.into_iter().map(path_of).collect::<Result<Vec<_>>>()?;
                let territory = Territory::new(territory).ok_or("a territory has too many paths")?;
                let (conn, limits, usage) = (conn.map(ConnId), limits_of(&limits)?, Usage::default());
                let domain = Domain { born, conn, shutdown, features, rights, limits, usage, territory };
                self.domain(DomId(domid), domain)
            }
            Record::Perms { stamp, entries } => self.add_perms(stamp, &entries),
            Record::Node { depth, name, value, perms, changed, listed } => {
                let data = Data::restore(self.perms(perms)?, value, changed, listed);
                self.node(depth, name, data)
            }
            Record::Special { introduce, release } => {
                self.server.special_perms = [self.perms(introduce)?, self.perms(release)?];
                Ok(())
            }
            Record::Connection { conn, domid, target, last_transaction } => {
                let mut connection = Connection::new(DomId(domid));
                connection.target = target.map(|(domid, born)| Incarnation { domid: DomId(domid), born });
                connection.last_transaction = last_transaction;
                self.connection(ConnId(conn), connection)
            }
            Record::Watch { conn, number, subject, token, relative, depth, pending } => {
                let conn = ConnId(conn);
                let (subject, prefix) = self.subject(conn, subject, relative)?;
                let watch = Watch {
                    conn,
                    number,
                    subject,
                    token: token.into(),
                    prefix,
                    depth,
                    lost: Cell::new(false),
                    gone: Cell::new(false),
                };
                self.watch(watch, pending)
            }
        }
    }

    fn domain(&mut self, domid: DomId, domain: Domain) -> Result<()> {
        let domains = &mut self.server.state.domains;
        if domid == self.server.control
            && let Some(known) = domains.get_mut(domid)
        {
            // A new server has one already, with charges for the root and all rights.
            *known = Domain { usage: known.usage, rights: known.rights, ..domain };
            return Ok(());
        }
        domains.restore(domid, domain).then_some(()).ok_or("a domain comes twice")
    }

    fn add_perms(&mut self, stamp: Stamp, entries: &[Entry]) -> Result<()> {
        let access = |read, write| match (read, write) {
            (false, false) => Access::None,
            (true, false) => Access::Read,
            (false, true) => Access::Write,
            (true, true) => Access::Both,
        };
        let entry = |(read, write, domid): &Entry| Perm::new(access(*read, *write), DomId(*domid));
        let entries: Vec<_> = entries.iter().map(entry).collect();
        let (owner, more) = entries.split_first().ok_or("permissions name no owner")?;
        self.perms.push(Rc::new(Perms::new(*owner, more, stamp)));
        Ok(())
    }

    fn perms(&self, index: u32) -> Result<Rc<Perms>> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.perms.get(index).cloned().ok_or("it refers to permissions that did not come")
    }

    fn node(&mut self, depth: u32, name: &[u8], data: Data) -> Result<()> {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        if depth > self.starts.len() || (depth == 0) != self.starts.is_empty() {
            return Err("a node has no parent");
        }
        self.path.truncate(self.starts.get(depth).copied().unwrap_or(self.path.len()));
        self.starts.truncate(depth);
        self.starts.push(self.path.len());
        if depth > 0 {
            self.path.push(b'/');
            self.path.extend_from_slice(name);
        }
        let path = if depth == 0 { b"/" } else { self.path.as_slice() };
        let path = Path::new(path)
            .ok()
            .filter(|path| path.names().count() == depth)
            .ok_or("a node has a wrong name")?;
        self.server.state.restore_node(path, data)
    }

    fn connection(&mut self, conn: ConnId, connection: Connection) -> Result<()> {
        let fresh = conn.0 <= self.server.last_conn && self.server.conns.insert(conn, connection).is_none();
        fresh.then_some(()).ok_or("a connection has a wrong number")
    }

    fn subject(&self, conn: ConnId, name: &[u8], relative: bool) -> Result<(Subject, usize)> {
        if name.first() == Some(&b'@') {
            check_special(name).map_err(|_| "a watch is on a malformed special name")?;
            return Ok((Subject::Special(name.into()), 0));
        }
        let connection = self.server.conns.get(&conn).ok_or("a watch has no connection")?;
        let path = path_of(name)?;
        let home = format!("{}/", Home(connection.domid));
        if relative && !name.starts_with(home.as_bytes()) {
            return Err("a relative watch is not on its domain's home");
        }
        Ok((Subject::Path(path), if relative { home.len() } else { 0 }))
    }

    fn watch(&mut self, watch: Watch, pending: bool) -> Result<()> {
        if watch.token.len() > TOKEN_MAX || watch.number > self.server.last_watch {
            return Err("a watch has a token that is too long, or a wrong number");
        }
        let watch = Rc::new(watch);
        let connection = self.server.conns.get_mut(&watch.conn).ok_or("a watch has no connection")?;
        let key = (watch.subject.clone(), Rc::clone(&watch.token));
        if connection.watches.insert(key, Rc::clone(&watch)).is_some() {
            return Err("a watch comes twice");
        }
        self.server.restore_watch(&watch, pending);
        Ok(())
    }
}

fn path_of(bytes: &[u8]) -> Result<PathBuf> {
    Path::new(bytes).map(Path::to_buf).map_err(|_| "a path is malformed")
}

fn limits_of(set: &[Limit<'_>]) -> Result<Limits> {
    let mut limits = Limits::default();
    for (name, value) in set {
        limits.set(Quota::from_name(name.as_bytes()).ok_or("a limit has an unknown name")?, *value);
    }
    Ok(limits)
}
