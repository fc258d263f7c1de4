//! The way to the receiving side: a program whose standard input and output it is.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::super::stream::Sink;
use super::message::{GREETING, Message};
use super::wait::{Patient, signalled};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::signals::Signals;

/// The variable that says which program takes a command to another host, with words of its own.
const PROGRAM: &str = "XM_RSH";

/// What is carried out at the other host.
const COMMAND: [&str; 2] = ["xm", "migrate-receive"];

/// Runs a program that the keys of a terminal do not end: it is needed until the domain is in one place only.
const SHIELD: &str = "command -v \"$1\" >/dev/null || exit 127; trap '' HUP INT QUIT TERM; exec \"$@\"";

/// Seconds without anything from the other side while the domain stands still. A backend there may take 100 to connect.
const PATIENCE: i64 = 120;

/// How often, and after how long each time, it is looked whether the program has ended.
const LOOKS: (u32, Duration) = (200, Duration::from_millis(10));

/// A conversation with the receiving side.
#[derive(Debug)]
pub(super) struct Link {
    host: String,
    program: String,
    child: Child,
    to: Option<ChildStdin>,
    from: Patient<ChildStdout>,
    /// The domain was made there.
    ready: bool,
}

impl Link {
    /// Has the receiving side started, and hears its greeting.
    pub(super) fn open(host: &str) -> Result<Self, Error> {
        let words = std::env::var(PROGRAM).unwrap_or_default();
        let mut words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            words.push("ssh");
        }
        let program = words.first().copied().unwrap_or_default().to_owned();
        let failed = |error: io::Error| Error::Plain(format!("can't connect: {}", reason(&error)));
        let signals = Signals::catch().map_err(failed)?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(SHIELD).arg("sh").args(words).arg(host).args(COMMAND);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(ErrorKind::BrokenPipe.into()));
        };
        let from = Patient::new(from, signals);
        let mut link = Self { host: host.to_owned(), program, child, to: Some(to), from, ready: false };
        if let Some(to) = &link.to {
            rustix::io::ioctl_fionbio(to, true).map_err(|error| failed(error.into()))?;
        }
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
                return Err(Error::Plain(format!("can't connect: {}", self.end())));
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

    /// How the program ended before it said anything.
    fn end(&mut self) -> String {
        let status = self.leave().and_then(|status| status.code());
        let program = Shown(&self.program);
        match status {
            Some(127) => format!("there is no program {program}, or no xm at {}", Shown(&self.host)),
            Some(code) => format!("{program} ended with status {code}"),
            None => format!("{program} ended"),
        }
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
        if self.ready {
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
        if self.ready {
            format!("; {} may have it as well, paused", Shown(&self.host))
        } else {
            String::new()
        }
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

    /// Ends the conversation, and waits a moment for the program to end by itself.
    fn leave(&mut self) -> Option<std::process::ExitStatus> {
        self.to = None;
        let (times, pause) = LOOKS;
        for _ in 0..times {
            match self.child.try_wait() {
                Ok(None) => sleep(pause),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.leave();
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
        self.expect(&Message::Ready)?;
        self.ready = true;
        Ok(())
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
