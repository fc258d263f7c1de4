//! A client on a stream that blocks.

use alloc::vec::Vec;

use embedded_io::{Read, Write};

use super::{Client, ClientError, Misbehaviour, Nodes, WatchEvent};
use crate::hyper::DomId;
use crate::store::transport::StreamError;
use crate::store::wire::{Kind, Reader, Request, XsError};

/// How often a transaction is begun before its conflicts are reported to the caller.
const TRANSACTION_ATTEMPTS: u32 = 100;

/// One connection; each call sends a request and waits for its answer.
#[derive(Debug)]
pub struct Session<S> {
    client: Client,
    stream: S,
}

impl<S: Read + Write> Session<S> {
    /// Speaks over `stream`.
    pub fn new(stream: S) -> Self {
        Self { client: Client::new(), stream }
    }

    /// What it speaks over, to be waited for.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Nodes outside of any transaction.
    pub fn nodes(&mut self) -> Nodes<'_, S> {
        Nodes::new(self, 0)
    }

    /// Runs `work` in a transaction and commits it; all of it again, with a fresh view, while others interfere.
    ///
    /// # Errors
    /// What `work` returned (nothing is then changed), or [`XsError::EAGAIN`] when the interference has no end.
    pub fn transaction<R>(
        &mut self,
        mut work: impl FnMut(&mut Nodes<'_, S>) -> Result<R, ClientError<S::Error>>,
    ) -> Result<R, ClientError<S::Error>> {
        for _ in 0..TRANSACTION_ATTEMPTS {
            let tx_id = self.start()?;
            let outcome = work(&mut Nodes::new(self, tx_id));
            let ended = self.acknowledged(tx_id, &Request::TransactionEnd { commit: outcome.is_ok() });
            match (outcome, ended) {
                (Ok(result), Ok(())) => return Ok(result),
                (Ok(_), Err(ClientError::Refused(XsError::EAGAIN))) => {}
                (Ok(_), Err(error)) | (Err(error), _) => return Err(error),
            }
        }
        Err(ClientError::Refused(XsError::EAGAIN))
    }

    /// Asks for events of `path` and all below it.
    ///
    /// # Errors
    /// As the server decides.
    pub fn watch(&mut self, path: &[u8], token: &[u8]) -> Result<(), ClientError<S::Error>> {
        self.acknowledged(0, &Request::Watch { path, token, depth: None })
    }

    /// Stops them.
    ///
    /// # Errors
    /// As the server decides.
    pub fn unwatch(&mut self, path: &[u8], token: &[u8]) -> Result<(), ClientError<S::Error>> {
        self.acknowledged(0, &Request::Unwatch { path, token })
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// When the connection is over.
    pub fn next_event(&mut self) -> Result<WatchEvent, ClientError<S::Error>> {
        loop {
            if let Some(event) = self.client.event() {
                return Ok(event);
            }
            self.receive()?;
        }
    }

    /// The event that came with earlier answers, if one did. Does not wait.
    pub fn pending_event(&mut self) -> Option<WatchEvent> {
        self.client.event()
    }

    /// Where a domain's relative paths start.
    ///
    /// # Errors
    /// As the server decides.
    pub fn domain_path(&mut self, domid: DomId) -> Result<Vec<u8>, ClientError<S::Error>> {
        let request = Request::GetDomainPath { domid };
        let payload = self.call(0, &request)?;
        let path = Reader::new(&payload).strings().at_least().map(|[path]| path.to_vec());
        Ok(path.ok_or(Misbehaviour::Malformed(request.kind()))?)
    }

    /// Sends any request in the transaction `tx_id`, or outside of one with 0, and waits for its answer.
    ///
    /// # Errors
    /// As the server decides.
    pub fn call(&mut self, tx_id: u32, request: &Request<'_>) -> Result<Vec<u8>, ClientError<S::Error>> {
        let ticket = self.client.ask(tx_id, request).map_err(ClientError::Unsendable)?;
        self.send()?;
        loop {
            if let Some(answer) = self.client.answer(ticket) {
                return answer.map_err(ClientError::Refused);
            }
            self.receive()?;
        }
    }

    /// Sends a request whose answer is only that it was done.
    pub(super) fn acknowledged(
        &mut self,
        tx_id: u32,
        request: &Request<'_>,
    ) -> Result<(), ClientError<S::Error>> {
        match self.call(tx_id, request)?.as_slice() {
            b"OK\0" => Ok(()),
            _ => Err(Misbehaviour::Malformed(request.kind()).into()),
        }
    }

    fn start(&mut self) -> Result<u32, ClientError<S::Error>> {
        let payload = self.call(0, &Request::TransactionStart)?;
        let digits = payload.strip_suffix(b"\0").and_then(|digits| core::str::from_utf8(digits).ok());
        let tx_id = digits.and_then(|digits| digits.parse().ok()).filter(|tx_id| *tx_id != 0);
        Ok(tx_id.ok_or(Misbehaviour::Malformed(Kind::TRANSACTION_START))?)
    }

    fn send(&mut self) -> Result<(), ClientError<S::Error>> {
        while !self.client.output().is_empty() {
            let bytes = self.stream.write(self.client.output()).map_err(StreamError::Io)?;
            if bytes == 0 {
                return Err(StreamError::Closed.into());
            }
            self.client.wrote(bytes);
        }
        Ok(self.stream.flush().map_err(StreamError::Io)?)
    }

    fn receive(&mut self) -> Result<(), ClientError<S::Error>> {
        let bytes = self.stream.read(self.client.input()).map_err(StreamError::Io)?;
        if bytes == 0 {
            return Err(StreamError::Closed.into());
        }
        self.client.filled(bytes)
    }
}
