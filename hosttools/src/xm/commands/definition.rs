//! Changing what is kept of a domain, beside the domain itself.

use xendless_core::config::{DomainConfig, DomainName, Settings};
use xendless_core::protocol::{Request, Row};

use super::managed::{FOREIGN, define};
use crate::client::Client;
use crate::xm::error::Error;
use crate::xm::session::{Dormant, defined, definitions};

/// The definition of a domain that runs, if it has one.
///
/// # Errors
///
/// When definitions cannot be got.
pub(super) fn of(client: &mut Client, row: &Row) -> Result<Option<Dormant>, Error> {
    let all = definitions(client)?;
    let same =
        |found: &&Dormant| found.config.as_ref().is_some_and(|config| config.uuid.handle() == row.uuid);
    Ok(all.iter().find(same).or_else(|| defined(&all, &row.name)).cloned())
}

/// Changes a definition and has it kept. `change` says what would be wrong with that.
///
/// # Errors
///
/// When something is wrong, or it cannot be kept.
pub(super) fn change(
    client: &mut Client,
    found: &Dormant,
    change: impl FnOnce(&mut Settings) -> Result<(), Error>,
) -> Result<(), Error> {
    define(client, &changed(found, change)?)
}

/// A definition as it will be.
fn changed(
    found: &Dormant,
    change: impl FnOnce(&mut Settings) -> Result<(), Error>,
) -> Result<DomainConfig, Error> {
    let Some(config) = &found.config else { return Err(Error::Plain(FOREIGN.to_owned())) };
    let mut settings = config.clone().into_settings();
    change(&mut settings)?;
    DomainConfig::new(settings).map_err(|error| Error::Usage(error.to_string()))
}

/// Keeps a definition under another name. At every moment it is there under one of them.
///
/// # Errors
///
/// Those of [`change`].
pub(super) fn rename(client: &mut Client, found: &Dormant, name: DomainName) -> Result<(), Error> {
    if found.name == name.as_str() {
        return Ok(());
    }
    change(client, found, |settings| {
        settings.name = name;
        Ok(())
    })?;
    client.ask(Request::Undefine { domain: &found.name })?;
    Ok(())
}

/// Changes a domain that runs, by `act`, and its definition, if it has one. What cannot be kept is not done either.
///
/// # Errors
///
/// Those of [`change`], before anything was done; those of `act`; and when the definition cannot be kept.
pub(super) fn along(
    client: &mut Client,
    row: &Row,
    change: impl FnOnce(&mut Settings) -> Result<(), Error>,
    act: impl FnOnce(&mut Client) -> Result<(), Error>,
) -> Result<(), Error> {
    let kept = of(client, row)?.map(|found| changed(&found, change)).transpose()?;
    act(client)?;
    kept.map_or(Ok(()), |config| define(client, &config))
}
