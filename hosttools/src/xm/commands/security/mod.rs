//! Sub-commands about security labels and the policy about them: those of Xen's FLASK.

mod dry_run;
mod file;
mod label;
mod policy;
mod resource;

use xendless_core::protocol::{Answer, Failure, Labels, Request};

use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;

pub(in crate::xm) use dry_run::run as dry_run;
pub(in crate::xm) use label::{add, get, remove};
pub(in crate::xm) use policy::{get as get_policy, get_enforce, load, set as set_policy, set_enforce};

/// What to say to what is about labels of another kind.
pub(in crate::xm) const ACM: &str =
    "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.";

/// What to say to whoever wants to know the labels of resources.
pub(in crate::xm) const NO_RESOURCES: &str =
    "Xen does not tell the labels of resources; they stand in its policy.";

/// What to say to whoever wants to see the policy.
pub(in crate::xm) const NO_DUMP: &str =
    "Xen does not give its policy out; look into the file that was loaded with seinfo or sesearch.";

/// Asks about labels.
fn ask(client: &mut Client, request: Labels<'_>) -> Result<(), Error> {
    client.ask(Request::Labels(request)).map(drop).map_err(|error| refused(error, request))
}

/// What to say about a label that is none.
pub(in crate::xm::commands) fn no_such(label: &str) -> Error {
    Error::Plain(format!("The policy that is in force has no label '{}'.", Shown(label)))
}

fn refused(error: client::Error, request: Labels<'_>) -> Error {
    let label = match request {
        Labels::Check { label } => Some(label),
        Labels::Domain { label, .. } | Labels::Resource { label, .. } => label,
        _ => None,
    };
    match (error, label) {
        (client::Error::Failed(Failure::NoSuchLabel), Some(label)) => no_such(label),
        (client::Error::Failed(Failure::Refused { text, .. }), _) => Error::Plain(Shown(&text).to_string()),
        (error, _) => error.into(),
    }
}

/// The label with a number; nothing where there are no labels.
pub(in crate::xm::commands) fn text(client: &mut Client, number: u32) -> Result<String, Error> {
    match client.ask(Request::Labels(Labels::Text { number })) {
        Ok(Answer::Label(label)) => Ok(label),
        Ok(_) => Err(client::Error::Unexpected.into()),
        Err(error) => Err(refused(error, Labels::Text { number })),
    }
}
