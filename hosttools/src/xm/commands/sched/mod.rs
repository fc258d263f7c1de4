//! `sched-credit`, `sched-credit2`, `sched-rtds`, `sched-sedf`.

mod rtds;
mod share;

use xendless_core::protocol::{Failure, Sharing};

use super::pool;
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, host};
use crate::xm::table::Outcome;

pub(in crate::xm) use rtds::run as rtds;

/// `sched-credit`.
pub(in crate::xm) fn credit(session: &mut Session, given: &Given) -> Outcome {
    share::run(session, given, Sharing::Credit)
}

/// `sched-credit2`.
pub(in crate::xm) fn credit2(session: &mut Session, given: &Given) -> Outcome {
    share::run(session, given, Sharing::Credit2)
}

/// `sched-sedf`.
pub(in crate::xm) fn sedf(session: &mut Session, _: &Given) -> Outcome {
    let mut client = session.connect()?;
    let other = other_scheduler(&default(&mut client)?);
    let gone = "The sedf scheduler was removed in Xen 4.6; use sched-credit2, or boot with sched=rtds.";
    Err(Error::Plain(format!("{other}\n{gone}")))
}

/// Refuses unless some domain can be under this scheduler.
fn require(client: &mut Client, name: &str) -> Result<(), Error> {
    let found = default(client)?;
    if found == name || pool::all(client)?.iter().any(|pool| pool.scheduler == name) {
        return Ok(());
    }
    Err(Error::Plain(other_scheduler(&found)))
}

fn other_scheduler(name: &str) -> String {
    format!("Xen is running with the {} scheduler", Shown(name))
}

/// What to say when a domain that runs gets nothing from a scheduler.
fn refused(client: &mut Client, domain: &str, error: client::Error) -> Error {
    match error {
        client::Error::Failed(Failure::OtherScheduler(name)) => {
            let (domain, name) = (Shown(domain), Shown(&name));
            Error::Plain(format!("Domain '{domain}' is in a CPU pool with the {name} scheduler."))
        }
        other => explain(client, domain, other, "Domain is not running"),
    }
}

/// The scheduler that Xen was started with.
fn default(client: &mut Client) -> Result<String, Error> {
    Ok(host(client)?.scheduler)
}

/// The domain that is meant: by `-d`, or by a word alone.
fn domain(given: &Given) -> Result<Option<&str>, Error> {
    match (given.value("domain"), given.operands.as_slice()) {
        (option, []) => Ok(option),
        (None, [word]) => Ok(Some(word)),
        _ => Err(Error::Usage("Only one domain can be given.".to_owned())),
    }
}
