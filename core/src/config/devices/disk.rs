//! Disks and CD-ROM drives.

use serde::{Deserialize, Serialize};

use super::VirtualDevice;
use crate::config::{Designator, Path, Text};

/// What the guest may do to a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Access {
    /// Read.
    ReadOnly,
    /// Read and write, after a check that nobody else does.
    ReadWrite,
    /// Read and write, whoever else does.
    ReadWriteShared,
}

/// How the bytes of a disk image are arranged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum DiskFormat {
    /// As they are.
    #[default]
    Raw,
    /// QEMU's first format.
    Qcow,
    /// QEMU's second format.
    Qcow2,
    /// Microsoft's virtual hard disk.
    Vhd,
    /// QEMU's enhanced disk.
    Qed,
}

/// What kind of thing the bytes are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DiskVia {
    /// A block device.
    Device,
    /// A file.
    File,
    /// Whichever the path turns out to name.
    Any,
}

/// Where the bytes of a disk come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DiskSource {
    /// What kind of thing they are on.
    pub via: DiskVia,
    /// How they are arranged.
    pub format: DiskFormat,
    /// The device or file, or what the script makes of it.
    pub target: Path,
    /// The hotplug script, when not the usual one.
    pub script: Option<Text<255>>,
}

/// What is behind a disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Medium {
    /// A disk, which always has something to read.
    Disk(DiskSource),
    /// A CD-ROM drive, which may be empty.
    Cdrom(Option<DiskSource>),
}

impl Medium {
    /// Where the bytes come from, if there are any.
    #[must_use]
    pub const fn source(&self) -> Option<&DiskSource> {
        match self {
            Self::Disk(source) => Some(source),
            Self::Cdrom(source) => source.as_ref(),
        }
    }
}

/// One disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disk {
    /// What the guest calls it.
    pub vdev: VirtualDevice,
    /// What it may do to it.
    pub access: Access,
    /// What is behind it.
    pub medium: Medium,
    /// The domain that serves it, when not the usual one.
    pub backend: Option<Designator>,
}
