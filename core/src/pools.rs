//! CPU pools: what the hypervisor does not keep of them, and taking them apart.
//!
//! The hypervisor knows a pool by its number. Names, UUIDs and remarks are kept here, and written to XenStore where
//! `xm` and `xl` always had them (`/local/pool/<id>`); nothing is read back from there. A pool that ends loses its CPUs
//! one by one, a step each, then itself, then its nodes.
#![forbid(unsafe_code)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::abi::errno::Errno;
use crate::config::{List, PoolConfig, PoolName, PrintedUuid, Remark};
use crate::hyper::{Call, CpuPools, DomainHandle, HvError, Progress};
use crate::store::service::{Local, Refused};
use crate::store::wire::Request;

/// The most pools.
pub const MOST: usize = 64;

/// What the pool that is always there is called.
pub const FIRST_NAME: &str = "Pool-0";

/// For how long the hypervisor is asked to take away one CPU, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// A CPU on its way out of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Removal {
    pool: u32,
    cpu: u32,
    /// When that was tried in vain for the first time. Since then it is in no pool.
    since: Option<u64>,
}

impl Removal {
    /// Nothing is done yet.
    #[must_use]
    pub const fn new(pool: u32, cpu: u32) -> Self {
        Self { pool, cpu, since: None }
    }

    /// Tries it once.
    ///
    /// # Errors
    /// When the hypervisor refuses, or did not do it for too long. Then the CPU is in its pool, as before.
    pub fn step(&mut self, hv: &impl CpuPools, now: u64) -> Result<Progress, HvError> {
        let why = match hv.remove_pool_cpu(self.pool, self.cpu) {
            Ok(Progress::Again) => {
                let since = *self.since.get_or_insert(now);
                if now.saturating_sub(since) < PATIENCE {
                    return Ok(Progress::Again);
                }
                HvError::new(Call::PoolRemoveCpu, Errno::EBUSY)
            }
            Ok(Progress::Done) => return Ok(Progress::Done),
            Err(error) => error,
        };
        self.undo(hv);
        Err(why)
    }

    /// Puts the CPU back, if it is half out: there it would hold up all others.
    pub fn undo(&mut self, hv: &impl CpuPools) {
        if self.since.take().is_some() {
            // What refuses is a CPU that is in its pool.
            let _ = hv.add_pool_cpu(self.pool, self.cpu);
        }
    }
}

/// What is done next with a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Whoever makes it gives it CPUs.
    Making,
    /// Its nodes are written.
    Publish,
    /// Nothing.
    Live,
    /// Its CPUs go, then it goes.
    Ending,
    /// Its nodes go.
    Forget,
}

#[derive(Debug)]
struct Known {
    id: u32,
    name: String,
    uuid: DomainHandle,
    remarks: List<Remark, 16>,
    stage: Stage,
    /// The CPU that goes while it is taken apart.
    leaving: Option<Removal>,
    /// Why it could not be taken apart.
    refusal: Option<HvError>,
}

/// What became of a pool that should end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is not over yet.
    Open,
    /// Nothing of it is left.
    Gone,
    /// The hypervisor refused; it is still there.
    Refused(HvError),
}

/// What a person reads of a pool.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its UUID; zeros for the first pool.
    pub uuid: DomainHandle,
    /// What somebody keeps with it.
    pub remarks: &'a [Remark],
}

/// All pools.
#[derive(Debug)]
pub struct Pools {
    known: Vec<Known>,
}

impl Default for Pools {
    fn default() -> Self {
        Self::new()
    }
}

impl Pools {
    /// The first pool, which is always there.
    #[must_use]
    pub fn new() -> Self {
        let first = Known {
            id: 0,
            name: FIRST_NAME.into(),
            uuid: [0; 16],
            remarks: List::default(),
            stage: Stage::Publish,
            leaving: None,
            refusal: None,
        };
        Self { known: Vec::from([first]) }
    }

