//! `dump-core`.

mod elf;
mod place;
mod segments;
mod stream;
mod walk;

use std::io::Write;
use std::os::fd::AsFd;

use xendless_core::protocol::resources::Adjust;
use xendless_core::protocol::{Failure, Host, Request, RequestId, Row};

use self::elf::Core;
use self::place::Place;
use self::stream::Stream;
use super::target::not_started;
use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, find, host, is_control};
use crate::xm::signals::{Signals, status};
use crate::xm::table::Outcome;

/// Bytes that may be on their way at once.
const WINDOW: u32 = 256 << 10;

/// What becomes of the domain when all of it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    /// It goes on.
    Life,
    /// It is destroyed.
    Crash,
    /// It gets another life.
    Reset,
}

impl After {
    /// What is asked for, of this domain.
    const fn request(self, domain: &str) -> Option<Request<'_>> {
        match self {
            Self::Life => None,
            Self::Crash => Some(Request::Destroy { domain }),
            Self::Reset => Some(Request::Adjust { domain, what: Adjust::Reset }),
        }
    }
}

/// `dump-core`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    if given.has("crash") && given.has("reset") {
        return Err(Error::Option("You may not specify more than one '-CR' option".to_owned()));
    }
    let (domain, file) = match given.operands.as_slice() {
        [domain] => (domain, None),
        [domain, file] => (domain, Some(file.as_str())),
        _ => return Err(Error::Option("Expects 1 or 2 argument(s)".to_owned())),
    };
    let after = match (given.has("crash"), given.has("reset")) {
        (true, _) => After::Crash,
        (false, true) => After::Reset,
        (false, false) => After::Life,
    };
    session.out.line(format_args!("Dumping core of domain: {} ...", Shown(domain)))?;
    session.out.flush()?;
    if is_control(domain) {
        return Err(Error::Usage(format!("Cannot dump core for privileged domain {domain}")));
    }
    let mut client = session.connect()?;
    let row = match find(&mut client, domain) {
        Ok(row) => row,
        Err(error) => return Err(explain(&mut client, domain, error, &not_started(domain))),
    };
    let host = host(&mut client)?;
    let place = match file {
        Some(file) => Place::named(file)?,
        None => Place::usual(&row)?,
    };
    dump(&mut client, &row, &host, &place, given.has("live"), after)?;
    if file.is_none() {
        session.out.line(format_args!("Dumped core to {}", Shown(&place.shown())))?;
    }
    Ok(0)
}

fn failed(error: &std::io::Error) -> Error {
    Error::Usage(format!("Failed to dump core: {}", reason(error)))
}

/// Writes the file. When that fails, or the user says stop, what there is of it is named so.
fn dump(
    client: &mut Client,
    row: &Row,
    host: &Host,
    place: &Place,
    live: bool,
    after: After,
) -> Result<(), Error> {
    let domain = row.domid.to_string();
    let mut signals = Signals::catch().map_err(|error| failed(&error))?;
    let file = place.create().map_err(|error| failed(&error))?;
    let mut core = Core::new(file);
    // Nothing of what was read may change before it ends.
    let next = after.request(&domain);
    let hold = next.is_some();
    let outcome = client.start(Request::Dump { domain: &domain, live, hold }).map_err(Error::from);
    let outcome = outcome.and_then(|id| {
        receive(client, id, &mut core, &mut signals, hold)?;
        core.finish(host).map_err(|error| failed(&error))
    });
    outcome.inspect_err(|_| place.give_up())?;
    // The file is whole, whatever comes of the rest.
    next.map_or(Ok(()), |request| client.ask(request).map(drop).map_err(Error::from))
}

/// Takes all pieces. With `hold` the domain is then still as it was dumped.
fn receive(
    client: &mut Client,
    id: RequestId,
    core: &mut Core,
    signals: &mut Signals,
    hold: bool,
) -> Result<(), Error> {
    client.credit(id, WINDOW)?;
    let mut stream = Stream::default();
    let mut stopped: Option<Error> = None;
    loop {
        let woken = client.wait([Some(signals.as_fd())], false)?;
        if woken.others == [true]
            && let Some(signal) = signals.take()
        {
            let again = stopped.is_some();
            stopped = Some(Error::Silent(status(signal)));
            if again {
                // The answer does not come. Closing the connection ends the request as well.
                return stopped.map_or(Ok(()), Err);
            }
            client.cancel(id)?;
        }
        if !woken.message {
            continue;
        }
        let mut wrong = None;
        let used = match client.next(id)? {
            Event::Data(bytes) if stopped.is_none() => {
                wrong = stream.take(bytes, |piece, body| core.take(piece, body)).err();
                u32::try_from(bytes.len()).unwrap_or(u32::MAX)
            }
            Event::Data(_) => 0,
            Event::Answer(result) => return end(result.map(drop), stopped, stream.ended()),
            Event::Want(_) | Event::Credit(_) => return Err(client::Error::Unexpected.into()),
        };
        if let Some(error) = wrong {
            client.cancel(id)?;
            stopped = Some(failed(&error));
        } else if hold && stream.ended() {
            return Ok(());
        } else if used > 0 {
            client.credit(id, used)?;
        }
    }
}

/// The end of the request: the domain goes on, unless it is gone.
fn end(result: Result<(), Failure>, stopped: Option<Error>, complete: bool) -> Result<(), Error> {
    match (stopped, result) {
        (Some(error), _) => Err(error),
        (None, Ok(())) if complete => Ok(()),
        (None, Ok(())) => Err(client::Error::Unexpected.into()),
        (None, Err(Failure::NotRunning | Failure::NoSuchDomain)) => {
            Err(Error::Usage("Failed to dump core: the domain is gone".to_owned()))
        }
        (None, Err(failure)) => Err(failure.into()),
    }
}
