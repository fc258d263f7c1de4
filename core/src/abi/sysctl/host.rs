//! Arguments about the machine and all its domains. Source: `xen/sysctl.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/sysctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// Text of Xen's console ring.
    struct ReadConsole = "struct xen_sysctl_readconsole", 24 {
        @0 clear: u8,
        /// Non-zero to begin at `index`.
        @1 incremental: u8,
        @2 _pad0: [u8; 2],
        /// Where to begin; then where to go on.
        @4 index: u32,
        /// The address of the text.
        @8 buffer: u64,
        /// Bytes that fit; then bytes written.
        @16 count: u32,
        @20 _pad1: [u8; 4],
    }

    /// The machine.
    struct PhysInfo = "struct xen_sysctl_physinfo", 112 {
        @0 threads_per_core: u32,
        @4 cores_per_socket: u32,
        @8 nr_cpus: u32,
        @12 max_cpu_id: u32,
        @16 nr_nodes: u32,
        @20 max_node_id: u32,
        @24 cpu_khz: u32,
        /// `XEN_SYSCTL_PHYSCAP_*`.
        @28 capabilities: u32,
        @32 arch_capabilities: u32,
        @36 _pad: u32,
        @40 total_pages: u64,
        @48 free_pages: u64,
        @56 scrub_pages: u64,
        @64 outstanding_pages: u64,
        @72 max_mfn: u64,
        @80 hw_cap: [u32; 8],
    }

    /// All domains from `first_domain` on.
    struct GetDomainInfoList = "struct xen_sysctl_getdomaininfolist", 24 {
        @0 first_domain: u16,
        @2 _pad0: [u8; 2],
        @4 max_domains: u32,
        /// The address of [`GetDomainInfo`](crate::abi::domctl::life::GetDomainInfo)s.
        @8 buffer: u64,
        @16 num_domains: u32,
        @20 _pad1: [u8; 4],
    }

    /// Keys of Xen's debug console.
    struct DebugKeys = "struct xen_sysctl_debug_keys", 16 {
        /// The address of the keys.
        @0 keys: u64,
        @8 nr_keys: u32,
        @12 _pad: [u8; 4],
    }

    /// How long physical CPUs were idle.
    struct GetCpuInfo = "struct xen_sysctl_getcpuinfo", 24 {
        @0 max_cpus: u32,
        @4 _pad0: [u8; 4],
        /// The address of [`CpuInfo`]s.
        @8 info: u64,
        @16 nr_cpus: u32,
        @20 _pad1: [u8; 4],
    }

    /// How long one physical CPU was idle, in nanoseconds.
    struct CpuInfo = "struct xen_sysctl_cpuinfo", 8 {
        @0 idletime: u64,
    }

    /// Where physical CPUs are.
    struct CpuTopoInfo = "struct xen_sysctl_cputopoinfo", 16 {
        @0 num_cpus: u32,
        @4 _pad: [u8; 4],
        /// The address of [`CpuTopo`]s.
        @8 cputopo: u64,
    }

    /// Where one physical CPU is.
    struct CpuTopo = "struct xen_sysctl_cputopo", 12 {
        @0 core: u32,
        @4 socket: u32,
        @8 node: u32,
    }

    /// Free memory of a node, by the width of its addresses.
    struct AvailHeap = "struct xen_sysctl_availheap", 24 {
        /// Bits; 0 for no limit.
        @0 min_bitwidth: u32,
        /// Bits; 0 for no limit.
        @4 max_bitwidth: u32,
        /// A node, or -1 for all.
        @8 node: i32,
        @12 _pad: [u8; 4],
        @16 avail_bytes: u64,
    }

    /// Memory of nodes, and how far they are from each other.
    struct NumaInfo = "struct xen_sysctl_numainfo", 24 {
        @0 num_nodes: u32,
        @4 _pad: [u8; 4],
        /// The address of [`MemInfo`]s.
        @8 meminfo: u64,
        /// The address of distances, a row of `u32`s for each node.
        @16 distance: u64,
    }

    /// Memory of one node, in bytes.
    struct MemInfo = "struct xen_sysctl_meminfo", 16 {
        @0 memsize: u64,
        @8 memfree: u64,
    }
}

abi_constants! {
    /// What [`CpuTopo`] holds where nothing is known, and everywhere for a CPU that is not online.
    const XEN_INVALID_CORE_ID: u32 = !0;
    const XEN_INVALID_SOCKET_ID: u32 = !0;
    const XEN_INVALID_NODE_ID: u32 = !0;
    /// What [`MemInfo`] holds for a node that is not online.
    const XEN_INVALID_MEM_SZ: u32 = !0;
    const XEN_INVALID_NODE_DIST: u32 = !0;

    const XEN_SYSCTL_PHYSCAP_HVM: u32 = 1 << 0 => "XEN_SYSCTL_PHYSCAP_hvm";
    const XEN_SYSCTL_PHYSCAP_PV: u32 = 1 << 1 => "XEN_SYSCTL_PHYSCAP_pv";
    const XEN_SYSCTL_PHYSCAP_DIRECTIO: u32 = 1 << 2 => "XEN_SYSCTL_PHYSCAP_directio";
    const XEN_SYSCTL_PHYSCAP_HAP: u32 = 1 << 3 => "XEN_SYSCTL_PHYSCAP_hap";
    const XEN_SYSCTL_PHYSCAP_SHADOW: u32 = 1 << 4 => "XEN_SYSCTL_PHYSCAP_shadow";
    const XEN_SYSCTL_PHYSCAP_GNTTAB_V1: u32 = 1 << 8 => "XEN_SYSCTL_PHYSCAP_gnttab_v1";
    const XEN_SYSCTL_PHYSCAP_GNTTAB_V2: u32 = 1 << 9 => "XEN_SYSCTL_PHYSCAP_gnttab_v2";
}
