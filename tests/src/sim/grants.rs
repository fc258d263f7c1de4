//! Grants. Refusals follow `common/grant_table.c` of Xen, whose status codes become errnos as on real Xen.

use std::ops::Deref;
use std::sync::Arc;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::grant_table::{
    GNTST_BAD_DOMAIN, GNTST_BAD_GNTREF, GNTST_BAD_PAGE, GNTST_GENERAL_ERROR, GNTST_NO_SPACE,
    GNTTAB_NR_RESERVED_ENTRIES,
};
use xendless_core::hyper::encode::grant_outcome;
use xendless_core::hyper::{Access, Call, DomId, Gfn, GrantRef, Grants, Result, SharedOut};
use xendless_core::shared::Page;

use super::machine::Machine;
use super::memory::{Frame, MappedGrant, SimMapping, Use};
use super::{Answer, SimDomain};

/// Entries in a page of grant table (version 1), and mappings tracked in a page of map tracking.
const ENTRIES_PER_FRAME: u32 = 512;
const MAPTRACK_PER_FRAME: u32 = 256;

/// One entry of a domain's grant table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) to: DomId,
    gfn: u64,
    access: Access,
    /// Mappings made by it, and those of them that may write.
    pub(super) mapped: u32,
    writers: u32,
    /// The owner wants it back; it lives on while it is mapped.
    withdrawn: bool,
}

/// A page offered to another domain. Dropping it withdraws the grant; when the other domain still has it
/// mapped, page and entry stay out of use until it lets go.
pub struct SimOffer {
    from: SimDomain,
    gref: GrantRef,
    gfn: u64,
    page: Arc<Page>,
}

impl Deref for SimOffer {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl std::fmt::Debug for SimOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimOffer({})", self.grant())
    }
}

impl SharedOut for SimOffer {
    fn grant(&self) -> GrantRef {
        self.gref
    }
}

impl Drop for SimOffer {
    fn drop(&mut self) {
        self.from.sim.with(|machine| machine.withdraw(self.from.domid, self.gref.0, self.gfn));
    }
}

/// What a grant operation that leaves `code` is reported as.
fn status(code: i16) -> Errno {
    grant_outcome(code).expect_err("a refusal")
}

impl Machine {
    fn map_grant(&mut self, me: DomId, owner: DomId, gref: u32, access: Access) -> Answer<(u64, Arc<Page>)> {
        // `DOMID_SELF` is not understood here.
        let domain = self.domain(owner).map_err(|_| status(GNTST_BAD_DOMAIN))?;
        let tracked =
            self.mappings.values().filter(|mapping| mapping.mapper == me && mapping.grant.is_some());
        if tracked.count() >= (self.domain(me)?.max_maptrack_frames * MAPTRACK_PER_FRAME) as usize {
            return Err(status(GNTST_NO_SPACE));
        }
        if gref >= domain.max_grant_frames * ENTRIES_PER_FRAME {
            return Err(status(GNTST_BAD_GNTREF));
        }
        let writable = access == Access::ReadWrite;
        let grant = domain.grants.get(&gref).filter(|grant| grant.to == me);
        let grant = grant.ok_or(status(GNTST_GENERAL_ERROR))?;
        // An entry that is pinned is not looked at again, except for writing.
        let look = grant.mapped == 0 || (writable && grant.writers == 0);
        if look && (grant.withdrawn || (writable && grant.access == Access::ReadOnly)) {
            return Err(status(GNTST_GENERAL_ERROR));
        }
        // `get_paged_frame`: not a page of the granting domain. A page table cannot be written to.
        let mfn = domain.frame(grant.gfn).ok_or(status(GNTST_BAD_PAGE))?;
        let held = |frame: &&Frame| frame.owner == owner && (grant.mapped > 0 || !frame.released);
        let frame = self.frames.get(&mfn).filter(held);
        let frame = frame.ok_or(status(GNTST_BAD_PAGE))?;
        if writable && frame.table.is_some() {
            return Err(status(GNTST_GENERAL_ERROR));
        }
        let mapped = self
            .map(me, mfn, Some(MappedGrant { owner, gref, writable }))
            .ok_or(status(GNTST_GENERAL_ERROR))?;
        if let Some(grant) = self.domain_mut(owner)?.grants.get_mut(&gref) {
            grant.mapped += 1;
            grant.writers += u32::from(writable);
        }
        Ok(mapped)
    }

