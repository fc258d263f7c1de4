//! Where the machine's CPUs and memory are, and Xen's debug keys.

use alloc::vec::Vec;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::sysctl::host::{AvailHeap, CpuTopo, CpuTopoInfo, DebugKeys, MemInfo, NumaInfo};
use xendless_core::abi::sysctl::{AVAILHEAP, CPUTOPOINFO, DEBUG_KEYS, NUMAINFO};
use xendless_core::hyper::encode::cpus::distance;
use xendless_core::hyper::{Call, CpuPlace, HvError, NodeMemory, Result, Topology};

use super::Xen;
use super::control::do_sysctl;

/// So many values for Xen to fill in.
fn room<T: Clone>(call: Call, zero: T, count: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| HvError::new(call, Errno::ENOMEM))?;
    room.resize(count, zero);
    Ok(room)
}

/// A length as Xen takes it.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// As many as Xen says it has, but no more than there is room for.
fn filled(room: usize, said: u32) -> usize {
    room.min(usize::try_from(said).unwrap_or(usize::MAX))
}

impl Topology for Xen {
    fn cpu_places(&self, out: &mut [Option<CpuPlace>]) -> Result<usize> {
        let mut places = room(Call::CpuTopology, CpuTopo::ZERO, out.len())?;
        let argument = CpuTopoInfo {
            num_cpus: length(places.len()),
            cputopo: places.as_mut_ptr().expose_provenance() as u64,
            ..CpuTopoInfo::ZERO
        };
        let mut request = CPUTOPOINFO.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen fills at most `num_cpus` places, for which there is room.
        unsafe { do_sysctl(Call::CpuTopology, &mut request) }?;
        let count = filled(places.len(), CPUTOPOINFO.answer(&request).num_cpus);
        for (out, place) in out.iter_mut().zip(places.iter().take(count)) {
            *out = CpuPlace::from_topology(place);
        }
        Ok(count)
    }

    fn nodes(&self, memory: &mut [Option<NodeMemory>], distances: &mut [Option<u32>]) -> Result<usize> {
        let nodes = memory.len().min(distances.len().isqrt());
        let mut sizes = room(Call::NumaInfo, MemInfo::ZERO, nodes)?;
        let mut ways = room(Call::NumaInfo, 0_u32, nodes * nodes)?;
        let argument = NumaInfo {
            num_nodes: length(nodes),
            meminfo: sizes.as_mut_ptr().expose_provenance() as u64,
            distance: ways.as_mut_ptr().expose_provenance() as u64,
            ..NumaInfo::ZERO
        };
        let mut request = NUMAINFO.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen fills at most `num_nodes` sizes and the square of that in distances, for which there is room.
        unsafe { do_sysctl(Call::NumaInfo, &mut request) }?;
        let count = filled(nodes, NUMAINFO.answer(&request).num_nodes);
        for (out, size) in memory.iter_mut().zip(sizes.iter().take(count)) {
            *out = NodeMemory::from_numa(size);
        }
        for (out, way) in distances.iter_mut().zip(ways.iter().take(count * count)) {
            *out = distance(*way);
        }
        Ok(count)
    }

    fn free_below(&self, node: u32, bits: u32) -> Result<u64> {
        let node = i32::try_from(node).map_err(|_| HvError::new(Call::FreeMemory, Errno::EINVAL))?;
        let argument = AvailHeap { max_bitwidth: bits, node, ..AvailHeap::ZERO };
        self.sysctl(Call::FreeMemory, &AVAILHEAP, &argument).map(|answer| answer.avail_bytes)
    }

    fn debug_key(&self, key: u8) -> Result<()> {
        let argument =
            DebugKeys { keys: (&raw const key).expose_provenance() as u64, nr_keys: 1, ..DebugKeys::ZERO };
        let mut request = DEBUG_KEYS.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen reads one byte, the key.
        unsafe { do_sysctl(Call::DebugKeys, &mut request) }
    }
}
