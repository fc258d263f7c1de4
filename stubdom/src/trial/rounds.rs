//! Making and ending a domain again and again: what is in use is the same before and after, to the page and the byte.

use alloc::vec::Vec;
use core::fmt;

use xendless_core::bundle::{Bundle, Payload};
use xendless_core::config::DomainConfig;
use xendless_core::events::PORTS;
use xendless_core::hyper::{DomId, EventChannels, Port, PortState};
use xendless_core::life::{ManagedId, Origin, State};
use xendless_core::rights::Rights;

use super::hypervisor::free_pages;
use super::outcome::{Failure, Outcome, check};
use crate::console::print;
use crate::turns::{Turns, Work};
use crate::xen::Xen;
use crate::{memory, time};

const ROUNDS: u32 = 200;

/// Tables that grow with the first domains stay, and some rest of the first eight.
const WARM_UP: u32 = 16;

/// How long Xen may take to free the last pages of a domain that is gone, in nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// Ourselves.
const CONTROL: DomId = DomId(0);

/// The domain of all rounds, which has no ramdisk.
struct Template {
    config: DomainConfig,
    kernel: Payload<'static>,
}

/// What is in use.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Figures {
    free_pages: u64,
    heap: usize,
    nodes: u32,
    store_domains: usize,
    channels: u32,
}

/// Every other round ends the domain while it runs; in the rest it ends by itself.
pub(super) fn exercise(xen: &Xen, turns: &mut Turns, bundle: Option<&'static [u8]>) -> Outcome {
    end_all(xen, turns);
    let template = Template::find(bundle)?;
    for number in 0..WARM_UP {
        round(xen, turns, &template, number)?;
    }
    let before = settle(xen, turns, None)?;
    print!("xendless: before the rounds: {before}");
    for number in 0..ROUNDS {
        round(xen, turns, &template, number)?;
    }
    let after = settle(xen, turns, Some(before))?;
    print!("xendless: after {ROUNDS} rounds: {after}");
    check(after == before, "what is in use is not as before")
}

/// Ends what boot began.
fn end_all(xen: &Xen, turns: &mut Turns) {
    let ids: Vec<ManagedId> = turns.control.managed().iter().map(|(id, _)| id).collect();
    for id in ids {
        turns.control.destroy(id);
        await_end(xen, turns, id);
    }
}

fn round(xen: &Xen, turns: &mut Turns, template: &Template, number: u32) -> Outcome {
    let id = turns.control.create(template.config.clone(), Rights::Nothing, template.origin())?;
    let state = |work: &Work| work.managed().status(id).map(|status| status.state);
    turns.run_while(xen, |work| state(work) == Some(State::Starting));
    check(state(&turns.control).is_some(), "the domain did not start")?;
    if number.is_multiple_of(2) {
        turns.control.destroy(id);
    }
    await_end(xen, turns, id);
    Ok(())
}

fn await_end(xen: &Xen, turns: &mut Turns, id: ManagedId) {
    turns.run_while(xen, |work| work.managed().status(id).is_some());
}

/// The figures when they are as `wanted`, or when Xen has had time to free all pages of domains that are gone, and the
/// control domain to hear of it.
fn settle(xen: &Xen, turns: &mut Turns, wanted: Option<Figures>) -> Outcome<Figures> {
    let deadline = time::now() + PATIENCE;
    loop {
        let more = turns.turn(xen);
        let figures = Figures::take(xen, turns)?;
        if !more && wanted == Some(figures) || time::now() > deadline {
            return Ok(figures);
        }
    }
}

impl Template {
    fn find(bundle: Option<&'static [u8]>) -> Outcome<Self> {
        let bundle = bundle.and_then(|bundle| Bundle::open(bundle).ok());
        let domain = bundle.and_then(|bundle| bundle.into_domains().into_iter().next());
        let domain = domain.ok_or(Failure::Wrong("this needs a bundle with a domain"))?;
        Ok(Self { config: domain.config, kernel: domain.kernel })
    }

    fn origin(&self) -> Origin {
        Origin::Bundle { kernel: self.kernel, ramdisk: None }
    }
}

impl Figures {
    fn take(xen: &Xen, turns: &Turns) -> Outcome<Self> {
        let store = turns.control.store();
        Ok(Self {
            free_pages: free_pages(xen)?,
            heap: memory::heap_used(),
            nodes: store.usage(CONTROL).map_or(0, |usage| usage.nodes),
            store_domains: store.domains().count(),
            channels: channels(xen),
        })
    }
}

/// Event channels of ours that are in use.
fn channels(xen: &Xen) -> u32 {
    let states = (0..PORTS).map_while(|port| xen.port_state(CONTROL, Port(port)).ok());
    states.map(|state| u32::from(state != PortState::Closed)).sum()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { free_pages, heap, nodes, store_domains, channels } = self;
        write!(
            f,
            "{free_pages} free pages, {heap} bytes of heap, {nodes} nodes, {store_domains} domains in XenStore, \
             {channels} event channels"
        )
    }
}
