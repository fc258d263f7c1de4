//! How a hypercall fails: which one, and with what.

use core::fmt;

use crate::abi::errno::Errno;

/// The outcome of a hypercall.
pub type Result<T> = core::result::Result<T, HvError>;

/// A refusal by the hypervisor. The caller knows the arguments; this says what was asked and the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HvError {
    /// The operation that failed.
    pub call: Call,
    /// The hypervisor's answer.
    pub errno: Errno,
}

impl HvError {
    /// `call` was answered with `errno`.
    #[must_use]
    pub const fn new(call: Call, errno: Errno) -> Self {
        Self { call, errno }
    }
}

impl fmt::Display for HvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xen answered {} to {}", self.errno, self.call.name())
    }
}

macro_rules! calls {
    ($($variant:ident = $name:literal,)*) => {
        /// Every operation of the [`Hypervisor`](super::Hypervisor) traits, under the name of Xen's own interface.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Call {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl Call {
            /// Every operation, for tests that go through all of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name Xen's interface gives this operation.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

calls! {
    ConsoleWrite = "console_io write",
    ConsoleRead = "console_io read",
    TrapTable = "set_trap_table",
    RegisterCallback = "callback_op register",
    StopPeriodicTimer = "vcpu_op stop_periodic_timer",
    MapOwn = "update_va_mapping (own page)",
    Block = "sched_op block",
    Shutdown = "sched_op shutdown",
    SetTimer = "set_timer_op",
    EvtchnAllocUnbound = "evtchn_op alloc_unbound",
    EvtchnBindInterdomain = "evtchn_op bind_interdomain",
    EvtchnBindVirq = "evtchn_op bind_virq",
    EvtchnSend = "evtchn_op send",
    EvtchnUnmask = "evtchn_op unmask",
    EvtchnClose = "evtchn_op close",
    EvtchnStatus = "evtchn_op status",
    GrantMap = "grant_table_op map_grant_ref",
    GrantUnmap = "grant_table_op unmap_grant_ref",
    GrantSeed = "memory_op acquire_resource (grant table)",
    GrantShare = "grant_table_op setup_table",
    ForeignMap = "update_va_mapping_otherdomain",
    PinTable = "mmuext_op pin_table",
    UnpinTable = "mmuext_op unpin_table",
    Populate = "memory_op populate_physmap",
    Release = "memory_op decrease_reservation",
    AddToPhysmap = "memory_op add_to_physmap",
    MaximumReservation = "memory_op maximum_reservation",
    SetMemoryMap = "memory_op set_memory_map",
    MachineMemoryMap = "memory_op machine_memory_map",
    DomainCreate = "domctl createdomain",
    DomainDestroy = "domctl destroydomain",
    DomainPause = "domctl pausedomain",
    DomainUnpause = "domctl unpausedomain",
    DomainInfo = "domctl getdomaininfo",
    DomainList = "sysctl getdomaininfolist",
    DomainResume = "domctl resumedomain",
    DomainSetHandle = "domctl setdomainhandle",
    DomainMaxMem = "domctl max_mem",
    DomainMaxVcpus = "domctl max_vcpus",
    DomainPagingPool = "domctl set_paging_mempool_size",
    VcpuInfo = "domctl getvcpuinfo",
    VcpuAffinityGet = "domctl getvcpuaffinity",
    VcpuAffinitySet = "domctl setvcpuaffinity",
    SendTrigger = "domctl sendtrigger",
    HypercallInit = "domctl hypercall_init",
    VcpuContextSet = "domctl setvcpucontext",
    HvmContextGet = "domctl gethvmcontext",
    HvmContextSet = "domctl sethvmcontext",
    HvmParamGet = "hvm_op get_param",
    HvmParamSet = "hvm_op set_param",
    XenVersion = "xen_version",
    PhysInfo = "sysctl physinfo",
    ReadConsoleRing = "sysctl readconsole",
    SchedulerId = "sysctl sched_id",
    CpuTopology = "sysctl cputopoinfo",
    NumaInfo = "sysctl numainfo",
    FreeMemory = "sysctl availheap",
    DebugKeys = "sysctl debug_keys",
    SchedulerGet = "domctl scheduler_op (get)",
    SchedulerSet = "domctl scheduler_op (put)",
    FrameEnd = "memory_op maximum_ram_page, maximum_gpfn",
    FramesHeld = "domctl getpageframeinfo3",
    FrameUses = "domctl getpageframeinfo3 (uses)",
    LookAt = "update_va_mapping_otherdomain (to read)",
    VcpuContextGet = "domctl getvcpucontext",
    VcpuExtendedGet = "domctl get_ext_vcpucontext",
    VcpuExtendedSet = "domctl set_ext_vcpucontext",
    VcpuXsaveGet = "domctl getvcpuextstate",
    VcpuXsaveSet = "domctl setvcpuextstate",
    PoolCreate = "sysctl cpupool_op create",
    PoolDestroy = "sysctl cpupool_op destroy",
    PoolInfo = "sysctl cpupool_op info",
    PoolAddCpu = "sysctl cpupool_op addcpu",
    PoolRemoveCpu = "sysctl cpupool_op rmcpu",
    PoolMoveDomain = "sysctl cpupool_op movedomain",
    PoolFreeInfo = "sysctl cpupool_op freeinfo",
    PolicyEnforceGet = "xsm_op getenforce",
    PolicyEnforceSet = "xsm_op setenforce",
    PolicyVersion = "xsm_op policyvers",
    PolicyLoad = "xsm_op load",
    LabelNumber = "xsm_op context_to_sid",
    LabelText = "xsm_op sid_to_context",
    LabelDomain = "xsm_op relabel_domain",
    LabelResource = "xsm_op add_ocontext, del_ocontext",
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
