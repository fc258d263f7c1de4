//! The simulated hypervisor, and the control domain on it.

mod boot;
mod channel;
mod channels;
mod console;
mod control;
mod domains;
mod fault;
mod grants;
mod host;
mod launch;
mod life;
mod memory;
mod monkey;
mod schedule;
mod transfer;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    CreateDomain, CreateFlags, DomId, Domains, ForeignMemory, Gfn, PhysMemory, Progress, Result,
};
use xendless_core::shared::Page;
use xendless_tests::sim::{SimDomain, SimHypervisor};

/// The errno of a refusal.
fn errno<T>(outcome: Result<T>) -> Errno {
    match outcome {
        Ok(_) => panic!("this should have been refused"),
        Err(error) => error.errno,
    }
}

/// A machine and its control domain.
fn machine() -> (SimHypervisor, SimDomain) {
    let sim = SimHypervisor::default();
    let control = sim.control();
    (sim, control)
}

fn request(flags: CreateFlags) -> CreateDomain {
    CreateDomain {
        domid: None,
        handle: [7; 16],
        flags,
        max_vcpus: 2,
        max_port: 4095,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    }
}

/// A domain that may have 1 MiB and has nothing.
fn create(control: &SimDomain, flags: CreateFlags) -> DomId {
    let domid = control.create_domain(&request(flags)).unwrap();
    control.set_max_memory(domid, 1 << 10).unwrap();
    domid
}

/// A PV domain with the machine frames it got.
fn pv_with_memory(control: &SimDomain, pages: usize) -> (DomId, Vec<u64>) {
    let domid = create(control, CreateFlags::empty());
    let mut frames: Vec<u64> = (0..pages as u64).collect();
    assert_eq!(control.populate(domid, &mut frames), Ok(pages));
    (domid, frames)
}

/// Destroys a domain to the end.
fn destroy(control: &SimDomain, domid: DomId) {
    while control.destroy_domain(domid).unwrap() == Progress::Again {}
}

/// Writes entry `slot` of a page table.
fn set_entry(table: &Page, slot: usize, frame: u64, flags: u64) {
    table.write(slot * 8, &(frame << 12 | flags).to_le_bytes());
}

/// Present, writable, for user mode: what an entry that leads to a table has.
const TABLE: u64 = 0b111;

/// A domain with one page table per level and a data page. Frames: L4, L3, L2, L1, data. `leaf` fills the L1.
fn with_tables(control: &SimDomain, leaf: impl FnOnce(&Page, &[u64])) -> (DomId, Vec<u64>) {
    let (domid, frames) = pv_with_memory(control, 5);
    for level in 0..3 {
        let table = control.map_foreign(domid, Gfn(frames[level])).unwrap();
        set_entry(&table, 0, frames[level + 1], TABLE);
    }
    leaf(&control.map_foreign(domid, Gfn(frames[3])).unwrap(), &frames);
    (domid, frames)
}
