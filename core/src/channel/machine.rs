//! Pages of virtual CPUs, physical CPUs and NUMA nodes.

use alloc::vec::Vec;

use super::desk::{Desk, Target, refused};
use crate::abi::errno::Errno;
use crate::config::List;
use crate::hyper::{Hypervisor, NodeMemory, VcpuId};
use crate::protocol::resources::{CpuRow, NODES, NodeRow, Page, VcpuRow};
use crate::protocol::{Answer, Failure, PAGE};

/// Bits of the addresses below 4 GiB.
const LOW_BITS: u32 = 32;

/// A page of a domain's virtual CPUs. Those that the domain never got are passed over.
pub(super) fn vcpus<'a, H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    target: &Target,
    from: u32,
) -> Result<Answer<'a>, Failure> {
    let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
    let (behind, next) = piece(from, info.max_vcpus());
    let mut rows = Vec::new();
    for vcpu in from..behind {
        match desk.hv.vcpu_info(info.domid, VcpuId(vcpu)) {
            Ok(state) => {
                let map = desk.hv.vcpu_affinity(info.domid, VcpuId(vcpu)).map_err(|error| refused(&error))?;
                rows.push(VcpuRow {
                    vcpu,
                    online: state.online,
                    blocked: state.blocked,
                    running: state.running,
                    cpu: state.cpu,
                    cpu_ns: state.cpu_time,
                    affinity: list("affinity", map.as_bytes().to_vec())?,
                });
            }
            Err(error) if error.errno == Errno::ESRCH => {}
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(Answer::Vcpus(page(rows, next)?))
}

/// A page of the machine's CPUs.
pub(super) fn cpus<'a, H: Hypervisor, S>(desk: &Desk<'_, H, S>, from: u32) -> Result<Answer<'a>, Failure> {
    let end = desk.hv.host_info().map_err(|error| refused(&error))?.cpu_ids;
    let (behind, next) = piece(from, end);
    let mut places = room(behind)?;
    let count = desk.hv.cpu_places(&mut places).map_err(|error| refused(&error))?;
    let places = (0_u32..).zip(places.iter().take(count).copied());
    let found = places.skip_while(|(cpu, _)| *cpu < from).filter_map(|(cpu, place)| {
        place.map(|place| CpuRow { cpu, core: place.core, socket: place.socket, node: place.node })
    });
    Ok(Answer::Cpus(page(found.collect(), next)?))
}

/// A page of the machine's nodes.
pub(super) fn nodes<'a, H: Hypervisor, S>(desk: &Desk<'_, H, S>, from: u32) -> Result<Answer<'a>, Failure> {
    let most = u32::try_from(NODES).unwrap_or(u32::MAX);
    let (mut memory, mut distances) = (room(most)?, room(most.saturating_mul(most))?);
    let count = desk.hv.nodes(&mut memory, &mut distances).map_err(|error| refused(&error))?;
    let (behind, next) = piece(from, u32::try_from(count).unwrap_or(most));
    let mut rows = Vec::new();
    for ((node, memory), ways) in (0_u32..behind).zip(memory).zip(distances.chunks(count.max(1))) {
        if let Some(memory) = memory.filter(|_| node >= from) {
            rows.push(row(desk, node, memory, ways)?);
        }
    }
    Ok(Answer::Nodes(page(rows, next)?))
}

fn row<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    node: u32,
    memory: NodeMemory,
    ways: &[Option<u32>],
) -> Result<NodeRow, Failure> {
    let low = desk.hv.free_below(node, LOW_BITS).map_err(|error| refused(&error))?;
    Ok(NodeRow {
        node,
        total_kib: memory.total / 1024,
        free_kib: memory.free / 1024,
        low_kib: low / 1024,
        distances: list("distances", ways.to_vec())?,
    })
}

/// Where a page that begins at `from` ends, and where the next one begins, when there are `end` numbers.
fn piece(from: u32, end: u32) -> (u32, Option<u32>) {
    let behind = from.saturating_add(u32::try_from(PAGE).unwrap_or(u32::MAX)).min(end);
    (behind, Some(behind).filter(|behind| *behind < end))
}

/// So many values that are not known yet.
fn room<T: Clone>(count: u32) -> Result<Vec<Option<T>>, Failure> {
    let count = usize::try_from(count).map_err(|_| Failure::ControlMemory)?;
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| Failure::ControlMemory)?;
    room.resize(count, None);
    Ok(room)
}

fn page<T>(rows: Vec<T>, next: Option<u32>) -> Result<Page<T>, Failure> {
    Ok(Page { rows: list("rows", rows)?, next })
}

fn list<T, const MAX: usize>(what: &'static str, entries: Vec<T>) -> Result<List<T, MAX>, Failure> {
    List::new(what, entries).map_err(|_| Failure::ControlMemory)
}
