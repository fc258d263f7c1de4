//! `save`.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, absolute};
use std::time::Duration;

use xendless_core::config::DomainConfig;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Answer, Failure, Request, RequestId, Row};

use super::WRONG_NUMBER;
use super::file::Saving;
use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::commands::target::{Target, target};
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::{Session, is_control};
use crate::xm::signals::{Signals, status};
use crate::xm::table::Outcome;
use crate::xm::timer::Timer;

/// Bytes that may be on their way at once.
const WINDOW: u32 = 256 << 10;

/// How long a domain may take to suspend itself, as ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// `save`.
pub(in crate::xm) fn save(session: &mut Session, given: &Given) -> Outcome {
    let [domain, file] = given.operands.as_slice() else {
        return Err(Error::Usage(WRONG_NUMBER.to_owned()));
    };
    let path = absolute(file).unwrap_or_else(|_| file.into());
    let mut client = session.connect()?;
    let row = running(&mut client, domain, "save")?;
    let saving = Saving::create(&path).map_err(|_| {
        let path = path.to_string_lossy();
        Error::Verbatim(format!("xm save: Unable to create file {}", Shown(&path)))
    })?;
    write(&mut client, &row, &path, saving, given.has("checkpoint"))?;
    Ok(0)
}

/// The domain that `verb` is done to: one that runs and can be told to suspend itself.
pub(super) fn running(client: &mut Client, domain: &str, verb: &str) -> Result<Row, Error> {
    if is_control(domain) {
        return Err(Error::Usage(format!("Cannot {verb} privileged domain {domain}")));
    }
    match target(client, domain)? {
        Target::Running(row) if !row.flags().contains(DomainFlags::PAUSED) => Ok(row),
        Target::Running(_) | Target::Defined(_) => Err(Error::Usage("Domain is not running".to_owned())),
    }
}

/// Saves a domain to a file. When that comes to nothing the domain goes on, and there is no file.
pub(super) fn write(
    client: &mut Client,
    row: &Row,
    path: &Path,
    mut saving: Saving,
    keep: bool,
) -> Result<(), Error> {
    let domain = row.domid.to_string();
    let failed = |error: &io::Error| unwritable(path, error);
    let mut signals = Signals::catch().map_err(|error| failed(&error))?;
    let timer = Timer::start(PATIENCE)?;
    match client.ask(Request::Config { domain: &domain })? {
        Answer::Config(config) => {
            if DomainConfig::decode(config).is_ok_and(|config| config.platform.no_migrate) {
                return Err(Error::Plain("cannot save non-migratable domain".to_owned()));
            }
            saving.begin(config).map_err(|error| failed(&error))?;
        }
        _ => return Err(client::Error::Unexpected.into()),
    }
    let id = client.start(Request::Save { domain: &domain, keep })?;
    client.credit(id, WINDOW)?;
    let mut stage = Stage::Suspending;
    loop {
        let watched = (stage == Stage::Suspending).then(|| timer.as_fd());
        let woken = client.wait([Some(signals.as_fd()), watched], false)?;
        let [signalled, late] = woken.others;
        if late {
            return stop(client, id, Error::Plain(format!("Timeout waiting for domain {domain} to suspend")));
        }
        if signalled
            && let Some(signal) = signals.take()
            && !matches!(stage, Stage::Whole | Stage::Safe)
        {
            return stop(client, id, Error::Silent(status(signal)));
        }
        if !woken.message {
            continue;
        }
        match client.next(id)? {
            Event::Data(bytes) => {
                let used = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                stage = match saving
                    .take(bytes)
                    .and_then(|all| if all { saving.finish().map(|()| all) } else { Ok(all) })
                {
                    Ok(false) => Stage::Reading,
                    Ok(true) => Stage::Whole,
                    Err(error) => return stop(client, id, failed(&error)),
                };
                if stage == Stage::Reading {
                    client.credit(id, used)?;
                }
            }
            Event::Credit(1..) if stage == Stage::Whole => {
                client.data(id, &[1])?;
                stage = Stage::Safe;
            }
            Event::Answer(Ok(_)) if stage == Stage::Safe => return Ok(()),
            Event::Answer(Err(Failure::NotRunning | Failure::NoSuchDomain)) => {
                return Err(Error::Usage("Domain is not running".to_owned()));
            }
            Event::Answer(Err(failure)) => return Err(failure.into()),
            _ => return Err(client::Error::Unexpected.into()),
        }
    }
}

/// That a file cannot be written.
pub(super) fn unwritable(path: &Path, why: &io::Error) -> Error {
    Error::Plain(format!("can't write guest state file {}: {}", Shown(&path.to_string_lossy()), reason(why)))
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The domain is to suspend itself.
    Suspending,
    /// It is read.
    Reading,
    /// All of it is on the disk.
    Whole,
    /// The control domain was told so.
    Safe,
}

/// Has the domain go on, and waits until it does.
fn stop(client: &mut Client, id: RequestId, error: Error) -> Result<(), Error> {
    client.cancel(id)?;
    loop {
        match client.next(id)? {
            Event::Answer(_) => return Err(error),
            Event::Data(_) | Event::Credit(_) => {}
            Event::Want(_) => return Err(client::Error::Unexpected.into()),
        }
    }
}
