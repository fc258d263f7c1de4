//! Somebody who listens to what happens to domains.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Happening, Request, RequestId, What};

use super::error::Error;
use super::session::Session;
use super::timer::Timer;
use crate::client::{self, Client, Event};

/// Bytes that may be on their way at once.
const WINDOW: u32 = 32 << 10;

/// A connection of its own, over which nothing else is asked.
pub(super) struct Listener {
    client: Client,
    request: RequestId,
    coming: Assembler,
    come: VecDeque<Happening>,
}

impl Listener {
    /// Begins with all that is known of the past.
    ///
    /// # Errors
    ///
    /// When it does not come to a connection.
    pub(super) fn to_all(session: &Session) -> Result<Self, Error> {
        Self::begin(session, Some(0))
    }

    /// Begins now. Whatever is looked at afterwards and changes then, is told.
    ///
    /// # Errors
    ///
    /// When it does not come to a connection, or it is refused.
    pub(super) fn to_new(session: &Session) -> Result<Self, Error> {
        let mut listener = Self::begin(session, None)?;
        while listener.next(None)?.is_some_and(|happening| happening.what != What::Now) {}
        Ok(listener)
    }

    fn begin(session: &Session, after: Option<u64>) -> Result<Self, Error> {
        let mut client = session.connect()?;
        let request = client.start(Request::Events { after })?;
        client.credit(request, WINDOW)?;
        Ok(Self { client, request, coming: Assembler::default(), come: VecDeque::new() })
    }

    /// Whether nothing that came is left to be looked at.
    pub(super) fn is_idle(&self) -> bool {
        self.come.is_empty()
    }

    /// Waits for what happens next; `None` when the time is over.
    ///
    /// # Errors
    ///
    /// When nothing more will be told.
    pub(super) fn next(&mut self, limit: Option<&Timer>) -> Result<Option<Happening>, Error> {
        loop {
            if let Some(happening) = self.come.pop_front() {
                return Ok(Some(happening));
            }
            let woken = self.client.wait([limit.map(AsFd::as_fd)], false)?;
            if !woken.message {
                return Ok(None);
            }
            match self.client.next(self.request)? {
                Event::Data(bytes) => {
                    let used = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    self.coming.take_all(bytes, |body| -> Result<(), client::Error> {
                        self.come.push_back(frame::parse(body)?);
                        Ok(())
                    })?;
                    self.client.credit(self.request, used)?;
                }
                Event::Answer(Err(failure)) => return Err(failure.into()),
                Event::Answer(Ok(_)) | Event::Want(_) | Event::Credit(_) => {
                    return Err(client::Error::Unexpected.into());
                }
            }
        }
    }
}
