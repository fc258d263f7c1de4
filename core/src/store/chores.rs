//! Work that was put off, done in bounded pieces.
//!
//! A request does what it can within one piece and leaves the rest: a long commit, telling many watchers, clearing
//! away what was removed and after domains that died. So no request holds up the event loop, whatever it asks for.
//! Requests that what is left over would get in the way of are put off until it is done.
#![forbid(unsafe_code)]

use super::server::{Hold, Server};
use super::wire::Kind;
use crate::store::server::ConnId;

/// What one call may do, counted in short paths walked or nodes freed.
const PIECE: u32 = 512;

/// What taking a watch out of the index costs, in walks.
const UNWATCHING: u32 = 10;

/// Changes that may wait to be told before even the privileged have to wait.
const NEWS_MAX: usize = 2048;

/// Expired transactions that are seen to after one request.
const EXPIRED_MAX: usize = 8;

impl Server {
    /// Whether requests that were put off for this reason have to wait further.
    #[must_use]
    pub fn is_held_up(&self, hold: Hold) -> bool {
        match hold {
            Hold::Guard => !self.guards.is_empty(),
            Hold::Chores => {
                self.commit.is_some()
                    || !self.news.is_empty()
                    || !self.dead.is_empty()
                    || !self.state.is_settled()
            }
        }
    }

    /// Does a bounded piece of the work that was put off. Returns whether there is more.
    pub fn step(&mut self) -> bool {
        let budget = self.go_on(PIECE);
        let budget = self.tell(budget);
        let budget = self.state.step(budget);
        let budget = if self.commit.is_none() { self.bury(budget) } else { budget };
        let budget = self.clear(budget);
        self.tell(budget);
        self.has_chores()
    }

    /// Whether a request of this kind has to wait for chores. Nobody is to see half of a commit, and whoever is
    /// not privileged is to change nothing that nobody can be told of yet.
    pub(super) fn is_put_off(&self, conn: ConnId, kind: Kind) -> bool {
        let full = self.news.len() >= NEWS_MAX;
        self.commit.is_some()
            || (!self.news.is_empty() && kind.has_news() && (full || !self.caller(conn).is_privileged()))
    }

    /// Dooms transactions that have outlived too many changes: their copies would keep old nodes alive.
    pub(super) fn age_transactions(&mut self) {
        // While a commit is under way its transaction is nowhere to be found, and nothing grows older.
        let busy = self.commit.is_some();
        for _ in 0..EXPIRED_MAX {
            let Some((start, conn, id)) = self.by_age.first().copied().filter(|_| !busy) else { return };
            if !self.age_transaction(start, conn, id) {
                return;
            }
        }
    }

    fn has_chores(&self) -> bool {
        self.commit.is_some()
            || !self.news.is_empty()
            || self.state.has_chores()
            || !self.dead.is_empty()
            || !self.unwatched.is_empty()
            || !self.forgotten.is_empty()
    }

    /// Clears away ended watches and what transactions knew.
    fn clear(&mut self, mut budget: u32) -> u32 {
        while budget > 0
            && let Some(watch) = self.unwatched.pop()
        {
            self.watches.remove(&watch);
            budget = budget.saturating_sub(UNWATCHING * watch.subject.walk_cost());
        }
        while budget > 0
            && let Some(touched) = self.forgotten.last_mut()
        {
            if touched.pop_first().is_none() {
                self.forgotten.pop();
            }
            budget -= 1;
        }
        budget
    }
}