    pub(super) fn unmap_grant(&mut self, mapped: MappedGrant) {
        let Ok(domain) = self.domain_mut(mapped.owner) else { return };
        let Some(grant) = domain.grants.get_mut(&mapped.gref) else { return };
        grant.mapped -= 1;
        grant.writers -= u32::from(mapped.writable);
        if grant.mapped == 0 && grant.withdrawn {
            domain.grants.remove(&mapped.gref);
        }
    }

    fn offer(&mut self, me: DomId, to: DomId, access: Access) -> Answer<(u32, u64, Arc<Page>)> {
        let domain = self.domain(me)?;
        let entries = GNTTAB_NR_RESERVED_ENTRIES..domain.max_grant_frames * ENTRIES_PER_FRAME;
        let gref = entries.into_iter().find(|gref| !domain.grants.contains_key(gref)).ok_or(Errno::ENOSPC)?;
        let gfn = self.private_frame(me, Use::Offered);
        let page = self.frames.get_mut(&gfn).ok_or(Errno::ENOMEM)?.page();
        let domain = self.domain_mut(me)?;
        if domain.is_hvm() {
            domain.p2m.insert(gfn, gfn);
        }
        domain.grants.insert(gref, Grant { to, gfn, access, mapped: 0, writers: 0, withdrawn: false });
        Ok((gref, gfn, page))
    }

    fn withdraw(&mut self, owner: DomId, gref: u32, gfn: u64) {
        // The owner, and with it its table, may be gone before its offers are dropped.
        let Ok(domain) = self.domain_mut(owner) else { return };
        if let Some(grant) = domain.grants.get_mut(&gref).filter(|grant| grant.gfn == gfn) {
            grant.withdrawn = true;
            if grant.mapped == 0 {
                domain.grants.remove(&gref);
            }
        }
        domain.p2m.remove(&gfn);
        self.let_go(gfn);
    }

    fn seed(&mut self, me: DomId, owner: DomId, gref: u32, to: DomId, gfn: u64) -> Answer<()> {
        let owner = self.resolve(me, owner)?;
        self.require_rights_over(me, owner)?;
        let domain = self.domain_mut(owner)?;
        if gref >= domain.max_grant_frames * ENTRIES_PER_FRAME {
            return Err(Errno::EINVAL);
        }
        // Mappings made by what stood there before go on.
        let (mapped, writers) = domain.grants.get(&gref).map_or((0, 0), |old| (old.mapped, old.writers));
        let access = Access::ReadWrite;
        domain.grants.insert(gref, Grant { to, gfn, access, mapped, writers, withdrawn: false });
        Ok(())
    }
}

impl Grants for SimDomain {
    type Granted = SimMapping;
    type Offered = SimOffer;

    fn map_grant(&self, domid: DomId, gref: GrantRef, access: Access) -> Result<SimMapping> {
        self.call(Call::GrantMap, |machine, me| machine.map_grant(me, domid, gref.0, access))
            .map(|(id, page)| self.mapping(id, page))
    }

    fn offer_page(&self, domid: DomId, access: Access) -> Result<SimOffer> {
        self.call(Call::GrantShare, |machine, me| machine.offer(me, domid, access))
            .map(|(gref, gfn, page)| SimOffer { from: self.clone(), gref: GrantRef(gref), gfn, page })
    }

    fn seed_grant(&self, owner: DomId, gref: GrantRef, backend: DomId, frame: Gfn) -> Result<()> {
        self.call(Call::GrantSeed, |machine, me| machine.seed(me, owner, gref.0, backend, frame.0))
    }
}
