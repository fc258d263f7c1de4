//! New PV domains: what their memory looks like, as data, and how they get it.
//!
//! [`PvPlan::new`] places everything by frame number; no machine frame is known yet and no hypercall is made.
//! The order in the initial mapping is the one that `xen/xen.h` promises to kernels:
//!
//! ```text
//! virt_base  free   kernel  ramdisk  frame list  start info  XenStore  console  page tables  stack  >= 512 KiB  4 MiB
//! frame 0 ->        |----------------------------------------------------------------------------|  free       boundary
//! ```
//!
//! A kernel that asks for it (`XEN_ELFNOTE_INIT_P2M`, `XEN_ELFNOTE_MOD_START_PFN`) gets its frame list and its
//! ramdisk behind all that instead, the list mapped where the kernel wants it. Everything that is placed lies
//! below [`PvPlan::placed`], so the machine frames above it need not be remembered while the domain is built.
//!
//! [`PvBuild`] carries a plan out, a few hypercalls per step, and takes everything back when one fails.
#![forbid(unsafe_code)]

mod stages;
mod start;
mod tables;
mod work;

use core::ops::Range;

pub use start::Facts;
pub use tables::{ENTRIES, Table, Tables};
pub use work::{PvBuild, PvWork};

use self::tables::Mapping;
use super::{PlanError, Request, image::PvKernel, request::MAX_PAGES};
use crate::{abi::start_info::MAX_GUEST_CMDLINE, shared::PAGE_SIZE};

/// Bytes per page.
const PAGE: u64 = PAGE_SIZE as u64;
/// Free pages behind the last thing in the initial mapping.
const PADDING: u64 = (512 << 10) / PAGE;
/// Entries of the frame list per page.
pub const FRAMES_PER_PAGE: u64 = PAGE / size_of::<u64>() as u64;

/// Where everything goes. Ranges and numbers are frames as the domain counts them, from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PvPlan {
    kernel: PvKernel,
    request: Request,
    ramdisk: Range<u64>,
    frame_list: Range<u64>,
    start_info: u64,
    store: u64,
    console: u64,
    stack: u64,
    tables: Tables,
}

impl PvPlan {
    /// Places `kernel` and what `request` asks for.
    pub fn new(kernel: &PvKernel, request: Request) -> Result<Self, PlanError> {
        if request.pages > MAX_PAGES {
            return Err(PlanError::TooMuchMemory(request.pages));
        }
        if request.command_line.len() >= MAX_GUEST_CMDLINE || request.command_line.contains(&0) {
            return Err(PlanError::CommandLine);
        }
        let frame_list = request.pages.div_ceil(FRAMES_PER_PAGE);
        let ramdisk = request.ramdisk.div_ceil(PAGE);
        let kernel_end = (kernel.end - kernel.virt_base).div_ceil(PAGE);
        let least = kernel_end.saturating_add(ramdisk).saturating_add(frame_list);
        if least >= request.pages {
            return Err(PlanError::Memory { given: request.pages, needed: least.saturating_add(1) });
        }

        // From here on only numbers are added that fit into the domain, each a few times.
        let mut place = Placer { next: kernel_end };
        let mapped_ramdisk = place.take(if kernel.unmapped_ramdisk { 0 } else { ramdisk });
        let mapped_list = place.take(if kernel.init_p2m.is_some() { 0 } else { frame_list });
        let [start_info, store, console] = [(); 3].map(|()| place.take(1).start);
        let mut tables = Tables::new(kernel.virt_base, place.next)?;
        place.next = tables.end();
        let stack = place.take(1).start;
        place.take(PADDING);
        let frame_list = match kernel.init_p2m {
            Some(virt) => {
                let list = place.take(frame_list);
                tables.add(Mapping::new(virt, &list)?)?;
                place.next = tables.end();
                list
            }
            None => mapped_list,
        };
        let ramdisk = if kernel.unmapped_ramdisk { place.take(ramdisk) } else { mapped_ramdisk };
        if place.next > request.pages {
            return Err(PlanError::Memory { given: request.pages, needed: place.next });
        }
        Ok(Self { kernel: *kernel, request, ramdisk, frame_list, start_info, store, console, stack, tables })
    }

    /// What was asked for.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// How the kernel wants to be started.
    #[must_use]
    pub const fn kernel(&self) -> &PvKernel {
        &self.kernel
    }

    /// The frame behind the last one that has a purpose or is mapped.
    #[must_use]
    pub fn placed(&self) -> u64 {
        let mapped = self.tables.mapped().min(self.request.pages);
        self.ramdisk.end.max(mapped).max(self.tables.end())
    }

    /// The frames of the ramdisk.
    #[must_use]
    pub fn ramdisk(&self) -> Range<u64> {
        self.ramdisk.clone()
    }

    /// The frames of the list of all machine frames.
    #[must_use]
    pub fn frame_list(&self) -> Range<u64> {
        self.frame_list.clone()
    }

    /// The frame of the start info page.
    #[must_use]
    pub const fn start_info(&self) -> u64 {
        self.start_info
    }

    /// The frame of the XenStore ring.
    #[must_use]
    pub const fn store(&self) -> u64 {
        self.store
    }

    /// The frame of the console ring.
    #[must_use]
    pub const fn console(&self) -> u64 {
        self.console
    }

    /// The frame of the first stack.
    #[must_use]
    pub const fn stack(&self) -> u64 {
        self.stack
    }

    /// The page tables.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The frame that holds a virtual address of the kernel's segments.
    #[must_use]
    pub const fn frame_of(&self, virt: u64) -> u64 {
        virt.wrapping_sub(self.kernel.virt_base) / PAGE
    }

    /// The virtual address of a frame in the initial mapping.
    #[must_use]
    pub const fn virt_of(&self, frame: u64) -> u64 {
        self.kernel.virt_base.wrapping_add(frame * PAGE)
    }
}

/// Hands out frames in order.
struct Placer {
    next: u64,
}

impl Placer {
    fn take(&mut self, pages: u64) -> Range<u64> {
        let start = self.next;
        self.next += pages;
        start..self.next
    }
}
