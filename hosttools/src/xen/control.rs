//! The ring to the control domain: found, mapped, connected, and all of it again when it was lost.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use embedded_io::{Read, Write};
use xendless_core::abi::io::vchan::VchanInterface;
use xendless_core::hyper::{Access, DomId, GrantRef};
use xendless_core::ring::RingError;
use xendless_core::ring::vchan::{ClientEnd, Link, Offer, Wants};

use super::finder::{Finder, Offered};
use super::xenbus::Xenbus;
use super::{Channel, GrantDevice, GrantedPage};

/// How long to wait after something that says nothing of its own when it works again.
const RETRY: Duration = Duration::from_secs(1);

/// What [`ControlRing::service`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RingState {
    /// As before.
    Same,
    /// The ring can be used; what it carries begins.
    Up,
    /// What it carried is over.
    Lost(String),
    /// It does not come to work, and why.
    Trouble(String),
}

/// The ring of this domain.
pub struct ControlRing {
    /// Where the devices are.
    devices: PathBuf,
    /// The control domain.
    server: DomId,
    finder: Option<Finder<Xenbus>>,
    offered: Option<Offered>,
    connection: Option<Connection>,
    /// Nothing is tried before.
    pause: Option<Instant>,
}

/// A mapped ring. The pages go before the channel, so that unmapping them can signal it.
struct Connection {
    end: ClientEnd<GrantedPage>,
    channel: Channel,
    up: bool,
    /// The ring was asked for, and there was no signal since.
    tried: bool,
}

impl Connection {
    fn open(devices: &std::path::Path, server: DomId, offered: Offered) -> io::Result<Self> {
        let grants = GrantDevice::open(&devices.join("gntdev"))?;
        let channel = Channel::bind(&devices.join("evtchn"), server, offered.port)?;
        let control = grants.map(server, offered.gref, Access::ReadWrite)?;
        let live = u16::try_from(std::mem::offset_of!(VchanInterface, cli_live)).unwrap_or_default();
        control.notify_when_unmapped(live, channel.port())?;
        let offer = Offer::read(&control).map_err(io::Error::other)?;
        let map = |refs: &[GrantRef], access| {
            refs.iter().map(|gref| grants.map(server, *gref, access)).collect::<io::Result<Vec<_>>>()
        };
        let (left, right) = (map(offer.left(), Access::ReadWrite)?, map(offer.right(), Access::ReadOnly)?);
        let end = ClientEnd::open(control, &offer, left, right).map_err(io::Error::other)?;
        Ok(Self { end, channel, up: false, tried: false })
    }

    /// Gives up what it carries; another connection can follow on the same pages.
    fn end(&mut self) {
        (self.up, self.tried) = (false, false);
        self.end.close();
        // A server that is gone needs no signal.
        let _ = self.channel.notify();
    }
}

impl ControlRing {
    /// Looks for a ring that the domain `server` offers, by the devices in the directory `devices`.
    #[must_use]
    pub const fn new(devices: PathBuf, server: DomId) -> Self {
        Self { devices, server, finder: None, offered: None, connection: None, pause: None }
    }

