//! What sub-commands share: where `xmd` is, who the user is, and where output goes.

use std::path::PathBuf;

use xendless_core::config::DomainConfig;
use xendless_core::protocol::{Answer, Failure, Host, Request, Row};
use xendless_core::rights::Rights;

use super::error::Error;
use super::out::Out;
use super::suspended::Suspended;
use crate::client::{self, Client, Event};
use crate::shown::Shown;

/// One run of `xm`.
pub(super) struct Session {
    /// Where `xmd` listens.
    pub(super) socket: PathBuf,
    /// Where the files of suspended domains are.
    pub(super) suspended: Suspended,
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
        let mut client = Client::connect(&self.socket)?;
        // Root is refused only by what it asks for.
        if !is_root() && client.welcome()?.rights == Rights::Nothing {
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
    let first = page(N::default())?;
    pages_after(first, page)
}

/// The same when the first page came already.
fn pages_after<T, N, E>(
    first: (Vec<T>, Option<N>),
    mut page: impl FnMut(N) -> Result<(Vec<T>, Option<N>), E>,
) -> Result<Vec<T>, E>
where
    N: Copy + Default + PartialOrd,
    E: From<client::Error>,
{
    let (mut all, mut next) = first;
    let mut from = N::default();
    while let Some(wanted) = next {
        // A server that goes back would be asked for ever.
        if wanted <= from {
            return Err(client::Error::Unexpected.into());
        }
        from = wanted;
        let (rows, after) = page(from)?;
        all.extend(rows);
        next = after;
    }
    Ok(all)
}

/// All domains, in order of their ids.
///
/// # Errors
///
/// When they cannot be got.
pub(super) fn rows(client: &mut Client) -> Result<Vec<Row>, Error> {
    pages(|from| Ok(row_page(client.ask(Request::List { from })?)?))
}

fn row_page(answer: Answer<'_>) -> Result<(Vec<Row>, Option<u16>), client::Error> {
    match answer {
        Answer::Rows { rows, next } => Ok((rows.to_vec(), next)),
        _ => Err(client::Error::Unexpected),
    }
}

/// All definitions, in order of name.
///
/// # Errors
///
/// When they cannot be got.
pub(super) fn definitions(client: &mut Client) -> Result<Vec<Dormant>, Error> {
    let first = dormant(client.ask(Request::Definition { after: "" }), "")?;
    definitions_after(client, first)
}

fn definitions_after(client: &mut Client, first: Option<Dormant>) -> Result<Vec<Dormant>, Error> {
    let (mut all, mut next) = (Vec::new(), first);
    while let Some(found) = next {
        next = dormant(client.ask(Request::Definition { after: &found.name }), &found.name)?;
        all.push(found);
    }
    Ok(all)
}

/// The definition in an answer; its name has to come behind `after`.
fn dormant(answer: Result<Answer<'_>, client::Error>, after: &str) -> Result<Option<Dormant>, client::Error> {
    match answer {
        Ok(Answer::Definition(Some(found))) if found.name > after => {
            Ok(Some(Dormant { name: found.name.to_owned(), config: DomainConfig::decode(found.config).ok() }))
        }
        // The server keeps none.
        Ok(Answer::Definition(None)) | Err(client::Error::Failed(Failure::Unsupported(_))) => Ok(None),
        Ok(_) => Err(client::Error::Unexpected),
        Err(error) => Err(error),
    }
}

/// All domains and all definitions. They are asked for together: a way to `xmd` and back costs more than they do.
///
/// # Errors
///
/// When they cannot be got.
pub(super) fn known(client: &mut Client) -> Result<(Vec<Row>, Vec<Dormant>), Error> {
    let list = client.queue(Request::List { from: 0 })?;
    let definition = client.queue(Request::Definition { after: "" })?;
    let (mut rows, mut definitions) = (None, None);
    while rows.is_none() || definitions.is_none() {
        match client.next_of_any()? {
            (id, Event::Answer(result)) if id == list => {
                rows = Some(row_page(result.map_err(client::Error::Failed)?)?);
            }
            (id, Event::Answer(result)) if id == definition => {
                definitions = Some(dormant(result.map_err(client::Error::Failed), "")?);
            }
            _ => return Err(client::Error::Unexpected.into()),
        }
    }
    let rows = pages_after(rows.unwrap_or_default(), |from| {
        Ok::<_, Error>(row_page(client.ask(Request::List { from })?)?)
    })?;
    Ok((rows, definitions_after(client, definitions.flatten())?))
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

/// Whether a person means the control domain, with which some things cannot be done.
pub(super) fn is_control(domain: &str) -> bool {
    matches!(domain, "0" | "Domain-0")
}

/// That a name is taken, by which domain if that has an id.
pub(super) fn taken(name: &str, domid: Option<u16>) -> String {
    let owner = domid.map_or_else(String::new, |domid| format!(" as domain {domid}"));
    format!("VM name '{}' already exists{owner}", Shown(name))
}
