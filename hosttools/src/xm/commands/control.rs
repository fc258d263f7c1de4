//! `destroy`, `pause`, `unpause`.

use xendless_core::protocol::Request;

use super::target::not_started;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Session, act, is_control};
use crate::xm::table::Outcome;

/// `destroy`.
pub(in crate::xm) fn destroy(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    run(session, domain, "destroy", Request::Destroy { domain })
}

/// `pause`.
pub(in crate::xm) fn pause(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    run(session, domain, "pause", Request::Pause { domain })
}

/// `unpause`.
pub(in crate::xm) fn unpause(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    run(session, domain, "unpause", Request::Unpause { domain })
}

fn run(session: &mut Session, domain: &str, verb: &str, request: Request<'_>) -> Outcome {
    if is_control(domain) {
        return Err(Error::Usage(format!("Cannot {verb} privileged domain {domain}")));
    }
    act(&mut session.connect()?, domain, request, &not_started(domain))?;
    Ok(0)
}
