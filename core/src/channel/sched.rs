//! What schedulers give domains.

use alloc::format;
use alloc::string::ToString;

use super::desk::{Desk, Target, refused};
use super::pools::pool_of;
use crate::config::{List, Reservation};
use crate::hyper::{self, DomId, DomainInfo, Hypervisor, Promise, SchedulerKind, Share, VcpuId};
use crate::protocol::{Answer, Failure, PAGE, Sched};
use crate::store::service::Local;

/// Answers a request; the caller may ask it.
pub(super) fn answer<'a, H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    target: &Target,
    request: &Sched<'_>,
) -> Result<Answer<'a>, Failure> {
    let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
    let failed = |error| refused(&error);
    match *request {
        Sched::Share { scheduler, .. } => {
            let kind = expect(desk, info, scheduler.into())?;
            desk.hv.share(info.domid, kind).map(Answer::Share).map_err(failed)
        }
        Sched::SetShare { scheduler, weight, cap, .. } => {
            let kind = expect(desk, info, scheduler.into())?;
            let share = changed(desk.hv.share(info.domid, kind).map_err(failed)?, weight, cap, info)?;
            desk.hv.set_share(info.domid, kind, share).map_err(failed)?;
            if let Some(managed) = target.managed {
                desk.managed.note_share(managed, share);
            }
            Ok(Answer::Done)
        }
        Sched::Promises { from, .. } => {
            expect(desk, info, SchedulerKind::Rtds)?;
            promises(desk, info, from)
        }
        Sched::SetPromise { vcpu, promise, .. } => {
            expect(desk, info, SchedulerKind::Rtds)?;
            if vcpu >= info.max_vcpus() {
                return Err(Failure::Invalid(format!("there is no virtual CPU {vcpu}")));
            }
            set_promise(desk, info.domid, VcpuId(vcpu), promise)?;
            if let (Some(managed), Some(reservation)) = (target.managed, alike(desk, info)) {
                desk.managed.note_reservation(managed, reservation);
            }
            Ok(Answer::Done)
        }
    }
}

/// The scheduler that is asked for, if the domain is under it.
fn expect<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    info: &DomainInfo,
    wanted: SchedulerKind,
) -> Result<SchedulerKind, Failure> {
    let found = pool_of(desk, info)?.scheduler;
    if found == wanted { Ok(wanted) } else { Err(Failure::OtherScheduler(found.to_string())) }
}

/// The share with what is to change of it.
fn changed(old: Share, weight: Option<u16>, cap: Option<u16>, info: &DomainInfo) -> Result<Share, Failure> {
    let share = Share { weight: weight.unwrap_or(old.weight), cap: cap.unwrap_or(old.cap) };
    if share.weight == 0 {
        return Err(Failure::Invalid("a weight is at least 1".into()));
    }
    let most = info.max_vcpus().saturating_mul(100);
    if u32::from(share.cap) > most {
        return Err(Failure::Invalid(format!("a cap for so many virtual CPUs is at most {most}")));
    }
    Ok(share)
}

fn promises<'a, H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    info: &DomainInfo,
    from: u32,
) -> Result<Answer<'a>, Failure> {
    let (page, next) = page(desk, info, from).map_err(|error| refused(&error))?;
    let rows = page.into_iter().flatten().collect();
    let rows = List::new("rows", rows).map_err(|_| Failure::ControlMemory)?;
    Ok(Answer::Promises { rows, next })
}

/// What some virtual CPUs are promised, and where the next ones begin.
fn page<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    info: &DomainInfo,
    from: u32,
) -> hyper::Result<([Option<Promise>; PAGE], Option<u32>)> {
    let left = usize::try_from(info.max_vcpus().saturating_sub(from)).unwrap_or(PAGE);
    let mut page = [None; PAGE];
    let (asked, _) = page.split_at_mut(left.min(PAGE));
    if !asked.is_empty() {
        desk.hv.promises(info.domid, VcpuId(from), asked)?;
    }
    let next = (left > PAGE).then(|| from.saturating_add(u32::try_from(PAGE).unwrap_or(u32::MAX)));
    Ok((page, next))
}

/// What all virtual CPUs are promised alike, if they are: a configuration can say no more.
fn alike<H: Hypervisor, S>(desk: &Desk<'_, H, S>, info: &DomainInfo) -> Option<Reservation> {
    let (mut from, mut common) = (Some(0), None);
    while let Some(first) = from {
        let (page, next) = page(desk, info, first).ok()?;
        for promise in page.into_iter().flatten() {
            let found = (promise.period_us, promise.budget_us);
            if *common.get_or_insert(found) != found {
                return None;
            }
        }
        from = next;
    }
    common.and_then(|(period, budget)| Reservation::new(period, budget).ok())
}

fn set_promise<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    domid: DomId,
    vcpu: VcpuId,
    promise: Promise,
) -> Result<(), Failure> {
    if promise.budget_us == 0 || promise.budget_us > promise.period_us {
        return Err(Failure::Invalid("a budget is at least 1 and at most the period".into()));
    }
    desk.hv.set_promise(domid, vcpu, promise).map_err(|error| refused(&error))
}
