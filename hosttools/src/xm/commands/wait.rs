//! `wait`: until a domain is what a person wants it to be.

use std::time::Duration;

use xendless_core::hyper::{DomainFlags, ShutdownReason};
use xendless_core::protocol::{Failure, Happening, Row, What};

use super::events::is_about;
use super::target::not_started;
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::listener::Listener;
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, find};
use crate::xm::table::Outcome;
use crate::xm::timer::Timer;

/// What a domain is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Created,
    Booted,
    Running,
    Paused,
    Shutdown,
    Crashed,
    Gone,
}

const WORDS: [(&str, Wanted); 7] = [
    ("created", Wanted::Created),
    ("booted", Wanted::Booted),
    ("running", Wanted::Running),
    ("paused", Wanted::Paused),
    ("shutdown", Wanted::Shutdown),
    ("crashed", Wanted::Crashed),
    ("gone", Wanted::Gone),
];

/// `wait`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let [domain, word] = given.operands.as_slice() else {
        return Err(Error::Usage("Expects 2 arguments".to_owned()));
    };
    let Some((_, wanted)) = WORDS.iter().find(|(known, _)| known == word) else {
        let known = WORDS.map(|(known, _)| known).join(", ");
        return Err(Error::Usage(format!("'{}' is none of {known}", Shown(word))));
    };
    let limit = time_limit(given)?;
    let mut listener = Listener::to_new(session)?;
    let mut client = session.connect()?;
    let Some(mut subject) = Subject::now(&mut client, domain, *wanted)? else { return Ok(0) };
    loop {
        let Some(happening) = listener.next(limit.as_ref())? else {
            let seconds = given.value("timeout").unwrap_or_default();
            let text = format!("Domain '{}' is not {word} after {seconds} seconds.", Shown(domain));
            return Err(Error::Plain(text));
        };
        if matches!(happening.what, What::Missed { .. }) {
            match Subject::now(&mut client, domain, *wanted)? {
                Some(now) => subject = now,
                None => return Ok(0),
            }
        } else if subject.is_reached(&happening, *wanted)? {
            return Ok(0);
        }
    }
}

/// Who is waited for.
struct Subject<'a> {
    domain: &'a str,
    /// The UUID, which stays when domain ids and names change; none while there is no such domain.
    uuid: Option<[u8; 16]>,
}

impl<'a> Subject<'a> {
    /// Looks at the domain; `None` when it is what is wanted.
    fn now(client: &mut Client, domain: &'a str, wanted: Wanted) -> Result<Option<Self>, Error> {
        let row = match find(client, domain) {
            Ok(row) => Some(row),
            Err(client::Error::Failed(Failure::NoSuchDomain | Failure::NotRunning)) => None,
            Err(error) => return Err(error.into()),
        };
        match (row, wanted) {
            (Some(row), _) if is(&row, wanted) => Ok(None),
            (Some(row), _) => Ok(Some(Self { domain, uuid: Some(row.uuid) })),
            (None, Wanted::Gone) => Ok(None),
            // It will not stop before it runs, and to wait for that is another wish.
            (None, Wanted::Shutdown | Wanted::Crashed) => {
                let missing = client::Error::Failed(Failure::NoSuchDomain);
                Err(explain(client, domain, missing, &not_started(domain)))
            }
            (None, _) => Ok(Some(Self { domain, uuid: None })),
        }
    }

    /// Whether this makes the domain what is wanted.
    fn is_reached(&mut self, happening: &Happening, wanted: Wanted) -> Result<bool, Error> {
        let about = match self.uuid {
            Some(uuid) => uuid == happening.uuid,
            None => is_about(happening, self.domain),
        };
        if !about {
            return Ok(false);
        }
        self.uuid = Some(happening.uuid);
        let domain = Shown(self.domain);
        match &happening.what {
            What::Failed { why } => {
                Err(Error::Plain(format!("Domain '{domain}' did not start: {}", Shown(why))))
            }
            What::Gone if matches!(wanted, Wanted::Shutdown | Wanted::Crashed) => {
                Err(Error::Plain(format!("Domain '{domain}' was destroyed.")))
            }
            What::Created => Ok(matches!(wanted, Wanted::Created | Wanted::Running)),
            What::Booted => Ok(wanted == Wanted::Booted),
            What::Paused => Ok(wanted == Wanted::Paused),
            What::Unpaused | What::Resumed => Ok(wanted == Wanted::Running),
            What::Stopped { reason } => Ok(match wanted {
                Wanted::Shutdown => true,
                Wanted::Crashed => ShutdownReason::from_code(*reason) == ShutdownReason::Crash,
                _ => false,
            }),
            What::Gone => Ok(wanted == Wanted::Gone),
            What::Renamed { .. } | What::Device { .. } | What::Now | What::Missed { .. } => Ok(false),
        }
    }
}

/// Whether a domain is that now.
fn is(row: &Row, wanted: Wanted) -> bool {
    let flags = row.flags();
    let stopped = flags.contains(DomainFlags::SHUTDOWN);
    match wanted {
        Wanted::Created => true,
        Wanted::Booted => row.booted,
        Wanted::Paused => flags.contains(DomainFlags::PAUSED),
        Wanted::Running => {
            !flags.intersects(DomainFlags::PAUSED | DomainFlags::SHUTDOWN | DomainFlags::DYING)
        }
        Wanted::Shutdown => stopped,
        Wanted::Crashed => {
            stopped && row.shutdown.map(ShutdownReason::from_code) == Some(ShutdownReason::Crash)
        }
        Wanted::Gone => false,
    }
}

/// The time that was given to wait, from now on.
pub(super) fn time_limit(given: &Given) -> Result<Option<Timer>, Error> {
    let Some(seconds) = given.value("timeout") else { return Ok(None) };
    Timer::start(Duration::from_secs(number(seconds, "timeout")?)).map(Some)
}

/// A whole number of an option.
pub(super) fn number(word: &str, option: &str) -> Result<u64, Error> {
    word.parse().map_err(|_| Error::Usage(format!("option --{option} takes a number, not '{}'", Shown(word))))
}
