//! What can go wrong with a managed domain, and what is told of it.

use core::fmt;

use super::{Decision, ManagedId};
use crate::abi::errno::Errno;
use crate::builder::BuildError;
use crate::builder::image::ImageError;
use crate::builder::unpack::UnpackError;
use crate::console::{AttachError, TableError};
use crate::devices::{DeviceError, DeviceName, Outcome};
use crate::hyper::{DomId, HvError, NO_LABELS, ShutdownReason};
use crate::store::service::Refused;
use crate::store::wire::XsError;

/// Why a domain is not made at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreateError {
    /// Another domain has this name.
    NameTaken,
    /// Another domain has this UUID.
    UuidTaken,
    /// This version cannot make such domains.
    Unsupported(&'static str),
    /// There are as many domains as there may be.
    Full,
    /// The control domain has no memory for another one.
    OutOfMemory,
}

impl From<TableError> for CreateError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Full => Self::Full,
            TableError::OutOfMemory => Self::OutOfMemory,
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken => f.write_str("another domain has this name"),
            Self::UuidTaken => f.write_str("another domain has this UUID"),
            Self::Unsupported(what) => write!(f, "{what} is not supported by this version"),
            Self::Full => f.write_str("there are as many domains as there may be"),
            Self::OutOfMemory => f.write_str("the control domain has no memory for another domain"),
        }
    }
}

/// Why a domain that was begun did not come to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// This file of the boot bundle is damaged.
    Damaged(&'static str),
    /// Its CPU pool is not there.
    NoSuchPool,
    /// Its security label is not there, or Xen has none.
    Label(HvError),
    /// The kernel file is wrong.
    Unpack(UnpackError),
    /// What is in it is wrong.
    Image(ImageError),
    /// It could not be built.
    Build(BuildError),
    /// XenStore refused it.
    Store(XsError),
    /// It could not get its console.
    Console(AttachError),
    /// One of its devices does not work.
    Device(DeviceError),
    /// The hypervisor refused its last steps.
    Hypervisor(HvError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(name) => {
                write!(f, "file '{name}' of the boot bundle is damaged: make the bundle anew")
            }
            Self::NoSuchPool => f.write_str("its CPU pool is not there"),
            Self::Label(error) => match error.errno {
                Errno::ENOSYS => f.write_str(NO_LABELS),
                Errno::EINVAL => f.write_str("the policy that is in force does not have its security label"),
                _ => write!(f, "its security label: {error}"),
            },
            Self::Unpack(error) => error.fmt(f),
            Self::Image(error) => error.fmt(f),
            Self::Build(error) => error.fmt(f),
            Self::Store(error) => write!(f, "XenStore refused the domain: {}", error.name()),
            Self::Console(error) => write!(f, "no console: {error}"),
            Self::Device(error) => error.fmt(f),
            Self::Hypervisor(error) => error.fmt(f),
        }
    }
}

/// Why something about a domain is not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeError {
    /// It is gone.
    NoSuchDomain,
    /// It does not run.
    NotRunning,
    /// It may not have so much.
    DoesNotFit,
    /// Another domain has the name; this one, if it has a number.
    NameTaken(Option<DomId>),
    /// XenStore refused, or is busy.
    Store(Refused),
    /// A device is not changed.
    Device(DeviceError),
}

impl From<DeviceError> for ChangeError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Refused> for ChangeError {
    fn from(refused: Refused) -> Self {
        Self::Store(refused)
    }
}

/// What happened to a managed domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It runs.
    Started {
        /// Which.
        id: ManagedId,
        /// Its domain.
        domid: DomId,
        /// It was left paused.
        paused: bool,
    },
    /// It did not come to run; nothing is left of it.
    Failed {
        /// Which.
        id: ManagedId,
        /// Why.
        why: Failure,
    },
    /// It stopped by itself. When [`Decision::dump`] is set, a dump of its memory was asked for, which this version
    /// cannot write; the rest of the action follows.
    Stopped {
        /// Which.
        id: ManagedId,
        /// Its domain.
        domid: DomId,
        /// Why.
        reason: ShutdownReason,
        /// What happens now.
        decision: Decision,
    },
    /// It was kept, under another name.
    Renamed {
        /// The one that begins anew.
        id: ManagedId,
        /// The one that was kept.
        kept: ManagedId,
        /// That one's domain, if there is one.
        domid: Option<DomId>,
    },
    /// Something became of a device of a domain that runs.
    Device {
        /// Which domain.
        id: ManagedId,
        /// Which device.
        name: DeviceName,
        /// What.
        outcome: Outcome,
    },
    /// It takes so many more bytes of what was saved of it.
    Takes {
        /// Which.
        id: ManagedId,
        /// How many.
        bytes: usize,
    },
    /// It suspended itself and goes on.
    Resumed {
        /// Which.
        id: ManagedId,
        /// Its domain.
        domid: DomId,
    },
    /// It suspended itself and could not go on.
    NotResumed {
        /// Which.
        id: ManagedId,
        /// Why.
        why: Failure,
    },
    /// A domain is about to be taken apart.
    Ending {
        /// Which, by its number; its record may get another domain.
        domid: DomId,
    },
    /// A domain was taken apart; its number may come again.
    Down {
        /// Which.
        domid: DomId,
    },
    /// It is gone; nothing is left of it.
    Gone(ManagedId),
    /// The hypervisor refused something on its way down; it is tried again where that can help.
    Refused {
        /// Which.
        id: ManagedId,
        /// What.
        refusal: HvError,
    },
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { id, domid, paused: false } => write!(f, "{id} runs as domain {domid}"),
            Self::Started { id, domid, paused: true } => write!(f, "{id} is domain {domid}, paused"),
            Self::Failed { id, why } => write!(f, "{id} did not start: {why}"),
            Self::Stopped { id, reason, decision, .. } => write!(f, "{id} stopped ({reason:?}): {decision}"),
            Self::Renamed { id, kept, .. } => write!(f, "{id} starts anew, its old domain is kept as {kept}"),
            Self::Device { id, name, outcome } => write!(f, "{id}: device {name}: {outcome:?}"),
            Self::Takes { id, bytes } => write!(f, "{id} takes {bytes} more bytes of what was saved of it"),
            Self::Resumed { id, domid } => write!(f, "{id}, domain {domid}, goes on"),
            Self::NotResumed { id, why } => write!(f, "{id} could not go on: {why}"),
            Self::Ending { domid } => write!(f, "domain {domid} is taken down"),
            Self::Down { domid } => write!(f, "domain {domid} is down"),
            Self::Gone(id) => write!(f, "{id} is gone"),
            Self::Refused { id, refusal } => write!(f, "{id}: {refusal}"),
        }
    }
}
