//! Finds in XenStore where the control domain offers a ring to this domain, now and whenever that changes.

use std::io;

use embedded_io::{Read, ReadReady, Write, WriteReady};
use xendless_core::hyper::{GrantRef, Port};
use xendless_core::store::client::{Answer, Client, ClientError, Ticket};
use xendless_core::store::wire::{Request, XsError};

/// A ring that is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Offered {
    /// Its control page.
    pub(super) gref: GrantRef,
    /// Its channel, in the control domain.
    pub(super) port: Port,
}

/// A conversation with XenStore.
pub(super) struct Finder<S> {
    stream: S,
    client: Client,
    /// The directory with the two nodes; empty while it is not known.
    home: String,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Which domain this is.
    Domid(Ticket),
    /// Asked for events.
    Watch(Ticket),
    /// Both nodes are asked for. `stale`: they changed meanwhile.
    Read { gref: Ticket, port: Ticket, stale: bool },
    /// Nothing changed since.
    Settled,
}

type Failed = ClientError<io::Error>;

impl<S> Finder<S>
where
    S: Read + ReadReady + Write + WriteReady + embedded_io::ErrorType<Error = io::Error>,
{
    pub(super) fn new(stream: S) -> Result<Self, Failed> {
        let mut client = Client::new();
        let stage =
            Stage::Domid(client.ask(0, &Request::Read { path: b"domid" }).map_err(Failed::Unsendable)?);
        Ok(Self { stream, client, home: String::new(), stage })
    }

    pub(super) const fn stream(&self) -> &S {
        &self.stream
    }

    /// Whether what is offered was looked up, and nothing changed since.
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Settled)
    }

    /// Goes on as far as that is possible without waiting. Returns what is offered when that was looked up anew, with
    /// `None` inside when nothing is.
    pub(super) fn step(&mut self) -> Result<Option<Option<Offered>>, Failed> {
        self.client.pump(&mut self.stream)?;
        let mut found = None;
        while let Some(stage) = self.advance(&mut found)? {
            self.stage = stage;
            self.client.pump(&mut self.stream)?;
        }
        Ok(found)
    }

    /// The next stage, when what this one waits for came.
    fn advance(&mut self, found: &mut Option<Option<Offered>>) -> Result<Option<Stage>, Failed> {
        let changed = std::iter::from_fn(|| self.client.event()).count() > 0;
        match self.stage {
            Stage::Domid(ticket) => {
                let Some(answer) = self.client.answer(ticket) else { return Ok(None) };
                let domid =
                    number(&answer.map_err(Failed::Refused)?).ok_or(Failed::Refused(XsError::EINVAL))?;
                self.home = format!("/xendless/control/{domid}");
                let watch = Request::Watch { path: self.home.as_bytes(), token: b"ring", depth: None };
                Ok(Some(Stage::Watch(self.client.ask(0, &watch).map_err(Failed::Unsendable)?)))
            }
            Stage::Watch(ticket) => match self.client.answer(ticket) {
                Some(answer) => answer.map_err(Failed::Refused).and_then(|_| self.look()).map(Some),
                None => Ok(None),
            },
            Stage::Read { gref, port, stale } => {
                // The second answer comes last, so when it is there both are.
                let stale = stale || changed;
                let Some(port) = self.client.answer(port) else {
                    let Stage::Read { stale: kept, .. } = &mut self.stage else { return Ok(None) };
                    *kept = stale;
                    return Ok(None);
                };
                let gref = self.client.answer(gref);
                if stale {
                    return self.look().map(Some);
                }
                *found = Some(offered(gref, port)?);
                Ok(Some(Stage::Settled))
            }
            Stage::Settled if changed => self.look().map(Some),
            Stage::Settled => Ok(None),
        }
    }

    fn look(&mut self) -> Result<Stage, Failed> {
        let mut ask = |name| {
            let path = format!("{}/{name}", self.home);
            self.client.ask(0, &Request::Read { path: path.as_bytes() }).map_err(Failed::Unsendable)
        };
        Ok(Stage::Read { gref: ask("ring-ref")?, port: ask("event-channel")?, stale: false })
    }
}

