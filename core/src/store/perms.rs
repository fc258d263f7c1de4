//! Who may do what with a node. Source: `docs/misc/xenstore.txt`, introduction and `SET_PERMS`.
//!
//! Permissions name domains by number, and numbers are used again. So each set carries the *stamp* of the moment
//! it was made, each domain the moment it was *born*, and an entry means a domain only when the domain was born
//! before the entry was made. Whoever later gets the number of a dead domain inherits nothing, without anyone
//! having to walk the tree.
#![forbid(unsafe_code)]

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::wire::{Access, Perm};
use crate::hyper::DomId;
use crate::rights;

/// An entry of this number means every domain (`DOMID_ANY` of newer `xen/xen.h`).
pub const ANY: DomId = DomId(0x7FF5);

/// A moment: one for every change of the store and every birth of a domain, never used twice.
pub type Stamp = u64;

/// A domain at one time of its number's use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Incarnation {
    /// The number.
    pub domid: DomId,
    /// Since when it has meant this domain.
    pub born: Stamp,
}

/// In whose name something is asked or told.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The domain itself.
    pub domain: Incarnation,
    /// The domain whose rights it has besides its own.
    pub target: Option<Incarnation>,
    /// What it may do, whatever the permissions say.
    pub rights: rights::Rights,
}

impl Caller {
    /// Whether it may do everything.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        self.rights == rights::Rights::Everything
    }

    /// Whether it may read everything.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.rights >= rights::Rights::Observe
    }
}

/// What a caller may do with a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights {
    /// Read it.
    pub read: bool,
    /// Write it.
    pub write: bool,
    /// Change its permissions.
    pub own: bool,
}

impl Rights {
    const ALL: Self = Self { read: true, write: true, own: true };

    const fn of(access: Access) -> Self {
        Self { read: access.can_read(), write: access.can_write(), own: false }
    }

    /// Whether everything `needed` is granted.
    #[must_use]
    pub const fn include(self, needed: Self) -> bool {
        (self.read || !needed.read) && (self.write || !needed.write) && (self.own || !needed.own)
    }

    /// Whether anything `needed` is granted.
    #[must_use]
    pub const fn touch(self, needed: Self) -> bool {
        (self.read && needed.read) || (self.write && needed.write) || (self.own && needed.own)
    }
}

/// The right to read.
pub const READ: Rights = Rights { read: true, write: false, own: false };
/// The right to write.
pub const WRITE: Rights = Rights { read: false, write: true, own: false };
/// The right to change permissions.
pub const OWN: Rights = Rights { read: false, write: true, own: true };

/// The permissions of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Perms {
    stamp: Stamp,
    /// The owner, and what those may do whom no entry names.
    owner: Perm,
    more: Box<[Perm]>,
}

impl Perms {
    /// Permissions made at `stamp`.
    #[must_use]
    pub fn new(owner: Perm, more: &[Perm], stamp: Stamp) -> Self {
        Self { stamp, owner, more: more.into() }
    }

    /// When they were made.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The first entry.
    #[must_use]
    pub const fn owner(&self) -> Perm {
        self.owner
    }

    /// All entries, the owner's first.
    pub fn entries(&self) -> impl Iterator<Item = Perm> {
        core::iter::once(self.owner).chain(self.more.iter().copied())
    }

