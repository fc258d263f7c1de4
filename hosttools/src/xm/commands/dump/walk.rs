//! Which virtual addresses lead to which pages of a dump: what the page tables in it say.
//!
//! The tables are the guest's and may say anything, such as that a table is below itself; so there are bounds to what is
//! looked at. Source: the format of page tables in AMD's and Intel's manuals; for what is Xen's own, `xen/arch-x86/xen.h`
//! and `xen/arch-x86/xen-x86_64.h`.

use std::io;
use std::ops::RangeInclusive;

/// Tables that are read at most: those of 64 GiB, each page mapped once.
const TABLES: u32 = 1 << 15;

/// Runs that are kept at most, so that their number fits into a file's header.
const RUNS: usize = 0xff00;

/// The part of the top table of a PV domain that is Xen's own.
const XENS: RangeInclusive<usize> = 256..=271;

const ENTRIES: usize = 512;
const PRESENT: u64 = 1;
/// The entry is of a large page, not of a table; in the last table it means something else.
const LARGE: u64 = 1 << 7;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// Pages that stand behind each other at virtual addresses, in the domain, and in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) virt: u64,
    /// The domain's number for the first page, and its place in the file, in pages.
    pub(super) pfn: u64,
    pub(super) place: u64,
    pub(super) pages: u64,
}

/// A page of the dump.
#[derive(Clone, Copy, Debug)]
struct Held {
    gmfn: u64,
    pfn: u64,
    place: u64,
}

/// What is known of the pages, and what was found.
struct Walk<R> {
    /// By frame.
    held: Vec<Held>,
    read: R,
    tables: u32,
    runs: Vec<Run>,
}

/// What virtual addresses lead to by the page table in frame `top`, in order. `frames` has the domain's number and the
/// frame of each page, in their order in the file; `read` gets a page by its place there. It is the table of a processor
/// in 64-bit mode, with four levels, and of a domain whose frames Xen translates, or not.
pub(super) fn runs(
    frames: &[(u64, u64)],
    top: u64,
    translated: bool,
    read: impl FnMut(u64, &mut [u8; 4096]) -> io::Result<()>,
) -> io::Result<Vec<Run>> {
    let places = frames.iter().zip(0..);
    let mut held: Vec<Held> =
        places.map(|((pfn, gmfn), place)| Held { gmfn: *gmfn, pfn: *pfn, place }).collect();
    held.sort_unstable_by_key(|held| held.gmfn);
    let mut walk = Walk { held, read, tables: TABLES, runs: Vec::new() };
    let Some(entries) = walk.table(top)? else { return Ok(Vec::new()) };
    // The kernel's half first: what is beyond the bounds is of the other.
    for slot in (ENTRIES / 2..ENTRIES).chain(0..ENTRIES / 2) {
        if translated || !XENS.contains(&slot) {
            walk.entry(entry(&entries, slot), 3, address(0, slot, 3))?;
        }
    }
    walk.runs.sort_unstable_by_key(|run| run.virt);
    Ok(walk.runs)
}

/// The address that an entry of a table stands for, when the table stands for `base`. Addresses are signed numbers.
const fn address(base: u64, slot: usize, level: u32) -> u64 {
    let address = base | ((slot as u64) << (12 + 9 * level));
    ((address << 16).cast_signed() >> 16).cast_unsigned()
}

