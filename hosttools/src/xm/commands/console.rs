//! `console`: a domain's console on this terminal.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use xendless_core::protocol::{CHUNK, Request};

use super::target::not_started;
use crate::client::{self, Client, Event};
use crate::xm::error::{Error, FAILED};
use crate::xm::options::Given;
use crate::xm::session::{Session, explain};
use crate::xm::signals::{Signals, status};
use crate::xm::table::Outcome;
use crate::xm::terminal::Raw;
use crate::xm::timer::Timer;

/// Bytes of output that may be on their way at once.
const WINDOW: u32 = 64 << 10;
/// How long whoever leaves waits at most for what was typed to arrive.
const PARTING: Duration = Duration::from_secs(2);
/// The byte of Ctrl-].
const LEAVE: u8 = 0x1d;
/// What `xenconsole` answered for the domain that it ran in.
const INVALID: u8 = 22;

/// `console`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let outcome = open(session, given);
    match outcome {
        Err(Error::Usage(_) | Error::Plain(_)) if given.has("quiet") => Err(Error::Silent(FAILED)),
        other => other,
    }
}

fn open(session: &mut Session, given: &Given) -> Outcome {
    let Some(domain) = given.operands.first() else {
        return Err(Error::Usage("No domain given".to_owned()));
    };
    if crate::xm::session::is_control(domain) {
        return Err(Error::Status("Can't specify Domain-0".to_owned(), INVALID));
    }
    // Only the first character counted.
    if given.value("num").is_some_and(|number| !number.starts_with('0')) {
        return Err(Error::Plain("Domains have one console, number 0.".to_owned()));
    }
    let mut client = session.connect()?;
    attach(session, &mut client, domain, false)
}

/// Joins this terminal to a domain's console until one of them ends. The terminal is then as it was. A domain that is
/// to be woken is paused until someone looks.
pub(super) fn attach(session: &mut Session, client: &mut Client, domain: &str, wake: bool) -> Outcome {
    session.out.flush()?;
    let mut signals = Signals::catch().map_err(|error| Error::Plain(error.to_string()))?;
    let id = client.start(Request::Console { domain })?;
    client.credit(id, WINDOW)?;
    if wake {
        // Its answer is of no interest: a domain that does not go on shows so.
        client.start(Request::Unpause { domain })?;
    }
    let mut line = Line { id, credit: 0, input_open: true };
    let raw = Raw::enter().map_err(|error| Error::Plain(error.to_string()))?;
    let outcome = line.run(client, &mut signals);
    if raw.is_some() && io::stdout().is_terminal() {
        // The prompt that follows gets a line of its own.
        let _ = io::stdout().write_all(b"\r\n");
    }
    drop(raw);
    match outcome {
        Ok(End::Left | End::Over) => Ok(0),
        Ok(End::Signal(signal)) => Err(Error::Silent(status(signal))),
        Err(Error::Client(error @ client::Error::Failed(_))) => {
            Err(explain(client, domain, error, &not_started(domain)))
        }
        Err(error) => Err(error),
    }
}

/// Why a session ended.
enum End {
    /// Ctrl-].
    Left,
    /// The console is gone.
    Over,
    Signal(u8),
}

/// The console's side of a session.
struct Line {
    id: xendless_core::protocol::RequestId,
    /// Bytes that may still be sent.
    credit: usize,
    /// Input has not ended. When it has, output still goes on.
    input_open: bool,
}

impl Line {
    fn run(&mut self, client: &mut Client, signals: &mut Signals) -> Result<End, Error> {
        let stdin = io::stdin();
        loop {
            let input = (self.input_open && self.credit > 0).then(|| stdin.as_fd());
            let woken = client.wait([input, Some(signals.as_fd())], false)?;
            let [typed, signalled] = woken.others;
            if signalled && let Some(signal) = signals.take() {
                return Ok(End::Signal(signal));
            }
            if woken.message && self.output(client)? {
                return Ok(End::Over);
            }
            if typed && self.input(client)? {
                // Whoever leaves has left, whatever the connection does.
                let _ = self.leave(client, signals);
                return Ok(End::Left);
            }
        }
    }

    /// Waits until what was typed has arrived, for a moment at most. A connection that is closed while output is on its way
    /// loses what was sent last.
    fn leave(&self, client: &mut Client, signals: &Signals) -> Result<(), Error> {
        client.cancel(self.id)?;
        let limit = Timer::start(PARTING)?;
        loop {
            let woken = client.wait([Some(limit.as_fd()), Some(signals.as_fd())], false)?;
            if woken.others.contains(&true) {
                return Ok(());
            }
            if woken.message && matches!(client.next_of_any()?, (id, Event::Answer(_)) if id == self.id) {
                return Ok(());
            }
        }
    }

    /// Shows what came. Whether that was the end.
    fn output(&mut self, client: &mut Client) -> Result<bool, Error> {
        let (id, event) = client.next_of_any()?;
        if id != self.id {
            return Ok(false);
        }
        let shown = match event {
            Event::Data(bytes) => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())?;
                u32::try_from(bytes.len()).unwrap_or(u32::MAX)
            }
            Event::Credit(bytes) => {
                self.credit = self.credit.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
                0
            }
            Event::Answer(Ok(_)) => return Ok(true),
            Event::Answer(Err(failure)) => return Err(Error::Client(client::Error::Failed(failure))),
            Event::Want(_) => return Err(client::Error::Unexpected.into()),
        };
        if shown > 0 {
            client.credit(self.id, shown)?;
        }
        Ok(false)
    }

    /// Sends what was typed. Whether Ctrl-] was among it.
    fn input(&mut self, client: &mut Client) -> Result<bool, Error> {
        let mut typed = [0; CHUNK];
        let room = self.credit.min(typed.len());
        let count = match rustix::io::read(io::stdin(), typed.get_mut(..room).unwrap_or_default()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => return Ok(false),
            // A terminal that is gone gives an error, not an end.
            Err(_) => 0,
        };
        self.input_open = count > 0;
        let typed = typed.get(..count).unwrap_or_default();
        let sent = typed.split(|byte| *byte == LEAVE).next().unwrap_or_default();
        if !sent.is_empty() {
            client.data(self.id, sent)?;
            self.credit = self.credit.saturating_sub(sent.len());
        }
        Ok(sent.len() < typed.len())
    }
}
