//! `dmesg` and `log`.

use std::io::Write;

use xendless_core::protocol::{Answer, Failure, Request};

use crate::client::{self, Event};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::out::Harmless;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// Bytes that may be on their way at once.
const WINDOW: u32 = 64 << 10;

/// `dmesg`.
pub(in crate::xm) fn dmesg(session: &mut Session, given: &Given) -> Outcome {
    if !given.operands.is_empty() {
        return Err(Error::Usage("No parameter required".to_owned()));
    }
    print(session, Request::Dmesg { clear: given.has("clear") })
}

/// `log`: the control domain's, then that of `xmd`.
pub(in crate::xm) fn log(session: &mut Session, _: &Given) -> Outcome {
    let mut client = session.connect()?;
    let relay = match client.ask(Request::RelayLog) {
        Ok(Answer::Log(text)) => text.to_vec(),
        // The server is no xmd.
        Err(client::Error::Failed(Failure::Unsupported(_))) => Vec::new(),
        Ok(_) => return Err(client::Error::Unexpected.into()),
        Err(error) => return Err(error.into()),
    };
    let outcome = print(session, Request::Log);
    let mut harmless = Harmless::default();
    session.out.write_all(harmless.next(&relay).as_bytes())?;
    session.out.write_all(harmless.end().as_bytes())?;
    session.out.line("")?;
    outcome
}

/// Prints all that comes down.
fn print(session: &mut Session, request: Request<'_>) -> Outcome {
    let mut client = session.connect()?;
    let id = client.start(request)?;
    client.credit(id, WINDOW)?;
    let mut harmless = Harmless::default();
    loop {
        let used = match client.next(id)? {
            Event::Data(bytes) => {
                session.out.write_all(harmless.next(bytes).as_bytes())?;
                u32::try_from(bytes.len()).unwrap_or(u32::MAX)
            }
            Event::Answer(Ok(_)) => {
                session.out.write_all(harmless.end().as_bytes())?;
                return Ok(0);
            }
            Event::Answer(Err(failure)) => return Err(failure.into()),
            Event::Want(_) | Event::Credit(_) => 0,
        };
        if used > 0 {
            client.credit(id, used)?;
        }
    }
}
