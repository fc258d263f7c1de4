//! The domain that a sub-command changes: one that runs, or one that is only defined.

use xendless_core::protocol::resources::Adjust;
use xendless_core::protocol::{Failure, Request, Row};

use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::session::{Dormant, act, defined, definitions, explain, find};

/// What a person means.
pub(super) enum Target {
    /// A domain that runs.
    Running(Row),
    /// One that is only defined.
    Defined(Box<Dormant>),
}

impl Target {
    /// How many virtual CPUs it has, or would have, at most.
    pub(super) fn max_vcpus(&self) -> u32 {
        match self {
            Self::Running(row) => row.max_vcpus,
            Self::Defined(found) => found.config.as_ref().map_or(1, |config| config.vcpus.max()),
        }
    }
}

/// Finds out what a person means by `domain`.
///
/// # Errors
///
/// When it is nothing.
pub(super) fn target(client: &mut Client, domain: &str) -> Result<Target, Error> {
    match find(client, domain) {
        Ok(row) => Ok(Target::Running(row)),
        Err(client::Error::Failed(Failure::NoSuchDomain)) => match defined(&definitions(client)?, domain) {
            Some(found) => Ok(Target::Defined(Box::new(found.clone()))),
            None => Err(explain(client, domain, client::Error::Failed(Failure::NoSuchDomain), "")),
        },
        Err(error) => Err(explain(client, domain, error, &not_started(domain))),
    }
}

/// Changes a domain that runs.
///
/// # Errors
///
/// When that is refused.
pub(super) fn adjust(client: &mut Client, domain: &str, what: Adjust<'_>) -> Result<(), Error> {
    act(client, domain, Request::Adjust { domain, what }, &not_started(domain))
}

/// That a domain does not run.
pub(super) fn not_started(domain: &str) -> String {
    format!("Domain '{}' is not started", Shown(domain))
}

/// A number that was typed.
///
/// # Errors
///
/// When it is none.
pub(super) fn number<T: std::str::FromStr>(word: &str) -> Result<T, Error> {
    word.trim().parse().map_err(|_| invalid())
}

/// What there is to say about an argument that makes no sense.
pub(super) fn invalid() -> Error {
    Error::Usage("Invalid argument.".to_owned())
}
