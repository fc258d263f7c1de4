//! Why a request failed, and whose fault it is.

use alloc::string::String;
use core::fmt;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::PoolFailure;
use crate::hyper::NO_LABELS;
use crate::rights::Rights;

/// A file of a new domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum File {
    /// Its kernel.
    Kernel,
    /// Its ramdisk.
    Ramdisk,
    /// What was saved of it.
    Saved,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "kernel",
            Self::Ramdisk => "ramdisk",
            Self::Saved => "saved state",
        })
    }
}

/// An unsuccessful end of a request. Nothing of what was asked was done, and nothing is left of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Failure {
    /// The caller named a domain that is not there.
    NoSuchDomain,
    /// The caller's domain, or the caller, has no right to it.
    Forbidden {
        /// The least that it takes.
        needs: Rights,
    },
    /// The domain is in no state for that.
    NotRunning,
    /// Another domain has the name.
    NameTaken {
        /// Which, when it has an id.
        domid: Option<u16>,
    },
    /// Another domain has the UUID.
    UuidTaken,
    /// The caller's configuration or argument is wrong.
    Invalid(String),
    /// A file of the caller's is wrong.
    Image {
        /// Which.
        file: File,
        /// In what way.
        why: String,
    },
    /// The host has too little free memory.
    HostMemory {
        /// Memory the domain should get.
        wanted_kib: u64,
        /// Memory that was free.
        free_kib: u64,
    },
    /// The control domain has too little memory for it.
    ControlMemory,
    /// A limit is reached.
    Limit(String),
    /// This version, or this side, cannot do it.
    Unsupported(String),
    /// The domain began to be made and did not come to run.
    Create(String),
    /// The hypervisor refused.
    Hypervisor(String),
    /// The hypervisor refused, with this error number and in these words.
    Refused {
        /// Its number.
        errno: u16,
        /// All of it, in words.
        text: String,
    },
    /// What the caller asked for cannot be kept: the file system of the management domain refused.
    Storage(String),
    /// The caller cancelled it, or its side went away.
    Cancelled,
    /// The connection to the control domain is down.
    Disconnected,
    /// The domain is in a CPU pool with another scheduler, this one.
    OtherScheduler(String),
    /// About a CPU pool.
    Pool(PoolFailure),
    /// About a device, in the words of the classic tools.
    Device(String),
    /// Xen has no security labels.
    NoLabels,
    /// The policy that is in force has no such security label.
    NoSuchLabel,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchDomain => f.write_str("the domain does not exist"),
            Self::Forbidden { needs } => {
                write!(f, "this takes the right to {needs}, which the caller does not have")
            }
            Self::NotRunning => f.write_str("Domain is not running"),
            Self::NameTaken { domid: Some(domid) } => write!(f, "domain {domid} has this name"),
            Self::NameTaken { domid: None } => f.write_str("another domain has this name"),
            Self::UuidTaken => f.write_str("another domain has this UUID"),
            Self::Device(why)
            | Self::Invalid(why)
            | Self::Create(why)
            | Self::Hypervisor(why)
            | Self::Storage(why) => f.write_str(why),
            Self::Refused { text, .. } => f.write_str(text),
            Self::Image { file, why } => write!(f, "the {file}: {why}"),
            Self::HostMemory { wanted_kib, free_kib } => {
                write!(f, "the host has too little free memory: {free_kib} of {wanted_kib} KiB")
            }
            Self::ControlMemory => f.write_str("the control domain has too little memory for this"),
            Self::Limit(what) => write!(f, "there are already as many {what} as there may be"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::Pool(why) => why.fmt(f),
            Self::NoLabels => f.write_str(NO_LABELS),
            Self::NoSuchLabel => f.write_str("the policy that is in force has no such security label"),
            Self::OtherScheduler(name) => write!(f, "the domain is in a CPU pool with the {name} scheduler"),
            Self::Disconnected => f.write_str("the connection to the control domain is down"),
        }
    }
}

impl core::error::Error for Failure {}
