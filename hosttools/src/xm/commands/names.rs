//! `domid`, `domname`, `domstate`, `rename`.

use xendless_core::config::DomainName;
use xendless_core::protocol::Request;

use super::list::entry;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, act};
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
    let not_running = "A domain that is only defined gets its name from its definition";
    act(&mut client, domain, Request::Rename { domain, name }, not_running).map(|()| 0)
}
