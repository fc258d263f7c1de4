//! Memory, virtual CPUs, scheduling, and limits on Xen's tables.

use xendless_core::config::{MemorySize, TscMode};

use super::domain::keep;
use super::{FLAG, INT, Kind, Taken, Variable};
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;
use crate::config::specs;

/// 16 TiB.
const MAX_MIB: i64 = 16 << 20;
const MAX_VCPUS: i64 = 512;

#[rustfmt::skip]
pub(super) static VARIABLES: &[Variable] = &[
    Variable::new("memory", Kind::Int { min: 1, max: MAX_MIB, set: |d, v| d.memory_mib = Some(v) }, "128",
        "Memory at the start, in MiB.", "memory.initial"),
    Variable::new("maxmem", Kind::Int { min: 1, max: MAX_MIB, set: |d, v| d.maxmem_mib = Some(v) }, "as `memory`",
        "What it can grow to, in MiB.", "memory.maximum"),
    Variable::new("shadow_memory", Kind::Int { min: 0, max: MAX_MIB, set: shadow_memory }, "computed",
        "Memory for Xen's own page tables of a PVH domain, in MiB; 0 is computed.", "platform.paging_pool"),
    Variable::new("vcpus", Kind::Int { min: 1, max: MAX_VCPUS, set: |d, v| d.vcpus = Some(v) }, "1",
        "Virtual CPUs; with `maxvcpus`, those online at boot.", "vcpus.online"),
    Variable::new("maxvcpus", Kind::Int { min: 1, max: MAX_VCPUS, set: |d, v| d.maxvcpus = Some(v) }, "as `vcpus`",
        "Virtual CPUs that can ever be online; at most 128 for PVH.", "vcpus.max"),
    Variable::ignored("vcpu_avail", INT, "Virtual CPUs online at boot, as a bit mask.",
        "xm never used it; set vcpus and maxvcpus").xm(),
    Variable::new("cpus", Kind::TextOrList(cpus), "all",
        "Physical CPUs to stay on, as in `0-3,^1`: one text for all virtual CPUs, or a list with one for each.",
        "affinity"),
    Variable::new("cpu", Kind::Int { min: 0, max: 4095, set: |d, v| d.cpu = Some(v) }, "",
        "Older spelling: a physical CPU that is added to `cpus`.", "affinity").xm(),
    Variable::new("cpus_soft", Kind::TextOrList(cpus_soft), "all",
        "Physical CPUs to prefer, in the form of `cpus`.", "soft_affinity").xl(),
    Variable::new("cpu_weight", Kind::Int { min: 1, max: 65_535, set: |d, v| d.weight = Some(v) }, "256",
        "Weight against other domains.", "scheduling.weight"),
    Variable::new("cpu_cap", Kind::Int { min: 0, max: MAX_VCPUS * 100, set: |d, v| d.cap = Some(v) }, "0",
        "Most CPU time, in percent of one physical CPU; 0 is no limit.", "scheduling.cap").xm(),
    Variable::new("cap", Kind::Int { min: 0, max: MAX_VCPUS * 100, set: |d, v| d.cap = Some(v) }, "0",
        "Most CPU time, in percent of one physical CPU; 0 is no limit.", "scheduling.cap").xl(),
    Variable::new("period", Kind::Int { min: 1, max: i32::MAX as i64, set: |d, v| d.period = Some(v) }, "",
        "Period of the rtds scheduler, in microseconds; needs `budget`.", "scheduling.reservation").xl(),
    Variable::new("budget", Kind::Int { min: 1, max: i32::MAX as i64, set: |d, v| d.budget = Some(v) }, "",
        "CPU time in each `period`, in microseconds.", "scheduling.reservation").xl(),
    Variable::ignored("extratime", FLAG, "Lets a domain of the rtds scheduler use idle time.",
        "set it on the running domain").xl(),
    Variable::new("pool", Kind::Text(|d, v| keep(&mut d.pool, v)), "Pool-0",
        "CPU pool the domain runs in.", "platform.pool"),
    Variable::new("localtime", Kind::Flag(|d, v| d.platform.local_time = v), "0",
        "The wall clock starts in local time.", "platform.local_time"),
    Variable::new("rtc_timeoffset", Kind::Int { min: i32::MIN as i64, max: i32::MAX as i64, set: rtc_offset }, "0",
        "Seconds between the wall clock and UTC.", "platform.rtc_offset"),
    Variable::new("tsc_mode",
        Kind::Numbered { words: &["default", "always_emulate", "native", "native_paravirt"], set: tsc_mode },
        "default", "How the guest reads the time-stamp counter.", "platform.tsc_mode"),
    Variable::new("cpuid", Kind::TextOrList(cpuid), "",
        "Changes to the CPUID policy, in the form of xm or xl.", "platform.cpuid"),
    Variable::new("cpuid_check", Kind::TextOrList(cpuid), "",
        "CPUID values that must be there; kept together with `cpuid`.", "platform.cpuid").xm(),
    Variable::ignored("msr_relaxed", FLAG, "Lets reads of unknown model-specific registers succeed.",
        "guests get Xen's own policy").xl(),
    Variable::new("max_grant_frames", Kind::Int { min: 1, max: 4096, set: |d, v| d.grant_frames = Some(v) },
        "the control domain's choice", "Pages of grant table.", "platform.limits").xl(),
    Variable::new("max_maptrack_frames",
        Kind::Int { min: 0, max: 65_536, set: |d, v| d.maptrack_frames = Some(v) },
        "the control domain's choice", "Pages of map tracking.", "platform.limits").xl(),
    Variable::new("event_channels", Kind::Int { min: 1, max: 131_072, set: |d, v| d.event_channels = Some(v) },
        "the control domain's choice", "Event channels.", "platform.limits").xl(),
    Variable::ignored("max_grant_version", INT, "Newest version of grant tables.", "guests get version 1").xl(),
    Variable::ignored("claim_mode", FLAG, "Reserves memory before the build.", "memory is always reserved first").xl(),
    Variable::ignored("vpmu", FLAG, "Virtual performance counters.", "Xen's command line decides").xl(),
    Variable::ignored("vnuma", Kind::List(|_, _| Ok(())), "Virtual NUMA nodes.", "guests see one node").xl(),
    Variable::ignored("e820_host", FLAG, "Shows the host's memory map to a PV guest.",
        "it needs PCI passthrough").xl(),
];

