//! Devices that few domains have: TPM, SCSI, USB.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::config::{Designator, List, Ranged, Text, Uuid};

/// A trusted platform module, served by a domain of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vtpm {
    /// The domain that serves it.
    pub backend: Designator,
    /// Which of that domain's modules it is.
    pub uuid: Option<Uuid>,
}

impl Vtpm {
    /// The same with a UUID, if it has none: one made for the module at this place of the domain with this UUID. So a domain
    /// finds its modules again in all of its lives.
    #[must_use]
    pub fn named(mut self, domain: Uuid, place: usize) -> Self {
        let mut bytes = domain.handle();
        let made = XxHash64::oneshot(place as u64, &bytes).to_le_bytes();
        for (byte, made) in bytes.iter_mut().rev().zip(made) {
            *byte = made;
        }
        self.uuid = self.uuid.or(Uuid::from_bytes(bytes).ok());
        self
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_uuid_gets_the_same_one_in_each_life() {
        let [one, other] = ["5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11", "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a12"]
            .map(|text| text.parse().unwrap());
        let bare = || Vtpm { backend: "tpm".parse().unwrap(), uuid: None };
        let made = |domain, place| bare().named(domain, place).uuid.unwrap();
        assert_eq!(made(one, 0), made(one, 0));
        let all = [made(one, 0), made(one, 1), made(other, 0), one];
        assert!((1..4).all(|at| !all[..at].contains(&all[at])), "{all:?}");
        let named = Vtpm { uuid: Some(other), ..bare() };
        assert_eq!(named.named(one, 0).uuid, Some(other));
    }
}
