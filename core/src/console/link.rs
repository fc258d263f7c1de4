//! A console that a domain has now: its page and its event channel.

use core::ops::Deref;

use embedded_io::{Read, Write};

use super::AttachError;
use crate::abi::grant_table::GNTTAB_RESERVED_CONSOLE;
use crate::hyper::{Access, DomId, EventChannels, GrantRef, Grants, HvError, Port};
use crate::ring::console::{BackendEnd, OUT_SIZE};
use crate::ring::{BadIndex, RingError};
use crate::shared::Page;

/// The grant by which a domain's console page is mapped.
const GRANT: GrantRef = GrantRef(GNTTAB_RESERVED_CONSOLE);

/// Bytes that a domain's page can hold of what it printed.
pub(super) const PRINTED: usize = OUT_SIZE as usize;

#[derive(Debug)]
pub(super) struct Link<P> {
    pub(super) domid: DomId,
    pub(super) port: Port,
    ring: BackendEnd<P>,
}

impl<P: Deref<Target = Page>> Link<P> {
    pub(super) fn open<H>(hv: &H, domid: DomId, remote: Port) -> Result<Self, AttachError>
    where
        H: Grants<Granted = P> + EventChannels,
    {
        let page = hv.map_grant(domid, GRANT, Access::ReadWrite)?;
        let ring = BackendEnd::attach(page)?;
        let port = hv.bind_interdomain(domid, remote)?;
        Ok(Self { domid, port, ring })
    }

    /// Closes the channel and unmaps the page.
    pub(super) fn close(self, hv: &impl EventChannels) -> Result<(), HvError> {
        self.ring.give_up();
        hv.close(self.port)
    }

    /// Takes what the domain printed, as far as `out` has room.
    pub(super) fn receive(&mut self, out: &mut [u8]) -> Result<usize, BadIndex> {
        ready(self.ring.read(out))
    }

    /// Gives the domain what was typed, as far as there is room.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<usize, BadIndex> {
        ready(self.ring.write(bytes))
    }

    pub(super) fn notify(&self, hv: &impl EventChannels) -> Result<(), HvError> {
        hv.notify(self.port)
    }
}

fn ready(outcome: Result<usize, RingError>) -> Result<usize, BadIndex> {
    match outcome {
        Ok(count) => Ok(count),
        Err(RingError::NotReady) => Ok(0),
        Err(RingError::Peer(bad)) => Err(bad),
    }
}
