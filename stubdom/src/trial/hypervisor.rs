//! Every kind of hypercall that works on another domain, on the real hypervisor: make a domain, fill it, share
//! memory and events with it, destroy it; and nothing is left behind.

use alloc::vec::Vec;

use xendless_core::hyper::{
    Access, CreateDomain, CreateFlags, DomId, Domains, EventChannels, ForeignMemory, Gfn, GrantRef, Grants,
    Host, PhysMemory, PortState, Progress, SharedOut,
};

use super::outcome::{Failure, Outcome, check};
use crate::xen::Xen;
use crate::{memory, time};

/// Pages that the domain gets.
const PAGES: usize = 16;

/// More than one page table of the window has room for.
const MAPPINGS: usize = 600;

/// A reference of the domain's that nothing reserves.
const GREF: GrantRef = GrantRef(9);

/// Ourselves.
const CONTROL: DomId = DomId(0);

/// Goes through all of it, first with a PV domain, then with a PVH domain.
pub(super) fn exercise(xen: &Xen) -> Outcome {
    let pvh = CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC;
    host(xen)?;
    own_grants(xen)?;
    // Tables of the window and of grants stay; what the second round takes has to come back.
    domain(xen, CreateFlags::empty())?;
    let (heap, free) = (memory::usage(), free_pages(xen)?);
    domain(xen, CreateFlags::empty())?;
    domain(xen, pvh)?;
    check(memory::usage() == heap, "the heap is not as before")?;
    // Xen takes a domain apart to the last page only some time after it is gone.
    let patience = time::now() + 1_000_000_000;
    while free_pages(xen)? < free {
        check(time::now() < patience, "Xen has less free memory than before")?;
    }
    Ok(())
}

/// Memory that Xen has to give.
pub(super) fn free_pages(xen: &Xen) -> Outcome<u64> {
    let host = xen.host_info()?;
    Ok(host.free_pages + host.scrub_pages)
}

fn host(xen: &Xen) -> Outcome {
    let mut text = [0; 64];
    let (count, next) = xen.read_console_ring(0, &mut text)?;
    check(count == text.len() && next > 0, "the console ring is empty")?;
    xen.scheduler()?;
    check(xen.host_info()?.hap, "no nested paging: run this on a CPU that has it")
}

/// A life from creation to the end.
fn domain(xen: &Xen, flags: CreateFlags) -> Outcome {
    let domid = xen.create_domain(&request(flags))?;
    let outcome = live(xen, domid, flags);
    while xen.destroy_domain(domid)? == Progress::Again {}
    outcome?;
    check(xen.domain_info(domid).is_err(), "the domain is still there")
}

fn request(flags: CreateFlags) -> CreateDomain {
    CreateDomain {
        domid: None,
        handle: *b"xendless trial 1",
        flags,
        max_vcpus: 1,
        max_port: 63,
        max_grant_frames: 4,
        max_maptrack_frames: 1,
        cpupool: 0,
        ssid: 0,
    }
}

fn live(xen: &Xen, domid: DomId, flags: CreateFlags) -> Outcome {
    let hvm = flags.contains(CreateFlags::HVM);
    if hvm {
        while xen.set_paging_pool(domid, 2 << 20)? == Progress::Again {}
    }
    xen.set_max_memory(domid, 1024)?;
    xen.set_max_vcpus(domid, 1)?;
    let mut frames: [u64; PAGES] = core::array::from_fn(|frame| frame as u64);
    check(xen.populate(domid, &mut frames)? == PAGES, "not all pages were given")?;
    let info = xen.domain_info(domid)?;
    check(
        info.handle == *b"xendless trial 1" && info.pages >= PAGES as u64,
        "the domain is not as asked for",
    )?;
    listed(xen, domid)?;
    foreign_pages(xen, domid, &frames)?;
    grants(xen, domid, frames[0])?;
    channels(xen, domid)?;
    if hvm {
        const STORE_PFN: u32 = 1;
        xen.set_hvm_param(domid, STORE_PFN, 5)?;
        check(xen.hvm_param(domid, STORE_PFN)? == 5, "the HVM parameter is another")?;
    }
    xen.pause_domain(domid)?;
    xen.unpause_domain(domid)?;
    xen.set_domain_handle(domid, b"xendless trial 2")?;
    check(xen.domain_info(domid)?.handle == *b"xendless trial 2", "the handle did not change")?;
    check(xen.release(domid, &frames[..4])? == 4, "not all pages were taken back")
}

