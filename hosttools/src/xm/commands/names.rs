//! `domid`, `domname`, `domstate`, `rename`.

use xendless_core::config::DomainName;
use xendless_core::protocol::{Failure, Request};

use super::list::entry;
use crate::client;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, taken};
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
    if DomainName::new(name).is_err() {
        return Err(Error::Usage("Invalid VM Name".to_owned()));
    }
    let mut client = session.connect()?;
    match client.ask(Request::Rename { domain, name }) {
        Ok(_) => Ok(0),
        Err(client::Error::Failed(Failure::NameTaken { domid })) => Err(Error::Usage(taken(name, domid))),
        Err(error) => {
            let defined = "A domain that is only defined gets its name from its definition";
            Err(explain(&mut client, domain, error, defined))
        }
    }
}
