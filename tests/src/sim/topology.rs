//! Where CPUs and memory are, and debug keys: one node, with all memory below 4 GiB.

use xendless_core::hyper::{Call, CpuPlace, NodeMemory, Result, Topology};
use xendless_core::shared::PAGE_SIZE;

use super::{SimDomain, SimHypervisor};

impl Topology for SimDomain {
    fn cpu_places(&self, out: &mut [Option<CpuPlace>]) -> Result<usize> {
        self.call(Call::CpuTopology, |machine, me| {
            machine.sysctl(me)?;
            let mut count = 0;
            for (out, core) in out.iter_mut().zip(0..machine.config.cpus) {
                *out = Some(CpuPlace { core: Some(core), socket: Some(0), node: Some(0) });
                count += 1;
            }
            Ok(count)
        })
    }

    fn nodes(&self, memory: &mut [Option<NodeMemory>], distances: &mut [Option<u32>]) -> Result<usize> {
        self.call(Call::NumaInfo, |machine, me| {
            machine.sysctl(me)?;
            let bytes = |pages: usize| (pages * PAGE_SIZE) as u64;
            let (Some(memory), Some(distance)) = (memory.first_mut(), distances.first_mut()) else {
                return Ok(0);
            };
            let (total, free) = (bytes(machine.config.pages), bytes(machine.free.len()));
            (*memory, *distance) = (Some(NodeMemory { total, free }), Some(10));
            Ok(1)
        })
    }

    fn free_below(&self, node: u32, bits: u32) -> Result<u64> {
        self.call(Call::FreeMemory, |machine, me| {
            machine.sysctl(me)?;
            let all = (machine.free.len() * PAGE_SIZE) as u64;
            Ok(if node == 0 && bits >= 32 { all } else { 0 })
        })
    }

    fn debug_key(&self, key: u8) -> Result<()> {
        self.call(Call::DebugKeys, |machine, me| {
            machine.sysctl(me)?;
            machine.keys.push(key);
            Ok(())
        })
    }
}

impl SimHypervisor {
    /// Debug keys that were pressed.
    #[must_use]
    pub fn keys(&self) -> String {
        self.with(|machine| machine.keys.iter().copied().map(char::from).collect())
    }
}
