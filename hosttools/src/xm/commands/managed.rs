//! `new`, `start`, `delete`: domains whose definition is kept.

use std::os::fd::AsFd;
use std::time::Duration;

use xendless_core::config::{DomainConfig, OnStart, OnStop};
use xendless_core::life::Wish;
use xendless_core::protocol::{Failure, Request, Until};

use super::create::{self, Start, load, shown_only};
use super::saved::{resume_one, suspend_one, undeletable};
use super::wait::number;
use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::error::{Error, FAILED};
use crate::xm::options::Given;
use crate::xm::session::{Dormant, Session, defined, definitions, explain, find, is_root, taken};
use crate::xm::table::Outcome;
use crate::xm::timer::Timer;

/// How long a domain may take to shut down before it is deleted.
const PATIENCE: u64 = 60;

/// Why a definition that is there is not used.
pub(super) const FOREIGN: &str =
    "The definition was kept by another version of this program; use 'xm new' again.";

/// `new`.
pub(in crate::xm) fn new(session: &mut Session, given: &Given) -> Outcome {
    if let Some(status) = shown_only(session, given)? {
        return Ok(status);
    }
    let config = load(session, given)?.config;
    define_new(session, &mut session.connect()?, config)?;
    Ok(0)
}

/// Has a new definition kept, and gives it: its interfaces have addresses, by which they are known from then on.
pub(super) fn define_new(
    session: &Session,
    client: &mut Client,
    config: DomainConfig,
) -> Result<DomainConfig, Error> {
    if let Some(found) = defined(&definitions(client)?, config.name.as_str())
        && session.suspended.holds(found.config.as_ref())
    {
        let name = Shown(&found.name);
        let text =
            format!("Domain '{name}' is suspended: 'xm resume {name}', or 'xm delete --force {name}'.");
        return Err(Error::Plain(text));
    }
    let mut settings = config.into_settings();
    settings.devices.address_all(settings.uuid, |_| false);
    let config = DomainConfig::new(settings).map_err(|error| Error::Plain(error.to_string()))?;
    define(client, &config)?;
    Ok(config)
}

/// That a configuration has too many bytes.
pub(super) fn too_long() -> Error {
    Error::Plain("The configuration is too long.".to_owned())
}

