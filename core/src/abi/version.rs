//! What Xen says about itself to every domain. Sources: `xen/version.h`, `xen/features.h`.

use core::fmt;

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/version.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`XENVER_GET_FEATURES`].
    struct FeatureInfo = "struct xen_feature_info", 8 {
        @0 submap_idx: u32,
        /// Filled in: bits `XENFEAT_*`.
        @4 submap: u32,
    }

    /// The argument of [`XENVER_PLATFORM_PARAMETERS`].
    struct PlatformParameters = "struct xen_platform_parameters", 8 {
        @0 virt_start: u64,
    }

    /// The argument of [`XENVER_COMPILE_INFO`]: zero-terminated texts.
    struct CompileInfo = "struct xen_compile_info", 144 {
        @0 compiler: [u8; 64],
        @64 compile_by: [u8; 16],
        @80 compile_domain: [u8; 32],
        @112 compile_date: [u8; 32],
    }
}

abi_constants! {
    /// Answers `major << 16 | minor`.
    const XENVER_VERSION: u32 = 0 => "XENVER_version";
    const XENVER_EXTRAVERSION: u32 = 1 => "XENVER_extraversion";
    const XENVER_COMPILE_INFO: u32 = 2 => "XENVER_compile_info";
    const XENVER_CAPABILITIES: u32 = 3 => "XENVER_capabilities";
    const XENVER_CHANGESET: u32 = 4 => "XENVER_changeset";
    const XENVER_PLATFORM_PARAMETERS: u32 = 5 => "XENVER_platform_parameters";
    const XENVER_GET_FEATURES: u32 = 6 => "XENVER_get_features";
    const XENVER_PAGESIZE: u32 = 7 => "XENVER_pagesize";
    const XENVER_COMMANDLINE: u32 = 9 => "XENVER_commandline";

    const EXTRAVERSION_LEN: usize = 16 => "XEN_EXTRAVERSION_LEN";
    const CAPABILITIES_LEN: usize = 1024 => "XEN_CAPABILITIES_INFO_LEN";
    const CHANGESET_LEN: usize = 64 => "XEN_CHANGESET_INFO_LEN";
    const COMMANDLINE_LEN: usize = 1024 => "sizeof(xen_commandline_t)";

    const XENFEAT_WRITABLE_PAGE_TABLES: u32 = 0 => "XENFEAT_writable_page_tables";
    const XENFEAT_WRITABLE_DESCRIPTOR_TABLES: u32 = 1 => "XENFEAT_writable_descriptor_tables";
    const XENFEAT_AUTO_TRANSLATED_PHYSMAP: u32 = 2 => "XENFEAT_auto_translated_physmap";
    const XENFEAT_SUPERVISOR_MODE_KERNEL: u32 = 3 => "XENFEAT_supervisor_mode_kernel";
    const XENFEAT_PAE_PGDIR_ABOVE_4GB: u32 = 4 => "XENFEAT_pae_pgdir_above_4gb";
    const XENFEAT_MMU_PT_UPDATE_PRESERVE_AD: u32 = 5 => "XENFEAT_mmu_pt_update_preserve_ad";
    const XENFEAT_HIGHMEM_ASSIST: u32 = 6 => "XENFEAT_highmem_assist";
    const XENFEAT_DOM0: u32 = 11 => "XENFEAT_dom0";
    const XENFEAT_LINUX_RSDP_UNRESTRICTED: u32 = 15 => "XENFEAT_linux_rsdp_unrestricted";
}

/// The running hypervisor's version, `major.minor`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct XenVersion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl XenVersion {
    /// From the answer to [`XENVER_VERSION`].
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        let [minor_low, minor_high, major_low, major_high] = code.to_le_bytes();
        Self {
            major: u16::from_le_bytes([major_low, major_high]),
            minor: u16::from_le_bytes([minor_low, minor_high]),
        }
    }
}

impl fmt::Display for XenVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