fn listed(xen: &Xen, domid: DomId) -> Outcome {
    let mut list = [const { None }; 40];
    let count = xen.list_domains(CONTROL, &mut list)?;
    let ids = list.iter().take(count).flatten().map(|info| info.domid);
    check(ids.clone().is_sorted() && ids.clone().any(|id| id == domid), "the list of domains is wrong")?;
    check(xen.list_domains(DomId(domid.0 + 1), &mut list)? == 0, "there are domains behind the last one")
}

/// One frame at many addresses is one memory; other frames are others.
fn foreign_pages(xen: &Xen, domid: DomId, frames: &[u64; PAGES]) -> Outcome {
    let mut mapped = Vec::new();
    mapped.try_reserve_exact(MAPPINGS).map_err(|_| Failure::Wrong("the heap is full"))?;
    for frame in frames.iter().cycle().take(MAPPINGS) {
        mapped.push(xen.map_foreign(domid, Gfn(*frame))?);
    }
    for (nth, page) in mapped.iter().enumerate().take(PAGES) {
        page.clear();
        page.write(nth, b"xendless");
    }
    for (nth, page) in mapped.iter().enumerate() {
        let mut text = [0; 8];
        page.read(nth % PAGES, &mut text);
        check(text == *b"xendless", "a mapping shows another page")?;
    }
    check(xen.map_foreign(domid, Gfn(u64::MAX >> 12)).is_err(), "a frame that is none was mapped")?;
    check(xen.map_foreign(CONTROL, Gfn(1)).is_err(), "a frame of our own was mapped as if it were another's")
}

/// A page that the domain grants to us, by an entry that we wrote for it.
fn grants(xen: &Xen, domid: DomId, frame: u64) -> Outcome {
    xen.map_foreign(domid, Gfn(frame))?.write(100, b"granted");
    check(xen.map_grant(domid, GREF, Access::ReadOnly).is_err(), "a grant that is none was mapped")?;
    xen.seed_grant(domid, GREF, CONTROL, Gfn(frame))?;
    let page = xen.map_grant(domid, GREF, Access::ReadWrite)?;
    let mut text = [0; 7];
    page.read(100, &mut text);
    check(text == *b"granted", "the granted page is another")
}

/// A page of ours, granted to ourselves: withdrawn while it is mapped, it is not used again before it is let go.
fn own_grants(xen: &Xen) -> Outcome {
    let offered = xen.offer_page(CONTROL, Access::ReadWrite)?;
    let gref = offered.grant();
    let mapped = xen.map_grant(CONTROL, gref, Access::ReadWrite)?;
    mapped.write(0, b"through the grant");
    let mut text = [0; 17];
    offered.read(0, &mut text);
    check(text == *b"through the grant", "the offered page is another")?;
    drop(offered);
    let other = xen.offer_page(CONTROL, Access::ReadOnly)?;
    check(other.grant() != gref, "a reference was used again while its page was mapped")?;
    mapped.write(0, b"still mine");
    let mut byte = [0];
    other.read(0, &mut byte);
    check(byte == [0], "a page was used again while it was mapped")?;
    drop((mapped, other));
    drop(xen.offer_page(CONTROL, Access::ReadWrite)?);
    check(xen.map_grant(CONTROL, gref, Access::ReadOnly).is_err(), "a withdrawn grant was mapped")
}

fn channels(xen: &Xen, domid: DomId) -> Outcome {
    let theirs = xen.alloc_unbound(domid, CONTROL)?;
    check(xen.port_state(domid, theirs)? == PortState::Unbound(CONTROL), "the channel is not unbound")?;
    let ours = xen.bind_interdomain(domid, theirs)?;
    check(
        xen.port_state(CONTROL, ours)? == PortState::Interdomain(domid, theirs),
        "the channel is not bound",
    )?;
    xen.notify(ours)?;
    xen.unmask(ours)?;
    xen.close(ours)?;
    check(xen.port_state(CONTROL, ours)? == PortState::Closed, "the channel is not closed")
}
