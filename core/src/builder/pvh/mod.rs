//! New PVH domains: what their memory looks like, as data ([`PvhPlan`]), and how they get it ([`PvhBuild`]).
//!
//! ```text
//! 0              low memory: kernel where it wants to be, then ramdisk, then start info
//! 0xfc00_0000    ACPI tables
//! 0xfeff_c000    XenStore ring, identity page table, console ring, among the pages reserved for Xen
//! 4 GiB          what does not fit below 0xf000_0000
//! ```
//!
//! The addresses are those of Xen's own tools: kernels learn them from the memory map and the parameters.
//! Sources: `xen/arch-x86/hvm/start_info.h`, `xen/hvm/params.h`, Xen's `docs/misc/pvh.pandoc`.
#![forbid(unsafe_code)]

mod acpi;
mod boot;
mod work;

use alloc::vec::Vec;
use core::ops::Range;

pub use work::{PvhBuild, PvhWork};

use super::{PlanError, Request, image::PvhKernel, request::MAX_PAGES};
use crate::abi::hvm::op::{
    HVM_PARAM_CONSOLE_EVTCHN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IDENT_PT, HVM_PARAM_STORE_EVTCHN,
    HVM_PARAM_STORE_PFN,
};
use crate::hyper::Port;
use crate::shared::PAGE_SIZE;

const PAGE: u64 = PAGE_SIZE as u64;

/// Where low memory ends at the latest: above are devices, as far as a domain expects any.
const LOW_END: u64 = 0xf000_0000 / PAGE;
/// Where the rest of the memory begins.
const HIGH_START: u64 = (4 << 30) / PAGE;

/// Where the ACPI tables are.
const ACPI: u64 = 0xfc00_0000;

/// Pages that Xen's tools reserve for the hypervisor's side, and the three that are used.
const SPECIAL: Range<u64> = 0xf_eff8..0xf_f000;
const STORE: u64 = 0xf_effc;
const IDENTITY: u64 = 0xf_effe;
const CONSOLE: u64 = 0xf_efff;

/// The most virtual CPUs of an HVM or PVH domain (`HVM_MAX_VCPUS`).
const MAX_VCPUS: u32 = 128;
/// The longest command line; Linux takes half of that.
const MAX_COMMAND_LINE: usize = 4096;

/// Pages of paging structures per virtual CPU, and per MiB of memory.
const POOL_PER_VCPU: u64 = 256;
const POOL_PER_MIB: u64 = 2;

/// Where everything goes. Frames are guest frames.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PvhPlan {
    kernel: PvhKernel,
    request: Request,
    vcpus: u32,
    /// The ramdisk's address.
    ramdisk: u64,
    /// The start info's address.
    start_info: u64,
    acpi: Vec<u8>,
}

impl PvhPlan {
    /// Places `kernel` and what `request` asks for in a domain of so many virtual CPUs.
    pub fn new(kernel: &PvhKernel, request: Request, vcpus: u32) -> Result<Self, PlanError> {
        if !(1..=MAX_VCPUS).contains(&vcpus) {
            return Err(PlanError::Vcpus { asked: vcpus, limit: MAX_VCPUS });
        }
        if request.pages > MAX_PAGES {
            return Err(PlanError::TooMuchMemory(request.pages));
        }
        if request.command_line.len() >= MAX_COMMAND_LINE || request.command_line.contains(&0) {
            return Err(PlanError::CommandLine);
        }
        let ramdisk = kernel.end.checked_next_multiple_of(PAGE).ok_or(PlanError::Address(kernel.start))?;
        let start_info = ramdisk
            .checked_add(request.ramdisk)
            .and_then(|end| end.checked_next_multiple_of(PAGE))
            .ok_or(PlanError::Memory { given: request.pages, needed: u64::MAX })?;
        let mut plan = Self { kernel: *kernel, request, vcpus, ramdisk, start_info, acpi: Vec::new() };
        let boot_pages = (plan.boot_block().len() as u64).div_ceil(PAGE);
        let needed = (start_info / PAGE).saturating_add(boot_pages);
        if needed > LOW_END {
            return Err(PlanError::Address(kernel.start));
        }
        if needed > plan.request.pages {
            return Err(PlanError::Memory { given: plan.request.pages, needed });
        }
        plan.acpi = acpi::tables(ACPI, vcpus);
        Ok(plan)
    }

