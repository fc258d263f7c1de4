//! What can be asked about devices, and what is answered.

use alloc::string::String;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::config::List;
use crate::devices::{Class, DeviceName, NODES, Outcome};
use crate::rights::Rights;

/// The most devices in one answer.
pub const DEVICES: usize = 8;

/// A request about a domain's devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Devices<'a> {
    /// Those of one class, a page at a time: [`super::Answer::Devices`].
    List {
        /// Whose.
        domain: &'a str,
        /// Which class.
        class: Class,
        /// The first number wanted.
        from: u32,
    },
    /// Gives a domain a device: `Done` when the backend has it ready.
    Attach {
        /// Whom.
        domain: &'a str,
        /// `Equipment` as it encodes itself.
        #[serde(with = "serde_bytes")]
        device: &'a [u8],
    },
    /// Puts another disc into a drive, or none: `Done` when the backend has it ready.
    Change {
        /// Whose.
        domain: &'a str,
        /// `Equipment` as it encodes itself, a disk.
        #[serde(with = "serde_bytes")]
        device: &'a [u8],
    },
    /// Takes a device away: `Done` when nothing of it is left.
    Detach {
        /// From whom.
        domain: &'a str,
        /// Of which class.
        class: Class,
        /// Which number.
        id: u32,
        /// The domain is not asked to let go.
        force: bool,
    },
}

impl Devices<'_> {
    pub(super) const fn needs(&self) -> Rights {
        match self {
            Self::List { .. } => Rights::Observe,
            Self::Attach { .. } | Self::Change { .. } | Self::Detach { .. } => Rights::Children,
        }
    }

    pub(super) const fn domain(&self) -> &str {
        match self {
            Self::List { domain, .. }
            | Self::Attach { domain, .. }
            | Self::Change { domain, .. }
            | Self::Detach { domain, .. } => domain,
        }
    }
}

/// A device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct DeviceRow {
    /// Its number.
    pub id: u32,
    /// The nodes of its frontend. The domain may have written into them what it likes, except for `backend`,
    /// `backend-id` and an interface's `mac`, which are the control domain's own.
    pub nodes: List<(String, String), NODES>,
}

/// Devices of a domain, and where the next page begins, when there may be more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct DevicePage {
    /// In order of number.
    pub rows: List<DeviceRow, DEVICES>,
    /// The first number of the next page.
    pub next: Option<u32>,
}

/// What can happen to a device of a domain that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum DeviceChange {
    /// It works.
    Attached,
    /// Nothing of it is left.
    Detached,
    /// There is something else in it.
    Changed,
    /// Its domain did not let go of it in time.
    Held,
    /// Its backend ended.
    Lost,
}

impl DeviceChange {
    fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Connected => Some(Self::Attached),
            Outcome::Gone => Some(Self::Detached),
            Outcome::Changed => Some(Self::Changed),
            Outcome::Held(_) => Some(Self::Held),
            Outcome::Lost => Some(Self::Lost),
            // As before.
            Outcome::Failed(_) | Outcome::NotChanged(_) => None,
        }
    }
}

impl super::What {
    /// That something became of a device; `None` when all is as before.
    #[must_use]
    pub fn of_device(name: &DeviceName, outcome: Outcome) -> Option<Self> {
        let change = DeviceChange::of(outcome)?;
        Some(Self::Device { class: name.class, id: name.id, change })
    }
}
