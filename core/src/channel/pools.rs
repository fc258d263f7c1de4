//! CPU pools.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::desk::{CONTROL, Desk, Target, refused};
use super::open::{Open, PoolWork};
use super::verbs::First;
use crate::config::{List, PoolConfig};
use crate::hyper::{CpuMap, DomainInfo, Hypervisor, PoolInfo, SchedulerKind};
use crate::pools::Removal;
use crate::protocol::{Answer, Failure, Pool, PoolFailure, Pools};
use crate::store::service::Local;

/// Begins a request that is about no domain; the caller may ask it.
pub(super) fn begin<'a, H: Hypervisor, S: Local>(
    desk: &Desk<'_, H, S>,
    request: &Pools<'_>,
) -> Result<First<'a>, Failure> {
    match *request {
        Pools::Next { from } => Ok(First::Answer(next(desk, from)?)),
        Pools::Create { config } => create(desk, config).map(First::Open),
        Pools::Destroy { pool } => destroy(desk, pool).map(First::Open),
        Pools::AddCpu { pool, cpu } => add_cpu(desk, pool, cpu).map(|()| First::Answer(Answer::Done)),
        Pools::RemoveCpu { pool, cpu } => remove_cpu(desk, pool, cpu).map(First::Open),
        Pools::Migrate { .. } | Pools::Define { .. } | Pools::Undefine { .. } | Pools::Definition { .. } => {
            Err(super::failures::not_found_anywhere())
        }
    }
}

/// The pool that a domain is in.
pub(super) fn pool_of<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    info: &DomainInfo,
) -> Result<PoolInfo, Failure> {
    info_of(desk, info.cpupool)
}

/// Moves a domain; the caller may do that with it.
pub(super) fn migrate<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    target: &Target,
    word: &str,
) -> Result<(), Failure> {
    let id = find(desk, word)?;
    let (domid, _) = target.running()?;
    if domid == CONTROL {
        return Err(Failure::Invalid("Domain-0 stays where Xen put it".into()));
    }
    desk.hv.move_domain(domid, id).map_err(|error| refused(&error))?;
    let name = desk.pools.view(id).map(|view| String::from(view.name));
    if let (Some(managed), Some(name)) = (target.managed, name) {
        desk.managed.note_pool(managed, &name);
    }
    Ok(())
}

fn find<H: Hypervisor, S>(desk: &Desk<'_, H, S>, word: &str) -> Result<u32, Failure> {
    desk.pools.find(word).ok_or(Failure::Pool(PoolFailure::Unknown))
}

fn info_of<H: Hypervisor, S>(desk: &Desk<'_, H, S>, id: u32) -> Result<PoolInfo, Failure> {
    let found = desk.hv.next_pool(id).map_err(|error| refused(&error))?;
    found.filter(|pool| pool.id == id).ok_or(Failure::Pool(PoolFailure::Unknown))
}

fn next<'a, H: Hypervisor, S>(desk: &Desk<'_, H, S>, from: u32) -> Result<Answer<'a>, Failure> {
    let Some(info) = desk.hv.next_pool(from).map_err(|error| refused(&error))? else {
        return Ok(Answer::Pool(None));
    };
    let view = desk.pools.view(info.id);
    let remarks = view.iter().flat_map(|view| view.remarks);
    let remarks = remarks.map(|(word, text)| (word.to_string(), text.to_string())).collect();
    let cpus = List::new("cpus", info.cpus.words().collect());
    Ok(Answer::Pool(Some(Box::new(Pool {
        id: info.id,
        name: view.map_or_else(|| format!("Pool-{}", info.id), |view| view.name.into()),
        uuid: view.map_or([0; 16], |view| view.uuid),
        scheduler: info.scheduler.to_string(),
        domains: info.domains,
        cpus: cpus.map_err(|_| Failure::ControlMemory)?,
        remarks: List::new("remarks", remarks).map_err(|_| Failure::ControlMemory)?,
    }))))
}

