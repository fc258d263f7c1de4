//! Why something about a device was not done, in the words of the classic tools, and who did not do it.

use core::fmt;

use super::{CONNECT_NS, Class, DeviceName};
use crate::config::devices::{Mac, VirtualDevice};
use crate::hyper::DomId;
use crate::store::wire::XsError;

/// A short text of somebody else's, cut where it is too long. What a terminal would obey is not in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Detail {
    const MAX: usize = 95;

    /// The text in `bytes`, as far as it is one.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let mut detail = Self { bytes: [0; Self::MAX], len: 0 };
        let printable = |byte: u8| if byte.is_ascii_graphic() || byte == b' ' { byte } else { b'?' };
        for (slot, byte) in detail.bytes.iter_mut().zip(text.trim_ascii()) {
            *slot = printable(*byte);
            detail.len += 1;
        }
        detail
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Why something was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The domain has such a device already.
    Exists,
    /// The domain has no such device.
    Missing,
    /// It is being changed already.
    Busy,
    /// The domain has as many as it may have.
    Full,
    /// Another domain uses the same disk.
    Used(Detail),
    /// Another interface has this address.
    MacTaken {
        /// The address.
        mac: Mac,
        /// Whose that interface is.
        front: DomId,
    },
    /// There is no such domain to serve it.
    NoBackend(Detail),
    /// This version cannot serve it.
    Unsupported(&'static str),
    /// It is no drive whose disc could be changed.
    Fixed,
    /// Its backend says that it does not work, and why.
    Backend(Detail),
    /// Its backend says that somebody else has it, and who.
    Taken(Detail),
    /// Its backend threw it away.
    Vanished,
    /// The domain that was to serve it ended.
    BackendGone(DomId),
    /// The domain that was to serve it does not answer.
    NoAnswer {
        /// Which.
        back: DomId,
        /// It prepared the device, but has no driver for it.
        prepared: bool,
    },
    /// The domain that uses it does not let go of it.
    Held,
    /// The domain that serves it does not let go of it.
    Kept(DomId),
    /// It was to be taken away before it worked.
    Withdrawn,
    /// XenStore refused.
    Store(XsError),
}

/// A problem with a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceError {
    /// Which device.
    pub name: DeviceName,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, problem } = self;
        let seconds = CONNECT_NS / 1_000_000_000;
        match problem {
            Problem::Exists => match VirtualDevice::from_number(name.id) {
                Ok(vdev) => write!(f, "Device {vdev} ({}, {}) is already connected.", name.id, name.class),
                Err(_) => write!(f, "Device {name} is already connected."),
            },
            Problem::Missing => match VirtualDevice::from_number(name.id) {
                Ok(vdev) if name.class == Class::Vbd => write!(f, "Device {vdev} not connected"),
                _ => write!(f, "Device {} not connected", name.id),
            },
            Problem::Busy => write!(f, "Device {name} is being changed already."),
            Problem::Full => write!(f, "The domain has as many devices ({}) as it may have.", name.class),
            Problem::Used(what) => write!(f, "The file \"{}\" is already used", what.as_str()),
            Problem::MacTaken { mac, front } if *front == name.front => {
                write!(f, "The mac \"{mac}\" is already defined")
            }
            Problem::MacTaken { mac, front } => {
                write!(f, "The mac \"{mac}\" is already used by domain {front}")
            }
            Problem::NoBackend(who) => {
                write!(f, "Cannot configure device for unknown backend {}", who.as_str())
            }
            Problem::Unsupported(what) => write!(f, "Device {name}: {what} are not supported."),
            Problem::Fixed => write!(f, "Refusing to reconfigure device {}:{}", name.class, name.id),
            Problem::Held => write!(
                f,
                "Device {name} could not be disconnected. Domain {} does not let go of it.",
                name.front
            ),
            Problem::Kept(back) => write!(
                f,
                "Device {name} could not be disconnected. Domain {back}, its backend, does not let go of it."
            ),
            _ => {
                write!(f, "Device {name} could not be connected.")?;
                match problem {
                    Problem::Backend(why) if why.as_str().is_empty() => {
                        f.write_str(" Backend device not found.")
                    }
                    Problem::Backend(why) => write!(f, " {}", why.as_str()),
                    Problem::Taken(who) if who.as_str().is_empty() => f.write_str("\nBusy."),
                    Problem::Taken(who) => write!(f, "\n{}", who.as_str()),
                    Problem::BackendGone(back) => write!(f, " Domain {back}, its backend, ended."),
                    Problem::NoAnswer { back, prepared: false } => write!(
                        f,
                        " Hotplug scripts not working.\nDomain {back}, its backend, did not answer in \
                         {seconds} seconds. Does xmd run there?"
                    ),
                    Problem::NoAnswer { back, prepared: true } => write!(
                        f,
                        " Hotplug scripts not working.\nDomain {back}, its backend, did not take it on in \
                         {seconds} seconds. Does its kernel have a driver for it?"
                    ),
                    Problem::Withdrawn => f.write_str(" It was taken away before."),
                    Problem::Store(error) => write!(f, " XenStore answered {}.", error.name()),
                    _ => f.write_str(" Device not found."),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn words_are_the_classic_ones() {
        let name = DeviceName { front: DomId(7), class: Class::Vbd, id: 51712 };
        let said = |problem| DeviceError { name, problem }.to_string();
        assert_eq!(said(Problem::Exists), "Device xvda (51712, vbd) is already connected.");
        assert_eq!(said(Problem::Missing), "Device xvda not connected");
        let could_not = |rest: &str| ["Device 51712 (vbd) could not be connected.", rest].concat();
        assert_eq!(said(Problem::Backend(Detail::new(b""))), could_not(" Backend device not found."));
        assert_eq!(said(Problem::Backend(Detail::new(b" no such file\n"))), could_not(" no such file"));
        assert_eq!(said(Problem::Taken(Detail::new(b""))), could_not("\nBusy."));
        assert_eq!(said(Problem::Vanished), could_not(" Device not found."));
    }

    #[test]
    fn what_others_say_is_short_and_obeyed_by_no_terminal() {
        assert_eq!(Detail::new(b"a\x1b[2J\xffb").as_str(), "a?[2J?b");
        assert_eq!(Detail::new(&[b'x'; 4000]).as_str().len(), Detail::MAX);
    }
}
