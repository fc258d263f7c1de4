//! Memory shared by grants: mapping what others granted, and granting pages of ours.

mod table;

use core::mem::ManuallyDrop;
use core::ops::Deref;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::grant_table::{
    GNTMAP_HOST_MAP, GNTMAP_READONLY, GNTTABOP_MAP_GRANT_REF, GNTTABOP_UNMAP_GRANT_REF, MapGrantRef,
    UnmapGrantRef,
};
use xendless_core::abi::hypercall as number;
use xendless_core::abi::memory::{
    AcquireResource, XENMEM_ACQUIRE_RESOURCE, XENMEM_RESOURCE_GRANT_TABLE,
    XENMEM_RESOURCE_GRANT_TABLE_ID_SHARED,
};
use xendless_core::hyper::encode::grant_outcome;
use xendless_core::hyper::{Access, Call, DomId, Gfn, GrantRef, Grants, HvError, Mfn, Result, SharedOut};
use xendless_core::shared::Page;
use zerocopy::IntoBytes;

use super::Xen;
use crate::hypercall::hypercall;
use crate::memory::{OwnPage, Slot, map_machine, own_frame, own_page};
use table::OWN_TABLE;

/// A page that another domain granted, mapped.
pub(crate) struct GrantedPage {
    slot: Slot,
    handle: u32,
}

impl Deref for GrantedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        // SAFETY: `map_grant` mapped it, and only `drop` unmaps it.
        unsafe { self.slot.page() }
    }
}

impl Drop for GrantedPage {
    fn drop(&mut self) {
        let mut request =
            UnmapGrantRef { host_addr: self.slot.address(), handle: self.handle, ..UnmapGrantRef::ZERO };
        let address = (&raw mut request).expose_provenance() as u64;
        let arguments = [GNTTABOP_UNMAP_GRANT_REF.into(), address, 1, 0, 0];
        // SAFETY: Xen reads and writes the one request, and unmaps the page of this slot; references into it are
        // borrows of `self`, so there are none left.
        let done = unsafe { hypercall(number::GRANT_TABLE_OP, Call::GrantUnmap, arguments) };
        if done.is_err() || grant_outcome(request.status).is_err() {
            self.slot.retire();
        }
    }
}

/// A page of ours that another domain may map.
pub(crate) struct OfferedPage {
    page: ManuallyDrop<OwnPage>,
    gref: GrantRef,
}

impl Deref for OfferedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        let [page] = &**self.page;
        page
    }
}

impl SharedOut for OfferedPage {
    fn grant(&self) -> GrantRef {
        self.gref
    }
}

impl Drop for OfferedPage {
    fn drop(&mut self) {
        // SAFETY: nothing uses the field after `drop`.
        let page = unsafe { ManuallyDrop::take(&mut self.page) };
        OWN_TABLE.lock().withdraw(self.gref, page);
    }
}

impl Grants for Xen {
    type Granted = GrantedPage;
    type Offered = OfferedPage;

    fn map_grant(&self, domid: DomId, gref: GrantRef, access: Access) -> Result<GrantedPage> {
        let slot = Slot::take(Call::GrantMap)?;
        let read_only = if access == Access::ReadOnly { GNTMAP_READONLY } else { 0 };
        let mut request = MapGrantRef {
            host_addr: slot.address(),
            flags: GNTMAP_HOST_MAP | read_only,
            gref: gref.0,
            dom: domid.0,
            ..MapGrantRef::ZERO
        };
        let arguments =
            [GNTTABOP_MAP_GRANT_REF.into(), (&raw mut request).expose_provenance() as u64, 1, 0, 0];
        // SAFETY: Xen reads and writes the one request, and maps a page in a slot where none is.
        unsafe { hypercall(number::GRANT_TABLE_OP, Call::GrantMap, arguments) }?;
        grant_outcome(request.status).map_err(|errno| HvError::new(Call::GrantMap, errno))?;
        Ok(GrantedPage { slot, handle: request.handle })
    }

    fn offer_page(&self, domid: DomId, access: Access) -> Result<OfferedPage> {
        let out_of_memory = HvError::new(Call::GrantShare, Errno::ENOMEM);
        let page = own_page().ok_or(out_of_memory)?;
        let [first] = &*page;
        let mfn = own_frame(first).ok_or(out_of_memory)?;
        let gref = OWN_TABLE.lock().offer(domid, mfn, access)?;
        Ok(OfferedPage { page: ManuallyDrop::new(page), gref })
    }

    fn seed_grant(&self, owner: DomId, gref: GrantRef, backend: DomId, frame: Gfn) -> Result<()> {
        let entry = table::entry(Call::GrantSeed, backend, frame.0, Access::ReadWrite)?;
        let (table, at) = table::place(gref);
        let mfn = shared_frame(owner, table)?;
        map_machine(Call::GrantSeed, owner, mfn)?.write(at, entry.as_bytes());
        Ok(())
    }
}

/// The machine frame of page `index` of `owner`'s grant table.
fn shared_frame(owner: DomId, index: u64) -> Result<Mfn> {
    let mut mfn = 0u64;
    let mut request = AcquireResource {
        domid: owner.0,
        kind: XENMEM_RESOURCE_GRANT_TABLE,
        id: XENMEM_RESOURCE_GRANT_TABLE_ID_SHARED,
        nr_frames: 1,
        frame: index,
        frame_list: (&raw mut mfn).expose_provenance() as u64,
        ..AcquireResource::ZERO
    };
    let arguments = [XENMEM_ACQUIRE_RESOURCE.into(), (&raw mut request).expose_provenance() as u64, 0, 0, 0];
    // SAFETY: Xen reads and writes the request, and writes one frame number.
    unsafe { hypercall(number::MEMORY_OP, Call::GrantSeed, arguments) }?;
    Ok(Mfn(mfn))
}