fn create<H: Hypervisor, S: Local>(desk: &Desk<'_, H, S>, config: &[u8]) -> Result<Open, Failure> {
    let config = PoolConfig::decode(config).map_err(|error| Failure::Invalid(format!("{error}")))?;
    if desk.pools.has_name(&config.name) {
        return Err(Failure::Pool(PoolFailure::NameTaken));
    }
    if desk.pools.is_full() {
        return Err(Failure::Limit("CPU pools".into()));
    }
    let scheduler = SchedulerKind::named(&config.scheduler).ok_or(Failure::Pool(PoolFailure::Scheduler))?;
    let free = desk.hv.free_cpus().map_err(|error| refused(&error))?;
    let cpus = choose(&config, &free)?;
    Ok(Open::Pool(PoolWork::create(config, scheduler, cpus)))
}

/// The CPUs that a pool gets: those it should have, as far as they are free, and then others.
fn choose(config: &PoolConfig, free: &CpuMap) -> Result<Vec<u32>, Failure> {
    let count = config.count.get();
    if free.count() < count {
        return Err(Failure::Pool(PoolFailure::TooFewCpus { wanted: count, free: free.count() }));
    }
    let wanted: CpuMap = config.wanted.iter().map(|cpu| cpu.get()).collect();
    let first = free.iter().filter(|cpu| wanted.contains(*cpu));
    let others = free.iter().filter(|cpu| !wanted.contains(*cpu));
    Ok(first.chain(others).take(usize::try_from(count).unwrap_or(usize::MAX)).collect())
}

fn destroy<H: Hypervisor, S: Local>(desk: &Desk<'_, H, S>, word: &str) -> Result<Open, Failure> {
    let id = find(desk, word)?;
    if id == 0 {
        return Err(Failure::Pool(PoolFailure::First));
    }
    if info_of(desk, id)?.domains > 0 {
        return Err(Failure::Pool(PoolFailure::InUse));
    }
    Ok(Open::Pool(PoolWork::destroy(id)))
}

fn add_cpu<H: Hypervisor, S>(desk: &Desk<'_, H, S>, word: &str, cpu: u32) -> Result<(), Failure> {
    let id = find(desk, word)?;
    if !desk.hv.free_cpus().map_err(|error| refused(&error))?.contains(cpu) {
        return Err(Failure::Pool(owner(desk, cpu)?.map_or(PoolFailure::NoSuchCpu, PoolFailure::CpuTaken)));
    }
    desk.hv.add_pool_cpu(id, cpu).map_err(|error| refused(&error))
}

/// The name of the pool that has a CPU.
fn owner<H: Hypervisor, S>(desk: &Desk<'_, H, S>, cpu: u32) -> Result<Option<String>, Failure> {
    let mut from = 0;
    // There are as many as there may be, and the first.
    for _ in 0..=crate::pools::MOST {
        let Some(info) = desk.hv.next_pool(from).map_err(|error| refused(&error))? else { break };
        if info.cpus.contains(cpu) {
            let name = desk.pools.view(info.id).map(|view| view.name.into());
            return Ok(Some(name.unwrap_or_else(|| format!("Pool-{}", info.id))));
        }
        from = info.id.saturating_add(1);
    }
    Ok(None)
}

fn remove_cpu<H: Hypervisor, S>(desk: &Desk<'_, H, S>, word: &str, cpu: u32) -> Result<Open, Failure> {
    let id = find(desk, word)?;
    let info = info_of(desk, id)?;
    if !info.cpus.contains(cpu) {
        let known = desk.hv.free_cpus().map_err(|error| refused(&error))?.contains(cpu);
        let known = known || owner(desk, cpu)?.is_some();
        return Err(Failure::Pool(if known { PoolFailure::CpuElsewhere } else { PoolFailure::NoSuchCpu }));
    }
    if info.cpus.count() == 1 && info.domains > 0 {
        return Err(Failure::Pool(PoolFailure::LastCpu));
    }
    if (id, cpu) == (0, 0) {
        return Err(Failure::Pool(PoolFailure::First));
    }
    Ok(Open::Pool(PoolWork::remove(Removal::new(id, cpu))))
}