    /// What was asked for.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// Its virtual CPUs.
    #[must_use]
    pub const fn vcpus(&self) -> u32 {
        self.vcpus
    }

    /// How the kernel wants to be started.
    #[must_use]
    pub const fn kernel(&self) -> &PvhKernel {
        &self.kernel
    }

    /// The domain's memory: below 4 GiB, and above, which may be empty.
    #[must_use]
    pub fn ram(&self) -> [Range<u64>; 2] {
        let low = self.request.pages.min(LOW_END);
        [0..low, HIGH_START..HIGH_START.saturating_add(self.request.pages - low)]
    }

    /// Pages beside the memory that have to be there: rings, page table, ACPI.
    #[must_use]
    pub fn extra(&self) -> Vec<u64> {
        let mut frames = Vec::from([STORE, IDENTITY, CONSOLE]);
        frames.extend(self.acpi_frames());
        frames
    }

    /// The frames of the ACPI tables.
    #[must_use]
    pub fn acpi_frames(&self) -> Range<u64> {
        ACPI / PAGE..ACPI / PAGE + (self.acpi.len() as u64).div_ceil(PAGE)
    }

    /// The ACPI tables' bytes, from the start of their first frame on.
    #[must_use]
    pub fn acpi(&self) -> &[u8] {
        &self.acpi
    }

    /// The frames of the ramdisk.
    #[must_use]
    pub fn ramdisk(&self) -> Range<u64> {
        self.ramdisk / PAGE..(self.ramdisk + self.request.ramdisk).div_ceil(PAGE)
    }

    /// The address of [`PvhPlan::boot_block`], which is passed to the kernel in `ebx`.
    #[must_use]
    pub const fn start_info(&self) -> u64 {
        self.start_info
    }

    /// The frame of the XenStore ring.
    #[must_use]
    pub const fn store(&self) -> u64 {
        STORE
    }

    /// The frame of the console ring.
    #[must_use]
    pub const fn console(&self) -> u64 {
        CONSOLE
    }

    /// The frame of the identity page table.
    #[must_use]
    pub const fn identity(&self) -> u64 {
        IDENTITY
    }

    /// The page table with which processors run that cannot run without: 4 GiB, each address where it is, in
    /// pages of 4 MiB.
    pub fn identity_entries() -> impl Iterator<Item = u32> {
        /// Present, writable, user, accessed, dirty, large.
        const BITS: u32 = 0xe7;
        (0..1024u32).map(|entry| entry << 22 | BITS)
    }

    /// The parameters that tell the kernel of its rings.
    #[must_use]
    pub fn params(&self, store: Port, console: Port) -> [(u32, u64); 5] {
        [
            (HVM_PARAM_STORE_PFN, STORE),
            (HVM_PARAM_STORE_EVTCHN, store.0.into()),
            (HVM_PARAM_CONSOLE_PFN, CONSOLE),
            (HVM_PARAM_CONSOLE_EVTCHN, console.0.into()),
            (HVM_PARAM_IDENT_PT, IDENTITY * PAGE),
        ]
    }

    /// Memory that Xen needs for the domain's paging structures, in bytes.
    #[must_use]
    pub fn paging_pool(&self) -> u64 {
        paging_pool(self.vcpus, self.request.pages)
    }
}

/// Memory that Xen needs for the paging structures of a domain, in bytes: as much as Xen's tools give.
pub(super) fn paging_pool(vcpus: u32, pages: u64) -> u64 {
    let mib = pages.div_ceil((1 << 20) / PAGE);
    (POOL_PER_VCPU * u64::from(vcpus) + POOL_PER_MIB * mib) * PAGE
}
