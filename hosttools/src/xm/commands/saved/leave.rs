//! How a domain leaves: it suspends itself, what it is then is read and written somewhere, and it is taken down when that
//! is safe. Whatever ends before that, the domain goes on.

use std::os::fd::AsFd;
use std::time::Duration;

use xendless_core::protocol::{Failure, Request, RequestId, Row};

use super::stream::{Sink, Writer};
use crate::client::{self, Client, Event};
use crate::xm::error::Error;
use crate::xm::signals::{Signals, status};
use crate::xm::timer::Timer;

/// Bytes that may be on their way at once.
const WINDOW: u32 = 256 << 10;

/// How long a domain may take to suspend itself, as ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a domain did not leave.
#[derive(Debug)]
pub(super) struct Stayed {
    pub(super) why: Error,
    /// Whether that is certain: it is not when the control domain was told that all is safe and never answered.
    pub(super) certain: bool,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The domain is to suspend itself.
    Suspending,
    /// It is read.
    Reading,
    /// All of it is where it stays.
    Whole,
    /// The control domain was told so.
    Safe,
    /// It has answered.
    Over,
}

/// A domain on its way.
struct Departure<'a, 'w, S> {
    client: &'a mut Client,
    writer: &'a mut Writer<'w, S>,
    signals: &'a mut Signals,
    stage: Stage,
}

/// Has a domain leave; with `keep` it goes on afterwards.
pub(super) fn leave<S: Sink>(
    client: &mut Client,
    row: &Row,
    writer: &mut Writer<'_, S>,
    signals: &mut Signals,
    keep: bool,
) -> Result<(), Stayed> {
    let mut departure = Departure { client, writer, signals, stage: Stage::Suspending };
    departure
        .follow(&row.domid.to_string(), keep)
        .map_err(|why| Stayed { why, certain: departure.stage != Stage::Safe })
}

impl<S: Sink> Departure<'_, '_, S> {
    fn follow(&mut self, domain: &str, keep: bool) -> Result<(), Error> {
        let timer = Timer::start(PATIENCE)?;
        let id = self.client.start(Request::Save { domain, keep })?;
        self.client.credit(id, WINDOW)?;
        while self.stage != Stage::Over {
            let late = (self.stage == Stage::Suspending).then(|| timer.as_fd());
            let early = matches!(self.stage, Stage::Suspending | Stage::Reading);
            let heard = self.writer.to.watched().filter(|_| early);
            let woken = self.client.wait([Some(self.signals.as_fd()), late, heard], false)?;
            let [signalled, late, heard] = woken.others;
            let stopped = if late {
                Err(Error::Plain(format!("Timeout waiting for domain {domain} to suspend")))
            } else if signalled
                && let Some(signal) = self.signals.take()
                && early
            {
                Err(Error::Silent(status(signal)))
            } else if heard {
                self.writer.to.heard()
            } else {
                Ok(())
            };
            let stopped = if woken.message && stopped.is_ok() { self.take(id)? } else { stopped };
            if let Err(error) = stopped {
                return Err(self.stop(id, error)?);
            }
        }
        Ok(())
    }

    /// Takes what the control domain says. The inner error is a reason to stop.
    fn take(&mut self, id: RequestId) -> Result<Result<(), Error>, Error> {
        match self.client.next(id)? {
            Event::Data(bytes) => {
                let used = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                match self.writer.take(bytes) {
                    Ok(false) => self.stage = Stage::Reading,
                    Ok(true) => self.stage = Stage::Whole,
                    Err(error) => return Ok(Err(error)),
                }
                if self.stage == Stage::Reading {
                    self.client.credit(id, used)?;
                }
            }
            Event::Credit(1..) if self.stage == Stage::Whole => {
                if let Err(error) = self.writer.to.commit() {
                    return Ok(Err(error));
                }
                // Even when this fails it may arrive.
                self.stage = Stage::Safe;
                self.client.data(id, &[1])?;
            }
            Event::Answer(Ok(_)) if self.stage == Stage::Safe => self.stage = Stage::Over,
            Event::Answer(Err(failure)) => {
                self.stage = Stage::Over;
                return Err(match failure {
                    Failure::NotRunning | Failure::NoSuchDomain => {
                        Error::Usage("Domain is not running".to_owned())
                    }
                    other => other.into(),
                });
            }
            _ => return Err(client::Error::Unexpected.into()),
        }
        Ok(Ok(()))
    }

    /// Has the domain go on, and waits until it does. Gives the reason back.
    fn stop(&mut self, id: RequestId, error: Error) -> Result<Error, Error> {
        self.client.cancel(id)?;
        loop {
            match self.client.next(id)? {
                Event::Answer(_) => return Ok(error),
                Event::Data(_) | Event::Credit(_) => {}
                Event::Want(_) => return Err(client::Error::Unexpected.into()),
            }
        }
    }
}
