//! Writing a snapshot.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::{HEADER, Limit, MAGIC, Record, VERSION};
use crate::store::perms::Perms;
use crate::store::quota::{Limits, Quota};
use crate::store::server::Server;
use crate::store::state::bytes;
use crate::store::watch::Subject;
use crate::store::wire::Perm;

impl Server {
    /// The state as bytes. Work that was put off is done first.
    #[must_use]
    pub fn save(&mut self) -> Vec<u8> {
        while self.step() {}
        let mut records = Records { bytes: Vec::new(), perms: BTreeMap::new() };
        records.push(&Record::Server {
            control: self.control.0,
            now: self.state.now(),
            last_conn: self.last_conn,
            last_watch: self.last_watch,
            limits: limits(&self.state.limits),
        });
        self.save_domains(&mut records);
        self.save_nodes(&mut records);
        self.save_connections(&mut records);
        let length = u64::try_from(records.bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
        let checksum = crc32fast::hash(&records.bytes).to_le_bytes();
        let mut all = Vec::with_capacity(HEADER + records.bytes.len());
        for part in [&MAGIC[..], &VERSION.to_le_bytes(), &length, &checksum, &records.bytes] {
            all.extend_from_slice(part);
        }
        all
    }

    fn save_domains(&self, records: &mut Records) {
        for (domid, domain) in self.state.domains.iter() {
            records.push(&Record::Domain {
                domid: domid.0,
                born: domain.born,
                conn: domain.conn.map(|conn| conn.0),
                shutdown: domain.shutdown,
                features: domain.features.bits(),
                rights: domain.rights,
                limits: limits(&domain.limits),
                territory: domain.territory.paths().iter().map(|path| path.as_path().as_bytes()).collect(),
            });
        }
    }

    fn save_nodes(&self, records: &mut Records) {
        for (depth, node) in self.state.tree.walk() {
            let perms = records.perms(&node.value.perms);
            records.push(&Record::Node {
                depth: bytes(depth),
                name: node.name(),
                value: node.value.value(),
                perms,
                changed: node.value.changed(),
                listed: node.value.listed(),
            });
        }
        let [introduce, release] = &self.special_perms;
        let (introduce, release) = (records.perms(introduce), records.perms(release));
        records.push(&Record::Special { introduce, release });
    }

    fn save_connections(&self, records: &mut Records) {
        for (conn, connection) in &self.conns {
            records.push(&Record::Connection {
                conn: conn.0,
                domid: connection.domid.0,
                target: connection.target.map(|target| (target.domid.0, target.born)),
                last_transaction: connection.last_transaction,
            });
        }
        for (conn, connection) in &self.conns {
            for watch in connection.watches.values() {
                records.push(&Record::Watch {
                    conn: conn.0,
                    number: watch.number,
                    subject: watch.subject.as_bytes(),
                    token: &watch.token,
                    relative: matches!(watch.subject, Subject::Path(_)) && watch.prefix > 0,
                    depth: watch.depth,
                    pending: connection.events.has(watch),
                });
            }
        }
    }
}

struct Records {
    bytes: Vec<u8>,
    /// Those that were written, by identity, so that sharing survives.
    perms: BTreeMap<*const Perms, u32>,
}

impl Records {
    fn perms(&mut self, perms: &Rc<Perms>) -> u32 {
        let next = bytes(self.perms.len());
        if let Some(known) = self.perms.get(&Rc::as_ptr(perms)) {
            return *known;
        }
        self.perms.insert(Rc::as_ptr(perms), next);
        let entry = |entry: Perm| (entry.access.can_read(), entry.access.can_write(), entry.domid.0);
        let entries = perms.entries().map(entry).collect();
        self.push(&Record::Perms { stamp: perms.stamp(), entries });
        next
    }

    fn push(&mut self, record: &Record<'_>) {
        let grown = postcard::to_extend(record, core::mem::take(&mut self.bytes));
        // Writing to memory fails for no record of ours; if it did, the empty snapshot would be refused.
        self.bytes = grown.unwrap_or_default();
    }
}

fn limits(limits: &Limits) -> Vec<Limit<'static>> {
    let set = |quota: &Quota| Some((quota.name(), limits.get(*quota)?));
    Quota::ALL.iter().filter_map(set).collect()
}
