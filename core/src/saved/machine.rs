//! What in a PV domain are numbers of the machine's frames: entries of page tables, and some registers. Saving and
//! restoring change them in the same places, into the domain's numbers and back.

use crate::abi::arch::{FIRST_RESERVED_GDT_PAGE, VcpuGuestContext};
use crate::hyper::TableLevel;
use crate::shared::PAGE_SIZE;

/// Bits of an entry of a page table.
pub(super) const PRESENT: u64 = 1 << 0;
const LARGE: u64 = 1 << 7;
pub(super) const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Where a page table of the highest level belongs to Xen, which fills it in.
const XEN_SLOTS: core::ops::Range<usize> = 256..272;

/// Bits below a frame in an address.
pub(super) const PAGE_SHIFT: u32 = 12;

/// Entries of a descriptor table per page.
const DESCRIPTORS: u64 = 512;

/// Changes the frames that a page table leads to; `None` when one of them is none.
pub(crate) fn change_table(
    table: &mut [u8; PAGE_SIZE],
    level: TableLevel,
    change: impl Fn(u64) -> Option<u64>,
) -> Option<()> {
    let (entries, _) = table.as_chunks_mut::<8>();
    for (slot, bytes) in entries.iter_mut().enumerate() {
        let mut entry = u64::from_le_bytes(*bytes);
        if level == TableLevel::L4 && XEN_SLOTS.contains(&slot) {
            entry = 0;
        }
        if entry & PRESENT != 0 {
            if level != TableLevel::L1 && entry & LARGE != 0 {
                return None;
            }
            entry = (entry & !ADDRESS) | address(change((entry & ADDRESS) >> PAGE_SHIFT)?)?;
        }
        *bytes = entry.to_le_bytes();
    }
    Some(())
}

/// Changes the frames that the registers of a virtual CPU lead to; `None` when one of them is none. The first one's has
/// its start info in a register, as the hypercall to suspend a domain wants it. The page table of user space, which need
/// not be there, has an odd address while its frame is the domain's number, so that number 0 is not none.
pub(crate) fn change_registers(
    context: &mut VcpuGuestContext,
    first: bool,
    change: impl Fn(u64) -> Option<u64>,
) -> Option<()> {
    if first {
        context.user_regs.rdx = change(context.user_regs.rdx)?;
    }
    let pages = usize::try_from(context.gdt_ents.div_ceil(DESCRIPTORS)).ok()?;
    if pages > FIRST_RESERVED_GDT_PAGE {
        return None;
    }
    for frame in context.gdt_frames.iter_mut().take(pages) {
        *frame = change(*frame)?;
    }
    let [_, user, _, kernel, ..] = &mut context.ctrlreg;
    *kernel = address(change(*kernel >> PAGE_SHIFT)?)?;
    if *user != 0 {
        *user = address(change(*user >> PAGE_SHIFT)?)? | (!*user & 1);
    }
    Some(())
}

/// Where a frame begins; `None` when it is beyond all memory.
fn address(frame: u64) -> Option<u64> {
    (frame <= ADDRESS >> PAGE_SHIFT).then_some(frame << PAGE_SHIFT)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn table(entries: &[(usize, u64)]) -> [u8; PAGE_SIZE] {
        let mut table = [0; PAGE_SIZE];
        for (slot, entry) in entries {
            table[slot * 8..slot * 8 + 8].copy_from_slice(&entry.to_le_bytes());
        }
        table
    }

    #[test]
    fn only_entries_that_are_there_are_changed() {
        let mut page = table(&[(0, 0x8000_0000_0000_5067), (1, 0x6066), (300, 0x7001)]);
        change_table(&mut page, TableLevel::L1, |frame| Some(frame + 0x100)).unwrap();
        assert_eq!(page, table(&[(0, 0x8000_0000_0010_5067), (1, 0x6066), (300, 0x10_7001)]));
    }

    #[test]
    fn what_is_xens_is_left_to_it() {
        let entries = [(255, 0x1001), (256, 0x2001), (271, 0x3001), (272, 0x4001)];
        let mut page = table(&entries);
        change_table(&mut page, TableLevel::L4, Some).unwrap();
        assert_eq!(page, table(&[entries[0], entries[3]]));
        let mut page = table(&entries);
        change_table(&mut page, TableLevel::L3, Some).unwrap();
        assert_eq!(page, table(&entries));
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        assert_eq!(change_table(&mut table(&[(3, 0x5001)]), TableLevel::L1, |_| None), None);
        assert_eq!(change_table(&mut table(&[(3, 0x5001)]), TableLevel::L1, |_| Some(1 << 40)), None);
        let large = 0x20_0081;
        assert_eq!(change_table(&mut table(&[(3, large)]), TableLevel::L2, Some), None);
        assert_eq!(
            change_table(&mut table(&[(3, large)]), TableLevel::L1, Some),
            Some(()),
            "it is another bit"
        );
    }

    proptest! {
        #[test]
        fn what_was_changed_is_changed_back(entries: Vec<(u16, u64)>, key in 0_u64..1 << 40) {
            let entries: Vec<_> = entries.iter().map(|(slot, entry)| (usize::from(*slot) % 512, *entry)).collect();
            let page = table(&entries);
            let mut changed = page;
            change_table(&mut changed, TableLevel::L1, |frame| Some(frame ^ key)).unwrap();
            change_table(&mut changed, TableLevel::L1, |frame| Some(frame ^ key)).unwrap();
            prop_assert_eq!(changed, page);
        }
    }

    #[test]
    fn registers_are_changed_and_changed_back() {
        let mut context = VcpuGuestContext::ZERO;
        context.user_regs.rdx = 7;
        context.gdt_ents = 513;
        context.gdt_frames = [9; 16];
        (context.ctrlreg[1], context.ctrlreg[3]) = (0x5000, 0x6000);
        let before = context;
        change_registers(&mut context, true, |frame| Some(frame - 5)).unwrap();
        assert_eq!(context.user_regs.rdx, 2);
        assert_eq!(context.gdt_frames[..3], [4, 4, 9]);
        assert_eq!(
            (context.ctrlreg[1], context.ctrlreg[3]),
            (1, 0x1000),
            "a frame with the number 0 is there"
        );
        change_registers(&mut context, true, |frame| Some(frame + 5)).unwrap();
        assert_eq!(context, before);
        context.user_regs.rdx = u64::MAX;
        context.ctrlreg[1] = 0;
        change_registers(&mut context, false, |frame| (frame < 99).then_some(frame)).unwrap();
        assert_eq!(context.ctrlreg[1], 0, "there is none");
        context.gdt_ents = u64::MAX;
        assert_eq!(change_registers(&mut context, false, Some), None);
    }
}
