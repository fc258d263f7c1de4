//! `getenforce`, `setenforce`, `getpolicy`, `setpolicy`, `loadpolicy`.

use std::fs::File;
use std::io::Read;

use xendless_core::protocol::{Answer, CHUNK, Labels, POLICY, Policy, Request};

use super::{ACM, NO_DUMP, ask, refused};
use crate::client::{self, Client, Event};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// `getenforce`.
pub(in crate::xm) fn get_enforce(session: &mut Session, given: &Given) -> Outcome {
    if !given.operands.is_empty() {
        return Err(Error::Usage("No arguments expected.".to_owned()));
    }
    let Policy { enforcing, .. } = state(&mut session.connect()?)?;
    session.out.line(if enforcing { "Enforcing" } else { "Permissive" })?;
    Ok(0)
}

/// `setenforce`.
pub(in crate::xm) fn set_enforce(session: &mut Session, given: &Given) -> Outcome {
    let [mode] = given.operands.as_slice() else {
        return Err(Error::Usage("Invalid arguments".to_owned()));
    };
    let enforcing = match mode.to_ascii_lowercase().as_str() {
        "1" | "enforcing" => true,
        "0" | "permissive" => false,
        _ => return Err(Error::Usage(format!("{} is an unsupported mode", Shown(mode)))),
    };
    ask(&mut session.connect()?, Labels::Enforce { enforcing })?;
    Ok(0)
}

/// `getpolicy`.
pub(in crate::xm) fn get(session: &mut Session, given: &Given) -> Outcome {
    if given.has("dumpxml") {
        return Err(Error::Plain(NO_DUMP.to_owned()));
    }
    let Policy { enforcing, version } = state(&mut session.connect()?)?;
    session.out.line("Supported security subsystems   : FLASK\n")?;
    session.out.line("Policy type           : FLASK")?;
    session.out.line(format_args!("Policy version        : up to {version}"))?;
    session.out.line(format_args!("Policy is enforced    : {}", if enforcing { "yes" } else { "no" }))?;
    Ok(0)
}

/// `setpolicy`.
pub(in crate::xm) fn set(session: &mut Session, given: &Given) -> Outcome {
    let [kind, file] = given.operands.as_slice() else {
        return Err(Error::Usage("Need at least 3 arguments.".to_owned()));
    };
    match kind.to_ascii_uppercase().as_str() {
        "FLASK" => {}
        "ACM" => return Err(Error::Plain(ACM.to_owned())),
        _ => return Err(Error::Usage(format!("Unsupported policytype '{}'.", Shown(kind)))),
    }
    put_in_force(session, file)
}

/// `loadpolicy`.
pub(in crate::xm) fn load(session: &mut Session, given: &Given) -> Outcome {
    let [file] = given.operands.as_slice() else {
        return Err(Error::Usage("No policy defined".to_owned()));
    };
    put_in_force(session, file)
}

fn state(client: &mut Client) -> Result<Policy, Error> {
    match client.ask(Request::Labels(Labels::Policy)) {
        Ok(Answer::Policy(policy)) => Ok(policy),
        Ok(_) => Err(client::Error::Unexpected.into()),
        Err(error) => Err(refused(error, Labels::Policy)),
    }
}

fn put_in_force(session: &mut Session, path: &str) -> Outcome {
    let bytes = read(path)?;
    send(&mut session.connect()?, &bytes)?;
    session.out.line("Successfully set the new policy.")?;
    Ok(0)
}

/// The bytes of a policy.
fn read(path: &str) -> Result<Vec<u8>, Error> {
    let unread = |why: &str| Error::Plain(format!("Could not read policy file: {} ({why})", Shown(path)));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unread(&reason(&error)))?;
    let limit = u64::from(POLICY) + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unread(&reason(&error)))?;
    match bytes.len() as u64 {
        0 => Err(unread("it is empty")),
        count if count == limit => Err(unread("it is longer than policies may be")),
        _ => Ok(bytes),
    }
}

/// Sends a policy as it is asked for.
fn send(client: &mut Client, bytes: &[u8]) -> Result<(), Error> {
    let request = Labels::Load { size: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
    let id = client.start(Request::Labels(request))?;
    let mut rest = bytes;
    loop {
        let mut credit = match client.next(id)? {
            Event::Credit(more) => usize::try_from(more).unwrap_or(usize::MAX),
            Event::Answer(Ok(_)) => return Ok(()),
            Event::Answer(Err(failure)) => return Err(refused(client::Error::Failed(failure), request)),
            Event::Want(_) | Event::Data(_) => return Err(client::Error::Unexpected.into()),
        };
        while credit > 0 && !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(CHUNK).min(credit));
            client.data(id, piece)?;
            credit -= piece.len();
            rest = later;
        }
    }
}