fn shadow_memory(draft: &mut Draft, mib: i64) {
    draft.platform.paging_pool =
        u64::try_from(mib).ok().and_then(|mib| MemorySize::from_mib("shadow_memory", mib).ok());
}

fn rtc_offset(draft: &mut Draft, seconds: i64) {
    draft.platform.rtc_offset = i32::try_from(seconds).unwrap_or(0);
}

fn tsc_mode(draft: &mut Draft, number: usize) {
    draft.platform.tsc_mode = match number {
        1 => TscMode::Emulate,
        2 => TscMode::Native,
        3 => TscMode::Pvrdtscp,
        _ => TscMode::Default,
    };
}

fn cpus(draft: &mut Draft, values: &[&str], list: bool) -> Taken {
    draft.cpus = Some((values.iter().map(|&v| v.to_owned()).collect(), list));
    // `cpu` may still be put in front; what is wrong is told here, where it stands.
    specs::affinity(None, values, list).map(drop)
}

fn cpus_soft(draft: &mut Draft, values: &[&str], list: bool) -> Taken {
    draft.soft_affinity = specs::affinity(None, values, list)?;
    Ok(())
}

fn cpuid(draft: &mut Draft, values: &[&str], list: bool) -> Taken {
    if list && values.iter().any(|value| !value.contains('=')) {
        return Err(Complaint::new("cpuid's syntax is (eax|ebx|ecx|edx)=value"));
    }
    draft.cpuid.extend(values.iter().filter(|value| !value.is_empty()).map(|&value| value.to_owned()));
    Ok(())
}
