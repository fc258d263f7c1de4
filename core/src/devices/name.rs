//! What a device is called, and where its nodes are. Source: `docs/misc/xenstore-paths.pandoc` of Xen.

use alloc::format;
use alloc::string::String;
use core::fmt;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::config::devices::Disk;
use crate::hyper::DomId;

/// A kind of device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, Schema)]
pub enum Class {
    /// A disk.
    Vbd,
    /// A network interface.
    Vif,
    /// A trusted platform module.
    Vtpm,
}

impl Class {
    /// The class with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Vbd, Self::Vif, Self::Vtpm].into_iter().find(|class| class.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Vbd => "vbd",
            Self::Vif => "vif",
            Self::Vtpm => "vtpm",
        }
    }

    /// Whether hotplug of the backend's domain has something to do for it. All there is of a TPM is its backend.
    pub(super) const fn has_hotplug(self) -> bool {
        !matches!(self, Self::Vtpm)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One device of all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeviceName {
    /// The domain that uses it.
    pub front: DomId,
    /// What it is.
    pub class: Class,
    /// Which of those.
    pub id: u32,
}

impl DeviceName {
    /// What a disk is called: it says its number itself.
    pub(super) const fn of_disk(front: DomId, disk: &Disk) -> Self {
        Self { front, class: Class::Vbd, id: disk.vdev.number() }
    }

    /// The device with the lowest name of this class of a domain.
    pub(super) const fn first(front: DomId, class: Class) -> Self {
        Self { front, class, id: 0 }
    }

    /// The device with the highest.
    pub(super) const fn last(front: DomId, class: Class) -> Self {
        Self { front, class, id: u32::MAX }
    }

    /// What the domain sees of it.
    pub(super) fn frontend(&self) -> String {
        format!("{}/{}", self.frontends(), self.id)
    }

    /// Where all of this class are that the domain sees.
    pub(super) fn frontends(&self) -> String {
        format!("/local/domain/{}/device/{}", self.front, self.class)
    }

    /// What the domain sees that serves it.
    pub(super) fn backend(&self, back: DomId) -> String {
        format!("{}/{}", self.backends(back), self.id)
    }

    /// Where all of this class are that `back` serves to the domain.
    pub(super) fn backends(&self, back: DomId) -> String {
        format!("/local/domain/{back}/backend/{}/{}", self.class, self.front)
    }

    /// Where the driver in `back` complains about it: Linux writes there and never takes anything away.
    pub(super) fn complaint(&self, back: DomId) -> String {
        format!("{}/{}", self.complaints(back), self.id)
    }

    /// Where all complaints of `back` about this class of the domain's are.
    pub(super) fn complaints(&self, back: DomId) -> String {
        format!("/local/domain/{back}/error/backend/{}/{}", self.class, self.front)
    }

    /// What tools see of it.
    pub(super) fn record(&self) -> String {
        format!("{}/{}", self.records(), self.id)
    }

    /// Where all of this class are that tools see.
    pub(super) fn records(&self) -> String {
        format!("/libxl/{}/device/{}", self.front, self.class)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.class)
    }
}
