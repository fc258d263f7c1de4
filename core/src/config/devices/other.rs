//! Devices that few domains have: TPM, SCSI, USB.

use serde::{Deserialize, Serialize};

use crate::config::{Designator, List, Ranged, Text, Uuid};

/// A trusted platform module, served by a domain of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vtpm {
    /// The domain that serves it.
    pub backend: Designator,
    /// Which of that domain's modules it is.
    pub uuid: Option<Uuid>,
}

/// A SCSI device of the host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScsiDevice {
    /// What the host calls it.
    pub physical: Text<255>,
    /// Where the guest sees it: host, channel, target, unit.
    pub place: Text<63>,
    /// The domain that serves it, when not the usual one.
    pub backend: Option<Designator>,
}

/// How fast a USB controller is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum UsbVersion {
    /// USB 1.1.
    V1,
    /// USB 2.0.
    #[default]
    V2,
    /// USB 3.0.
    V3,
}

/// One USB controller and what is plugged in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsbController {
    /// How fast it is.
    pub version: UsbVersion,
    /// How many ports it has.
    pub ports: Ranged<1, 16>,
    /// The host's bus ids on its ports: the port, from 1, and the id.
    pub plugged: List<(Ranged<1, 16>, Text<63>), 16>,
}