    /// How many entries there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        1 + self.more.len()
    }

    /// Whether `domain` owns the node.
    #[must_use]
    pub fn is_owned_by(&self, domain: Incarnation) -> bool {
        self.names(self.owner, domain)
    }

    /// What `caller` may do.
    #[must_use]
    pub fn rights(&self, caller: &Caller) -> Rights {
        if caller.is_privileged() || self.means(self.owner, caller) {
            return Rights::ALL;
        }
        let own = self.more.iter().find(|entry| self.means(**entry, caller));
        let granted = Rights::of(own.unwrap_or(&self.owner).access);
        Rights { read: granted.read || caller.observes(), ..granted }
    }

    /// The permissions of a node that `creator`, unless privileged, makes below a node with these.
    pub fn inherit(
        self: &Rc<Self>,
        creator: Option<Incarnation>,
        now: Stamp,
        lives: impl Fn(DomId, Stamp) -> bool,
    ) -> Rc<Self> {
        match creator {
            Some(creator) if !self.is_owned_by(creator) => {
                let owner = Perm::new(self.owner.access, creator.domid);
                let living = |entry: &Perm| entry.domid == ANY || lives(entry.domid, self.stamp);
                let more = self.more.iter().copied().filter(living).collect::<Vec<_>>();
                Rc::new(Self { stamp: now, owner, more: more.into() })
            }
            _ => Rc::clone(self),
        }
    }

    fn means(&self, entry: Perm, caller: &Caller) -> bool {
        entry.domid == ANY
            || self.names(entry, caller.domain)
            || caller.target.is_some_and(|target| self.names(entry, target))
    }

    fn names(&self, entry: Perm, domain: Incarnation) -> bool {
        entry.domid == domain.domid && domain.born <= self.stamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn domain(domid: u16, born: Stamp) -> Incarnation {
        Incarnation { domid: DomId(domid), born }
    }

    const fn caller(domid: u16, born: Stamp) -> Caller {
        Caller { domain: domain(domid, born), target: None, rights: rights::Rights::Nothing }
    }

    fn perms(text: &[&str], stamp: Stamp) -> Rc<Perms> {
        let entries: Vec<_> = text.iter().map(|text| Perm::parse(text.as_bytes()).unwrap()).collect();
        Rc::new(Perms::new(entries[0], &entries[1..], stamp))
    }

    #[test]
    fn the_first_entry_that_names_the_caller_counts() {
        let perms = perms(&["r1", "w2", "b2", "n3"], 10);
        assert_eq!(perms.rights(&caller(1, 0)), Rights::ALL);
        assert_eq!(perms.rights(&caller(2, 0)), WRITE);
        assert_eq!(perms.rights(&caller(3, 0)), Rights::of(Access::None));
        assert_eq!(perms.rights(&caller(4, 0)), READ);
        assert_eq!(perms.rights(&Caller { target: Some(domain(1, 0)), ..caller(3, 0) }), Rights::ALL);
        let open = self::perms(&["n0", "r32757"], 10);
        assert_eq!(open.rights(&caller(9, 0)), READ);
    }

    #[test]
    fn a_domain_s_rights_add_to_what_permissions_grant() {
        let perms = perms(&["n1", "w2"], 10);
        let with = |domid, rights| perms.rights(&Caller { rights, ..caller(domid, 0) });
        assert_eq!(with(3, rights::Rights::Everything), Rights::ALL);
        for observer in [rights::Rights::Observe, rights::Rights::Children] {
            assert_eq!(with(3, observer), READ);
            assert_eq!(with(2, observer), Rights { read: true, ..WRITE });
        }
        assert_eq!(with(3, rights::Rights::Nothing), Rights::of(Access::None));
    }

    #[test]
    fn attack_a03_a_newcomer_inherits_nothing_from_its_number() {
        let perms = perms(&["n5", "b6"], 10);
        assert_eq!(perms.rights(&caller(5, 10)), Rights::ALL);
        assert_eq!(perms.rights(&caller(5, 11)), Rights::of(Access::None));
        assert_eq!(perms.rights(&caller(6, 11)), Rights::of(Access::None));
        let stub = Caller { target: Some(domain(5, 11)), ..caller(7, 0) };
        assert_eq!(perms.rights(&stub), Rights::of(Access::None));
    }

    #[test]
    fn children_share_permissions_unless_the_owner_changes() {
        let above = perms(&["r5", "b6", "w7"], 10);
        let all = |_, _| true;
        assert!(Rc::ptr_eq(&above.inherit(None, 20, all), &above));
        assert!(Rc::ptr_eq(&above.inherit(Some(domain(5, 3)), 20, all), &above));
        let child = above.inherit(Some(domain(6, 3)), 20, |domid, _| domid != DomId(7));
        assert_eq!(*child, *perms(&["r6", "b6"], 20));
        let newcomer = above.inherit(Some(domain(5, 15)), 20, all);
        assert_eq!(*newcomer, *perms(&["r5", "b6", "w7"], 20));
    }
}
