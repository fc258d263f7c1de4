//! A log of every domain's console: who is to be listened to, and where it goes.
//!
//! The domains are listed when the ring comes up; from then on, what happens to them says which come and what they are
//! called. A domain that comes back after a reboot has a new number and goes on with the same console.

mod files;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use xendless_core::config::DomainName;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::frame::{self, Assembler, FrameError};
use xendless_core::protocol::{Failure, Happening, Request, RequestId, Row, Welcome, What};

use super::mux::{Mux, Own, WINDOW};

pub use files::{Files, Sink};

/// A console that is listened to.
#[derive(Debug)]
struct Console {
    domid: u16,
    name: String,
    /// It was another domain's before, of the same name: either that was the life before, or its console ends soon.
    inherited: bool,
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
    /// What happens is told here.
    events: Option<RequestId>,
    /// The happening that is coming.
    coming: Assembler,
    /// Domains whose consoles were refused.
    refused: BTreeSet<u16>,
}

impl<S: Sink> Consoles<S> {
    /// Logs to `sink`.
    pub fn new(sink: S) -> Self {
        let (open, refused) = (BTreeMap::new(), BTreeSet::new());
        let coming = Assembler::default();
        Self { sink, this_domain: 0, open, listing: None, events: None, coming, refused }
    }

    /// Something happened.
    pub fn handle(&mut self, mux: &mut Mux, event: Own) {
        match event {
            Own::Up(welcome) => self.start(mux, welcome),
            Own::Data(id, bytes) if self.events == Some(id) => {
                if self.happenings(mux, &bytes).is_err() {
                    self.sink
                        .complain("the control domain tells of what happens in words that make no sense");
                    mux.cancel(id);
                }
                mux.credit(id, u32::try_from(bytes.len()).unwrap_or(0));
            }
            Own::Data(id, bytes) => {
                if let Some(console) = self.open.get(&id) {
                    self.sink.write(&console.name, &bytes);
                    mux.credit(id, u32::try_from(bytes.len()).unwrap_or(0));
                }
            }
            Own::Rows(id, rows, next) => self.listed(mux, id, rows, next),
            Own::Ended(id, result) => self.ended(mux, id, result),
        }
    }

    fn start(&mut self, mux: &mut Mux, welcome: Welcome) {
        self.this_domain = welcome.domid;
        self.open.clear();
        self.refused.clear();
        (self.listing, self.events, self.coming) = (None, None, Assembler::default());
        // Without the right to any console there is nothing to listen to.
        if welcome.rights >= (Request::Console { domain: "" }).needs() {
            self.events = mux.ask(&Request::Events { after: None });
            if let Some(events) = self.events {
                mux.credit(events, WINDOW);
            }
            self.list(mux);
        }
    }

    /// Takes what happened.
    fn happenings(&mut self, mux: &mut Mux, bytes: &[u8]) -> Result<(), FrameError> {
        let mut coming = std::mem::take(&mut self.coming);
        coming.take_all(bytes, |body| {
            self.happened(mux, frame::parse(body)?);
            Ok::<(), FrameError>(())
        })?;
        self.coming = coming;
        Ok(())
    }

    fn happened(&mut self, mux: &mut Mux, Happening { domid, name, what, .. }: Happening) {
        match (what, domid) {
            (What::Missed { .. }, _) => self.list(mux),
            (What::Created | What::Renamed { .. }, Some(domid)) => self.follow(mux, domid, &name),
            (What::Gone, Some(domid)) => drop(self.refused.remove(&domid)),
            _ => {}
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
        for (domid, row) in &found {
            if !row.flags().intersects(DomainFlags::DYING | DomainFlags::SHUTDOWN) {
                self.follow(mux, *domid, &row.name);
            }
        }
        if stale {
            self.list(mux);
        }
    }

    /// Listens to the console of a domain that has this name now.
    fn follow(&mut self, mux: &mut Mux, domid: u16, name: &str) {
        if domid == 0 || domid == self.this_domain || self.refused.contains(&domid) {
            return;
        }
        let log = log_name(domid, name);
        if let Some(console) = self.open.values_mut().find(|console| console.domid == domid) {
            console.name = log;
            return;
        }
        // In its next life it has the same console. Another look at it would log everything twice.
        if let Some(console) = self.open.values_mut().find(|console| console.name == log) {
            (console.domid, console.inherited) = (domid, true);
            return;
        }
        // A name is looked for before a number, so a number could be another's name.
        let number = domid.to_string();
        let domain = if name.is_empty() { &number } else { name };
        let Some(request) = mux.ask(&Request::Console { domain }) else {
            self.sink.complain(&format!("there are too many domains to log the console of {domain}"));
            self.refused.insert(domid);
            return;
        };
        self.sink.begin(&log);
        self.open.insert(request, Console { domid, name: log, inherited: false });
        mux.credit(request, WINDOW);
    }

    fn ended(&mut self, mux: &mut Mux, id: RequestId, result: Result<(), Failure>) {
        if self.listing.as_ref().is_some_and(|listing| listing.request == id) {
            self.listing = None;
        }
        let Some(console) = self.open.remove(&id) else { return };
        match result {
            // It was not the same console after all.
            Ok(()) if console.inherited => self.list(mux),
            // Should it come again, that is told.
            Ok(())
            | Err(Failure::NoSuchDomain | Failure::NotRunning | Failure::Cancelled | Failure::Disconnected) =>
                {}
            Err(why) => {
                self.sink.complain(&format!("the console of {} cannot be logged: {why}", console.name));
                self.refused.insert(console.domid);
            }
        }
    }
}

/// What a domain's log is called. Names of domains have no characters that file names cannot have.
fn log_name(domid: u16, name: &str) -> String {
    match DomainName::new(name) {
        Ok(name) => name.as_str().chars().take(200).collect(),
        Err(_) => format!("domid-{domid}"),
    }
}
