//! The configuration of one domain: what travels to the control domain and stands in a boot bundle.
//!
//! Configuration files are text and are evaluated on the host side; what leaves the host is a [`DomainConfig`].
//! Each type here checks what it is given when it is made *and* when it is decoded, so that whoever holds one
//! need not check again. Decoding is bounded by the length of the input.
#![forbid(unsafe_code)]

mod boot;
mod bounded;
mod cpus;
pub mod devices;
mod encoding;
mod error;
mod events;
mod memory;
mod name;
mod platform;
mod pool;
#[cfg(test)]
pub(crate) mod tests;

use core::ops::Deref;

use serde::{Deserialize, Serialize};

pub use self::boot::{Boot, CommandLine, Kind, Path};
pub use self::bounded::{List, Ranged, Text};
pub use self::cpus::{Affinity, CpuSet, Reservation, Scheduling, Vcpus, Weight};
pub use self::devices::Devices;
pub use self::encoding::{DecodeError, MAX_ENCODED, SCHEMA};
pub use self::error::{Invalid, Problem};
pub use self::events::{Action, Actions, CrashAction, OnStart, OnStop, Seconds};
pub use self::memory::{Memory, MemorySize};
pub use self::name::{Designator, DomainName, PrintedUuid, Uuid};
pub use self::platform::{Platform, TableLimits, TscMode};
pub use self::pool::{CpuNumber, PoolConfig, PoolName, Remark};

/// Every setting of a domain, each valid by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// What it is called.
    pub name: DomainName,
    /// Its UUID, the same over restarts.
    pub uuid: Uuid,
    /// Free text for people.
    pub description: Text<1023>,
    /// How it sees the hypervisor.
    pub kind: Kind,
    /// Where its kernel comes from.
    pub boot: Boot,
    /// What its kernel is told.
    pub command_line: CommandLine,
    /// Its memory.
    pub memory: Memory,
    /// Its virtual CPUs.
    pub vcpus: Vcpus,
    /// The physical CPUs they must stay on.
    pub affinity: Affinity,
    /// The physical CPUs they should stay on.
    pub soft_affinity: Affinity,
    /// Their share of them.
    pub scheduling: Scheduling,
    /// What happens when it stops.
    pub actions: Actions,
    /// What happens when the control plane starts.
    pub on_start: OnStart,
    /// What happens when the control plane stops.
    pub on_stop: OnStop,
    /// The rest of the machine.
    pub platform: Platform,
    /// Its devices.
    pub devices: Devices,
}

/// The configuration of a domain: settings that also fit together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct DomainConfig(Settings);

impl DomainConfig {
    /// Checks that the settings fit together.
    ///
    /// # Errors
    ///
    /// The first conflict found.
    pub fn new(settings: Settings) -> Result<Self, Invalid> {
        settings.command_line.check(settings.kind)?;
        settings.check_cpus()?;
        settings.devices.check()?;
        Ok(Self(settings))
    }

    /// The settings, to change some and check again.
    #[must_use]
    pub fn into_settings(self) -> Settings {
        self.0
    }
}

impl Settings {
    fn check_cpus(&self) -> Result<(), Invalid> {
        let max = self.vcpus.max();
        if self.kind == Kind::Pvh && max > Vcpus::LIMIT_PVH {
            let range = Problem::OutOfRange { min: 1, max: u64::from(Vcpus::LIMIT_PVH) };
            return Err(Invalid::new("maxvcpus", range));
        }
        for affinity in [&self.affinity, &self.soft_affinity] {
            if let Affinity::PerVcpu(sets) = affinity
                && u32::try_from(sets.len()).map_or(true, |len| len > max)
            {
                return Err(Invalid::conflict("cpus", "has more entries than there are vcpus"));
            }
        }
        match self.scheduling.cap {
            Some(cap) if cap > max * 100 => {
                Err(Invalid::new("cpu_cap", Problem::OutOfRange { min: 0, max: u64::from(max) * 100 }))
            }
            _ => Ok(()),
        }
    }
}

impl Deref for DomainConfig {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

impl TryFrom<Settings> for DomainConfig {
    type Error = Invalid;

    fn try_from(settings: Settings) -> Result<Self, Invalid> {
        Self::new(settings)
    }
}

impl From<DomainConfig> for Settings {
    fn from(config: DomainConfig) -> Self {
        config.0
    }
}
