//! What hostile guests do. Each says what came of it, and then that it is still there by going on.

pub mod console;
pub mod store;

use xendless_core::shared::{PAGE_SIZE, Page};

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

/// Looks for what others left in our memory: in pages that nobody wrote for us, and behind what was written.
pub fn read_memory(world: &impl World) {
    let pages = world.untouched();
    let whole = pages.iter().enumerate().filter(|(number, page)| leftover(world, "page", *number, page, 0));
    let found = whole.count();
    say!(world, "read-all-memory: {} pages read, {found} with something in them", pages.len());
    let tails = world.tails();
    let tails = tails.iter().flatten().enumerate();
    let ends = tails.filter(|(number, (page, from))| leftover(world, "tail", *number, page, *from));
    say!(world, "read-all-memory: {} tails of pages with something in them", ends.count());
}

/// Whether a page has something in it from this byte on, which is then shown.
fn leftover(world: &impl World, what: &str, number: usize, page: &Page, from: usize) -> bool {
    let mut bytes = [0; PAGE_SIZE];
    page.read(0, &mut bytes);
    let Some(at) = bytes.iter().skip(from).position(|byte| *byte != 0).map(|at| from + at) else {
        return false;
    };
    let shown = bytes.get(at..PAGE_SIZE.min(at + 16)).unwrap_or_default();
    say!(world, "read-all-memory: {what} {number}, byte {at}: {}", shown.escape_ascii());
    true
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
