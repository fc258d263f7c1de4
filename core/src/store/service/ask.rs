//! Requests of this place itself, which need no stream.

use alloc::vec::Vec;
use core::ops::Deref;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::Service;
use super::links::Outside;
use super::site::Site;
use crate::hyper::DomId;
use crate::rights::Rights;
use crate::shared::Page;
use crate::store::server::Outcome;
use crate::store::wire::{Header, Kind, Message, Reader, Request, XsError};

/// Why a request of this place was not executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The store is busy with something of another client; ask again after its next step.
    Later,
    /// The store's answer.
    Error(XsError),
}

/// The store as the control domain itself uses it, with all rights.
pub trait Local {
    /// Executes a request; its answer's payload is not wanted.
    ///
    /// # Errors
    /// When the store refuses or is busy.
    fn ask(&mut self, request: &Request<'_>) -> Result<(), Refused>;

    /// Executes a request and gives its answer's payload.
    ///
    /// # Errors
    /// When the store refuses or is busy.
    fn query(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Refused>;

    /// The token of the next event of a watch that was set here.
    fn event(&mut self) -> Option<Vec<u8>>;

    /// Says what a domain may do in the store, whatever the permissions say. It holds until the domain's end.
    ///
    /// # Errors
    /// When there is no such domain.
    fn grant(&mut self, domid: DomId, rights: Rights) -> Result<(), Refused>;

    /// A domain has shut down, or crashed.
    fn domain_shutdown(&mut self, domid: DomId);

    /// A domain is no more, or will be soon.
    fn domain_died(&mut self, domid: DomId);
}

/// A service at its site.
pub struct At<'a, W: Site, S> {
    /// The service.
    pub service: &'a mut Service<W::Page, S>,
    /// The site.
    pub site: &'a W,
}

impl<W: Site, S: Read + ReadReady + Write + WriteReady> Local for At<'_, W, S> {
    fn ask(&mut self, request: &Request<'_>) -> Result<(), Refused> {
        self.service.ask(self.site, request).map(drop)
    }

    fn query(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Refused> {
        Ok(self.service.ask(self.site, request)?.payload().to_vec())
    }

    fn event(&mut self) -> Option<Vec<u8>> {
        let event = self.service.own_event()?;
        let [_, token] = Reader::new(event.payload()).strings().at_least()?;
        Some(token.to_vec())
    }

    fn grant(&mut self, domid: DomId, rights: Rights) -> Result<(), Refused> {
        self.service.grant(self.site, domid, rights).map_err(Refused::Error)
    }

    fn domain_shutdown(&mut self, domid: DomId) {
        self.service.domain_shutdown(domid);
    }

    fn domain_died(&mut self, domid: DomId) {
        self.service.domain_died(self.site, domid);
    }
}

impl<P: Deref<Target = Page>, S: Read + ReadReady + Write + WriteReady> Service<P, S> {
    /// Whether a watch that this place itself set has something to tell.
    #[must_use]
    pub fn has_own_events(&self) -> bool {
        self.own.is_some_and(|conn| self.server.has_events(conn))
    }

    fn own_event(&mut self) -> Option<Message> {
        self.server.next_event(self.own?)
    }

    /// Executes a request of this place itself, outside of any transaction; returns the answer.
    ///
    /// # Errors
    /// When the store refuses or is busy.
    pub fn ask(&mut self, site: &impl Site<Page = P>, request: &Request<'_>) -> Result<Message, Refused> {
        let payload = request.payload().map_err(Refused::Error)?;
        let message = Message::new(request.kind(), 0, 0, payload);
        let (header, payload) = split(&message)?;
        let conn = *self.own.get_or_insert_with(|| self.server.connect());
        let mut outside = Outside { site, links: &mut self.links };
        let outcome = self.server.handle(&mut outside, conn, &header, payload);
        self.wake_others();
        let Outcome::Reply(reply) = outcome else { return Err(Refused::Later) };
        match split(&reply)? {
            (Header { kind: Kind::ERROR, .. }, [name @ .., 0]) => {
                Err(Refused::Error(XsError::from_name(name).unwrap_or(XsError::EIO)))
            }
            _ => Ok(reply),
        }
    }
}

fn split(message: &Message) -> Result<(Header, &[u8]), Refused> {
    let header = message.as_bytes().first_chunk().and_then(|bytes| Header::parse(*bytes).ok());
    Ok((header.ok_or(Refused::Error(XsError::EIO))?, message.payload()))
}

/// The streams of a place that has none.
#[derive(Clone, Copy, Debug)]
pub enum NoStream {}

impl ErrorType for NoStream {
    type Error = ErrorKind;
}

impl Read for NoStream {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        match *self {}
    }
}

impl ReadReady for NoStream {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        match *self {}
    }
}

impl Write for NoStream {
    fn write(&mut self, _: &[u8]) -> Result<usize, ErrorKind> {
        match *self {}
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        match *self {}
    }
}

impl WriteReady for NoStream {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        match *self {}
    }
}