    /// The number of the pool that a person means: by its number, else by its name. One that is being made or taken
    /// apart is not meant.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<u32> {
        let number = word.parse().ok();
        let there = |known: &&Known| matches!(known.stage, Stage::Publish | Stage::Live);
        let by_number = self.known.iter().filter(there).find(|known| Some(known.id) == number);
        by_number
            .or_else(|| self.known.iter().filter(there).find(|known| known.name == word))
            .map(|known| known.id)
    }

    /// Whether a pool has this name, be it half made.
    #[must_use]
    pub fn has_name(&self, name: &PoolName) -> bool {
        self.known.iter().any(|known| known.name == name.as_str())
    }

    /// Whether one more can be made.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.known.len() >= MOST
    }

    /// What is known of a pool.
    #[must_use]
    pub fn view(&self, id: u32) -> Option<View<'_>> {
        let known = self.known.iter().find(|known| known.id == id)?;
        Some(View { name: &known.name, uuid: known.uuid, remarks: &known.remarks })
    }

    /// A pool was made, and gets its CPUs next.
    pub fn begin(&mut self, id: u32, config: &PoolConfig) {
        self.known.push(Known {
            id,
            name: config.name.as_str().into(),
            uuid: config.uuid.handle(),
            remarks: config.remarks.clone(),
            stage: Stage::Making,
            leaving: None,
            refusal: None,
        });
    }

    /// A pool has its CPUs.
    pub fn complete(&mut self, id: u32) {
        self.set(id, Stage::Publish);
    }

    /// Takes a pool apart.
    pub fn end(&mut self, id: u32) {
        self.set(id, Stage::Ending);
    }

    fn set(&mut self, id: u32, stage: Stage) {
        if let Some(known) = self.known.iter_mut().find(|known| known.id == id) {
            (known.stage, known.refusal) = (stage, None);
        }
    }

    /// Whether a pool's nodes are written.
    #[must_use]
    pub fn is_published(&self, id: u32) -> bool {
        self.known.iter().any(|known| known.id == id && known.stage == Stage::Live)
    }

    /// What became of a pool that should end.
    #[must_use]
    pub fn end_of(&self, id: u32) -> End {
        match self.known.iter().find(|known| known.id == id) {
            None => End::Gone,
            Some(known) => known.refusal.map_or(End::Open, End::Refused),
        }
    }

    /// Whether there is something to do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.known.iter().any(|known| !matches!(known.stage, Stage::Live | Stage::Making))
    }

    /// Does one piece of one pool's work.
    pub fn step<H: CpuPools, S: Local>(&mut self, hv: &H, store: &mut S, now: u64) {
        let busy = |known: &Known| !matches!(known.stage, Stage::Live | Stage::Making);
        let Some(at) = self.known.iter().position(busy) else { return };
        let Some(known) = self.known.get_mut(at) else { return };
        match known.stage {
            Stage::Publish => {
                if publish(known, store) != Err(Refused::Later) {
                    known.stage = Stage::Live;
                }
            }
            Stage::Ending => match take_apart(hv, known, now) {
                Ok(true) => known.stage = Stage::Forget,
                Ok(false) => {}
                Err(refusal) => {
                    (known.stage, known.leaving, known.refusal) = (Stage::Live, None, Some(refusal));
                }
            },
            Stage::Forget => {
                let home = home(known.id);
                if store.ask(&Request::Rm { path: home.as_bytes() }) != Err(Refused::Later) {
                    self.known.swap_remove(at);
                }
            }
            Stage::Making | Stage::Live => {}
        }
    }
}

fn home(id: u32) -> String {
    format!("/local/pool/{id}")
}

/// Writes the nodes of a pool. May be repeated.
fn publish(known: &Known, store: &mut impl Local) -> Result<(), Refused> {
    let home = home(known.id);
    let mut write = |name: &str, value: &str| {
        let path = format!("{home}/{name}");
        store.ask(&Request::Write { path: path.as_bytes(), value: value.as_bytes() })
    };
    write("uuid", &format!("{}", PrintedUuid(known.uuid)))?;
    write("name", &known.name)?;
    write("description", &known.name)?;
    write("other_config", "")?;
    known.remarks.iter().try_for_each(|(word, text)| write(&format!("other_config/{word}"), text))
}

/// Takes one CPU from a pool, or the pool itself when it has none; whether it is gone.
fn take_apart(hv: &impl CpuPools, known: &mut Known, now: u64) -> Result<bool, HvError> {
    let id = known.id;
    if known.leaving.is_none() {
        let Some(info) = hv.next_pool(id)?.filter(|pool| pool.id == id) else { return Ok(true) };
        known.leaving = info.cpus.iter().next().map(|cpu| Removal::new(id, cpu));
    }
    let Some(leaving) = &mut known.leaving else { return hv.destroy_pool(id).map(|()| true) };
    if leaving.step(hv, now)? == Progress::Done {
        known.leaving = None;
    }
    Ok(false)
}
