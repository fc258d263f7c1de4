//! Sub-commands whose means are not there: saving the memory of domains, and graphical consoles. They look at their
//! operands as ever, and say in one line what to do instead.

use super::target::{Target, not_started, target};
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, is_control};
use crate::xm::table::Outcome;

/// What was said when there were too few or too many operands.
const WRONG_NUMBER: &str = "Wrong number of parameters";

/// `suspend`.
pub(in crate::xm) fn suspend(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    running(session, domain, "suspend", "Domain is not running")?;
    let domain = Shown(domain);
    plain(format!(
        "Domains cannot be suspended here: use 'xm save {domain} FILE', and later 'xm restore FILE'."
    ))
}

/// `resume`.
pub(in crate::xm) fn resume(session: &mut Session, given: &Given) -> Outcome {
    let [domain] = given.operands.as_slice() else { return usage(WRONG_NUMBER) };
    known(session, domain, "resume")?;
    let domain = Shown(domain);
    plain(format!(
        "Domains cannot be resumed here, as none can be suspended: use 'xm restore FILE', or 'xm start {domain}'."
    ))
}

/// `vncviewer`.
pub(in crate::xm) fn vncviewer(session: &mut Session, given: &Given) -> Outcome {
    let [domain] = given.operands.as_slice() else {
        return usage("No domain given (or several parameters specified)");
    };
    if !is_control(domain) {
        running(session, domain, "view", &not_started(domain))?;
    }
    let domain = Shown(domain);
    plain(format!("Domain '{domain}' has no graphical console: 'xm console {domain}' is its text console."))
}

/// Finds out that `domain` runs and is not the one that controls the others.
fn running(session: &Session, domain: &str, verb: &str, defined: &str) -> Result<(), Error> {
    match known(session, domain, verb)? {
        Target::Running(_) => Ok(()),
        Target::Defined(_) => Err(Error::Usage(defined.to_owned())),
    }
}

fn known(session: &Session, domain: &str, verb: &str) -> Result<Target, Error> {
    if is_control(domain) {
        return Err(Error::Usage(format!("Cannot {verb} privileged domain {domain}")));
    }
    target(&mut session.connect()?, domain)
}

fn usage(text: &str) -> Outcome {
    Err(Error::Usage(text.to_owned()))
}

fn plain(text: String) -> Outcome {
    Err(Error::Plain(text))
}
