//! The domains the server knows of: introduced ones, and ones that nodes were prepared for.
#![forbid(unsafe_code)]

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::path::{Path, PathBuf};
use super::perms::{Incarnation, Stamp};
use super::quota::{Limits, Usage};
use super::server::ConnId;
use crate::hyper::DomId;
use crate::rights::Rights;
use crate::ring::xenstore::Features;

/// What this server offers on a ring.
pub const FEATURES: Features =
    Features::RECONNECTION.union(Features::ERROR).union(Features::WATCH_DEPTH).union(Features::DOMID_ANY);

/// A domain.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) born: Stamp,
    /// Its connection, once it is introduced.
    pub(crate) conn: Option<ConnId>,
    /// Whether its shutdown was reported.
    pub(crate) shutdown: bool,
    pub(crate) features: Features,
    /// What it may do, whatever the permissions say.
    pub(crate) rights: Rights,
    /// Limits of its own.
    pub(crate) limits: Limits,
    pub(crate) usage: Usage,
    pub(crate) territory: Territory,
}

/// All of them, by number.
#[derive(Default, Debug)]
pub(crate) struct Domains(BTreeMap<DomId, Domain>);

impl Domains {
    pub(crate) fn get(&self, domid: DomId) -> Option<&Domain> {
        self.0.get(&domid)
    }

    pub(crate) fn get_mut(&mut self, domid: DomId) -> Option<&mut Domain> {
        self.0.get_mut(&domid)
    }

    /// The domain that owns what `domid` was written on at `stamp`.
    pub(crate) fn meant_by(&mut self, domid: DomId, stamp: Stamp) -> Option<&mut Domain> {
        self.0.get_mut(&domid).filter(|domain| domain.born <= stamp)
    }

    /// Whether `domid` still means the domain it meant at `stamp`.
    pub(crate) fn lives(&self, domid: DomId, stamp: Stamp) -> bool {
        self.0.get(&domid).is_some_and(|domain| domain.born <= stamp)
    }

    pub(crate) fn incarnation(&self, domid: DomId) -> Option<Incarnation> {
        self.0.get(&domid).map(|domain| Incarnation { domid, born: domain.born })
    }

    /// Adds a domain that is not there yet.
    pub(crate) fn add(&mut self, domid: DomId, born: Stamp) -> &mut Domain {
        self.0.entry(domid).or_insert_with(|| Domain {
            born,
            conn: None,
            shutdown: false,
            features: FEATURES,
            rights: Rights::Nothing,
            limits: Limits::default(),
            usage: Usage::default(),
            territory: Territory::default(),
        })
    }

    /// Puts back a domain that was saved; `false` when it is there already.
    pub(crate) fn restore(&mut self, domid: DomId, domain: Domain) -> bool {
        self.0.insert(domid, domain).is_none()
    }

    pub(crate) fn remove(&mut self, domid: DomId) -> Option<Domain> {
        self.0.remove(&domid)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (DomId, &Domain)> {
        self.0.iter().map(|(domid, domain)| (*domid, domain))
    }
}

/// Where a domain's nodes may be: each lies at or below one of few paths. It makes cleaning up after a domain
/// cost by what it owned, not by the size of the store.
#[derive(Default, Debug)]
pub(crate) struct Territory(Vec<PathBuf>);

impl Territory {
    /// Paths kept before they are drawn together to the one above all of them.
    const MAX: usize = 16;

    /// Notes a node. Nothing is ever taken off: a path too many costs a look, one too few would leave nodes behind.
    pub(crate) fn include(&mut self, path: Path<'_>) {
        if self.0.iter().any(|known| path.levels_below(known.as_path()).is_some()) {
            return;
        }
        self.0.retain(|known| known.as_path().levels_below(path).is_none());
        self.0.push(path.to_buf());
        if self.0.len() > Self::MAX {
            let above = self.0.iter().map(PathBuf::as_path).reduce(Path::common);
            self.0 = above.map(Path::to_buf).into_iter().collect();
        }
    }

    /// One that was saved, unless it has more paths than one may have.
    pub(crate) fn new(paths: Vec<PathBuf>) -> Option<Self> {
        (paths.len() <= Self::MAX).then_some(Self(paths))
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.0
    }

    pub(crate) fn into_paths(self) -> Vec<PathBuf> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    #[test]
    fn a_number_means_a_domain_only_from_its_birth_on() {
        let mut domains = Domains::default();
        domains.add(DomId(5), 10).usage.nodes = 3;
        assert!(domains.lives(DomId(5), 10) && !domains.lives(DomId(5), 9) && !domains.lives(DomId(6), 10));
        assert_eq!(domains.add(DomId(5), 20).usage.nodes, 3);
        assert!(domains.remove(DomId(5)).is_some());
        assert!(!domains.lives(DomId(5), 10));
    }

    proptest! {
        #[test]
        fn a_territory_is_small_and_covers_every_node(picks in proptest::collection::vec((0u8..6, 0u8..6, 0u8..6), 1..60)) {
            let mut territory = Territory::default();
            let texts: Vec<_> = picks.iter().map(|(a, b, c)| format!("/local/{a}/{b}/{c}")).collect();
            for text in &texts {
                territory.include(Path::new(text.as_bytes()).unwrap());
            }
            let paths = territory.into_paths();
            prop_assert!(paths.len() <= Territory::MAX);
            for text in &texts {
                let path = Path::new(text.as_bytes()).unwrap();
                prop_assert!(paths.iter().any(|known| path.levels_below(known.as_path()).is_some()));
            }
            prop_assert!(paths.iter().all(|known| known.as_path() != Path::ROOT));
        }
    }
}
