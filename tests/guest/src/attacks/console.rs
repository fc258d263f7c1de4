//! Attacks on the console's backend.

use crate::console::{OUT_PROD, say};
use crate::world::{Ring, SECOND, World};

/// Further ahead than the ring is long.
const TOO_FAR: u32 = 5000;

/// Prints lines as fast as they are taken.
pub fn flood(world: &impl World, count: u64) {
    for line in 0..count {
        say!(world, "console-flood: line {line} of very many, each as long as a line can well be");
    }
}

/// An impossible producer index, seen by the other end, and then the right one again.
pub fn indices(world: &impl World) {
    let Some(page) = world.page(Ring::Console) else {
        return say!(world, "console-indices: no console ring");
    };
    let right = page.load_u32::<OUT_PROD>();
    page.store_u32::<OUT_PROD>(right.wrapping_add(TOO_FAR));
    world.notify(Ring::Console);
    world.wait(Some(SECOND));
    page.store_u32::<OUT_PROD>(right);
    say!(world, "console-indices: still alive");
}
