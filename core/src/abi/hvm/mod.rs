//! What HVM and PVH domains need beyond PV. Sources: the headers in `xen/hvm/` and `xen/arch-x86/hvm/`.

pub mod op;
pub mod save;
pub mod start_info;
