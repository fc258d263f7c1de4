//! CPU pools.

use super::desk::{Desk, refused};
use crate::hyper::{DomainInfo, Hypervisor, PoolInfo};
use crate::protocol::Failure;

/// The pool that a domain is in.
pub(super) fn pool_of<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    info: &DomainInfo,
) -> Result<PoolInfo, Failure> {
    let found = desk.hv.next_pool(info.cpupool).map_err(|error| refused(&error))?;
    found.filter(|pool| pool.id == info.cpupool).ok_or(Failure::NotRunning)
}
