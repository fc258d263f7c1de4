//! `dmesg` and `log`.

use std::io::Write;

use xendless_core::protocol::Request;

use crate::client::Event;
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

/// `log`.
pub(in crate::xm) fn log(session: &mut Session, _: &Given) -> Outcome {
    print(session, Request::Log)?;
    session.out.line("")?;
    Ok(0)
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
