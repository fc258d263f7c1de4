//! Looking into another domain, for a dump of its memory. Sources: `xen/domctl.h`, `xen/memory.h`.
#![forbid(unsafe_code)]

use core::ops::Deref;

use super::{DomId, Gfn, Result, VcpuId};
use crate::abi::arch::VcpuGuestContext;
use crate::shared::Page;

/// Bytes of the registers of a virtual CPU, as `struct vcpu_guest_context` of `xen/arch-x86/xen.h` lays them out.
pub const CONTEXT: usize = size_of::<VcpuGuestContext>();

/// The most frames that one call looks at.
pub const FRAMES: usize = 512;

/// What a domain holds. Frames are those of the machine for a PV domain, else the domain's own.
pub trait Inspect {
    /// A page of another domain to read. Dropping it unmaps.
    type Seen: Deref<Target = Page>;

    /// The frame behind the last that the domain can have.
    fn frame_end(&self, domid: DomId) -> Result<u64>;
    /// Looks at frames from `first` on, one for each entry of `held`, at most [`FRAMES`]. An entry becomes the number
    /// that the domain has for the frame, when that is memory of the domain. A frame of another domain may seem to be
    /// one, too: [`Inspect::look_at`] tells.
    fn frames_held(&self, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Result<()>;
    /// Maps frame `gfn` of `domid` to read, whatever it is used for.
    fn look_at(&self, domid: DomId, gfn: Gfn) -> Result<Self::Seen>;
    /// The registers of a virtual CPU; `ENODATA` when it never ran.
    fn registers(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; CONTEXT]) -> Result<()>;
}