fn entry(table: &[u8; 4096], slot: usize) -> u64 {
    table.as_chunks().0.get(slot).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl<R: FnMut(u64, &mut [u8; 4096]) -> io::Result<()>> Walk<R> {
    /// The table in a frame, if that is there, and not too many were looked at.
    fn table(&mut self, gmfn: u64) -> io::Result<Option<[u8; 4096]>> {
        let Ok(found) = self.held.binary_search_by_key(&gmfn, |held| held.gmfn) else { return Ok(None) };
        let place = self.held.get(found).map(|held| held.place);
        let (Some(place), Some(left)) = (place, self.tables.checked_sub(1)) else { return Ok(None) };
        self.tables = left;
        let mut table = [0; 4096];
        (self.read)(place, &mut table)?;
        Ok(Some(table))
    }

    /// Follows an entry of a table of this level; the last is 0.
    fn entry(&mut self, entry: u64, level: u32, virt: u64) -> io::Result<()> {
        if entry & PRESENT == 0 || self.runs.len() == RUNS {
            return Ok(());
        }
        let gmfn = (entry & FRAME) >> 12;
        if level == 0 {
            self.pages(gmfn, 1, virt);
        } else if entry & LARGE != 0 && level < 3 {
            let pages = 1 << (9 * level);
            self.pages(gmfn & !(pages - 1), pages, virt);
        } else if let Some(table) = self.table(gmfn)? {
            for slot in 0..ENTRIES {
                self.entry(self::entry(&table, slot), level - 1, address(virt, slot, level - 1))?;
            }
        }
        Ok(())
    }

    /// Takes the pages of the dump among these frames.
    fn pages(&mut self, first: u64, count: u64, virt: u64) {
        let from = self.held.partition_point(|held| held.gmfn < first);
        let there = self.held.iter().skip(from).take_while(|held| held.gmfn < first + count);
        for Held { gmfn, pfn, place } in there.copied() {
            let virt = virt.wrapping_add((gmfn - first) << 12);
            if let Some(run) = self.runs.last_mut().filter(|run| run.goes_on_with(virt, pfn, place)) {
                run.pages += 1;
            } else if self.runs.len() < RUNS {
                self.runs.push(Run { virt, pfn, place, pages: 1 });
            }
        }
    }
}

impl Run {
    const fn goes_on_with(&self, virt: u64, pfn: u64, place: u64) -> bool {
        self.virt.wrapping_add(self.pages << 12) == virt
            && self.pfn + self.pages == pfn
            && self.place + self.pages == place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A domain's pages: tables by place, in frames from 100.
    struct Pages(Vec<[u64; ENTRIES]>);

    impl Pages {
        fn new(count: usize) -> Self {
            Self(vec![[0; ENTRIES]; count])
        }

        /// Has the entry of the table at `place` lead to the page at `to`.
        fn lead(&mut self, place: usize, slot: usize, to: u64) {
            self.0[place][slot] = (100 + to) << 12 | 0x67;
        }

        fn runs(&self, translated: bool) -> Vec<Run> {
            let frames: Vec<(u64, u64)> = (0..self.0.len() as u64).map(|at| (at, 100 + at)).collect();
            let read = |place, to: &mut [u8; 4096]| {
                let bytes: Vec<u8> =
                    self.0[usize::try_from(place).unwrap()].iter().flat_map(|e| e.to_le_bytes()).collect();
                to.copy_from_slice(&bytes);
                Ok(())
            };
            runs(&frames, 100, translated, read).unwrap()
        }
    }

    /// Three tables below the top one, for the last 2 GiB.
    fn kernel(count: usize) -> Pages {
        let mut pages = Pages::new(count);
        pages.lead(0, 511, 1);
        pages.lead(1, 510, 2);
        pages.lead(2, 0, 3);
        pages
    }

    const KERNEL: u64 = 0xffff_ffff_8000_0000;

    #[test]
    fn pages_behind_each_other_are_one_run() {
        let mut pages = kernel(9);
        for (slot, to) in [(0, 4), (1, 5), (2, 7), (4, 8)] {
            pages.lead(3, slot, to);
        }
        let run = |virt, place, pages| Run { virt, pfn: place, place, pages };
        let wanted = [run(KERNEL, 4, 2), run(KERNEL + 0x2000, 7, 1), run(KERNEL + 0x4000, 8, 1)];
        assert_eq!(pages.runs(true), wanted);
        // Low addresses come before, and what is nowhere is left out.
        pages.lead(0, 0, 1);
        pages.lead(2, 1, 77);
        let low = wanted.map(|run| Run { virt: run.virt & 0x7fff_ffff | 510 << 30, ..run });
        assert_eq!(pages.runs(true), [low, wanted].concat());
    }

    #[test]
    fn a_large_page_is_as_many_as_are_there() {
        let mut pages = kernel(600);
        // The pages from the frame 512 on are 412 and more.
        pages.0[2][3] = 512 << 12 | LARGE | PRESENT;
        let wanted = Run { virt: KERNEL + 3 * 0x20_0000, pfn: 412, place: 412, pages: 188 };
        assert_eq!(pages.runs(true), [wanted]);
    }

    #[test]
    fn what_is_xens_of_a_pv_domain_is_left_out() {
        let mut pages = kernel(6);
        pages.lead(3, 0, 4);
        pages.lead(0, 258, 0);
        let run = Run { virt: KERNEL, pfn: 4, place: 4, pages: 1 };
        assert_eq!(pages.runs(false), [run]);
        assert!(pages.runs(true).len() > 1, "to another domain these addresses are as good as all");
    }

    #[test]
    fn a_table_below_itself_comes_to_an_end() {
        let mut pages = Pages::new(2);
        for slot in 0..ENTRIES {
            pages.lead(0, slot, u64::from(slot % 2 == 0));
            pages.lead(1, slot, u64::from(slot % 2 == 1));
        }
        let found = pages.runs(true);
        assert_eq!(found.len(), RUNS);
        assert!(found.is_sorted_by_key(|run| run.virt));
    }
}
