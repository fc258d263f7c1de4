//! `create`.

mod digests;
mod file;
mod progress;
mod record;
pub(super) mod source;
mod transfer;
mod xml;

use std::io::Write;

use xendless_core::config::{Boot, DomainConfig};
use xendless_core::protocol::{self, Created, Failure, PoolFailure, Request};

use self::file::Local;
pub(super) use self::source::load;
use self::transfer::Order;
use super::saved::Saved;
use super::{console, security};
use crate::client::{self, Client};
use crate::config::{sxp, table};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::help::config_row;
use crate::xm::options::Given;
use crate::xm::session::{Session, taken};
use crate::xm::table::Outcome;

/// How a domain is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Start {
    /// It stays paused.
    pub(super) paused: bool,
    /// Its console is joined to this terminal.
    pub(super) console: bool,
    /// Nothing is said about it.
    pub(super) quiet: bool,
}

impl Start {
    /// As the options say.
    pub(super) fn of(given: &Given, quiet: bool) -> Self {
        Self { paused: given.has("paused"), console: given.has("console_autoconnect"), quiet }
    }
}

/// `create`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    if let Some(status) = shown_only(session, given)? {
        return Ok(status);
    }
    let mut config = load(session, given)?.config;
    let mut client = session.connect()?;
    if given.has("managed") {
        config = super::managed::define_new(session, &mut client, config)?;
    }
    start(session, &mut client, &config, Start::of(given, given.has("quiet")))
}

/// What only shows something and creates nothing.
pub(super) fn shown_only(session: &mut Session, given: &Given) -> Result<Option<u8>, Error> {
    if given.has("help_config") {
        session.out.write_all(b"\nValues:\n\n")?;
        for variable in table::variables() {
            let row = config_row(&format!("{}={}", variable.name, variable.kind.hint()), variable.meaning);
            session.out.write_all(row.as_bytes())?;
        }
        return Ok(Some(0));
    }
    if given.has("dryrun") || given.has("xmldryrun") {
        let record = sxp::record(&load(session, given)?);
        let text = if given.has("xmldryrun") { xml::write(&record) } else { record.pretty() };
        session.out.write_all(text.as_bytes())?;
        return Ok(Some(0));
    }
    if given.has("skipdtd") {
        session.out.line("Skipping DTD checks.  Dangerous!")?;
    }
    Ok(None)
}

/// Makes a domain of a configuration, from files of this machine.
pub(super) fn start(
    session: &mut Session,
    client: &mut Client,
    config: &DomainConfig,
    how: Start,
) -> Outcome {
    let mut files = files(session, config)?;
    // What was printed so far is to be seen before what may take long.
    session.out.flush()?;
    // The domain waits for its console, so that nobody misses a word of it.
    let paused = how.paused || how.console;
    let order = Order { config, paused, quiet: how.quiet, saved: None };
    let Created { domid } = match transfer::create(client, order, &mut files)? {
        Ok(created) => created,
        Err(failure) => return Err(refused(failure, config, &files)),
    };
    if !how.quiet {
        session.out.line(format_args!("Started domain {} (id={domid})", config.name))?;
    }
    if !how.console {
        return Ok(0);
    }
    session.out.flush()?;
    console::attach(session, client, &domid.to_string(), !how.paused)
}

/// Makes a domain of what was saved of it.
pub(super) fn restore(
    session: &mut Session,
    client: &mut Client,
    config: &DomainConfig,
    paused: bool,
    saved: &mut Saved<'_>,
) -> Result<Created, Error> {
    let mut files = files(session, config)?;
    let order = Order { config, paused, quiet: true, saved: Some(saved) };
    match transfer::create(client, order, &mut files)? {
        Ok(created) => Ok(created),
        Err(Failure::NameTaken { domid: Some(domid) }) => Err(exists(config.name.as_str(), domid)),
        Err(Failure::Image { file: protocol::File::Saved, why }) => {
            Err(Error::Plain(format!("Restore failed: {}", Shown(&why))))
        }
        Err(failure) => Err(refused(failure, config, &files)),
    }
}

/// That what is to be restored is there.
pub(super) fn exists(name: &str, domid: u16) -> Error {
    Error::Plain(format!("Domain '{}' already exists with ID '{domid}'", Shown(name)))
}

/// The files that a domain is made of.
fn files(session: &Session, config: &DomainConfig) -> Result<Vec<Local>, Error> {
    let Boot::Direct { kernel, ramdisk } = &config.boot else {
        let text = "Boot loaders are not part of this version yet: name a kernel instead.";
        return Err(Error::Plain(text.to_owned()));
    };
    let named = [(protocol::File::Kernel, Some(kernel)), (protocol::File::Ramdisk, ramdisk.as_ref())];
    let mut known = digests::Digests::beside(&session.socket);
    let found = named.into_iter().filter_map(|(file, path)| Some((file, path?)));
    found.map(|(file, path)| Local::open(file, path, &mut known)).collect()
}

/// Why no domain came of it.
fn refused(failure: Failure, config: &DomainConfig, files: &[Local]) -> Error {
    let name = &config.name;
    let text = match failure {
        Failure::Pool(PoolFailure::Unknown) => {
            let pool = config.platform.pool.as_ref().map_or("", |pool| pool.as_str());
            return Error::Usage(format!("unknown pool {}", Shown(pool)));
        }
        Failure::NoSuchLabel => {
            return security::no_such(config.platform.label.as_ref().map_or("", |label| label.as_str()));
        }
        Failure::NameTaken { domid } => taken(name.as_str(), domid),
        Failure::HostMemory { wanted_kib, free_kib } => format!(
            "Not enough free memory and enable-dom0-ballooning is False, so I cannot release any more.  \
             I need {wanted_kib} KiB but only have {free_kib}."
        ),
        Failure::Image { file, why } => {
            let path = files.iter().find(|local| local.file == file).map_or("", |local| &local.path);
            format!("Cannot use {file} \"{}\": {}", Shown(path), Shown(&why))
        }
        Failure::Create(why) => format!("Creating domain failed: name={name}: {}", Shown(&why)),
        other => Shown(&other.to_string()).to_string(),
    };
    Error::Plain(text)
}

/// Takes a domain down that should not have come to be.
fn undo(client: &mut Client, created: Created) -> Result<(), client::Error> {
    match client.ask(Request::Destroy { domain: &created.domid.to_string() }) {
        Ok(_) | Err(client::Error::Failed(Failure::NoSuchDomain)) => Ok(()),
        Err(error) => Err(error),
    }
}
