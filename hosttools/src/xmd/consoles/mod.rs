//! A log of every domain's console: who is to be listened to, and where it goes.
//!
//! The domains are listed when the ring comes up, after requests that change which there are, and when a console ends.
//! A domain that comes back after a reboot has a new number and so a new console; [`SECOND_LOOK`] is there to find it
//! when it is not there yet at once. Domains that come in other ways are found at the next of these occasions.

mod files;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use xendless_core::config::DomainName;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Failure, Request, RequestId, Row, Welcome};

use super::mux::{Mux, Own, WINDOW};

pub use files::{Files, Sink};

/// When domains are listed once more after a console ended.
pub const SECOND_LOOK: Duration = Duration::from_secs(2);

/// A console that is listened to.
#[derive(Debug)]
struct Console {
    domid: u16,
    name: String,
}

/// Domains as they are being listed.
#[derive(Debug)]
struct Listing {
    request: RequestId,
    found: BTreeMap<u16, Row>,
    /// Something changed since it began.
    stale: bool,
}

/// The consoles of all domains but this one and the control domain.
#[derive(Debug)]
pub struct Consoles<S> {
    sink: S,
    this_domain: u16,
    open: BTreeMap<RequestId, Console>,
    listing: Option<Listing>,
    /// Domains whose consoles were refused.
    refused: BTreeSet<u16>,
    look_again: Option<Instant>,
}

impl<S: Sink> Consoles<S> {
    /// Logs to `sink`.
    pub fn new(sink: S) -> Self {
        let (open, refused) = (BTreeMap::new(), BTreeSet::new());
        Self { sink, this_domain: 0, open, listing: None, refused, look_again: None }
    }

    /// When [`Consoles::tick`] is due.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        self.look_again
    }

    /// Time passed.
    pub fn tick(&mut self, mux: &mut Mux, now: Instant) {
        if self.look_again.is_some_and(|due| due <= now) {
            self.look_again = None;
            self.list(mux);
        }
    }

    /// Something happened.
    pub fn handle(&mut self, mux: &mut Mux, event: Own, now: Instant) {
        match event {
            Own::Up(welcome) => self.start(mux, welcome),
            Own::Changed => self.list(mux),
            Own::Data(id, bytes) => {
                if let Some(console) = self.open.get(&id) {
                    self.sink.write(&console.name, &bytes);
                    mux.credit(id, u32::try_from(bytes.len()).unwrap_or(0));
                }
            }
            Own::Rows(id, rows, next) => self.listed(mux, id, rows, next),
            Own::Ended(id, result) => self.ended(mux, id, result, now),
        }
    }

    fn start(&mut self, mux: &mut Mux, welcome: Welcome) {
        self.this_domain = welcome.domid;
        self.open.clear();
        self.refused.clear();
        (self.listing, self.look_again) = (None, None);
        // Without the right to any console there is nothing to listen to.
        if welcome.rights >= (Request::Console { domain: "" }).needs() {
            self.list(mux);
        }
    }

    fn list(&mut self, mux: &mut Mux) {
        match &mut self.listing {
            Some(listing) => listing.stale = true,
            None => {
                let request = mux.ask(&Request::List { from: 0 });
                let listing = |request| Listing { request, found: BTreeMap::new(), stale: false };
                self.listing = request.map(listing);
            }
        }
    }

    fn listed(&mut self, mux: &mut Mux, id: RequestId, rows: Vec<Row>, next: Option<u16>) {
        let Some(listing) = self.listing.as_mut().filter(|listing| listing.request == id) else { return };
        listing.found.extend(rows.into_iter().map(|row| (row.domid, row)));
        if let Some(from) = next
            && let Some(request) = mux.ask(&Request::List { from })
        {
            listing.request = request;
            return;
        }
        let Some(Listing { found, stale, .. }) = self.listing.take() else { return };
        self.refused.retain(|domid| found.contains_key(domid));
        self.follow(mux, &found);
        if stale {
            self.list(mux);
        }
    }

    /// Listens to the consoles of these domains.
    fn follow(&mut self, mux: &mut Mux, domains: &BTreeMap<u16, Row>) {
        for console in self.open.values_mut() {
            if let Some(row) = domains.get(&console.domid) {
                console.name = log_name(row);
            }
        }
        let known: BTreeSet<u16> = self.open.values().map(|console| console.domid).collect();
        for (domid, row) in domains {
            let gone = row.flags().intersects(DomainFlags::DYING | DomainFlags::SHUTDOWN);
            let ours = *domid == 0 || *domid == self.this_domain;
            if gone || ours || known.contains(domid) || self.refused.contains(domid) {
                continue;
            }
            // A name is looked for before a number, so a number could be another's name.
            let number = domid.to_string();
            let domain = if row.name.is_empty() { &number } else { &row.name };
            let Some(request) = mux.ask(&Request::Console { domain }) else {
                self.sink.complain(&format!("there are too many domains to log the console of {domain}"));
                self.refused.insert(*domid);
                continue;
            };
            let name = log_name(row);
            self.sink.begin(&name);
            self.open.insert(request, Console { domid: *domid, name });
            mux.credit(request, WINDOW);
        }
    }

    fn ended(&mut self, mux: &mut Mux, id: RequestId, result: Result<(), Failure>, now: Instant) {
        if self.listing.as_ref().is_some_and(|listing| listing.request == id) {
            self.listing = None;
            return;
        }
        let Some(console) = self.open.remove(&id) else { return };
        match result {
            Err(Failure::Disconnected) => {}
            Ok(()) | Err(Failure::NoSuchDomain | Failure::NotRunning | Failure::Cancelled) => {
                self.look_again = Some(now + SECOND_LOOK);
                self.list(mux);
            }
            Err(why) => {
                self.sink.complain(&format!("the console of {} cannot be logged: {why}", console.name));
                self.refused.insert(console.domid);
            }
        }
    }
}

/// What a domain's log is called. Names of domains have no characters that file names cannot have.
fn log_name(row: &Row) -> String {
    match DomainName::new(row.name.as_str()) {
        Ok(name) => name.as_str().chars().take(200).collect(),
        Err(_) => format!("domid-{}", row.domid),
    }
}
