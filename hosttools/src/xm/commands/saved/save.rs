//! `save`.

use std::path::absolute;

use xendless_core::config::DomainConfig;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Answer, Request, Row};

use super::WRONG_NUMBER;
use super::file::Saving;
use super::leave::leave;
use super::stream::{Sink, Writer};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::commands::target::{Target, target};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, is_control};
use crate::xm::signals::Signals;
use crate::xm::table::Outcome;

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
    write(&mut client, &row, saving, given.has("checkpoint"))?;
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
pub(super) fn write(client: &mut Client, row: &Row, mut saving: Saving, keep: bool) -> Result<(), Error> {
    let mut signals = Signals::catch().map_err(|error| saving.failed(&error))?;
    let (config, _) = configuration(client, row, "save")?;
    let mut writer = Writer::begin(&mut saving, &config)?;
    leave(client, row, &mut writer, &mut signals, keep).map_err(|stayed| stayed.why)
}

/// The configuration of a domain, as bytes, too; `verb` is to be done to it, which it may forbid.
pub(super) fn configuration(
    client: &mut Client,
    row: &Row,
    verb: &str,
) -> Result<(Vec<u8>, DomainConfig), Error> {
    let Answer::Config(bytes) = client.ask(Request::Config { domain: &row.domid.to_string() })? else {
        return Err(client::Error::Unexpected.into());
    };
    let config = DomainConfig::decode(bytes).map_err(|_| client::Error::Unexpected)?;
    if config.platform.no_migrate {
        return Err(Error::Plain(format!("cannot {verb} non-migratable domain")));
    }
    Ok((bytes.to_vec(), config))
}
