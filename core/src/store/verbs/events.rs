//! Telling watchers of changes, as far as they may know.

use alloc::format;
use alloc::rc::Rc;
use core::mem;

use crate::hyper::DomId;
use crate::store::news::{Below, Change, News};
use crate::store::path::{Path, Special};
use crate::store::perms::Perms;
use crate::store::server::Server;
use crate::store::tree::Tree;
use crate::store::watch::Watch;

/// Watches that are told of a change between two looks at the budget.
const AT_A_TIME: usize = 4;

/// What looking at a watch and queueing an event costs, in walks.
const SENDING: u32 = 4;

impl Server {
    /// Tells of a change at `path`, which is made. `old` are the permissions it had before, when they changed;
    /// `removed` is what it took away. Telling is done by [`Server::tell`].
    ///
    /// A watcher learns of it who may read the node as it is, as it was, or its parent: whoever may list the
    /// parent sees children come and go anyway.
    pub(in crate::store) fn announce(
        &mut self,
        path: Path<'_>,
        old: Option<&Rc<Perms>>,
        removed: Option<&Tree>,
    ) {
        if self.watches.is_empty() {
            return;
        }
        if let Some(removed) = removed
            && let Some(index) = self.watches.below(path)
        {
            let below = Below::new(index, removed, path.names().count());
            self.news.push_back(News::Below(below));
        }
        let sets = self.watches.matching(path);
        if sets.is_empty() {
            return;
        }
        let reach = self.state.tree.reach(path);
        let (now, parent) = match reach.missing {
            0 => (Some(reach.node), Some(reach.parent)),
            1 => (None, Some(reach.node)),
            _ => (None, None),
        };
        let perms = |node: &Tree| Rc::clone(&node.value.perms);
        let known = [old.cloned(), now.map(perms), parent.map(perms), removed.map(perms)];
        let shown = path.as_bytes().into();
        self.news.push_back(News::Change(Change { shown, plain: None, known, sets, last: [0; 8] }));
    }

    /// Tells of something that happened to a domain.
    pub(in crate::store) fn announce_special(&mut self, special: Special, domid: DomId) {
        let (name, perms) = (special.name(), self.special_perms(special));
        let shown: Rc<[u8]> = [name, format!("/{domid}").as_bytes()].concat().into();
        let known = [Some(Rc::clone(perms)), None, None, None];
        let plain = Some(Rc::from(name));
        for (set, plain, levels) in
            [(self.watches.special(name), plain, 1), (self.watches.special(&shown), None, 0)]
        {
            let (shown, known) = (Rc::clone(&shown), known.clone());
            let change = Change { shown, plain, known, sets: [(levels, set)].into(), last: [0; 8] };
            self.news.push_back(News::Change(change));
        }
    }

    /// Tells of what was announced, up to a budget; returns what is left of it.
    pub(in crate::store) fn tell(&mut self, mut budget: u32) -> u32 {
        while budget > 0
            && let Some(mut news) = self.news.pop_front()
        {
            let more = match &mut news {
                News::Change(change) => self.tell_change(change, &mut budget),
                News::Below(below) => self.tell_below(below, &mut budget),
            };
            match news {
                news if more => self.news.push_front(news),
                News::Below(below) => self.state.discard(below.removed),
                News::Change(_) => {}
            }
        }
        budget
    }

    /// Returns whether there is more to tell.
    fn tell_change(&mut self, change: &mut Change, budget: &mut u32) -> bool {
        while *budget > 0 {
            let next = change.next(AT_A_TIME);
            if next.is_empty() {
                return false;
            }
            *budget -= 1;
            for (levels, watch) in next {
                let Some(shown) = change.shown_to(levels, &watch) else { continue };
                if self.send(&watch, &shown, change.known.iter().flatten().map(|perms| &**perms)) {
                    *budget = budget.saturating_sub(SENDING);
                }
            }
        }
        true
    }

    /// Tells those who watch nodes that went with one above them. Returns whether there is more to tell.
    fn tell_below(&mut self, below: &mut Below, budget: &mut u32) -> bool {
        while *budget > 0 {
            let Some(watch) = below.next() else { return false };
            *budget -= 1;
            let Some(watch) = watch else { continue };
            *budget = budget.saturating_sub(watch.subject.walk_cost());
            if let Some(known) = below.node(&watch) {
                self.send(&watch, &watch.subject.as_bytes().into(), known);
            }
        }
        true
    }

    /// Queues an event, if its watcher may read what has any of the permissions `known`. Returns whether it had to
    /// look.
    fn send<'a>(
        &mut self,
        watch: &Rc<Watch>,
        path: &Rc<[u8]>,
        known: impl IntoIterator<Item = &'a Perms>,
    ) -> bool {
        // An event that stands for all is waiting already.
        if watch.gone.get() || watch.lost.get() {
            return false;
        }
        let caller = self.caller(watch.conn);
        if known.into_iter().any(|perms| perms.rights(&caller).read) {
            self.queue(watch, path);
        }
        true
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
