//! What well-behaved guests do.

use xendless_core::store::client::{ClientError, Session};

use crate::console::{say, text};
use crate::store::{self, Stream, Trouble};
use crate::word::Ending;
use crate::world::{SECOND, World};

/// Where a control domain asks for a shutdown.
const SHUTDOWN: &[u8] = b"control/shutdown";

/// Writes a node of its own, reads it back and prints what it is told.
///
/// # Errors
/// As XenStore decides.
pub fn store(world: &impl World) -> Result<(), Trouble> {
    const OURS: &[u8] = b"data/test";
    let mut session = store::open(world)?;
    let domid = session.nodes().read(b"domid")?;
    session.nodes().write(OURS, b"written by the guest")?;
    let value = session.nodes().read(OURS)?;
    session.nodes().remove(OURS)?;
    say!(world, "store: domid {}, {}", domid.escape_ascii(), value.escape_ascii());
    Ok(())
}

/// Writes a node of its own, which shows those who can see it that the domain runs.
///
/// # Errors
/// As XenStore decides.
pub fn mark(world: &impl World) -> Result<(), Trouble> {
    store::open(world)?.nodes().write(b"data/mark", b"")
}

/// Times `count` reads, writes and transactions (one of each), and leaves in nodes what one took on average, in
/// nanoseconds.
///
/// # Errors
/// As XenStore decides.
pub fn time_store(world: &impl World, count: u64) -> Result<(), Trouble> {
    const OURS: &[u8] = b"data/test";
    let mut session = store::open(world)?;
    session.nodes().write(OURS, b"twenty bytes of value")?;
    let read = average(world, count, || session.nodes().read(OURS).map(drop))?;
    let write = average(world, count, || session.nodes().write(OURS, b"twenty bytes of value"))?;
    let transaction = average(world, count, || {
        session.transaction(|nodes| {
            let value = nodes.read(OURS)?;
            nodes.write(OURS, &value)
        })
    })?;
    for (kind, time) in [("read", read), ("write", write), ("transaction", transaction)] {
        session.nodes().write(&text(format_args!("data/time-{kind}")), &text(format_args!("{time}")))?;
    }
    session.nodes().write(b"data/timed", b"")
}

/// What `work` takes on average. The clock is as exact as it has to be because each round waits for an answer.
fn average(
    world: &impl World,
    count: u64,
    mut work: impl FnMut() -> Result<(), Trouble>,
) -> Result<u64, Trouble> {
    // Whatever is slow only once is no part of it.
    work()?;
    let before = world.now();
    for _ in 0..count {
        work()?;
    }
    Ok(world.now().saturating_sub(before) / count.max(1))
}

/// Prints a line every second.
pub fn tick(world: &impl World, count: u64) {
    for tick in 0..count {
        say!(world, "tick {tick}");
        let next = world.now().saturating_add(SECOND);
        // Whatever happens on any ring ends a wait earlier.
        while let left @ 1.. = next.saturating_sub(world.now()) {
            world.wait(Some(left));
        }
    }
}

/// Waits for a request to shut down, confirms it, and says how to.
///
/// # Errors
/// As XenStore decides.
pub fn obey(world: &impl World) -> Result<Ending, Trouble> {
    let mut session = store::open(world)?;
    let ending = each_request(&mut session, Ending::from_word)?;
    // The empty node is the confirmation.
    session.nodes().write(SHUTDOWN, b"")?;
    Ok(ending)
}

/// Shows `decide` every request to shut down, until it takes one.
///
/// # Errors
/// As XenStore decides.
pub(crate) fn each_request<W: World, T>(
    session: &mut Session<Stream<'_, W>>,
    mut decide: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Trouble> {
    session.watch(SHUTDOWN, b"shutdown")?;
    loop {
        session.next_event()?;
        match session.nodes().read(SHUTDOWN).map(|request| decide(&request)) {
            Ok(Some(decision)) => return Ok(decision),
            Ok(None) | Err(ClientError::Refused(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
}
