//! Finds in XenStore where the control domain offers a ring to this domain, now and whenever that changes.
//!
//! It asks for one thing at a time: Linux (`drivers/xen/xenbus/xenbus_dev_frontend.c`) keeps what is written to its device
//! in one buffer until it is on the ring, so a second request can spoil the first.

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

enum Stage {
    /// Which domain this is.
    Domid(Ticket),
    /// Asked for events.
    Watch(Ticket),
    /// The first node is asked for.
    Gref(Ticket),
    /// The second one is. `stale`: they changed meanwhile.
    Port { gref: Answer, port: Ticket, stale: bool },
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
        match &mut self.stage {
            &mut Stage::Domid(ticket) => {
                let Some(answer) = self.client.answer(ticket) else { return Ok(None) };
                let domid =
                    number(&answer.map_err(Failed::Refused)?).ok_or(Failed::Refused(XsError::EINVAL))?;
                self.home = format!("/xendless/control/{domid}");
                let watch = Request::Watch { path: self.home.as_bytes(), token: b"ring", depth: None };
                Ok(Some(Stage::Watch(self.client.ask(0, &watch).map_err(Failed::Unsendable)?)))
            }
            &mut Stage::Watch(ticket) => match self.client.answer(ticket) {
                Some(answer) => answer.map_err(Failed::Refused).and_then(|_| self.look()).map(Some),
                None => Ok(None),
            },
            // What changes from here on is read after it, or again.
            &mut Stage::Gref(ticket) => {
                let Some(gref) = self.client.answer(ticket) else { return Ok(None) };
                let port = self.read("event-channel")?;
                Ok(Some(Stage::Port { gref, port, stale: changed }))
            }
            Stage::Port { gref, port, stale } => {
                *stale |= changed;
                let Some(port) = self.client.answer(*port) else { return Ok(None) };
                if *stale {
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
        self.read("ring-ref").map(Stage::Gref)
    }

    fn read(&mut self, name: &str) -> Result<Ticket, Failed> {
        let path = format!("{}/{name}", self.home);
        self.client.ask(0, &Request::Read { path: path.as_bytes() }).map_err(Failed::Unsendable)
    }
}

/// Both numbers, when both are there. Who may not read them is offered nothing.
fn offered(gref: &Answer, port: Answer) -> Result<Option<Offered>, Failed> {
    let (gref, port) = match (gref, port) {
        (Ok(gref), Ok(port)) => (gref, port),
        (&Err(error), _) | (_, Err(error)) if !matches!(error, XsError::ENOENT | XsError::EACCES) => {
            return Err(Failed::Refused(error));
        }
        _ => return Ok(None),
    };
    let numbers = number(gref).zip(number(&port)).filter(|(gref, port)| *gref != 0 && *port != 0);
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
    use xendless_core::store::wire::{Header, Kind, Message, Payload};

    type Found = Option<Option<Offered>>;

    /// A store of its own, someone who writes to it, and a finder.
    fn world() -> (tempfile::TempDir, Session<FromStd<UnixStream>>, Finder<Pollable<UnixStream>>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        Hosted::spawn(&path).unwrap();
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

    /// As Linux' device: it has room for one message, and answers it when it is read. Every node holds a number.
    #[derive(Default)]
    struct OneAtATime(Vec<u8>);

    impl embedded_io::ErrorType for OneAtATime {
        type Error = io::Error;
    }

    impl WriteReady for OneAtATime {
        fn write_ready(&mut self) -> io::Result<bool> {
            Ok(true)
        }
    }

    impl Write for OneAtATime {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            assert!(self.0.is_empty(), "the message before is still there");
            let header = Header::parse(buf[..Header::SIZE].try_into().unwrap()).unwrap();
            let read = header.kind == Kind::READ;
            let payload = Payload::try_from(if read { &b"7"[..] } else { b"OK\0" }).unwrap();
            self.0 = Message::reply(&header, payload).as_bytes().to_vec();
            Ok(buf.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl ReadReady for OneAtATime {
        fn read_ready(&mut self) -> io::Result<bool> {
            Ok(!self.0.is_empty())
        }
    }

    impl Read for OneAtATime {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = buf.len().min(self.0.len());
            buf[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    #[test]
    fn it_asks_for_one_thing_at_a_time() {
        let mut finder = Finder::new(OneAtATime::default()).unwrap();
        assert_eq!(finder.step().unwrap(), Some(Some(Offered { gref: GrantRef(7), port: Port(7) })));
    }
}
