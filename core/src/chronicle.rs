//! What happened to domains lately, in order: for those who wait for something instead of asking again and again.
//!
//! Names are written down as they were at the time, in memory that is taken at the beginning: what is kept of domains that
//! are long gone never makes the heap grow. The oldest goes first; who comes too late learns how much there was.
#![forbid(unsafe_code)]

use alloc::collections::{BTreeMap, TryReserveError, VecDeque};
use alloc::rc::Rc;
use alloc::string::String;

use crate::config::{DomainConfig, DomainName, Uuid};
use crate::hyper::DomId;
use crate::protocol::{Happening, What};

/// Happenings kept.
const KEPT: usize = 256;

/// A domain's name, beside everything else.
type Name = heapless::String<{ DomainName::MAX }>;

/// A domain that is there.
#[derive(Debug)]
struct Known {
    name: Rc<str>,
    uuid: Uuid,
    booted: bool,
}

/// Something that happened.
#[derive(Debug)]
struct Entry {
    at: u64,
    domid: Option<DomId>,
    name: Name,
    uuid: Uuid,
    what: What,
}

/// What happened, of which the last part is kept.
#[derive(Debug)]
pub struct Chronicle {
    entries: VecDeque<Entry>,
    /// The serial number of the next one.
    next: u64,
    known: BTreeMap<DomId, Known>,
}

impl Chronicle {
    /// Nothing yet. The memory for all that is kept is taken here.
    pub fn new() -> Result<Self, TryReserveError> {
        let mut entries = VecDeque::new();
        entries.try_reserve_exact(KEPT)?;
        Ok(Self { entries, next: 1, known: BTreeMap::new() })
    }

    /// The serial number that the next happening gets.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// A domain was made; from now on it is known by its number.
    pub fn created(&mut self, now: u64, domid: DomId, config: &DomainConfig) {
        let known = Known { name: config.name.as_str().into(), uuid: config.uuid, booted: false };
        self.known.insert(domid, known);
        self.add(now, domid, What::Created);
    }

    /// A domain spoke to XenStore. Only the first time counts.
    pub fn spoke(&mut self, now: u64, domid: DomId) {
        if let Some(known) = self.known.get_mut(&domid).filter(|known| !known.booted) {
            known.booted = true;
            self.add(now, domid, What::Booted);
        }
    }

    /// Whether a domain has spoken to XenStore.
    #[must_use]
    pub fn has_booted(&self, domid: DomId) -> bool {
        self.known.get(&domid).is_some_and(|known| known.booted)
    }

    /// A domain has another name.
    pub fn renamed(&mut self, now: u64, domid: DomId, name: &DomainName) {
        let Some(known) = self.known.get_mut(&domid) else { return };
        let from = String::from(&*core::mem::replace(&mut known.name, name.as_str().into()));
        self.add(now, domid, What::Renamed { from });
    }

    /// Nothing is left of a domain.
    pub fn gone(&mut self, now: u64, domid: DomId) {
        self.add(now, domid, What::Gone);
        self.known.remove(&domid);
    }

    /// A domain did not come to run.
    pub fn failed(&mut self, now: u64, config: &DomainConfig, why: String) {
        self.push(now, None, config.name.as_str(), config.uuid, What::Failed { why });
    }

    /// Something else happened to a domain. What happens to one that was never made here is not written down.
    pub fn add(&mut self, now: u64, domid: DomId, what: What) {
        let Some(Known { name, uuid, .. }) = self.known.get(&domid) else { return };
        let (name, uuid) = (Rc::clone(name), *uuid);
        self.push(now, Some(domid), &name, uuid, what);
    }

    fn push(&mut self, at: u64, domid: Option<DomId>, name: &str, uuid: Uuid, what: What) {
        // Names of domains always fit.
        let name = Name::try_from(name).unwrap_or_default();
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, domid, name, uuid, what });
        self.next = self.next.saturating_add(1);
    }

    /// What happened first of all that has a serial number greater than `after`, as it is told at `now`.
    #[must_use]
    pub fn read(&self, now: u64, after: u64) -> Option<Happening> {
        let first = self.next.saturating_sub(self.entries.len() as u64);
        let serial = after.checked_add(1)?.max(first);
        let at = usize::try_from(serial - first).ok()?;
        let Entry { at, domid, name, uuid, what } = self.entries.get(at)?;
        let missed = serial - after - 1;
        if missed > 0 {
            let what = What::Missed { count: missed };
            let name = String::new();
            return Some(Happening { serial: serial - 1, ago_ns: 0, domid: None, name, uuid: [0; 16], what });
        }
        Some(Happening {
            serial,
            ago_ns: now.saturating_sub(*at),
            domid: domid.map(|domid| domid.0),
            name: String::from(name.as_str()),
            uuid: uuid.handle(),
            what: what.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings;

    fn chronicle() -> Chronicle {
        let mut chronicle = Chronicle::new().unwrap();
        chronicle.created(10, DomId(7), &DomainConfig::new(settings()).unwrap());
        chronicle
    }

    fn all(chronicle: &Chronicle, mut after: u64) -> Vec<Happening> {
        let mut all = Vec::new();
        while let Some(happening) = chronicle.read(1000, after) {
            after = happening.serial;
            all.push(happening);
        }
        all
    }

    use alloc::vec::Vec;

    #[test]
    fn domains_have_the_names_they_had_at_the_time() {
        let mut chronicle = chronicle();
        let old = DomainConfig::new(settings()).unwrap().name.clone();
        chronicle.renamed(20, DomId(7), &DomainName::new("new").unwrap());
        chronicle.gone(30, DomId(7));
        chronicle.add(40, DomId(7), What::Paused);
        let all = all(&chronicle, 0);
        let told: Vec<_> =
            all.iter().map(|one| (one.serial, one.ago_ns, one.name.as_str(), &one.what)).collect();
        let from = String::from(old.as_str());
        assert_eq!(
            told,
            [
                (1, 990, old.as_str(), &What::Created),
                (2, 980, "new", &What::Renamed { from }),
                (3, 970, "new", &What::Gone),
            ],
            "and who is gone is nobody"
        );
    }

    #[test]
    fn a_domain_boots_once_and_anew_after_a_restart() {
        let mut chronicle = chronicle();
        assert!(!chronicle.has_booted(DomId(7)));
        chronicle.spoke(20, DomId(7));
        chronicle.spoke(21, DomId(7));
        chronicle.spoke(22, DomId(8));
        assert!(chronicle.has_booted(DomId(7)) && !chronicle.has_booted(DomId(8)));
        chronicle.gone(30, DomId(7));
        assert!(!chronicle.has_booted(DomId(7)));
        let what: Vec<_> = all(&chronicle, 0).into_iter().map(|one| one.what).collect();
        assert_eq!(what, [What::Created, What::Booted, What::Gone]);
    }

    #[test]
    fn who_comes_late_learns_how_much_was_missed() {
        let mut chronicle = chronicle();
        for at in 0..KEPT as u64 + 9 {
            chronicle.add(at, DomId(7), What::Paused);
        }
        let all = all(&chronicle, 4);
        assert_eq!((all[0].serial, &all[0].what), (10, &What::Missed { count: 6 }));
        assert_eq!((all[1].serial, &all[1].what), (11, &What::Paused));
        assert_eq!(all.len(), 1 + KEPT);
        assert_eq!(chronicle.read(0, chronicle.next() - 1), None);
        assert_eq!(chronicle.read(0, u64::MAX), None);
    }
}
