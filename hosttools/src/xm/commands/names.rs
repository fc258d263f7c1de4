//! `domid`, `domname`, `domstate`, `rename`.

use xendless_core::config::DomainName;
use xendless_core::protocol::{Failure, Request};

use super::definition;
use super::list::entry;
use super::managed::FOREIGN;
use super::target::{Target, not_started, target};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, definitions, explain, find, taken};
use crate::xm::table::Outcome;

/// `domid`.
pub(in crate::xm) fn domid(session: &mut Session, given: &Given) -> Outcome {
    match entry(&mut session.connect()?, given.operand(0))?.row {
        Some(row) => session.out.line(row.domid)?,
        None => session.out.line("None")?,
    }
    Ok(0)
}

/// `domname`.
pub(in crate::xm) fn domname(session: &mut Session, given: &Given) -> Outcome {
    let found = entry(&mut session.connect()?, given.operand(0))?;
    session.out.line(Shown(&found.name))?;
    Ok(0)
}

/// `domstate`.
pub(in crate::xm) fn domstate(session: &mut Session, given: &Given) -> Outcome {
    let found = entry(&mut session.connect()?, given.operand(0))?;
    session.out.line(found.state.word())?;
    Ok(0)
}

/// `rename`.
pub(in crate::xm) fn rename(session: &mut Session, given: &Given) -> Outcome {
    let (domain, name) = (given.operand(0), given.operand(1));
    if name.is_empty() {
        return Err(Error::Usage("Missing VM Name".to_owned()));
    }
    let Ok(new) = DomainName::new(name) else {
        return Err(Error::Usage("Invalid VM Name".to_owned()));
    };
    let mut client = session.connect()?;
    let target = target(&mut client, domain)?;
    refuse_taken(&mut client, &target, name)?;
    match target {
        Target::Defined(found) => definition::rename(&mut client, &found, new)?,
        Target::Running(row) => {
            let kept = definition::of(&mut client, &row)?;
            // What cannot be kept is not done either.
            if kept.as_ref().is_some_and(|kept| kept.config.is_none()) {
                return Err(Error::Plain(FOREIGN.to_owned()));
            }
            match client.ask(Request::Rename { domain, name }) {
                Ok(_) => {}
                Err(client::Error::Failed(Failure::NameTaken { domid })) => {
                    return Err(Error::Usage(taken(name, domid)));
                }
                Err(error) => return Err(explain(&mut client, domain, error, &not_started(domain))),
            }
            if let Some(kept) = kept {
                definition::rename(&mut client, &kept, new)?;
            }
        }
    }
    Ok(0)
}

/// Refuses a name under which something else is kept, or runs when the domain does not.
fn refuse_taken(client: &mut Client, target: &Target, name: &str) -> Result<(), Error> {
    let own = match target {
        Target::Running(row) => definition::of(client, row)?.map(|kept| kept.name),
        Target::Defined(found) => Some(found.name.clone()),
    };
    if own.as_deref() != Some(name) && definitions(client)?.iter().any(|other| other.name == name) {
        return Err(Error::Usage(taken(name, None)));
    }
    // That of one that runs is looked at by the control domain.
    match (target, find(client, name)) {
        (Target::Defined(_), Ok(row)) if row.name == name => Err(Error::Usage(taken(name, Some(row.domid)))),
        _ => Ok(()),
    }
}
