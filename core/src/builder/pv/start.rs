//! What the first virtual CPU of a PV domain finds: its registers, and the start info page.
//! Sources: `xen/xen.h` (start of day), `xen/arch-x86/xen.h`.

use super::{PAGE, PvPlan};
use crate::abi::{
    arch::{
        CpuUserRegs, FLAT_KERNEL_CS, FLAT_KERNEL_DS, FLAT_KERNEL_SS, VGCF_IN_KERNEL, VGCF_ONLINE,
        VcpuGuestContext, cr3_of,
    },
    start_info::{SIF_MOD_START_PFN, StartInfo},
};

/// The magic of a 64-bit PV domain.
const MAGIC: &[u8] = b"xen-3.0-x86_64";

/// Interrupts are on, as far as a PV domain sees that.
const RFLAGS_IF: u64 = 1 << 9;
/// What the debug registers hold after a reset.
const DR6: u64 = 0xffff_0ff0;
const DR7: u64 = 0x400;

/// The machine frames that the start of a domain needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StartFrames {
    /// Of the page Xen shares with the domain.
    pub shared_info: u64,
    /// Of the XenStore ring.
    pub store: u64,
    /// Of the console ring.
    pub console: u64,
    /// Of the top page table.
    pub top_table: u64,
}

impl PvPlan {
    /// The start info page.
    #[must_use]
    pub fn start_info_page(&self, frames: &StartFrames) -> StartInfo {
        let mut info = StartInfo {
            nr_pages: self.request.pages,
            shared_info: frames.shared_info * PAGE,
            store_mfn: frames.store,
            store_evtchn: self.request.store_port.0,
            console_mfn: frames.console,
            console_evtchn: self.request.console_port.0,
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

    /// The state of the first virtual CPU. The others are started by the kernel.
    #[must_use]
    pub fn context(&self, frames: &StartFrames) -> VcpuGuestContext {
        let stack_top = self.virt_of(self.stack + 1);
        let mut context = VcpuGuestContext {
            flags: VGCF_IN_KERNEL | VGCF_ONLINE,
            user_regs: CpuUserRegs {
                rip: self.kernel.entry,
                rsp: stack_top,
                rsi: self.virt_of(self.start_info),
                rflags: RFLAGS_IF,
                cs: FLAT_KERNEL_CS,
                ss: FLAT_KERNEL_SS,
                ds: FLAT_KERNEL_DS,
                es: FLAT_KERNEL_DS,
                fs: FLAT_KERNEL_DS,
                gs: FLAT_KERNEL_DS,
                ..CpuUserRegs::ZERO
            },
            kernel_ss: u64::from(FLAT_KERNEL_SS),
            kernel_sp: stack_top,
            ..VcpuGuestContext::ZERO
        };
        let [_, _, _, cr3, ..] = &mut context.ctrlreg;
        *cr3 = cr3_of(frames.top_table);
        let [.., dr6, dr7] = &mut context.debugreg;
        (*dr6, *dr7) = (DR6, DR7);
        context
    }
}

/// Copies as much as there is room for; the plan checked that it fits.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
