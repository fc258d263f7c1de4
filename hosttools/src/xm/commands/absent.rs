//! `vncviewer`, whose means are not there. It looks at its operands as ever, and says in one line what to do instead.

use super::target::{Target, not_started, target};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, is_control};
use crate::xm::table::Outcome;

/// `vncviewer`.
pub(in crate::xm) fn vncviewer(session: &mut Session, given: &Given) -> Outcome {
    let [domain] = given.operands.as_slice() else {
        return Err(Error::Usage("No domain given (or several parameters specified)".to_owned()));
    };
    if !is_control(domain)
        && let Target::Defined(_) = target(&mut session.connect()?, domain)?
    {
        return Err(Error::Usage(not_started(domain)));
    }
    let domain = Shown(domain);
    let text =
        format!("Domain '{domain}' has no graphical console: 'xm console {domain}' is its text console.");
    Err(Error::Plain(text))
}
