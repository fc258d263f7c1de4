//! The state of a PVH domain as the records by which it is set. Sources: `xen/hvm/save.h`, and Xen's
//! `docs/misc/pvh.pandoc` for the registers.

use alloc::vec::Vec;

use zerocopy::{FromBytes, IntoBytes};

use crate::abi::hvm::save::{
    Descriptor, HVM_SAVE_CODE_CPU, HVM_SAVE_CODE_END, HVM_SAVE_CODE_HEADER, HVM_SAVE_CODE_MTRR, HvmCpu,
    HvmMtrr, SaveHeader,
};
use crate::hyper::PvhStart;

/// Protected mode, and a coprocessor.
const CR0: u64 = 1 << 0 | 1 << 4;
/// What the debug registers hold after a reset.
const DR6: u64 = 0xffff_0ff0;
const DR7: u64 = 0x400;

/// Attributes of a flat 32-bit segment of code, and of data, and of a busy task state segment.
const CODE: u32 = 0xc9b;
const DATA: u32 = 0xc93;
const TASK: u32 = 0x8b;
const TASK_LIMIT: u32 = 0x67;

/// Memory types are on, and memory is cached where nothing else is said.
const WRITE_BACK: u64 = 1 << 11 | 6;

impl PvhStart {
    /// The records that set this state. Xen checks that they begin with its own header, so that and the rest of
    /// the memory types are taken from `current`, the records it hands out; `None` when they are not there.
    #[must_use]
    pub fn to_records(&self, current: &[u8]) -> Option<Vec<u8>> {
        let header: SaveHeader = find(current, HVM_SAVE_CODE_HEADER)?;
        let types: HvmMtrr = find(current, HVM_SAVE_CODE_MTRR)?;
        let mut records = Vec::new();
        append(&mut records, HVM_SAVE_CODE_HEADER, 0, header.as_bytes());
        append(&mut records, HVM_SAVE_CODE_CPU, 0, self.registers().as_bytes());
        for vcpu in 0..u16::try_from(self.vcpus).ok()? {
            let types = HvmMtrr { msr_mtrr_def_type: WRITE_BACK, ..types };
            append(&mut records, HVM_SAVE_CODE_MTRR, vcpu, types.as_bytes());
        }
        append(&mut records, HVM_SAVE_CODE_END, 0, &[]);
        Some(records)
    }

    fn registers(&self) -> HvmCpu {
        HvmCpu {
            rip: self.entry.into(),
            rbx: self.start_info,
            cr0: CR0,
            dr6: DR6,
            dr7: DR7,
            cs_limit: u32::MAX,
            ds_limit: u32::MAX,
            es_limit: u32::MAX,
            ss_limit: u32::MAX,
            tr_limit: TASK_LIMIT,
            cs_arbytes: CODE,
            ds_arbytes: DATA,
            es_arbytes: DATA,
            ss_arbytes: DATA,
            tr_arbytes: TASK,
            ..HvmCpu::ZERO
        }
    }
}

/// The first record of a kind.
fn find<T: FromBytes>(records: &[u8], kind: u16) -> Option<T> {
    let mut rest = records;
    loop {
        let (descriptor, behind) = Descriptor::read_from_prefix(rest).ok()?;
        let (record, behind) = behind.split_at_checked(usize::try_from(descriptor.length).ok()?)?;
        if descriptor.typecode == kind {
            return T::read_from_prefix(record).ok().map(|(record, _)| record);
        }
        if descriptor.typecode == HVM_SAVE_CODE_END {
            return None;
        }
        rest = behind;
    }
}

fn append(records: &mut Vec<u8>, typecode: u16, instance: u16, record: &[u8]) {
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    records.extend_from_slice(Descriptor { typecode, instance, length }.as_bytes());
    records.extend_from_slice(record);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current() -> Vec<u8> {
        let mut records = Vec::new();
        append(
            &mut records,
            HVM_SAVE_CODE_HEADER,
            0,
            SaveHeader { magic: 0x77, ..SaveHeader::ZERO }.as_bytes(),
        );
        append(&mut records, 99, 0, &[1, 2, 3]);
        append(&mut records, HVM_SAVE_CODE_MTRR, 0, HvmMtrr { msr_pat_cr: 5, ..HvmMtrr::ZERO }.as_bytes());
        append(&mut records, HVM_SAVE_CODE_END, 0, &[]);
        records
    }

    const START: PvhStart = PvhStart { entry: 0x100_0850, start_info: 0x4a0_0000, vcpus: 2 };

    #[test]
    fn a_pvh_cpu_starts_flat_with_its_start_info_in_ebx() {
        let records = START.to_records(&current()).unwrap();
        let cpu: HvmCpu = find(&records, HVM_SAVE_CODE_CPU).unwrap();
        assert_eq!((cpu.rip, cpu.rbx, cpu.cr0, cpu.cr3), (0x100_0850, 0x4a0_0000, 0x11, 0));
        assert_eq!((cpu.cs_base, cpu.cs_limit, cpu.cs_arbytes), (0, u32::MAX, 0xc9b));
        assert_eq!(find::<SaveHeader>(&records, HVM_SAVE_CODE_HEADER).unwrap().magic, 0x77);
        let types: HvmMtrr = find(&records, HVM_SAVE_CODE_MTRR).unwrap();
        assert_eq!((types.msr_pat_cr, types.msr_mtrr_def_type), (5, 0x806));
        // Descriptors, header, registers, two sets of types.
        assert_eq!(records.len(), 5 * 8 + 24 + 1032 + 2 * 240);
        assert_eq!(records[records.len() - 8..], [0; 8]);
    }

    #[test]
    fn records_that_are_cut_or_miss_one_are_refused() {
        let current = current();
        let needed = current.len() - 8;
        for length in 0..needed {
            assert_eq!(START.to_records(&current[..length]), None, "{length} bytes");
        }
        assert!(START.to_records(&current[..needed]).is_some(), "the end does not matter");
    }
}
