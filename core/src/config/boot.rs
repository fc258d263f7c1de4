//! What a domain runs: its kind, its kernel and what the kernel is told.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Invalid, Problem, Text};

/// How the guest sees the hypervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Paravirtualised: the guest asks Xen to change page tables.
    Pv,
    /// Hardware virtualisation without emulated devices.
    Pvh,
}

impl Kind {
    /// The longest command line, without the ending zero. A PV kernel gets its line in `start_info`, which
    /// has room for 1024 bytes (`MAX_GUEST_CMDLINE`); for PVH this is what Linux reads at most.
    #[must_use]
    pub const fn command_line_limit(self) -> usize {
        match self {
            Self::Pv => 1023,
            Self::Pvh => 2047,
        }
    }
}

/// A file the host side knows by this path or name; the control domain gets its bytes.
pub type Path = Text<4095>;

/// Where the kernel comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Boot {
    /// Files of the host.
    Direct {
        /// The kernel.
        kernel: Path,
        /// The initial ramdisk.
        ramdisk: Option<Path>,
    },
    /// A program on the host that finds the kernel on the guest's disk.
    Bootloader {
        /// The program.
        program: Path,
        /// What it is told.
        arguments: Text<4095>,
    },
}

/// What the kernel is told, kept in the parts in which it was configured.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CommandLine {
    /// The value of `root=`, with any options behind it.
    pub root: Text<2047>,
    /// The value of `ip=`.
    pub ip: Text<2047>,
    /// Everything else.
    pub extra: Text<4095>,
}

impl CommandLine {
    /// The line as the kernel gets it: network, root, the rest.
    #[must_use]
    pub fn render(&self) -> String {
        let mut line = String::new();
        for (key, value) in [("ip=", &*self.ip), ("root=", &*self.root), ("", &*self.extra)] {
            if !value.is_empty() {
                let space = if line.is_empty() { "" } else { " " };
                line.push_str(&format!("{space}{key}{value}"));
            }
        }
        line
    }

    /// Whether a guest of this kind can be given the whole line.
    pub(super) fn check(&self, kind: Kind) -> Result<(), Invalid> {
        let max = kind.command_line_limit();
        if self.render().len() > max {
            return Err(Invalid::new("extra", Problem::TooLong { max }));
        }
        Ok(())
    }
}
