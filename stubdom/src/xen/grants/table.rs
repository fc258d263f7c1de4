//! Our own grant table: which pages of ours others may map.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use spin::Mutex;
use xendless_core::abi::errno::Errno;
use xendless_core::abi::grant_table::{
    GNTTAB_NR_RESERVED_ENTRIES, GNTTABOP_SETUP_TABLE, GTF_PERMIT_ACCESS, GTF_READING, GTF_READONLY,
    GTF_WRITING, GrantEntryV1, SetupTable,
};
use xendless_core::abi::hypercall as number;
use xendless_core::hyper::encode::grant_outcome;
use xendless_core::hyper::{Access, Call, DomId, Gfn, GrantRef, HvError, Mfn, Result};
use xendless_core::shared::{PAGE_SIZE, Page};

use crate::hypercall::hypercall;
use crate::memory::{ForeignPage, OwnPage, map_foreign};

/// Pages the table may have: Xen's default limit for its initial domain.
const MAX_FRAMES: usize = 64;

/// Entries per page of a table.
const PER_FRAME: u32 = 512;
const _: () = assert!(PER_FRAME as usize * size_of::<GrantEntryV1>() == PAGE_SIZE);

/// The table of this domain.
pub(super) static OWN_TABLE: Mutex<OwnTable> = Mutex::new(OwnTable::new());

/// References, the pages behind those that a peer did not let go of, and the table itself.
pub(super) struct OwnTable {
    frames: Vec<ForeignPage>,
    /// Has room for every reference there is, so that giving one back cannot fail.
    free: Vec<GrantRef>,
    /// References in use by an offer.
    offered: usize,
    /// Withdrawn while the peer still had the page mapped. Has room for all that are offered.
    lingering: Vec<(GrantRef, OwnPage)>,
}

/// The entry that grants `frame` to `domid`.
pub(super) fn entry(call: Call, domid: DomId, frame: u64, access: Access) -> Result<GrantEntryV1> {
    let frame = u32::try_from(frame).map_err(|_| HvError::new(call, Errno::ERANGE))?;
    let read_only = if access == Access::ReadOnly { GTF_READONLY } else { 0 };
    Ok(GrantEntryV1 { flags: GTF_PERMIT_ACCESS | read_only, domid: domid.0, frame })
}

/// The page of a table that holds the entry of `gref`, and where in it.
pub(super) const fn place(gref: GrantRef) -> (u64, usize) {
    ((gref.0 / PER_FRAME) as u64, (gref.0 % PER_FRAME) as usize * size_of::<GrantEntryV1>())
}

impl OwnTable {
    const fn new() -> Self {
        Self { frames: Vec::new(), free: Vec::new(), offered: 0, lingering: Vec::new() }
    }

    /// Grants `mfn` to `domid`.
    pub(super) fn offer(&mut self, domid: DomId, mfn: Mfn, access: Access) -> Result<GrantRef> {
        let entry = entry(Call::GrantShare, domid, mfn.0, access)?;
        self.reclaim();
        self.lingering.try_reserve(self.offered + 1).map_err(|_| out_of(Errno::ENOMEM))?;
        if self.free.is_empty() {
            self.grow()?;
        }
        let gref = self.free.pop().ok_or(out_of(Errno::ENOSPC))?;
        let Some((flags, frame)) = self.words(gref) else { return Err(out_of(Errno::ENOSPC)) };
        frame.store(entry.frame, Ordering::Relaxed);
        // Xen honours the entry from the moment it sees the flags.
        flags.store(u32::from(entry.domid) << 16 | u32::from(entry.flags), Ordering::Release);
        self.offered += 1;
        Ok(gref)
    }

    /// Ends a grant and frees its page, now or when the peer has unmapped it.
    pub(super) fn withdraw(&mut self, gref: GrantRef, page: OwnPage) {
        self.offered -= 1;
        if self.revoke(gref) {
            self.free.push(gref);
        } else {
            self.lingering.push((gref, page));
        }
    }

    /// Frees the longest lingering page, if the peer let go of it.
    fn reclaim(&mut self) {
        if let Some((gref, _)) = self.lingering.first()
            && self.revoke(*gref)
        {
            let (gref, _) = self.lingering.swap_remove(0);
            self.free.push(gref);
        } else if self.lingering.len() > 1 {
            self.lingering.rotate_left(1);
        }
    }

    /// Takes a grant back, unless the peer has the page mapped.
    fn revoke(&self, gref: GrantRef) -> bool {
        let Some((flags, _)) = self.words(gref) else { return false };
        let idle = |flags: u32| (flags & u32::from(GTF_READING | GTF_WRITING) == 0).then_some(0);
        flags.fetch_update(Ordering::AcqRel, Ordering::Acquire, idle).is_ok()
    }

    /// The two words of an entry: flags with the domain, and the frame.
    fn words(&self, gref: GrantRef) -> Option<(&AtomicU32, &AtomicU32)> {
        let (frame, at) = place(gref);
        let page: &Page = self.frames.get(usize::try_from(frame).ok()?)?;
        let words = (&raw const *page).cast::<[AtomicU32; PAGE_SIZE / 4]>();
        // SAFETY: a page is 1024 aligned words; its bytes are atomics, of which these are a wider view.
        let words = unsafe { &*words };
        Some((words.get(at / 4)?, words.get(at / 4 + 1)?))
    }

    /// Adds a page to the table.
    fn grow(&mut self) -> Result<()> {
        let index = self.frames.len();
        let wanted = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let first = PER_FRAME * (wanted - 1);
        let usable = first.max(GNTTAB_NR_RESERVED_ENTRIES)..first + PER_FRAME;
        let all = usize::try_from(usable.end).unwrap_or(usize::MAX);
        self.free.try_reserve_exact(all).map_err(|_| out_of(Errno::ENOMEM))?;
        self.frames.try_reserve(1).map_err(|_| out_of(Errno::ENOMEM))?;
        let mut list = [0u64; MAX_FRAMES];
        set_up(wanted, &mut list)?;
        let mfn = list.get(index).copied().ok_or(out_of(Errno::ENOSPC))?;
        self.frames.push(map_foreign(Call::GrantShare, DomId::SELF, Gfn(mfn))?);
        self.free.extend(usable.rev().map(GrantRef));
        Ok(())
    }
}

const fn out_of(errno: Errno) -> HvError {
    HvError::new(Call::GrantShare, errno)
}

/// Has Xen make the table `frames` pages long; they are in `list`.
fn set_up(frames: u32, list: &mut [u64; MAX_FRAMES]) -> Result<()> {
    if usize::try_from(frames).is_ok_and(|frames| frames > MAX_FRAMES) {
        return Err(out_of(Errno::ENOSPC));
    }
    let frame_list = list.as_mut_ptr().expose_provenance() as u64;
    let mut request = SetupTable { dom: DomId::SELF.0, nr_frames: frames, frame_list, ..SetupTable::ZERO };
    let arguments = [GNTTABOP_SETUP_TABLE.into(), (&raw mut request).expose_provenance() as u64, 1, 0, 0];
    // SAFETY: Xen reads and writes the request and writes `nr_frames` numbers to the list, which has room.
    unsafe { hypercall(number::GRANT_TABLE_OP, Call::GrantShare, arguments) }?;
    grant_outcome(request.status).map_err(out_of)
}
