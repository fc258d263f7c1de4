//! `/dev/xen/evtchn`: event channels of this domain.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::io::ioctl_fionbio;
use rustix::ioctl::Opcode;
use xendless_core::hyper::{DomId, Port};

use super::call::{Argument, call, number};

#[repr(C)]
#[derive(Clone, Copy)]
struct BindInterdomain {
    domain: u32,
    port: u32,
}

// SAFETY: the structure is `ioctl_evtchn_bind_interdomain`, which the driver only reads.
#[expect(unsafe_code, reason = "says which structure belongs to the call")]
unsafe impl Argument for BindInterdomain {
    const NUMBER: Opcode = number::<Self>(b'E', 1);
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Notify {
    port: u32,
}

// SAFETY: the structure is `ioctl_evtchn_notify`, which the driver only reads.
#[expect(unsafe_code, reason = "says which structure belongs to the call")]
unsafe impl Argument for Notify {
    const NUMBER: Opcode = number::<Self>(b'E', 4);
}

/// One channel to another domain. It can be waited for: it is readable when a signal came. Dropping it closes the
/// channel.
#[derive(Debug)]
pub struct Channel {
    device: File,
    port: Port,
}

impl Channel {
    /// Binds to the channel that `domid` offers as `remote`.
    ///
    /// # Errors
    /// When there is no such channel, or it is bound, or the device may not be opened.
    pub fn bind(path: &Path, domid: DomId, remote: Port) -> io::Result<Self> {
        let device = File::options().read(true).write(true).open(path)?;
        ioctl_fionbio(&device, true)?;
        let (_, port) = call(&device, BindInterdomain { domain: domid.0.into(), port: remote.0 })?;
        Ok(Self { device, port: Port(port) })
    }

    /// Its number on this side.
    #[must_use]
    pub const fn port(&self) -> Port {
        self.port
    }

    /// Signals the other side.
    ///
    /// # Errors
    /// When the channel is no more.
    pub fn notify(&self) -> io::Result<()> {
        call(&self.device, Notify { port: self.port.0 }).map(drop)
    }

    /// Takes note of signals, so that the next one makes the channel readable again; returns whether any came.
    ///
    /// # Errors
    /// When the device fails.
    pub fn take_signals(&self) -> io::Result<bool> {
        let mut port = [0; size_of::<u32>()];
        match (&self.device).read(&mut port) {
            // The driver masks a channel whose signal it delivers. Writing its number back unmasks it.
            Ok(0) => Ok(false),
            Ok(_) => (&self.device).write(&port).map(|_| true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_have_the_numbers_of_the_header() {
        assert_eq!((BindInterdomain::NUMBER, Notify::NUMBER), (0x0008_4501, 0x0004_4504));
    }
}
