//! What hostile guests do. Each says what came of it, and then that it is still there by going on.

pub mod console;
pub mod store;

use xendless_core::shared::PAGE_SIZE;

use crate::console::say;
use crate::world::{Ring, World};

/// A progress line comes once in so many rounds.
const REPORT: u64 = 10_000;

/// Events on all channels, as fast as Xen takes them.
pub fn event_storm(world: &impl World, count: u64) {
    for round in 1..=count {
        world.notify(Ring::Store);
        world.notify(Ring::Console);
        if round.is_multiple_of(REPORT) || round == count {
            say!(world, "evtchn-storm: {round} rounds");
        }
    }
}

/// Looks for what others left in our memory.
pub fn read_memory(world: &impl World) {
    let pages = world.untouched();
    let mut bytes = [0; PAGE_SIZE];
    let mut found = 0_u64;
    for (number, page) in pages.iter().enumerate() {
        page.read(0, &mut bytes);
        if let Some(at) = bytes.iter().position(|byte| *byte != 0) {
            found += 1;
            let shown = bytes.get(at..PAGE_SIZE.min(at + 16)).unwrap_or_default();
            say!(world, "read-all-memory: page {number}, byte {at}: {}", shown.escape_ascii());
        }
    }
    say!(world, "read-all-memory: {} pages read, {found} with something in them", pages.len());
}

/// Takes back the grants of the rings while they are in use.
pub fn revoke_grants(world: &impl World) {
    for ring in [Ring::Store, Ring::Console] {
        match world.revoke(ring) {
            Some(flags) => say!(world, "grant-revoke: {ring:?} had flags {flags:#x}"),
            None => say!(world, "grant-revoke: no grant table"),
        }
        world.notify(ring);
    }
}
