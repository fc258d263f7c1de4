//! Network interfaces and bridges of Linux, over rtnetlink (`man 7 rtnetlink`, `include/uapi/linux/if_link.h`): a request,
//! and an answer that the kernel has ready at once. Nothing here waits.

mod message;
#[cfg(test)]
pub(crate) mod own_network;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NetlinkBuffer, NetlinkMessage,
    NetlinkPayload,
};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::rand::{GetRandomFlags, getrandom};

pub use self::message::{Link, is_name};
use self::message::{Request, Told};

/// The kernel sends no more than this at once, unless it is asked for more.
const RECEIVED: usize = 32 << 10;

/// How often all interfaces are asked for again when they changed meanwhile.
const ATTEMPTS: u32 = 16;

/// What can be changed of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change<'a> {
    /// Its name. Older kernels want it down for that.
    Name(&'a str),
    /// The longest packet that it takes.
    Mtu(u32),
    /// The bridge, by its index, that it is a port of.
    Bridge(u32),
    /// It gets no address of its own when it comes up (IPv6).
    Unaddressed,
    /// It works.
    Up,
    /// It does not.
    Down,
}

/// The hardware address of a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address {
    /// The lowest of its ports'. Without ports it has none.
    OfPorts,
    /// One that is made up, and stays whatever ports come and go.
    Own,
}

/// The way to the kernel.
#[derive(Debug)]
pub struct Links {
    socket: OwnedFd,
    sequence: u32,
}

impl Links {
    /// Opens the way to the kernel; for looking no rights are needed.
    ///
    /// # Errors
    /// When there are no sockets of this kind.
    pub fn open() -> io::Result<Self> {
        // No protocol is `NETLINK_ROUTE`.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The interface of this name; `None` when there is none.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn named(&mut self, name: &str) -> io::Result<Option<Link>> {
        if !is_name(name) {
            return Ok(None);
        }
        match self.ask(&Request::get().with(message::name(name)), 0) {
            Ok((found, _)) => Ok(found.into_iter().next()),
            Err(error) if error.raw_os_error() == Some(Errno::NODEV.raw_os_error()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All bridges, the oldest first.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn bridges(&mut self) -> io::Result<Vec<Link>> {
        for _ in 0..ATTEMPTS {
            let (mut found, whole) = self.ask(&Request::get(), NLM_F_DUMP)?;
            if whole {
                found.retain(|link| link.is_bridge);
                found.sort_by_key(|link| link.index);
                return Ok(found);
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Makes a bridge, which Linux lets pass packets on from the start: it looks for no loops (STP).
    ///
    /// # Errors
    /// When there is something of this name, or the kernel refuses.
    pub fn make_bridge(&mut self, name: &str, address: Address) -> io::Result<()> {
        let request = make(name, "bridge")?;
        let mut bytes = [0; 6];
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        self.make(&match address {
            Address::OfPorts => request,
            Address::Own => request.with(message::address(bytes)),
        })
    }

    /// Changes an interface, by its index.
    ///
    /// # Errors
    /// When it is not there any more, or the kernel refuses.
    pub fn change(&mut self, index: u32, change: Change<'_>) -> io::Result<()> {
        let request = Request::change(index);
        let request = match change {
            Change::Name(name) => request.with(message::name(checked(name)?)),
            Change::Mtu(bytes) => request.with(message::mtu(bytes)),
            Change::Bridge(index) => request.with(message::master(index)),
            Change::Unaddressed => request.with(message::no_address()),
            Change::Up => request.up(true),
            Change::Down => request.up(false),
        };
        match self.ask(&request, NLM_F_ACK) {
            // A kernel without IPv6 gives no addresses either.
            Err(error)
                if change == Change::Unaddressed
                    && error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error()) =>
            {
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    fn make(&mut self, request: &Request) -> io::Result<()> {
        self.ask(request, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    /// Asks for something. Gives the interfaces that the kernel tells of, and whether that is the whole truth.
    fn ask(&mut self, request: &Request, flags: u16) -> io::Result<(Vec<Link>, bool)> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = request.bytes(self.sequence, flags);
        send(&self.socket, &bytes, SendFlags::empty())?;
        let (mut found, mut whole) = (Vec::new(), true);
        let mut buffer = vec![0; RECEIVED];
        loop {
            let (_, length) = match recv(&self.socket, &mut *buffer, RecvFlags::TRUNC) {
                Err(Errno::INTR) => continue,
                outcome => outcome?,
            };
            let mut rest = buffer.get(..length).ok_or_else(|| garbled("longer than it may be"))?;
            while !rest.is_empty() {
                let (message, behind) = split(rest)?;
                rest = behind;
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                whole &= message.header.flags & NLM_F_DUMP_INTR == 0;
                match message.payload {
                    NetlinkPayload::InnerMessage(Told::Link(link)) => found.push(link),
                    NetlinkPayload::Done(done) if done.code == 0 => return Ok((found, whole)),
                    NetlinkPayload::Done(done) => return Err(io::Error::from_raw_os_error(-done.code)),
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok((found, whole)),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    _ => {}
                }
                if flags == 0 && !found.is_empty() {
                    return Ok((found, whole));
                }
            }
        }
    }
}

/// The request for an interface of some kind.
fn make(name: &str, kind: &str) -> io::Result<Request> {
    Ok(Request::make().with(message::name(checked(name)?)).with(message::kind(kind)))
}

/// The first message of some, and those behind it.
fn split(bytes: &[u8]) -> io::Result<(NetlinkMessage<Told>, &[u8])> {
    let length = NetlinkBuffer::new_checked(bytes).map_err(garbled)?.length();
    let message = NetlinkMessage::deserialize(bytes).map_err(garbled)?;
    let padded = usize::try_from(length).map_err(garbled)?.next_multiple_of(4);
    Ok((message, bytes.get(padded..).unwrap_or_default()))
}

fn checked(name: &str) -> io::Result<&str> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "no name for an interface");
    is_name(name).then_some(name).ok_or_else(no_name)
}

fn garbled(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the kernel's answer is {why}"))
}
