//! Arguments for making, sizing, looking at and starting domains. Sources: `xen/domctl.h`,
//! `xen/arch-x86/xen.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/domctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// What an x86 domain is offered beside the common choices.
    struct ArchDomainConfig = "struct xen_arch_domainconfig", 8 {
        /// `XEN_X86_EMU_*`.
        @0 emulation_flags: u32,
        /// [`XEN_X86_MSR_RELAXED`] or 0.
        @4 misc_flags: u32,
    }

    /// Everything fixed when a domain is made.
    struct CreateDomain = "struct xen_domctl_createdomain", 64 {
        @0 ssidref: u32,
        @4 handle: [u8; 16],
        /// `XEN_DOMCTL_CDF_*`.
        @20 flags: u32,
        @24 iommu_opts: u32,
        @28 max_vcpus: u32,
        @32 max_evtchn_port: u32,
        /// Negative for Xen's default.
        @36 max_grant_frames: i32,
        /// Negative for Xen's default.
        @40 max_maptrack_frames: i32,
        /// The highest version of the grant table that the domain may use.
        @44 grant_opts: u32,
        @48 vmtrace_size: u32,
        @52 cpupool_id: u32,
        @56 arch: ArchDomainConfig,
    }

    /// One domain as Xen sees it.
    struct GetDomainInfo = "struct xen_domctl_getdomaininfo", 112 {
        @0 domain: u16,
        @2 _pad0: u16,
        /// `XEN_DOMINF_*`, and why it shut down.
        @4 flags: u32,
        @8 tot_pages: u64,
        @16 max_pages: u64,
        @24 outstanding_pages: u64,
        @32 shr_pages: u64,
        @40 paged_pages: u64,
        @48 shared_info_frame: u64,
        @56 cpu_time: u64,
        @64 nr_online_vcpus: u32,
        @68 max_vcpu_id: u32,
        @72 ssidref: u32,
        @76 handle: [u8; 16],
        @92 cpupool: u32,
        @96 gpaddr_bits: u8,
        @97 _pad1: [u8; 7],
        @104 arch_config: ArchDomainConfig,
    }

    /// The most memory a domain may have.
    struct MaxMem = "struct xen_domctl_max_mem", 8 {
        @0 max_memkb: u64,
    }

    /// The virtual CPUs of a domain.
    struct MaxVcpus = "struct xen_domctl_max_vcpus", 4 {
        @0 max: u32,
    }

    /// A domain's UUID.
    struct SetDomainHandle = "struct xen_domctl_setdomainhandle", 16 {
        @0 handle: [u8; 16],
    }

    /// The page to fill with hypercall entries.
    struct HypercallInit = "struct xen_domctl_hypercall_init", 8 {
        @0 gmfn: u64,
    }

    /// The width of a PV domain: 32 or 64.
    struct AddressSize = "struct xen_domctl_address_size", 4 {
        @0 size: u32,
    }

    /// The distance of a domain's wall clock from the host's.
    struct SetTimeOffset = "struct xen_domctl_settimeoffset", 8 {
        @0 time_offset_seconds: i64,
    }

    /// How a domain sees the time stamp counter.
    struct TscInfo = "struct xen_domctl_tsc_info", 24 {
        @0 tsc_mode: u32,
        @4 gtsc_khz: u32,
        @8 incarnation: u32,
        @12 _pad: u32,
        @16 elapsed_nsec: u64,
    }

    /// A button pressed on a domain's machine.
    struct SendTrigger = "struct xen_domctl_sendtrigger", 8 {
        /// `XEN_DOMCTL_SENDTRIGGER_*`.
        @0 trigger: u32,
        @4 vcpu: u32,
    }

    /// Memory for a domain's paging structures, in bytes.
    struct PagingMempool = "struct xen_domctl_paging_mempool", 8 {
        @0 size: u64,
    }

    /// Shadow paging; its statistics are not looked at.
    struct ShadowOp = "struct xen_domctl_shadow_op", 40 {
        /// `XEN_DOMCTL_SHADOW_OP_*`.
        @0 op: u32,
        @4 mode: u32,
        @8 mb: u32,
        @12 _pad: [u8; 4],
        @16 dirty_bitmap: u64,
        @24 pages: u64,
        @32 fault_count: u32 = "stats.fault_count",
        @36 dirty_count: u32 = "stats.dirty_count",
    }

    /// The CPU features a domain sees.
    struct CpuPolicy = "struct xen_domctl_cpu_policy", 40 {
        @0 nr_leaves: u32,
        @4 nr_msrs: u32,
        /// The address of [`CpuidLeaf`]s.
        @8 leaves: u64,
        /// The address of [`MsrEntry`]s.
        @16 msrs: u64,
        @24 err_leaf: u32,
        @28 err_subleaf: u32,
        @32 err_msr: u32,
        @36 _pad: [u8; 4],
    }

    /// One leaf of CPUID.
    struct CpuidLeaf = "struct xen_cpuid_leaf", 24 {
        @0 leaf: u32,
        @4 subleaf: u32,
        @8 a: u32,
        @12 b: u32,
        @16 c: u32,
        @20 d: u32,
    }

    /// One model-specific register.
    struct MsrEntry = "struct xen_msr_entry", 16 {
        @0 idx: u32,
        @4 _flags: u32,
        @8 val: u64,
    }
}

