//! Changes of a domain that runs: its memory, its virtual CPUs, keys for its kernel, another life.
//!
//! What its record says is what it gets when it is made again, so each change is written there, too.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::managed::{Managed, Stage, Then};
use super::nodes::Homes;
use super::{ChangeError, ManagedId, Manager};
use crate::config::{Affinity, CpuSet, DomainConfig, List, Memory, MemorySize, Settings, Vcpus};
use crate::store::service::Local;
use crate::store::wire::Request;

/// More memory than a domain may have, in KiB, for what Xen counts of its own.
const SLACK_KIB: u64 = 1024;

/// Nodes written in one step.
const NODES_PER_STEP: u32 = 16;

/// The limit that Xen gets for a domain that may have so much memory, in KiB.
#[must_use]
pub const fn limit_kib(maximum: MemorySize) -> u64 {
    maximum.kib().saturating_add(SLACK_KIB)
}

impl Manager {
    /// Asks a domain to have so much memory.
    ///
    /// # Errors
    /// When it does not run, may not have so much, or XenStore refuses or is busy.
    pub fn set_target(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        target: MemorySize,
    ) -> Result<(), ChangeError> {
        let (managed, homes) = self.running(id)?;
        let memory =
            Memory::new(target, managed.config.memory.maximum()).map_err(|_| ChangeError::DoesNotFit)?;
        put(store, &format!("{}/memory/target", homes.domain), &format!("{}", target.kib()))?;
        managed.change(|settings| settings.memory = memory)
    }

    /// Says how much memory a domain may have; Xen was told before.
    ///
    /// # Errors
    /// When it does not run, was asked to have more, or XenStore refuses or is busy.
    pub fn set_maximum(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        maximum: MemorySize,
    ) -> Result<(), ChangeError> {
        let (managed, homes) = self.running(id)?;
        let memory =
            Memory::new(managed.config.memory.initial(), maximum).map_err(|_| ChangeError::DoesNotFit)?;
        put(store, &format!("{}/memory/static-max", homes.domain), &format!("{}", maximum.kib()))?;
        managed.change(|settings| settings.memory = memory)
    }

    /// Asks a domain to use the first so many of its virtual CPUs: writes some nodes, from virtual CPU `from` on. Says
    /// where to go on, when there is more.
    ///
    /// # Errors
    /// When it does not run, does not have so many, or XenStore refuses or is busy.
    pub fn set_online(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        online: u32,
        from: u32,
    ) -> Result<Option<u32>, ChangeError> {
        let (managed, homes) = self.running(id)?;
        let max = managed.config.vcpus.max();
        let vcpus = Vcpus::new(online, max).map_err(|_| ChangeError::DoesNotFit)?;
        let end = from.saturating_add(NODES_PER_STEP).min(max);
        for vcpu in from..end {
            let state = if vcpu < online { "online" } else { "offline" };
            put(store, &format!("{}/cpu/{vcpu}/availability", homes.domain), state)?;
        }
        if end < max {
            return Ok(Some(end));
        }
        managed.change(|settings| settings.vcpus = vcpus).map(|()| None)
    }

    /// Gives a domain's kernel a magic `SysRq` key.
    ///
    /// # Errors
    /// When it does not run, or XenStore refuses or is busy.
    pub fn press_sysrq(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        key: char,
    ) -> Result<(), ChangeError> {
        let (_, homes) = self.running(id)?;
        put(store, &format!("{}/control/sysrq", homes.domain), key.encode_utf8(&mut [0; 4]))
    }

    /// Keeps in a domain's record on which of `all` physical CPUs a virtual one, or all of them, may run.
    ///
    /// # Errors
    /// When there is no such domain, or no such virtual CPU.
    pub fn set_affinity(
        &mut self,
        id: ManagedId,
        vcpu: Option<u32>,
        cpus: CpuSet,
        all: &CpuSet,
    ) -> Result<(), ChangeError> {
        let managed = self.domains.get_mut(id.0).ok_or(ChangeError::NoSuchDomain)?;
        let affinity = match vcpu {
            None if cpus == *all => Affinity::Any,
            None => Affinity::Same(cpus),
            Some(vcpu) => {
                let mut sets = each(&managed.config, vcpu, all);
                let place = usize::try_from(vcpu).ok().and_then(|index| sets.get_mut(index));
                *place.ok_or(ChangeError::DoesNotFit)? = cpus;
                Affinity::PerVcpu(List::new("cpus", sets).map_err(|_| ChangeError::DoesNotFit)?)
            }
        };
        managed.change(|settings| settings.affinity = affinity)
    }

    /// Destroys a domain and makes it again.
    ///
    /// # Errors
    /// When it has no domain that could be destroyed.
    pub fn reset(&mut self, id: ManagedId) -> Result<(), ChangeError> {
        let managed = self.domains.get_mut(id.0).ok_or(ChangeError::NoSuchDomain)?;
        if !matches!(managed.stage, Stage::Running | Stage::Kept) {
            return Err(ChangeError::NotRunning);
        }
        managed.end(Then::Restart);
        self.wake(id);
        Ok(())
    }

    fn running(&mut self, id: ManagedId) -> Result<(&mut Managed, Homes), ChangeError> {
        let managed = self.domains.get_mut(id.0).ok_or(ChangeError::NoSuchDomain)?;
        let homes = managed.running_homes().ok_or(ChangeError::NotRunning)?;
        Ok((managed, homes))
    }
}

impl Managed {
    /// Changes its record.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Settings)) -> Result<(), ChangeError> {
        let mut settings = DomainConfig::clone(&self.config).into_settings();
        change(&mut settings);
        self.config = Rc::new(DomainConfig::new(settings).map_err(|_| ChangeError::DoesNotFit)?);
        Ok(())
    }
}

/// A set for each virtual CPU up to `last`, or for more if more have one.
fn each(config: &DomainConfig, last: u32, all: &CpuSet) -> Vec<CpuSet> {
    let wanted = usize::try_from(last).map_or(0, |last| last.saturating_add(1));
    let count = wanted.min(usize::try_from(config.vcpus.max()).unwrap_or(wanted));
    match &config.affinity {
        Affinity::Any => alloc::vec![all.clone(); count],
        Affinity::Same(set) => {
            alloc::vec![set.clone(); usize::try_from(config.vcpus.max()).unwrap_or(count)]
        }
        Affinity::PerVcpu(sets) => {
            let mut sets = sets.to_vec();
            let count = count.max(sets.len());
            sets.resize(count, all.clone());
            sets
        }
    }
}

fn put(store: &mut impl Local, path: &str, value: &str) -> Result<(), ChangeError> {
    Ok(store.ask(&Request::Write { path: path.as_bytes(), value: value.as_bytes() })?)
}
