//! The page tables that a PV domain starts with: which there are, where they lie, what is in them.
//!
//! Tables are named by their level (4 is the top) and by the part of a virtual address above what they
//! translate. A mapping needs a consecutive run of tables at each level, so a few runs describe them all.

use alloc::vec::Vec;
use core::ops::Range;

use super::{PADDING, PAGE};
use crate::builder::PlanError;

/// Entries per table.
pub const ENTRIES: usize = 512;

/// The initial mapping ends at a multiple of this.
const MAPPING_ALIGN: u64 = 4 << 20;

/// Virtual addresses a PV kernel can have: below, and at or above. What lies between is Xen's, or no address.
const LOW_END: u64 = 1 << 47;
const HIGH_START: u64 = 0xffff_8800_0000_0000;
/// The bits of an address that are translated.
const TRANSLATED: u64 = (1 << 48) - 1;

const TOP: u32 = 4;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;

/// Bits of an entry that leads to another table.
const TABLE_BITS: u64 = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;
/// Bits of an entry that leads to a page.
const PAGE_BITS: u64 = PRESENT | ACCESSED;

/// One page table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// From 1, whose entries are pages, to 4.
    pub level: u32,
    /// Bits 47 down to what one table of this level translates.
    pub prefix: u64,
    /// The frame it lies in.
    pub frame: u64,
}

/// Consecutive addresses that lead to consecutive frames.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mapping {
    virt: u64,
    frames: Range<u64>,
}

impl Mapping {
    /// Maps `frames` at `virt`.
    pub(super) fn new(virt: u64, frames: &Range<u64>) -> Result<Self, PlanError> {
        let last = (frames.end - frames.start)
            .checked_mul(PAGE)
            .and_then(|bytes| virt.checked_add(bytes.saturating_sub(1)))
            .filter(|last| *last < LOW_END || virt >= HIGH_START);
        if last.is_none() || !virt.is_multiple_of(PAGE) {
            return Err(PlanError::Address(virt));
        }
        Ok(Self { virt, frames: frames.clone() })
    }

    /// The page numbers it translates.
    fn numbers(&self) -> Range<u64> {
        let first = (self.virt & TRANSLATED) / PAGE;
        first..first + (self.frames.end - self.frames.start)
    }

    fn frame(&self, number: u64) -> Option<u64> {
        let numbers = self.numbers();
        numbers.contains(&number).then(|| self.frames.start + (number - numbers.start))
    }

    /// The tables it needs at `level`.
    fn prefixes(&self, level: u32) -> Range<u64> {
        let numbers = self.numbers();
        let shift = 9 * level;
        (numbers.start >> shift)..(numbers.end.saturating_sub(1) >> shift) + 1
    }
}

/// A run of tables of one level in consecutive frames.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    level: u32,
    prefixes: Range<u64>,
    frame: u64,
}

impl Run {
    fn frames(&self) -> Range<u64> {
        self.frame..self.frame + (self.prefixes.end - self.prefixes.start)
    }
}

/// All page tables of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tables {
    mappings: Vec<Mapping>,
    runs: Vec<Run>,
    boot: Range<u64>,
}

impl Tables {
    /// The tables of the initial mapping, in the frames from `first` on. They map themselves, one page of stack
    /// and the padding.
    pub(super) fn new(virt_base: u64, first: u64) -> Result<Self, PlanError> {
        let mut count = 0;
        loop {
            let pages = first + count + 1 + PADDING;
            let end = (virt_base / PAGE + pages).checked_next_multiple_of(MAPPING_ALIGN / PAGE);
            let end = end.ok_or(PlanError::Address(virt_base))?;
            let mapping = Mapping::new(virt_base, &(0..end - virt_base / PAGE))?;
            let mut tables = Self { mappings: Vec::new(), runs: Vec::new(), boot: first..first };
            tables.extend(mapping, first);
            // More tables may need more tables; the second or third round settles it.
            if tables.end() - first == count {
                tables.boot = first..tables.end();
                return Ok(tables);
            }
            count = tables.end() - first;
        }
    }

    /// Adds a mapping whose tables lie in the frames behind its own.
    pub(super) fn add(&mut self, mapping: Mapping) -> Result<(), PlanError> {
        let new = mapping.numbers();
        if self.mappings.iter().map(Mapping::numbers).any(|old| new.start < old.end && old.start < new.end) {
            return Err(PlanError::Address(mapping.virt));
        }
        let first = mapping.frames.end;
        self.extend(mapping, first);
        Ok(())
    }

    /// Adds the tables that `mapping` needs and that are not there yet.
    fn extend(&mut self, mapping: Mapping, mut frame: u64) {
        for level in (1..=TOP).rev() {
            let mut prefixes = mapping.prefixes(level);
            // Mappings do not overlap, so only tables at an end can be shared.
            while !prefixes.is_empty() && self.frame(level, prefixes.start).is_some() {
                prefixes.start += 1;
            }
            while !prefixes.is_empty() && self.frame(level, prefixes.end - 1).is_some() {
                prefixes.end -= 1;
            }
            let run = Run { level, prefixes, frame };
            frame = run.frames().end;
            self.runs.push(run);
        }
        self.mappings.push(mapping);
    }

    /// The frame behind the last table.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.runs.iter().map(|run| run.frames().end).max().unwrap_or(0)
    }

    /// The frame behind the initial mapping. The domain may end before it.
    pub(super) fn mapped(&self) -> u64 {
        self.mappings.first().map_or(0, |mapping| mapping.frames.end)
    }

    /// The frames of the initial mapping's tables, the top level first.
    #[must_use]
    pub fn boot(&self) -> Range<u64> {
        self.boot.clone()
    }

    /// Every table.
    pub fn iter(&self) -> impl Iterator<Item = Table> + '_ {
        self.runs.iter().flat_map(|run| {
            let tables = run.prefixes.clone().zip(run.frames());
            tables.map(|(prefix, frame)| Table { level: run.level, prefix, frame })
        })
    }

    /// Writes a table's entries. `machine` knows the machine frame of each frame the domain has; what it does
    /// not have is not mapped. Tables are mapped read-only.
    pub fn fill(&self, table: Table, machine: impl Fn(u64) -> Option<u64>, entries: &mut [u64; ENTRIES]) {
        for (number, entry) in (table.prefix << 9..).zip(entries) {
            let target = match table.level {
                1 => self.mappings.iter().find_map(|mapping| mapping.frame(number)),
                level => self.frame(level - 1, number),
            };
            *entry = match target.and_then(|frame| Some((frame, machine(frame)?))) {
                None => 0,
                Some((_, machine)) if table.level > 1 => machine << 12 | TABLE_BITS,
                Some((frame, machine)) if self.holds(frame) => machine << 12 | PAGE_BITS,
                Some((_, machine)) => machine << 12 | PAGE_BITS | WRITABLE,
            };
        }
    }

    /// Whether a table lies in this frame.
    #[must_use]
    pub fn holds(&self, frame: u64) -> bool {
        self.runs.iter().any(|run| run.frames().contains(&frame))
    }

    fn frame(&self, level: u32, prefix: u64) -> Option<u64> {
        let run = self.runs.iter().find(|run| run.level == level && run.prefixes.contains(&prefix))?;
        Some(run.frame + (prefix - run.prefixes.start))
    }
}
