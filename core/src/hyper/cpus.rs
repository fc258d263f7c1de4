//! What is asked and learnt about CPUs, virtual and physical, and about the memory beside them.
//! Sources: `xen/domctl.h`, `xen/sysctl.h`.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::abi::domctl::life;

/// One more than the highest number of a physical CPU that this project handles.
const CPUS: u32 = 4096;

/// A set of physical CPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuMap([u8; CpuMap::BYTES]);

impl CpuMap {
    /// Bytes of a whole map.
    pub const BYTES: usize = 512;
    /// Bits of a whole map.
    pub const BITS: u32 = CPUS;
    /// No CPU.
    pub const EMPTY: Self = Self([0; Self::BYTES]);

    /// A map of the CPUs whose bits are set, CPU 0 in the lowest bit of the first byte; `None` when that is more than
    /// a map holds.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut map = Self::EMPTY;
        map.0.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(map)
    }

    /// Its bytes, without those behind the last CPU.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.0.get(..end).unwrap_or_default()
    }

    /// All of its bytes, to be filled in.
    pub const fn as_mut_bytes(&mut self) -> &mut [u8; Self::BYTES] {
        &mut self.0
    }

    /// The CPUs in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).step_by(8).zip(self.as_bytes()).flat_map(|(first, byte)| {
            (0..8).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| first + bit)
        })
    }

    /// Whether a CPU is among them.
    #[must_use]
    pub fn contains(&self, cpu: u32) -> bool {
        let byte = usize::try_from(cpu / 8).ok().and_then(|index| self.0.get(index));
        byte.is_some_and(|byte| byte & (1 << (cpu % 8)) != 0)
    }

    /// The set as words, CPU 0 in the lowest bit of the first; no empty one stands at the end.
    pub fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.as_bytes().chunks(8).map(word)
    }

    /// How many CPUs.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().map(|byte| byte.count_ones()).sum()
    }
}

impl FromIterator<u32> for CpuMap {
    /// Numbers that a map does not hold are left out.
    fn from_iter<T: IntoIterator<Item = u32>>(cpus: T) -> Self {
        let mut map = Self::EMPTY;
        for cpu in cpus {
            let byte = usize::try_from(cpu / 8).ok().and_then(|index| map.0.get_mut(index));
            if let Some(byte) = byte {
                *byte |= 1 << (cpu % 8);
            }
        }
        map
    }
}

/// What a virtual CPU does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VcpuInfo {
    /// The domain uses it.
    pub online: bool,
    /// It waits for an event.
    pub blocked: bool,
    /// It is on a physical CPU.
    pub running: bool,
    /// The physical CPU on which it is, or was last.
    pub cpu: u32,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
}

/// A signal that a machine's buttons and buses give. Source: `XEN_DOMCTL_SENDTRIGGER_*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Trigger {
    /// A non-maskable interrupt.
    Nmi,
    /// A reset.
    Reset,
    /// INIT.
    Init,
    /// The power button.
    Power,
    /// The sleep button.
    Sleep,
}

impl Trigger {
    /// Xen's number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Nmi => life::XEN_DOMCTL_SENDTRIGGER_NMI,
            Self::Reset => life::XEN_DOMCTL_SENDTRIGGER_RESET,
            Self::Init => life::XEN_DOMCTL_SENDTRIGGER_INIT,
            Self::Power => life::XEN_DOMCTL_SENDTRIGGER_POWER,
            Self::Sleep => life::XEN_DOMCTL_SENDTRIGGER_SLEEP,
        }
    }
}

/// Where a physical CPU is, as far as Xen knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuPlace {
    /// Its core.
    pub core: Option<u32>,
    /// Its socket.
    pub socket: Option<u32>,
    /// Its node.
    pub node: Option<u32>,
}

/// Memory of a node, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NodeMemory {
    /// All of it.
    pub total: u64,
    /// The free part.
    pub free: u64,
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_map_holds_the_cpus_it_was_made_of() {
        let map: CpuMap = [9, 0, 4095, 4096, 3, 9].into_iter().collect();
        assert_eq!(map.iter().collect::<Vec<_>>(), [0, 3, 9, 4095]);
        assert_eq!((map.count(), map.as_bytes().len()), (4, 512));
        let small: CpuMap = [0, 3, 9].into_iter().collect();
        assert_eq!(small.as_bytes(), [0b1001, 0b10]);
        assert_eq!(CpuMap::from_bytes(small.as_bytes()), Some(small));
        assert_eq!(CpuMap::EMPTY.as_bytes(), [0_u8; 0]);
        assert_eq!(CpuMap::from_bytes(&[0; 513]), None);
    }
}
