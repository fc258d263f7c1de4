//! What the kernel of a PV domain finds when it starts: its registers, and the start info page.
//! Source: `xen/xen.h`, the start of day.

use super::{PAGE, PvPlan};
use crate::abi::start_info::{SIF_MOD_START_PFN, StartInfo};
use crate::builder::Ring;
use crate::hyper::{Mfn, PvStart};

/// The magic of a 64-bit PV domain.
const MAGIC: &[u8] = b"xen-3.0-x86_64";

/// What is known of a domain only when it exists, and that its kernel needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The page Xen shares with the domain.
    pub shared_info: Mfn,
    /// Its way to XenStore.
    pub store: Ring,
    /// Its console.
    pub console: Ring,
}

impl PvPlan {
    /// The start info page.
    #[must_use]
    pub fn start_info_page(&self, facts: &Facts) -> StartInfo {
        let mut info = StartInfo {
            nr_pages: self.request.pages,
            shared_info: facts.shared_info.0 * PAGE,
            store_mfn: facts.store.frame.0,
            store_evtchn: facts.store.port.0,
            console_mfn: facts.console.frame.0,
            console_evtchn: facts.console.port.0,
            pt_base: self.virt_of(self.tables.boot().start),
            nr_pt_frames: self.tables.boot().end - self.tables.boot().start,
            mfn_list: self.kernel.init_p2m.unwrap_or_else(|| self.virt_of(self.frame_list.start)),
            ..StartInfo::ZERO
        };
        if self.kernel.init_p2m.is_some() {
            info.first_p2m_pfn = self.frame_list.start;
            info.nr_p2m_frames = self.tables.end() - self.frame_list.start;
        }
        if self.request.ramdisk > 0 {
            info.mod_len = self.request.ramdisk;
            if self.kernel.unmapped_ramdisk {
                info.mod_start = self.ramdisk.start;
                info.flags |= SIF_MOD_START_PFN;
            } else {
                info.mod_start = self.virt_of(self.ramdisk.start);
            }
        }
        copy(&mut info.magic, MAGIC);
        copy(&mut info.cmd_line, &self.request.command_line);
        info
    }

    /// How the first virtual CPU starts, with the top page table in `top_table`.
    #[must_use]
    pub const fn start(&self, top_table: Mfn) -> PvStart {
        PvStart {
            entry: self.kernel.entry,
            stack: self.virt_of(self.stack + 1),
            start_info: self.virt_of(self.start_info),
            top_table,
        }
    }
}

/// Copies as much as there is room for; the plan checked that it fits.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
