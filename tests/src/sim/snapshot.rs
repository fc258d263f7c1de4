//! Everything that a failed operation could leave behind, in a form that can be compared and printed.

use std::collections::BTreeMap;

use xendless_core::hyper::{DomId, GrantRef, Port, PortState};

use super::machine::{Life, Machine};
use super::memory::{Frame, Use};

/// What is in use on the whole machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Pages that no domain has.
    pub free_pages: usize,
    /// Every domain that is listed.
    pub domains: BTreeMap<DomId, DomainSnapshot>,
    /// The CPUs of each pool.
    pub pools: BTreeMap<u32, Vec<u32>>,
    /// Mappings by their makers: those of other domains' frames, counted.
    pub mappings: BTreeMap<DomId, usize>,
}

/// What one domain has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainSnapshot {
    /// Being or been destroyed.
    pub dying: bool,
    /// How often it is paused.
    pub pauses: u32,
    /// Its memory in pages, with what Xen uses for its paging structures.
    pub pages: u64,
    /// Pages of its own that it offers to others.
    pub offered: usize,
    /// Its event channels.
    pub ports: BTreeMap<Port, PortState>,
    /// Its grants: to whom, and how often mapped.
    pub grants: BTreeMap<GrantRef, (DomId, u32)>,
    /// Whether its timer is set.
    pub timer: bool,
}

impl Snapshot {
    pub(super) fn of(machine: &Machine) -> Self {
        let mut mappings = BTreeMap::new();
        for mapping in machine.mappings.values() {
            *mappings.entry(mapping.mapper).or_default() += 1;
        }
        let domains = machine.domains.keys().map(|domid| (*domid, DomainSnapshot::of(machine, *domid)));
        let pools = machine.pools.iter().map(|(id, pool)| (*id, pool.cpus.iter().copied().collect()));
        let (domains, pools) = (domains.collect(), pools.collect());
        Self { free_pages: machine.free.len(), domains, pools, mappings }
    }
}

impl DomainSnapshot {
    fn of(machine: &Machine, domid: DomId) -> Self {
        let domain = &machine.domains[&domid];
        let offered = |frame: &&Frame| frame.owner == domid && frame.purpose == Use::Offered;
        Self {
            dying: domain.life != Life::Alive,
            pauses: domain.pauses,
            pages: domain.pages + domain.paging_pages,
            offered: machine.frames.values().filter(offered).count(),
            ports: domain.ports.iter().map(|(port, channel)| (Port(*port), channel.state())).collect(),
            grants: domain
                .grants
                .iter()
                .map(|(gref, grant)| (GrantRef(*gref), (grant.to, grant.mapped)))
                .collect(),
            timer: domain.timer.is_some(),
        }
    }
}
