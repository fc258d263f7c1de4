//! What is said to the receiving side, and heard from it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStdin, ChildStdout};

use super::super::stream::Sink;
use super::message::{GREETING, Message};
use super::program::Program;
use super::wait::{Patient, signalled};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::signals::Signals;

/// Seconds without anything from the other side while the domain stands still. A backend there may take 100 to connect.
const PATIENCE: i64 = 120;

/// A conversation with the receiving side.
#[derive(Debug)]
pub(super) struct Link {
    host: String,
    /// None when nothing more is said. It ends before the program is waited for.
    to: Option<ChildStdin>,
    from: Patient<ChildStdout>,
    program: Program,
    /// All of the domain is there, so that it may have been made.
    sent: bool,
}

impl Link {
    /// Has the receiving side started, and hears its greeting.
    pub(super) fn open(host: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Plain(format!("can't connect: {}", reason(&error)));
        let signals = Signals::catch().map_err(failed)?;
        let (program, to, from) = Program::start(host).map_err(failed)?;
        let from = Patient::new(from, signals);
        let mut link = Self { host: host.to_owned(), to: Some(to), from, program, sent: false };
        link.greeting()?;
        Ok(link)
    }

    /// Hears the greeting; what is said in place of it is shown.
    fn greeting(&mut self) -> Result<(), Error> {
        let mut heard = Vec::new();
        while heard != GREETING {
            let mut bytes = [0; 100];
            let count = self.from.read(&mut bytes).map_err(|error| self.broken(&error))?;
            heard.extend_from_slice(bytes.get(..count).unwrap_or_default());
            if count == 0 {
                self.to = None;
                return Err(Error::Plain(format!("can't connect: {}", self.program.ended(&self.host))));
            }
            if !GREETING.starts_with(&heard) {
                let heard = String::from_utf8_lossy(&heard);
                let line = Shown(heard.lines().next().unwrap_or_default());
                let text = format!("can't connect: '{line}' came in place of a greeting");
                return Err(Error::Plain(text));
            }
        }
        Ok(())
    }

    /// Says something.
    pub(super) fn say(&mut self, message: &Message) -> Result<(), Error> {
        self.write(&message.encode())
    }

    /// Waits until the pieces are wanted. From then on the domain stands still, and nothing is waited for without end.
    pub(super) fn wanted(&mut self) -> Result<(), Error> {
        self.expect(&Message::Want)?;
        self.from.limit(PATIENCE);
        Ok(())
    }

    /// Hears `wanted` and nothing else.
    fn expect(&mut self, wanted: &Message) -> Result<(), Error> {
        let heard = self.hear()?;
        if heard == *wanted { Ok(()) } else { Err(self.garbage()) }
    }

    /// Hears what is said next.
    pub(super) fn hear(&mut self) -> Result<Message, Error> {
        match Message::read(&mut self.from) {
            Ok(Some(Message::Failed(text))) => {
                Err(Error::Plain(format!("{} (from {})", Shown(&text), Shown(&self.host))))
            }
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(self.over()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Forgets the signals that came: from now on they are about something else.
    pub(super) fn forget_signals(&mut self) {
        self.from.forget();
    }

    /// The domain was not taken down: what was made of it there is to go away. Without that it is kept there.
    pub(super) fn abort(&mut self) {
        if self.sent {
            // Whoever is not there any more cannot be told.
            let _ = self.tell(&Message::Abort);
        }
    }

    /// Says something short, whatever signals came and whatever was said meanwhile.
    pub(super) fn tell(&mut self, message: &Message) -> io::Result<()> {
        self.to.as_mut().ok_or(ErrorKind::BrokenPipe)?.write_all(&message.encode())
    }

    /// What to say when nothing more comes, or goes.
    fn over(&self) -> Error {
        let (host, left) = (Shown(&self.host), self.left());
        Error::Plain(format!("The connection to {host} ended: the domain goes on here{left}."))
    }

    /// What may be left there.
    fn left(&self) -> String {
        if self.sent { format!("; {} may have it as well, paused", Shown(&self.host)) } else { String::new() }
    }

    fn broken(&self, error: &io::Error) -> Error {
        match error.kind() {
            ErrorKind::InvalidData => self.garbage(),
            ErrorKind::TimedOut => {
                let (host, left) = (Shown(&self.host), self.left());
                let text =
                    format!("{host} did nothing for {PATIENCE} seconds: the domain goes on here{left}.");
                Error::Plain(text)
            }
            _ => signalled(error).unwrap_or_else(|| self.over()),
        }
    }

    fn garbage(&self) -> Error {
        let host = Shown(&self.host);
        Error::Plain(format!("What {host} says is no part of a migration: the domain goes on here."))
    }

    /// What it says although nothing was asked: a reason to stop.
    fn complaint(&mut self) -> Error {
        self.hear().map_or_else(|error| error, |_| self.garbage())
    }
}

impl Sink for Link {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let Some(to) = &mut self.to else { return Err(self.over()) };
            let (heard, _) = match self.from.ready(Some(to.as_fd())) {
                Ok(ready) => ready,
                Err(error) => return Err(self.broken(&error)),
            };
            if heard {
                return Err(self.complaint());
            }
            match to.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return Err(self.complaint()),
            }
        }
        Ok(())
    }

    fn whole(&mut self) -> Result<(), Error> {
        self.sent = true;
        self.expect(&Message::Ready)
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.say(&Message::Committing)?;
        self.expect(&Message::Committed)
    }

    fn watched(&self) -> Option<BorrowedFd<'_>> {
        Some(self.from.from.as_fd())
    }

    fn heard(&mut self) -> Result<(), Error> {
        Err(self.complaint())
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::Plain(format!("The domain cannot be read: {}", reason(error)))
    }
}
