//! `sysrq`, `trigger`, `reset`, `debug-keys`.

use xendless_core::hyper::Trigger;
use xendless_core::protocol::resources::{Adjust, KEYS, Machine};
use xendless_core::protocol::{Failure, Request};

use super::target::{adjust, invalid, not_started, number};
use crate::client;
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::{Session, explain, is_control};
use crate::xm::table::Outcome;

/// `sysrq`.
pub(in crate::xm) fn sysrq(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let mut letters = word.chars();
    let (Some(key), None) = (letters.next(), letters.next()) else {
        return Err(Error::Usage(format!("{} is not convertible to a character", Shown(word))));
    };
    adjust(&mut session.connect()?, domain, Adjust::SysRq { key })?;
    Ok(0)
}

/// `trigger`.
pub(in crate::xm) fn trigger(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let vcpu = if given.operands.len() > 2 { number(given.operand(2))? } else { 0 };
    let with = |trigger| Adjust::Trigger { trigger, vcpu };
    let what = match word.to_ascii_lowercase().as_str() {
        "nmi" => with(Trigger::Nmi),
        "reset" => with(Trigger::Reset),
        "init" => with(Trigger::Init),
        "power" => with(Trigger::Power),
        "sleep" => with(Trigger::Sleep),
        "s3resume" => Adjust::WakeUp,
        _ => return Err(Error::Usage(format!("Invalid trigger: {}", Shown(word)))),
    };
    let mut client = session.connect()?;
    match client.ask(Request::Adjust { domain, what }) {
        Ok(_) => Ok(0),
        Err(client::Error::Failed(Failure::Refused { errno: number, .. })) => {
            Err(Error::Usage(errno(number)))
        }
        Err(error) => Err(explain(&mut client, domain, error, &not_started(domain))),
    }
}

/// `reset`.
pub(in crate::xm) fn reset(session: &mut Session, given: &Given) -> Outcome {
    let domain = given.operand(0);
    if is_control(domain) {
        return Err(Error::Usage(format!("Cannot reset privileged domain {domain}")));
    }
    adjust(&mut session.connect()?, domain, Adjust::Reset)?;
    Ok(0)
}

/// `debug-keys`.
pub(in crate::xm) fn debug_keys(session: &mut Session, given: &Given) -> Outcome {
    let keys = given.operand(0);
    if !keys.is_ascii() {
        return Err(invalid());
    }
    let mut client = session.connect()?;
    let mut rest = keys;
    while let (piece, behind) = rest.split_at(rest.len().min(KEYS))
        && !piece.is_empty()
    {
        client.ask(Request::Machine(Machine::Keys { keys: piece }))?;
        rest = behind;
    }
    Ok(0)
}

/// An error number of Xen's as scripts know it.
pub(super) fn errno(number: u16) -> String {
    let text = reason(&std::io::Error::from_raw_os_error(number.into()));
    format!("({number}, '{text}')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_are_a_pair() {
        assert_eq!(errno(38), "(38, 'Function not implemented')");
        assert_eq!(errno(22), "(22, 'Invalid argument')");
    }
}
