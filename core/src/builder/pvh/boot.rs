//! The start info of a PVH domain and what it leads to: module, memory map, command line, in one block.

use alloc::vec::Vec;
use core::ops::Range;

use zerocopy::IntoBytes;

use super::{PAGE, PvhPlan, SPECIAL};
use crate::abi::hvm::start_info::{
    HvmStartInfo, MemmapEntry, ModlistEntry, XEN_HVM_MEMMAP_TYPE_ACPI, XEN_HVM_MEMMAP_TYPE_RAM,
    XEN_HVM_MEMMAP_TYPE_RESERVED, XEN_HVM_START_MAGIC_VALUE,
};

/// The version whose start info has a memory map.
const VERSION: u32 = 1;

impl PvhPlan {
    /// The bytes at [`PvhPlan::start_info`].
    #[must_use]
    pub fn boot_block(&self) -> Vec<u8> {
        let module = (self.request.ramdisk > 0).then_some(ModlistEntry {
            paddr: self.ramdisk,
            size: self.request.ramdisk,
            ..ModlistEntry::ZERO
        });
        let map = self.memory_map();
        let modules_at = self.start_info + size_of::<HvmStartInfo>() as u64;
        let map_at = modules_at + module.as_slice().as_bytes().len() as u64;
        let command_line_at = map_at + map.as_bytes().len() as u64;
        let info = HvmStartInfo {
            magic: XEN_HVM_START_MAGIC_VALUE,
            version: VERSION,
            nr_modules: module.is_some().into(),
            modlist_paddr: if module.is_some() { modules_at } else { 0 },
            cmdline_paddr: command_line_at,
            // The tables begin with the pointer to all others.
            rsdp_paddr: self.acpi_frames().start * PAGE,
            memmap_paddr: map_at,
            memmap_entries: map.len().try_into().unwrap_or(u32::MAX),
            ..HvmStartInfo::ZERO
        };
        let parts =
            [info.as_bytes(), module.as_slice().as_bytes(), map.as_bytes(), &self.request.command_line, &[0]];
        parts.concat()
    }

    /// What is where, in order of addresses.
    #[must_use]
    pub fn memory_map(&self) -> Vec<MemmapEntry> {
        let entry = |frames: Range<u64>, kind| MemmapEntry {
            addr: frames.start * PAGE,
            size: (frames.end - frames.start) * PAGE,
            kind,
            ..MemmapEntry::ZERO
        };
        let [low, high] = self.ram();
        let mut map = Vec::from([
            entry(low, XEN_HVM_MEMMAP_TYPE_RAM),
            entry(self.acpi_frames(), XEN_HVM_MEMMAP_TYPE_ACPI),
            entry(SPECIAL, XEN_HVM_MEMMAP_TYPE_RESERVED),
        ]);
        if !high.is_empty() {
            map.push(entry(high, XEN_HVM_MEMMAP_TYPE_RAM));
        }
        map
    }
}
