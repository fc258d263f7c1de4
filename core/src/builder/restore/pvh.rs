//! What is particular to a PVH domain: Xen's records of its virtual CPUs and platform, and parameters.

use alloc::vec::Vec;

use super::Wrong;
use super::work::word;
use crate::abi::hvm::op::{
    HVM_PARAM_CONSOLE_EVTCHN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IDENT_PT, HVM_PARAM_STORE_EVTCHN,
    HVM_PARAM_STORE_PFN,
};
use crate::builder::build::Target;
use crate::builder::pvh::paging_pool;
use crate::builder::{BuildHypervisor, Built, Cause, Ring};
use crate::hyper::{DomId, Gfn};
use crate::saved::Piece;

/// More than Xen has of as many virtual CPUs as a domain can have.
const RECORDS: usize = 4 << 20;

/// What was said of it.
#[derive(Debug, Default)]
pub(super) struct Pvh {
    /// Xen's records of all virtual CPUs, as they come.
    records: Vec<u8>,
    store: Option<u64>,
    console: Option<u64>,
    identity: Option<u64>,
}

impl Pvh {
    /// Bytes that Xen needs for the paging structures of so many pages.
    pub(super) fn pool(vcpus: u32, pages: u32) -> u64 {
        paging_pool(vcpus, pages.into())
    }

    pub(super) fn take(&mut self, piece: Piece, body: &[u8]) -> Result<(), Cause> {
        match piece {
            Piece::Platform if body.len() > RECORDS - self.records.len() => {
                return Err(Wrong::Platform.into());
            }
            Piece::Platform => {
                self.records.try_reserve(body.len()).map_err(|_| Cause::ControlMemory)?;
                self.records.extend_from_slice(body);
            }
            Piece::Parameter { index: HVM_PARAM_STORE_PFN } => self.store = Some(word(body)?),
            Piece::Parameter { index: HVM_PARAM_CONSOLE_PFN } => self.console = Some(word(body)?),
            Piece::Parameter { index: HVM_PARAM_IDENT_PT } => self.identity = Some(word(body)?),
            _ => return Err(Wrong::Order.into()),
        }
        Ok(())
    }

    /// Puts it all into the new domain.
    pub(super) fn finish<H: BuildHypervisor>(
        &self,
        target: &Target<'_, H>,
        server: DomId,
    ) -> Result<Built, Cause> {
        let Target { hv, domid } = *target;
        let (Some(store), Some(console), Some(identity)) = (self.store, self.console, self.identity) else {
            return Err(Wrong::Missing.into());
        };
        let store = Ring { frame: Gfn(store), port: hv.alloc_unbound(domid, server)? };
        let console = Ring { frame: Gfn(console), port: hv.alloc_unbound(domid, server)? };
        for ring in [store, console] {
            // Who was at the other end is not there any more.
            target.page(ring.frame)?.clear();
        }
        for (index, value) in [
            (HVM_PARAM_STORE_PFN, store.frame.0),
            (HVM_PARAM_STORE_EVTCHN, store.port.0.into()),
            (HVM_PARAM_CONSOLE_PFN, console.frame.0),
            (HVM_PARAM_CONSOLE_EVTCHN, console.port.0.into()),
            (HVM_PARAM_IDENT_PT, identity),
        ] {
            hv.set_hvm_param(domid, index, value)?;
        }
        target.grant_rings(server, store, console)?;
        hv.set_platform(domid, &self.records)?;
        Ok(Built { domid, store, console })
    }
}