/// Has a definition kept.
pub(in crate::xm::commands) fn define(client: &mut Client, config: &DomainConfig) -> Result<(), Error> {
    let encoded = config.encode().ok_or_else(too_long)?;
    match client.ask(Request::Define { config: &encoded }) {
        Ok(_) => Ok(()),
        Err(client::Error::Failed(Failure::NameTaken { domid })) => {
            Err(Error::Plain(taken(config.name.as_str(), domid)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `start`.
pub(in crate::xm) fn start(session: &mut Session, given: &Given) -> Outcome {
    if given.has("on-xend-start") && given.operands.is_empty() {
        return start_all(session, given);
    }
    let [domain] = given.operands.as_slice() else {
        return Err(Error::Usage("Expects 1 argument".to_owned()));
    };
    let mut client = session.connect()?;
    if find(&mut client, domain).is_ok() {
        return Err(Error::Usage("Domain is already running".to_owned()));
    }
    let found = definition(&mut client, domain)?;
    if session.suspended.holds(found.config.as_ref()) {
        return Err(Error::Usage("Domain is already running".to_owned()));
    }
    let Some(config) = found.config else { return Err(Error::Plain(FOREIGN.to_owned())) };
    create::start(session, &mut client, &config, Start::of(given, true))
}

/// Starts what is to start with the control plane. One that cannot does not hold up the others.
fn start_all(session: &mut Session, given: &Given) -> Outcome {
    let mut client = session.connect()?;
    let mut status = 0;
    for found in definitions(&mut client)? {
        let Dormant { name, config } = &found;
        if find(&mut client, name).is_ok() {
            continue;
        }
        let suspended = session.suspended.holds(found.config.as_ref());
        let outcome = match config {
            Some(config) if suspended && config.on_stop == OnStop::Suspend => {
                let outcome = resume_one(session, &mut client, &found, given.has("paused"));
                outcome.and_then(|status| {
                    session.out.line(format_args!("Resumed domain {}", Shown(name)))?;
                    Ok(status)
                })
            }
            Some(config) if suspended || config.on_start != OnStart::Start => continue,
            Some(config) => create::start(session, &mut client, config, Start::of(given, false)),
            None => Err(Error::Plain(FOREIGN.to_owned())),
        };
        if let Err(error) = outcome {
            eprintln!("{}: {}", Shown(name), error.bare(is_root()));
            status = FAILED;
        }
    }
    Ok(status)
}

/// Suspends the domains for which that is the end of the control plane, and gives the names of those that are to shut
/// down. Who cannot be suspended is one of these.
pub(super) fn ending(session: &Session, client: &mut Client) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for Dormant { name, config } in definitions(client)? {
        let Some(config) = config.filter(|config| config.on_stop != OnStop::Ignore) else { continue };
        let Ok(row) = find(client, &name) else { continue };
        if config.on_stop == OnStop::Suspend {
            match suspend_one(session, client, &row) {
                Ok(()) => continue,
                Err(error @ Error::Silent(_)) => return Err(error),
                Err(error) => {
                    eprintln!("{}: {}; it is shut down instead.", Shown(&name), error.bare(is_root()));
                }
            }
        }
        names.push(name);
    }
    Ok(names)
}

/// `delete`.
pub(in crate::xm) fn delete(session: &mut Session, given: &Given) -> Outcome {
    let [domain] = given.operands.as_slice() else {
        return Err(Error::Usage("Expects 1 argument".to_owned()));
    };
    let patience = given.value("timeout").map_or(Ok(PATIENCE), |seconds| number(seconds, "timeout"))?;
    let mut client = session.connect()?;
    let found = definition(&mut client, domain)?;
    if session.suspended.holds(found.config.as_ref()) && !given.has("force") {
        return Err(Error::Usage("Domain is not halted.".to_owned()));
    }
    if let Ok(row) = find(&mut client, &found.name) {
        let patience = (!given.has("force")).then_some(patience);
        end(&mut client, &row.domid.to_string(), &found.name, patience)?;
    }
    client.ask(Request::Undefine { domain: &found.name })?;
    if let Some(config) = &found.config {
        session.suspended.image(config.uuid).remove().map_err(|error| undeletable(&error))?;
    }
    Ok(0)
}

fn definition(client: &mut Client, domain: &str) -> Result<Dormant, Error> {
    if let Some(found) = defined(&definitions(client)?, domain) {
        return Ok(found.clone());
    }
    match find(client, domain) {
        Ok(_) => Err(Error::Plain(format!("Domain '{}' runs without a definition.", Shown(domain)))),
        Err(error) => Err(explain(client, domain, error, "")),
    }
}

/// Ends a domain that runs: as it likes within so many seconds, or by force.
fn end(client: &mut Client, domain: &str, name: &str, patience: Option<u64>) -> Result<(), Error> {
    let Some(seconds) = patience else {
        return Ok(client.ask(Request::Destroy { domain }).map(drop)?);
    };
    match client.ask(Request::Shutdown { domain, wish: Wish::Poweroff }) {
        Ok(_) | Err(client::Error::Failed(Failure::NotRunning)) => {}
        Err(error) => return Err(error.into()),
    }
    eprintln!("Waiting for domain {} to shut down ...", Shown(name));
    let timer = Timer::start(Duration::from_secs(seconds))?;
    let id = client.start(Request::Wait { domain, until: Until::Gone })?;
    loop {
        let woken = client.wait([Some(timer.as_fd())], false)?;
        if !woken.message {
            let text = format!(
                "Domain {} did not shut down in {seconds} seconds; --force destroys it.",
                Shown(name)
            );
            return Err(Error::Plain(text));
        }
        match client.next(id)? {
            Event::Answer(Ok(_) | Err(Failure::NoSuchDomain)) => return Ok(()),
            Event::Answer(Err(failure)) => return Err(failure.into()),
            _ => {}
        }
    }
}
