//! Properties of the virtual machine around CPUs and memory.

use serde::{Deserialize, Serialize};

use super::{List, MemorySize, Ranged, Text};

/// How the guest reads the time-stamp counter. Source: `XEN_DOMCTL_settscinfo`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum TscMode {
    /// Xen decides.
    #[default]
    Default,
    /// Every read is emulated.
    Emulate,
    /// Reads go to the hardware.
    Native,
    /// Obsolete way for a guest to take part in the choice; Xen treats it like the default.
    Pvrdtscp,
}

/// Limits on what a domain may use of Xen's tables; what is not set is the control domain's choice.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TableLimits {
    /// Pages of grant table.
    pub grant_frames: Option<Ranged<1, 4096>>,
    /// Pages of map tracking.
    pub maptrack_frames: Option<Ranged<0, 65_536>>,
    /// Event channels.
    pub event_channels: Option<Ranged<1, 131_072>>,
}

/// Everything else about the machine.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Platform {
    /// Features required or refused in place of what the kernel's own ELF note says, separated by `|`.
    pub features: Text<255>,
    /// How the guest reads the time-stamp counter.
    pub tsc_mode: TscMode,
    /// The domain must not be saved or migrated.
    pub no_migrate: bool,
    /// The wall clock starts in local time.
    pub local_time: bool,
    /// Seconds between the wall clock and UTC.
    pub rtc_offset: i32,
    /// Memory for Xen's own page tables of this domain; computed when not set.
    pub paging_pool: Option<MemorySize>,
    /// The CPU pool.
    pub pool: Option<Text<63>>,
    /// The security label, `user:role:type`.
    pub label: Option<Text<255>>,
    /// Changes to the CPUID policy, as they were written.
    pub cpuid: List<Text<1023>, 64>,
    /// Changes to the model-specific registers' policy, as they were written.
    pub msr: List<Text<255>, 64>,
    /// Limits on Xen's tables.
    pub limits: TableLimits,
    /// Where serial ports would go; a domain of this control plane has only the console ring.
    pub serial: List<Text<255>, 4>,
    /// Serves devices to other domains.
    pub driver_domain: bool,
}
