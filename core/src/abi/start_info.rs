//! What a PV domain finds at the address in `rsi` when it starts. Source: `xen/xen.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/xen.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The start info page of a PV domain.
    struct StartInfo = "struct start_info", 1168 {
        /// `xen-3.0-x86_64p`, zero-terminated.
        @0 magic: [u8; 32],
        @32 nr_pages: u64,
        /// A machine address.
        @40 shared_info: u64,
        /// `SIF_*`.
        @48 flags: u32,
        @52 _pad0: [u8; 4],
        @56 store_mfn: u64,
        @64 store_evtchn: u32,
        @68 _pad1: [u8; 4],
        @72 console_mfn: u64 = "console.domU.mfn",
        @80 console_evtchn: u32 = "console.domU.evtchn",
        @84 _pad2: [u8; 4],
        /// A virtual address.
        @88 pt_base: u64,
        @96 nr_pt_frames: u64,
        /// A virtual address.
        @104 mfn_list: u64,
        /// A virtual address, or a frame number with [`SIF_MOD_START_PFN`].
        @112 mod_start: u64,
        /// Bytes.
        @120 mod_len: u64,
        /// Zero-terminated.
        @128 cmd_line: [u8; MAX_GUEST_CMDLINE],
        @1152 first_p2m_pfn: u64,
        @1160 nr_p2m_frames: u64,
    }
}

abi_constants! {
    /// Bytes of the command line, with its terminator.
    const MAX_GUEST_CMDLINE: usize = 1024;

    const SIF_PRIVILEGED: u32 = 1 << 0;
    const SIF_INITDOMAIN: u32 = 1 << 1;
    const SIF_MULTIBOOT_MOD: u32 = 1 << 2;
    const SIF_MOD_START_PFN: u32 = 1 << 3;
    const SIF_VIRT_P2M_4TOOLS: u32 = 1 << 4;
}
