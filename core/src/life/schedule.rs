//! A new domain's part of the physical CPUs.

use crate::config::{DomainConfig, Scheduling};
use crate::hyper::{CpuPools, DomId, Domains, Promise, Result, SchedulerKind, Schedulers, Share, VcpuId};

/// Sets what the configuration says and the scheduler of the domain's pool knows. The rest stays as that has it.
pub(super) fn apply<H>(hv: &H, domid: DomId, config: &DomainConfig) -> Result<()>
where
    H: Domains + Schedulers + CpuPools,
{
    let wanted = &config.scheduling;
    if *wanted == Scheduling::default() {
        return Ok(());
    }
    let pool = hv.next_pool(hv.domain_info(domid)?.cpupool)?;
    match pool.map(|pool| pool.scheduler) {
        Some(kind @ (SchedulerKind::Credit | SchedulerKind::Credit2)) => share(hv, domid, kind, wanted),
        Some(SchedulerKind::Rtds) => promise(hv, domid, config.vcpus.max(), wanted),
        _ => Ok(()),
    }
}

fn share(hv: &impl Schedulers, domid: DomId, kind: SchedulerKind, wanted: &Scheduling) -> Result<()> {
    if wanted.weight.is_none() && wanted.cap.is_none() {
        return Ok(());
    }
    let usual = hv.share(domid, kind)?;
    let weight = wanted.weight.as_ref().and_then(|weight| u16::try_from(weight.get()).ok());
    let cap = wanted.cap.and_then(|cap| u16::try_from(cap).ok());
    let share = Share { weight: weight.unwrap_or(usual.weight), cap: cap.unwrap_or(usual.cap) };
    hv.set_share(domid, kind, share)
}

fn promise(hv: &impl Schedulers, domid: DomId, vcpus: u32, wanted: &Scheduling) -> Result<()> {
    let Some(reservation) = wanted.reservation else { return Ok(()) };
    let (period_us, budget_us) = (reservation.period_us(), reservation.budget_us());
    let promise = Promise { period_us, budget_us, extra: true };
    (0..vcpus).try_for_each(|vcpu| hv.set_promise(domid, VcpuId(vcpu), promise))
}
