//! Making a CPU pool, taking one apart, and taking a CPU from one.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::desk::{Desk, refused};
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::abi::errno::Errno;
use crate::config::PoolConfig;
use crate::hyper::{CpuPools, Hypervisor, Progress, SchedulerKind};
use crate::pools::{End, Removal};
use crate::protocol::{Answer, Failure, PoolFailure, RequestId};
use crate::store::service::Local;

/// How far it has come.
#[derive(Debug)]
enum Stage {
    /// It is to be made.
    Make(Box<PoolConfig>, SchedulerKind),
    /// It gets its CPUs.
    Fill(u32),
    /// Its nodes are written.
    Publish(u32),
    /// It is to be taken apart; then this is the answer.
    End(u32, Result<(), Failure>),
    /// It is taken apart.
    Ending(u32, Result<(), Failure>),
    /// A CPU goes.
    Remove(Removal),
    /// This is the answer.
    Over(Result<(), Failure>),
}

/// A pool that is being made, or taken apart, or loses a CPU.
#[derive(Debug)]
pub(in super::super) struct PoolWork {
    stage: Stage,
    /// CPUs that it does not have yet, the next one last.
    cpus: Vec<u32>,
}

impl PoolWork {
    pub(in super::super) fn create(config: PoolConfig, scheduler: SchedulerKind, mut cpus: Vec<u32>) -> Self {
        cpus.reverse();
        Self { stage: Stage::Make(Box::new(config), scheduler), cpus }
    }

    pub(in super::super) const fn destroy(id: u32) -> Self {
        Self { stage: Stage::End(id, Ok(())), cpus: Vec::new() }
    }

    pub(in super::super) const fn remove(removal: Removal) -> Self {
        Self { stage: Stage::Remove(removal), cpus: Vec::new() }
    }

    /// A pool that is being made is taken back; one that ends cannot be held up.
    pub(super) fn cancel(&mut self) {
        let stage = core::mem::replace(&mut self.stage, Stage::Over(Err(Failure::Cancelled)));
        match stage {
            Stage::Make(..) => {}
            Stage::Fill(id) | Stage::Publish(id) => self.stage = Stage::End(id, Err(Failure::Cancelled)),
            stage @ (Stage::End(..) | Stage::Ending(..) | Stage::Remove(_) | Stage::Over(_)) => {
                self.stage = stage
            }
        }
    }

    /// Nobody waits for it any more.
    pub(super) fn leave<H: Hypervisor, S>(&mut self, desk: &mut Desk<'_, H, S>) {
        self.cancel();
        match &mut self.stage {
            Stage::End(id, _) => desk.pools.end(*id),
            Stage::Remove(removal) => removal.undo(desk.hv),
            _ => {}
        }
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let stage = core::mem::replace(&mut self.stage, Stage::Over(Err(Failure::Cancelled)));
        self.stage = match stage {
            Stage::Make(config, scheduler) => make(desk, &config, scheduler),
            Stage::Fill(pool) => self.fill(desk.hv, pool).unwrap_or_else(|| {
                desk.pools.complete(pool);
                Stage::Publish(pool)
            }),
            Stage::Publish(pool) if desk.pools.is_published(pool) => Stage::Over(Ok(())),
            Stage::End(pool, result) => {
                desk.pools.end(pool);
                Stage::Ending(pool, result)
            }
            Stage::Ending(pool, result) => match desk.pools.end_of(pool) {
                End::Open => Stage::Ending(pool, result),
                End::Gone => Stage::Over(result),
                End::Refused(error) => Stage::Over(result.and(Err(refused(&error)))),
            },
            Stage::Remove(mut removal) => match removal.step(desk.hv, desk.now) {
                Ok(Progress::Again) => Stage::Remove(removal),
                Ok(Progress::Done) => Stage::Over(Ok(())),
                Err(error) => Stage::Over(Err(refused(&error))),
            },
            stage @ (Stage::Publish(_) | Stage::Over(_)) => stage,
        };
        match core::mem::replace(&mut self.stage, Stage::Over(Err(Failure::Cancelled))) {
            Stage::Over(result) => {
                out.answer(id, result.map(|()| Answer::Done))?;
                Ok(Pump::Answered)
            }
            stage => {
                self.stage = stage;
                // The pools go on meanwhile, and will not be busy for long.
                Ok(Pump::Moved)
            }
        }
    }

    /// Gives the pool one more CPU; `None` when it has all.
    fn fill(&mut self, hv: &impl CpuPools, pool: u32) -> Option<Stage> {
        let cpu = self.cpus.pop()?;
        Some(match hv.add_pool_cpu(pool, cpu) {
            Ok(()) => Stage::Fill(pool),
            Err(error) => Stage::End(pool, Err(refused(&error))),
        })
    }
}

fn make<H: Hypervisor, S>(desk: &mut Desk<'_, H, S>, config: &PoolConfig, scheduler: SchedulerKind) -> Stage {
    // Somebody else may have been faster.
    if desk.pools.has_name(&config.name) {
        return Stage::Over(Err(Failure::Pool(PoolFailure::NameTaken)));
    }
    if desk.pools.is_full() {
        return Stage::Over(Err(Failure::Limit("CPU pools".into())));
    }
    match desk.hv.create_pool(scheduler) {
        Ok(pool) => {
            desk.pools.begin(pool, config);
            Stage::Fill(pool)
        }
        // Xen was built without it.
        Err(error) if error.errno == Errno::ENOENT => Stage::Over(Err(Failure::Pool(PoolFailure::Scheduler))),
        Err(error) => Stage::Over(Err(refused(&error))),
    }
}
