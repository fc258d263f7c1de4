//! What sub-commands share: where `xmd` is, who the user is, and where output goes.

use std::path::PathBuf;

use xendless_core::config::DomainConfig;
use xendless_core::protocol::{Answer, Failure, Host, Request, Row};
use xendless_core::rights::Rights;

use super::error::Error;
use super::out::Out;
use crate::client::{self, Client};
use crate::shown::Shown;

/// One run of `xm`.
pub(super) struct Session {
    /// Where `xmd` listens.
    pub(super) socket: PathBuf,
    /// Standard output.
    pub(super) out: Out,
}

/// A domain that is only defined.
#[derive(Clone, Debug)]
pub(super) struct Dormant {
    /// Under what it is kept.
    pub(super) name: String,
    /// What it would be; `None` when it was kept by another version of this program.
    pub(super) config: Option<DomainConfig>,
}

impl Session {
    /// Connects to `xmd`.
    ///
    /// # Errors
    ///
    /// When that does not work.
    pub(super) fn connect(&self) -> Result<Client, Error> {
        let client = Client::connect(&self.socket)?;
        if client.welcome().rights == Rights::Nothing && !is_root() {
            return Err(client::Error::Refused.into());
        }
        Ok(client)
    }
}

/// Whether the user is root.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The machine and the hypervisor.
///
/// # Errors
///
/// When nothing can be learnt of them.
pub(super) fn host(client: &mut Client) -> Result<Host, Error> {
    match client.ask(Request::Host)? {
        Answer::Host(host) => Ok(*host),
        _ => Err(client::Error::Unexpected.into()),
    }
}

/// What comes in pages: `page` gets the one that begins at a number, and says where the next one begins.
///
/// # Errors
///
/// Those of `page`, and when the next page would not come behind the last.
pub(super) fn pages<T, N, E>(mut page: impl FnMut(N) -> Result<(Vec<T>, Option<N>), E>) -> Result<Vec<T>, E>
where
    N: Copy + Default + PartialOrd,
    E: From<client::Error>,
{
    let (mut all, mut from) = (Vec::new(), N::default());
    loop {
        let (rows, next) = page(from)?;
        all.extend(rows);
        match next {
            // A server that goes back would be asked for ever.
            Some(next) if next > from => from = next,
            Some(_) => return Err(client::Error::Unexpected.into()),
            None => return Ok(all),
        }
    }
}

/// All domains, in order of their ids.
///
/// # Errors
///
/// When they cannot be got.
pub(super) fn rows(client: &mut Client) -> Result<Vec<Row>, Error> {
    pages(|from| match client.ask(Request::List { from })? {
        Answer::Rows { rows, next } => Ok((rows.to_vec(), next)),
        _ => Err(client::Error::Unexpected.into()),
    })
}

/// All definitions, in order of name.
///
/// # Errors
///
/// When they cannot be got.
pub(super) fn definitions(client: &mut Client) -> Result<Vec<Dormant>, Error> {
    let mut all: Vec<Dormant> = Vec::new();
    loop {
        let after = all.last().map_or("", |last| last.name.as_str());
        match client.ask(Request::Definition { after }) {
            Ok(Answer::Definition(Some(found))) if found.name > after => {
                let config = DomainConfig::decode(found.config).ok();
                let name = found.name.to_owned();
                all.push(Dormant { name, config });
            }
            // The server keeps none.
            Ok(Answer::Definition(None)) | Err(client::Error::Failed(Failure::Unsupported(_))) => {
                return Ok(all);
            }
            Ok(_) => return Err(client::Error::Unexpected.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The definition that a person means by a name or a UUID.
pub(super) fn defined<'a>(definitions: &'a [Dormant], domain: &str) -> Option<&'a Dormant> {
    let by_name = definitions.iter().find(|definition| definition.name == domain);
    by_name.or_else(|| {
        let uuid = domain.parse().ok()?;
        definitions.iter().find(|found| found.config.as_ref().is_some_and(|config| config.uuid == uuid))
    })
}

/// One domain.
///
/// # Errors
///
/// When there is none, or it cannot be got.
pub(super) fn find(client: &mut Client, domain: &str) -> Result<Row, client::Error> {
    match client.ask(Request::Find { domain })? {
        Answer::Rows { rows, .. } => {
            rows.first().cloned().ok_or(client::Error::Failed(Failure::NoSuchDomain))
        }
        _ => Err(client::Error::Unexpected),
    }
}

/// Has something done with a domain. `not_running` is what to say when it is in no state for that, and when there is
/// only a definition of it.
///
/// # Errors
///
/// When it is refused, or fails.
pub(super) fn act(
    client: &mut Client,
    domain: &str,
    request: Request<'_>,
    not_running: &str,
) -> Result<(), Error> {
    match client.ask(request) {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(client, domain, error, not_running)),
    }
}

/// What to say about an error of a request about `domain`.
pub(super) fn explain(client: &mut Client, domain: &str, error: client::Error, not_running: &str) -> Error {
    match error {
        client::Error::Failed(Failure::NoSuchDomain) => match known(client) {
            // It is only a courtesy to know more.
            Err(_) => Error::no_domain(domain, std::iter::empty()),
            Ok((_, definitions)) if defined(&definitions, domain).is_some() => {
                Error::Usage(not_running.to_owned())
            }
            Ok((rows, definitions)) => {
                let running = rows.iter().map(|row| row.name.as_str());
                Error::no_domain(domain, running.chain(definitions.iter().map(|found| found.name.as_str())))
            }
        },
        client::Error::Failed(Failure::NotRunning) => Error::Usage(not_running.to_owned()),
        other => other.into(),
    }
}

fn known(client: &mut Client) -> Result<(Vec<Row>, Vec<Dormant>), Error> {
    Ok((rows(client)?, definitions(client)?))
}

/// Whether a person means the control domain, with which some things cannot be done.
pub(super) fn is_control(domain: &str) -> bool {
    matches!(domain, "0" | "Domain-0")
}

/// That a name is taken, by which domain if that has an id.
pub(super) fn taken(name: &str, domid: Option<u16>) -> String {
    let owner = domid.map_or_else(String::new, |domid| format!(" as domain {domid}"));
    format!("VM name '{}' already exists{owner}", Shown(name))
}
