//! Telling watchers of changes, as far as they may know.

use alloc::format;
use alloc::rc::Rc;
use core::mem;

use crate::hyper::DomId;
use crate::store::path::{Path, Special};
use crate::store::perms::Perms;
use crate::store::server::Server;
use crate::store::tree::Tree;
use crate::store::watch::{Subject, Watch};

impl Server {
    /// Tells of a change at `path`, which is made. `old` are the permissions it had before, when they changed;
    /// `removed` is what it took away.
    ///
    /// A watcher learns of it who may read the node as it is, as it was, or its parent: whoever may list the
    /// parent sees children come and go anyway.
    pub(in crate::store) fn announce(&mut self, path: Path<'_>, old: Option<&Perms>, removed: Option<&Tree>) {
        if self.watches.is_empty() {
            return;
        }
        if let Some(removed) = removed {
            self.announce_below(path, removed);
        }
        let watches = self.watches.matching(path);
        if watches.is_empty() {
            return;
        }
        let reach = self.state.tree.reach(path);
        let (now, parent) = match reach.missing {
            0 => (Some(reach.node), Some(reach.parent)),
            1 => (None, Some(reach.node)),
            _ => (None, None),
        };
        let perms = |node: &Tree| Rc::clone(&node.value.perms);
        let (now, parent, gone) = (now.map(perms), parent.map(perms), removed.map(perms));
        let known = [old, now.as_deref(), parent.as_deref(), gone.as_deref()];
        let shown: Rc<[u8]> = path.as_bytes().into();
        for watch in &watches {
            self.send(watch, &shown, known.into_iter().flatten());
        }
    }

    /// Tells those who watch a node that went with one above it.
    fn announce_below(&mut self, path: Path<'_>, removed: &Tree) {
        let depth = path.names().count();
        for watch in self.watches.below(path) {
            let Subject::Path(watched) = &watch.subject else { continue };
            let (mut node, mut parent) = (Some(removed), removed);
            for name in watched.as_path().names().skip(depth) {
                let Some(at) = node else { break };
                (parent, node) = (at, at.kids.get(name));
            }
            if let Some(node) = node {
                let known = [&*node.value.perms, &*parent.value.perms];
                self.send(&watch, &watched.as_path().as_bytes().into(), known);
            }
        }
    }

    /// Tells of something that happened to a domain.
    pub(in crate::store) fn announce_special(&mut self, special: Special, domid: DomId) {
        let (name, perms) = (special.name(), Rc::clone(self.special_perms(special)));
        let numbered: Rc<[u8]> = [name, format!("/{domid}").as_bytes()].concat().into();
        let plain: Rc<[u8]> = name.into();
        for watch in self.watches.special(name).to_vec() {
            match watch.depth {
                None => self.send(&watch, &plain, [&*perms]),
                Some(0) => {}
                Some(_) => self.send(&watch, &numbered, [&*perms]),
            }
        }
        for watch in self.watches.special(&numbered).to_vec() {
            self.send(&watch, &numbered, [&*perms]);
        }
    }

    /// Queues an event, if its watcher may read what has any of the permissions `known`.
    fn send<'a>(&mut self, watch: &Rc<Watch>, path: &Rc<[u8]>, known: impl IntoIterator<Item = &'a Perms>) {
        let caller = self.caller(watch.conn);
        if known.into_iter().any(|perms| perms.rights(&caller).read) {
            self.queue(watch, path);
        }
    }

    /// Queues an event.
    pub(super) fn queue(&mut self, watch: &Rc<Watch>, path: &Rc<[u8]>) {
        let Some(connection) = self.conns.get(&watch.conn) else { return };
        let (items, bytes) = self.event_limits(connection);
        if let Some(connection) = self.conns.get_mut(&watch.conn) {
            connection.events.push(path, watch, items, bytes);
            if !mem::replace(&mut connection.notified, true) {
                self.notified.push_back(watch.conn);
            }
        }
    }
}