    /// What to wait for; each is readable when [`ControlRing::service`] is due.
    pub fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let finder = self.finder.as_ref().map(|finder| finder.stream().as_fd());
        finder.into_iter().chain(self.connection.as_ref().map(|connection| connection.channel.as_fd()))
    }

    /// When [`ControlRing::service`] is due without any of these, if it is.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        self.pause
    }

    /// Whether the ring is on its way: XenStore has not said yet whether there is one, or the control domain has not
    /// answered on the one that there is.
    #[must_use]
    pub fn is_coming(&self) -> bool {
        self.offered.is_some() || self.finder.as_ref().is_some_and(|finder| !finder.is_settled())
    }

    /// Goes on, without waiting.
    pub fn service(&mut self, now: Instant) -> RingState {
        if self.pause.is_some_and(|until| now < until) {
            return self.check();
        }
        self.pause = None;
        match self.find() {
            Ok(true) => {
                if let Some(Connection { up: true, .. }) = self.connection.take() {
                    return RingState::Lost("the control domain offers another ring".into());
                }
            }
            Ok(false) => {}
            Err(why) => return self.troubled(now, format!("XenStore: {why}")),
        }
        if self.offered.is_none() && self.finder.as_ref().is_some_and(Finder::is_settled) {
            return RingState::Trouble("no ring is offered to this domain".into());
        }
        if let (None, Some(offered)) = (&self.connection, self.offered) {
            match Connection::open(&self.devices, self.server, offered) {
                Ok(connection) => self.connection = Some(connection),
                Err(why) => return self.troubled(now, format!("the ring that is offered: {why}")),
            }
        }
        self.check()
    }

    /// Bytes that came; 0 when there are none.
    ///
    /// # Errors
    /// When the ring cannot be used further.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        moved(self.usable()?.end.read(buffer))
    }

    /// Sends bytes; returns how many, 0 when there is no room.
    ///
    /// # Errors
    /// When the ring cannot be used further.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        moved(self.usable()?.end.write(bytes))
    }

    /// To be called before waiting: signals the control domain where that is due. Returns whether there is something
    /// to do at once.
    ///
    /// # Errors
    /// When the ring cannot be used further.
    pub fn settle(&mut self, writes: bool) -> io::Result<bool> {
        let Ok(connection) = self.usable() else { return Ok(false) };
        let wants = if writes { Wants::DATA | Wants::ROOM } else { Wants::DATA };
        let ready = connection.end.ask(wants).map_err(io::Error::other)?;
        if connection.end.owes_signal() {
            connection.channel.notify()?;
        }
        Ok(!ready.is_empty())
    }

    /// Ends the connection, because of what came over it; another is tried after a pause.
    pub fn give_up(&mut self, now: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.end();
        }
        self.pause = Some(now + RETRY);
    }

    /// Whether what is offered changed.
    fn find(&mut self) -> io::Result<bool> {
        let finder = match &mut self.finder {
            Some(finder) => finder,
            None => {
                let device = Xenbus::open(&self.devices.join("xenbus"))?;
                self.finder.insert(Finder::new(device).map_err(io::Error::other)?)
            }
        };
        let found = finder.step().map_err(io::Error::other)?;
        Ok(found.is_some_and(|found| std::mem::replace(&mut self.offered, found) != found))
    }

    /// Looks at the connection that there is.
    fn check(&mut self) -> RingState {
        let paused = self.pause.is_some();
        let Some(connection) = &mut self.connection else { return RingState::Same };
        match connection.channel.take_signals() {
            Ok(came) => connection.tried &= !came,
            Err(why) => {
                let lost = connection.up;
                self.connection = None;
                return if lost {
                    RingState::Lost(why.to_string())
                } else {
                    RingState::Trouble(why.to_string())
                };
            }
        }
        if connection.up {
            return match connection.end.link() {
                Link::Up => RingState::Same,
                Link::Waiting | Link::Gone => {
                    connection.end();
                    RingState::Lost("the control domain ended the connection".into())
                }
            };
        }
        if paused || connection.tried {
            return RingState::Same;
        }
        connection.tried = true;
        connection.up = connection.end.connect() == Link::Up;
        let _ = connection.channel.notify();
        if connection.up { RingState::Up } else { RingState::Same }
    }

    fn troubled(&mut self, now: Instant, why: String) -> RingState {
        self.pause = Some(now + RETRY);
        let was_up = self.connection.take().is_some_and(|connection| connection.up);
        (self.finder, self.offered) = (None, None);
        if was_up { RingState::Lost(why) } else { RingState::Trouble(why) }
    }

    fn usable(&mut self) -> io::Result<&mut Connection> {
        self.connection
            .as_mut()
            .filter(|connection| connection.up)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

fn moved(outcome: Result<usize, RingError>) -> io::Result<usize> {
    match outcome {
        Ok(count) => Ok(count),
        Err(RingError::NotReady) => Ok(0),
        Err(error @ RingError::Peer(_)) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    #[test]
    fn a_ring_is_on_its_way_while_xenstore_does_not_answer() {
        let devices = tempfile::tempdir().unwrap();
        let mut ring = ControlRing::new(devices.path().into(), DomId(0));
        let now = Instant::now();
        assert!(matches!(ring.service(now), RingState::Trouble(_)) && !ring.is_coming());
        // A terminal at which nobody types takes every question and answers none.
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        symlink(ptsname(&master, Vec::new()).unwrap().to_str().unwrap(), devices.path().join("xenbus"))
            .unwrap();
        assert!(matches!(ring.service(now + RETRY), RingState::Same) && ring.is_coming());
        drop(master);
        assert!(matches!(ring.service(now + RETRY), RingState::Trouble(_)) && !ring.is_coming());
    }
}