abi_constants! {
    const XEN_DOMCTL_CDF_HVM: u32 = 1 << 0 => "XEN_DOMCTL_CDF_hvm";
    const XEN_DOMCTL_CDF_HAP: u32 = 1 << 1 => "XEN_DOMCTL_CDF_hap";
    const XEN_DOMCTL_CDF_XS_DOMAIN: u32 = 1 << 4 => "XEN_DOMCTL_CDF_xs_domain";

    const XEN_X86_EMU_LAPIC: u32 = 1 << 0;
    const XEN_X86_MSR_RELAXED: u32 = 1 << 0;

    const XEN_DOMINF_DYING: u32 = 1 << 0 => "XEN_DOMINF_dying";
    const XEN_DOMINF_HVM_GUEST: u32 = 1 << 1 => "XEN_DOMINF_hvm_guest";
    const XEN_DOMINF_SHUTDOWN: u32 = 1 << 2 => "XEN_DOMINF_shutdown";
    const XEN_DOMINF_PAUSED: u32 = 1 << 3 => "XEN_DOMINF_paused";
    const XEN_DOMINF_BLOCKED: u32 = 1 << 4 => "XEN_DOMINF_blocked";
    const XEN_DOMINF_RUNNING: u32 = 1 << 5 => "XEN_DOMINF_running";
    const XEN_DOMINF_DEBUGGED: u32 = 1 << 6 => "XEN_DOMINF_debugged";
    const XEN_DOMINF_XS_DOMAIN: u32 = 1 << 7 => "XEN_DOMINF_xs_domain";
    const XEN_DOMINF_HAP: u32 = 1 << 8 => "XEN_DOMINF_hap";
    const XEN_DOMINF_SHUTDOWNMASK: u32 = 255 => "XEN_DOMINF_shutdownmask";
    const XEN_DOMINF_SHUTDOWNSHIFT: u32 = 16 => "XEN_DOMINF_shutdownshift";

    /// [`GetDomainInfo::max_vcpu_id`] of a domain without virtual CPUs.
    const XEN_INVALID_MAX_VCPU_ID: u32 = !0;

    const XEN_CPUID_NO_SUBLEAF: u32 = !0;

    const XEN_DOMCTL_SENDTRIGGER_NMI: u32 = 0;
    const XEN_DOMCTL_SENDTRIGGER_RESET: u32 = 1;
    const XEN_DOMCTL_SENDTRIGGER_INIT: u32 = 2;
    const XEN_DOMCTL_SENDTRIGGER_POWER: u32 = 3;
    const XEN_DOMCTL_SENDTRIGGER_SLEEP: u32 = 4;

    const XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION: u32 = 30;
    const XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION: u32 = 31;
}
