//! CPUs, virtual and physical, and nodes.

use crate::abi::domctl::sched::{GetVcpuInfo, VcpuAffinity, XEN_VCPUAFFINITY_HARD};
use crate::abi::sysctl::host::{self, CpuTopo, MemInfo};
use crate::abi::xen::XenctlBitmap;
use crate::hyper::{CpuMap, CpuPlace, NodeMemory, VcpuId, VcpuInfo};

impl From<&GetVcpuInfo> for VcpuInfo {
    fn from(raw: &GetVcpuInfo) -> Self {
        Self {
            online: raw.online != 0,
            blocked: raw.blocked != 0,
            running: raw.running != 0,
            cpu: raw.cpu,
            cpu_time: raw.cpu_time,
        }
    }
}

impl CpuPlace {
    /// Where Xen says that a CPU is; `None` when it is not online.
    #[must_use]
    pub fn from_topology(raw: &CpuTopo) -> Option<Self> {
        let known = |value: u32, invalid: u32| (value != invalid).then_some(value);
        let place = Self {
            core: known(raw.core, host::XEN_INVALID_CORE_ID),
            socket: known(raw.socket, host::XEN_INVALID_SOCKET_ID),
            node: known(raw.node, host::XEN_INVALID_NODE_ID),
        };
        let online = place != Self { core: None, socket: None, node: None };
        online.then_some(place)
    }
}

impl NodeMemory {
    /// What Xen says of a node's memory; `None` when it is not online.
    #[must_use]
    pub fn from_numa(raw: &MemInfo) -> Option<Self> {
        let online = raw.memsize != u64::from(host::XEN_INVALID_MEM_SZ);
        online.then_some(Self { total: raw.memsize, free: raw.memfree })
    }
}

/// What Xen says of the way from one node to another; `None` when it does not know.
#[must_use]
pub fn distance(raw: u32) -> Option<u32> {
    (raw != host::XEN_INVALID_NODE_DIST).then_some(raw)
}

/// The bitmap whose bytes are at `address`.
#[must_use]
pub fn bitmap(address: u64) -> XenctlBitmap {
    XenctlBitmap { bitmap: address, nr_bits: CpuMap::BITS, ..XenctlBitmap::ZERO }
}

/// The argument about the CPUs on which `vcpu` has to run, in the map at `address`.
#[must_use]
pub fn affinity(vcpu: VcpuId, address: u64) -> VcpuAffinity {
    VcpuAffinity {
        vcpu: vcpu.0,
        flags: XEN_VCPUAFFINITY_HARD,
        cpumap_hard: bitmap(address),
        ..VcpuAffinity::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_online_has_no_place_and_no_memory() {
        let place = CpuTopo { core: 1, socket: 2, node: 3 };
        let found = CpuPlace { core: Some(1), socket: Some(2), node: Some(3) };
        assert_eq!(CpuPlace::from_topology(&place), Some(found));
        // A machine with one core may say nothing of it.
        let single = CpuTopo { core: u32::MAX, socket: u32::MAX, node: 0 };
        let found = CpuPlace { core: None, socket: None, node: Some(0) };
        assert_eq!(CpuPlace::from_topology(&single), Some(found));
        assert_eq!(CpuPlace::from_topology(&CpuTopo { node: u32::MAX, ..single }), None);
        let memory = MemInfo { memsize: 5, memfree: 4 };
        assert_eq!(NodeMemory::from_numa(&memory), Some(NodeMemory { total: 5, free: 4 }));
        assert_eq!(NodeMemory::from_numa(&MemInfo { memsize: 0xffff_ffff, memfree: 0xffff_ffff }), None);
        assert_eq!((distance(10), distance(u32::MAX)), (Some(10), None));
    }

    #[test]
    fn an_affinity_is_a_hard_one_and_has_a_whole_map() {
        let argument = affinity(VcpuId(7), 0x1234);
        assert_eq!((argument.vcpu, argument.flags), (7, 1));
        assert_eq!((argument.cpumap_hard.bitmap, argument.cpumap_hard.nr_bits), (0x1234, 4096));
        assert_eq!(argument.cpumap_soft, XenctlBitmap::ZERO);
    }
}