/// Both numbers, when both are there. Who may not read them is offered nothing.
fn offered(gref: Option<Answer>, port: Answer) -> Result<Option<Offered>, Failed> {
    let (gref, port) = match (gref, port) {
        (Some(Ok(gref)), Ok(port)) => (gref, port),
        (Some(Err(error)), _) | (_, Err(error)) if !matches!(error, XsError::ENOENT | XsError::EACCES) => {
            return Err(Failed::Refused(error));
        }
        _ => return Ok(None),
    };
    let numbers = number(&gref).zip(number(&port)).filter(|(gref, port)| *gref != 0 && *port != 0);
    Ok(numbers.map(|(gref, port)| Offered { gref: GrantRef(gref), port: Port(port) }))
}

fn number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.trim_end_matches('\0').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pollable::Pollable;
    use crate::xenstored::Hosted;
    use embedded_io_adapters::std::FromStd;
    use std::os::unix::net::UnixStream;
    use xendless_core::store::client::Session;

    type Found = Option<Option<Offered>>;

    /// A store of its own, someone who writes to it, and a finder.
    fn world() -> (tempfile::TempDir, Session<FromStd<UnixStream>>, Finder<Pollable<UnixStream>>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let (bound, is_bound) = std::sync::mpsc::channel();
        let socket = path.clone();
        std::thread::spawn(move || {
            let mut hosted = Hosted::bind(&socket).unwrap();
            bound.send(()).unwrap();
            hosted.run()
        });
        is_bound.recv().unwrap();
        let mut writer = Session::new(FromStd::new(UnixStream::connect(&path).unwrap()));
        writer.nodes().write(b"domid", b"7").unwrap();
        let finder = Finder::new(Pollable::new(UnixStream::connect(&path).unwrap()).unwrap()).unwrap();
        (dir, writer, finder)
    }

    /// Lets the finder work until it found what is wanted.
    fn until(finder: &mut Finder<Pollable<UnixStream>>, wanted: Found) {
        while finder.step().unwrap() != wanted {
            let mut fds = [rustix::event::PollFd::new(&finder.stream, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut fds, None).unwrap();
        }
    }

    fn write(writer: &mut Session<FromStd<UnixStream>>, gref: &[u8], port: &[u8]) {
        writer
            .transaction(|nodes| {
                nodes.write(b"/xendless/control/7/ring-ref", gref)?;
                nodes.write(b"/xendless/control/7/event-channel", port)
            })
            .unwrap();
    }

    #[test]
    fn a_ring_is_found_whenever_it_comes_goes_or_changes() {
        let (_dir, mut writer, mut finder) = world();
        until(&mut finder, Some(None));
        write(&mut writer, b"8", b"9");
        until(&mut finder, Some(Some(Offered { gref: GrantRef(8), port: Port(9) })));
        writer.nodes().remove(b"/xendless/control/7").unwrap();
        until(&mut finder, Some(None));
        write(&mut writer, b"10", b"11");
        until(&mut finder, Some(Some(Offered { gref: GrantRef(10), port: Port(11) })));
    }

    #[test]
    fn numbers_that_are_none_offer_nothing() {
        let (_dir, mut writer, mut finder) = world();
        for (gref, port) in [("x", "9"), ("8", ""), ("0", "9"), ("8", "0"), ("-1", "9"), ("4294967296", "1")]
        {
            write(&mut writer, gref.as_bytes(), port.as_bytes());
            until(&mut finder, Some(None));
        }
        write(&mut writer, b"8", b"9");
        until(&mut finder, Some(Some(Offered { gref: GrantRef(8), port: Port(9) })));
    }
}
