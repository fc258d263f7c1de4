//! Who asks the control domain for something: a connection to `xmd`, which passes it on.
//!
//! It speaks [`xendless_core::protocol`] over a unix socket and waits for answers in `poll`, so that a caller can
//! wait for other things at the same time: a terminal, a signal. It needs no threads.
#![forbid(unsafe_code)]

mod error;
mod wire;

use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use xendless_core::protocol::{Answer, Down, Failure, File, Hello, Request, RequestId, Up, Welcome};

pub use self::error::Error;
use self::wire::Wire;
pub use self::wire::Woken;

/// Where `xmd` listens when nothing else is said.
pub const SOCKET: &str = "/run/xendless/xmd.sock";

/// A connection.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    /// The answer to the hello, once it was read.
    welcome: Option<Welcome>,
    last: u32,
}

/// What a message says about the request that it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// This file's bytes are to come as the stream upwards.
    Want(File),
    /// More of the stream downwards.
    Data(&'a [u8]),
    /// So many more bytes may go upwards.
    Credit(u32),
    /// The end of the request.
    Answer(Result<Answer<'a>, Failure>),
}

impl Client {
    /// Connects to the socket at `path` and says hello. What comes back is read when something else is waited for, so
    /// that a request can follow at once.
    ///
    /// # Errors
    ///
    /// When nobody listens there.
    pub fn connect(path: &Path) -> Result<Self, Error> {
        Self::over(UnixStream::connect(path).map_err(Error::Connect)?)
    }

    /// Says hello on a connected socket, likewise.
    ///
    /// # Errors
    ///
    /// When the socket does not work.
    pub fn over(socket: UnixStream) -> Result<Self, Error> {
        let mut wire = Wire::new(socket).map_err(Error::Connect)?;
        wire.queue(&Up::Hello(Hello::OURS))?;
        Ok(Self { wire, welcome: None, last: 0 })
    }

    /// Who this is to the control domain, and what it may do.
    ///
    /// # Errors
    ///
    /// When whoever is at the other end will not talk.
    pub fn welcome(&mut self) -> Result<Welcome, Error> {
        match self.welcome {
            Some(welcome) => Ok(welcome),
            None => {
                self.wire.receive().map_err(refused)?;
                self.greeted()
            }
        }
    }

    /// Takes the message that came as the answer to the hello.
    fn greeted(&mut self) -> Result<Welcome, Error> {
        match self.wire.message()? {
            Down::Welcome(welcome) => Ok(*self.welcome.insert(welcome)),
            Down::Closed(rejection) => Err(Error::Rejected(rejection)),
            _ => Err(Error::Unexpected),
        }
    }

    /// Asks for something that has no streams, and waits for the answer.
    ///
    /// # Errors
    ///
    /// When it is refused, or the connection fails.
    pub fn ask(&mut self, request: Request<'_>) -> Result<Answer<'_>, Error> {
        let id = self.start(request)?;
        match self.next(id)? {
            Event::Answer(result) => result.map_err(Error::Failed),
            _ => Err(Error::Unexpected),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn start(&mut self, request: Request<'_>) -> Result<RequestId, Error> {
        let id = self.queue(request)?;
        self.wire.flush()?;
        Ok(id)
    }

    /// Asks for something together with what is asked or waited for next.
    ///
    /// # Errors
    ///
    /// When the request is too long.
    pub fn queue(&mut self, request: Request<'_>) -> Result<RequestId, Error> {
        self.last = self.last.wrapping_add(1);
        let id = RequestId(self.last);
        self.wire.queue(&Up::Request { id, request })?;
        Ok(id)
    }

    /// Waits for the next message about request `id`. Those about others are dropped.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn next(&mut self, id: RequestId) -> Result<Event<'_>, Error> {
        loop {
            self.receive()?;
            if subject(&self.wire.message()?)? == id {
                break;
            }
        }
        Ok(event(self.wire.message()?)?.1)
    }

    /// Waits for the next message about any request.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn next_of_any(&mut self) -> Result<(RequestId, Event<'_>), Error> {
        self.receive()?;
        event(self.wire.message()?)
    }

    /// Waits for the next message about a request.
    fn receive(&mut self) -> Result<(), Error> {
        self.welcome()?;
        self.wire.receive()
    }

    /// Waits until there is a message, or `room` is wanted and there is some for more data, or one of `others` can be
    /// read. Tells which.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn wait<const N: usize>(
        &mut self,
        others: [Option<BorrowedFd<'_>>; N],
        room: bool,
    ) -> Result<Woken<N>, Error> {
        while self.welcome.is_none() {
            let mut woken = self.wire.wait(others, room).map_err(refused)?;
            if std::mem::take(&mut woken.message) {
                self.greeted()?;
                self.wire.taken();
            }
            if woken.room || woken.others.contains(&true) {
                return Ok(woken);
            }
        }
        self.wire.wait(others, room)
    }

    /// Sends more of the stream upwards: at most [`xendless_core::protocol::CHUNK`] bytes, within the credit.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn data(&mut self, id: RequestId, bytes: &[u8]) -> Result<(), Error> {
        self.wire.send(&Up::Data { id, bytes })
    }

    /// Takes so many more bytes of the stream downwards.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn credit(&mut self, id: RequestId, bytes: u32) -> Result<(), Error> {
        self.wire.send(&Up::Credit { id, bytes })
    }

    /// Wants a request to end. Its answer still comes.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn cancel(&mut self, id: RequestId) -> Result<(), Error> {
        self.wire.send(&Up::Cancel { id })
    }
}

/// An error before there was any answer.
fn refused(error: Error) -> Error {
    match error {
        Error::Closed => Error::Refused,
        other => other,
    }
}

/// Which request a message is about.
fn subject(message: &Down<'_>) -> Result<RequestId, Error> {
    match message {
        Down::Want { id, .. } | Down::Data { id, .. } | Down::Credit { id, .. } | Down::Answer { id, .. } => {
            Ok(*id)
        }
        Down::Closed(rejection) => Err(Error::Rejected(*rejection)),
        Down::Welcome(_) => Err(Error::Unexpected),
    }
}

fn event(message: Down<'_>) -> Result<(RequestId, Event<'_>), Error> {
    let id = subject(&message)?;
    let event = match message {
        Down::Want { file, .. } => Event::Want(file),
        Down::Data { bytes, .. } => Event::Data(bytes),
        Down::Credit { bytes, .. } => Event::Credit(bytes),
        Down::Answer { result, .. } => Event::Answer(result),
        Down::Welcome(_) | Down::Closed(_) => return Err(Error::Unexpected),
    };
    Ok((id, event))
}
