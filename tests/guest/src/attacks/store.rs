//! Attacks on the XenStore server.

use alloc::format;
use alloc::string::String;
use core::convert::Infallible;
use core::mem::offset_of;

use embedded_io::{Write, WriteReady};
use xendless_core::abi::io::xs_wire::{SockMsg, XS_READ, XenstoreDomainInterface};
use xendless_core::ring::xenstore::ConnectionError;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::transport::Assembler;
use zerocopy::IntoBytes;

use super::REPORT;
use crate::console::say;
use crate::honest;
use crate::store::{self, Lost, Stream, Trouble};
use crate::world::{Ring, SECOND, World};

/// How long the server has for whatever it does about an attack, in nanoseconds.
const PATIENCE: u64 = 3 * SECOND;

const REQ_PROD: usize = offset_of!(XenstoreDomainInterface, req_prod);

/// What the flooders ask for: a node that every guest has.
const PATH: &[u8; 6] = b"domid\0";

/// A producer index that is further ahead than the ring is long.
///
/// # Errors
/// Without a usable ring.
pub fn indices(world: &impl World) -> Result<(), Trouble> {
    let page = world.page(Ring::Store).ok_or(Lost::NoRing)?;
    strike(world, "store-indices", |_| {
        page.store_u32::<REQ_PROD>(page.load_u32::<REQ_PROD>().wrapping_add(5000));
        Ok(())
    })
}

/// A request that announces more than a message may have.
///
/// # Errors
/// Without a usable ring.
pub fn oversize(world: &impl World) -> Result<(), Trouble> {
    strike(world, "store-oversize", |ring| ring.write_all(header(5000).as_bytes()))
}

/// A request whose end never comes.
///
/// # Errors
/// Without a usable ring.
pub fn half(world: &impl World) -> Result<(), Trouble> {
    strike(world, "store-half", |ring| {
        ring.write_all(header(100).as_bytes())?;
        ring.write_all(PATH)
    })
}

/// Half a message, then impossible indices; nobody waits for what comes of it.
///
/// # Errors
/// Without a usable ring.
pub fn wreck(world: &impl World) -> Result<(), Trouble> {
    let page = world.page(Ring::Store).ok_or(Lost::NoRing)?;
    let mut ring = Stream::new(world)?;
    ring.write_all(header(100).as_bytes())?;
    ring.write_all(PATH)?;
    page.store_u32::<REQ_PROD>(page.load_u32::<REQ_PROD>().wrapping_add(5000));
    world.notify(Ring::Store);
    say!(world, "store-wreck: half a message and impossible indices");
    Ok(())
}

/// Harms the ring by `blow`, says whether that got it cut off, and asks for a fresh connection if it did.
fn strike<W: World>(
    world: &W,
    name: &str,
    blow: impl FnOnce(&mut Stream<'_, W>) -> Result<(), Lost>,
) -> Result<(), Trouble> {
    let mut ring = Stream::new(world)?;
    blow(&mut ring)?;
    world.notify(Ring::Store);
    if !await_that(world, || ring.end.error() != ConnectionError::NONE) {
        say!(world, "{name}: not cut off");
        return Ok(());
    }
    say!(world, "{name}: cut off: {:?}", ring.end.error());
    ring.end.ask_reconnect();
    world.notify(Ring::Store);
    let again = await_that(world, || ring.end.reconnected() == Ok(true));
    say!(world, "{name}: {}", if again { "connected again" } else { "stays cut off" });
    Ok(())
}

/// Legal requests as fast as they are taken, until `count` replies came.
///
/// # Errors
/// When the connection breaks.
pub fn flood(world: &impl World, count: u64) -> Result<(), Trouble> {
    let mut ring = Stream::new(world)?;
    let (mut requests, mut input, mut replies) = (Requests::default(), Assembler::new(), 0);
    while replies < count {
        requests.send(&mut ring)?;
        let before = replies;
        while input.pull(&mut ring)?.is_some() {
            replies += 1;
            if replies.is_multiple_of(REPORT) || replies == count {
                say!(world, "store-flood: {replies} replies");
            }
        }
        if replies == before {
            world.wait(None);
        }
    }
    Ok(())
}

/// Requests until no more are taken, and no look at the replies.
///
/// # Errors
/// When the connection breaks.
pub fn never_read(world: &impl World) -> Result<(), Trouble> {
    let mut ring = Stream::new(world)?;
    let mut requests = Requests::default();
    loop {
        requests.send(&mut ring)?;
        if !await_that(world, || ring.write_ready() != Ok(false)) {
            say!(world, "store-never-read: {} requests taken or in the ring, then no more", requests.sent);
            return Ok(());
        }
    }
}

/// What is no state, no domain, no path of ours, and more than a value may have.
const NONSENSE: [&[u8]; 6] = [b"99", b"-1", b"\0\xff%n", b"/local/domain/0", &[b'9'; 2000], &[b'9'; 4000]];

/// Nonsense in every node that a control plane might read.
///
/// # Errors
/// When the connection breaks.
pub fn garbage_states(world: &impl World) -> Result<(), Trouble> {
    const NODES: [&str; 6] = [
        "device/vbd/51712/state",
        "device/vbd/51712/backend",
        "device/vif/0/state",
        "console/tty",
        "control/shutdown",
        "memory/target",
    ];
    let mut session = store::open(world)?;
    NODES.iter().try_for_each(|path| write_nonsense(world, &mut session, "garbage-states", path))
}

/// Names in the directories of a device: its own, which its guest may write, and that of who serves it.
struct Device {
    word: &'static str,
    own: &'static str,
    ours: [&'static str; 8],
    theirs: [&'static str; 8],
}

const DISK: Device = Device {
    word: "garbage-disk",
    own: "device/vbd/51712",
    ours: [
        "backend",
        "backend-id",
        "virtual-device",
        "device-type",
        "ring-ref",
        "event-channel",
        "protocol",
        "state",
    ],
    theirs: ["state", "online", "params", "mode", "physical-device", "hotplug-status", "frontend", "new"],
};

const INTERFACE: Device = Device {
    word: "garbage-vif",
    own: "device/vif/0",
    ours: ["backend", "backend-id", "handle", "mac", "tx-ring-ref", "event-channel", "mtu", "state"],
    theirs: ["state", "online", "script", "mac", "bridge", "hotplug-status", "frontend", "new"],
};

/// Nonsense in both directories of its first disk: its own, and that of who serves it.
///
/// # Errors
/// When the connection breaks, or it has no disk.
pub fn garbage_disk(world: &impl World) -> Result<(), Trouble> {
    garbage_device(world, &DISK)
}

/// The same for its first interface.
///
/// # Errors
/// When the connection breaks, or it has no interface.
pub fn garbage_vif(world: &impl World) -> Result<(), Trouble> {
    garbage_device(world, &INTERFACE)
}

fn garbage_device(world: &impl World, device: &Device) -> Result<(), Trouble> {
    let Device { word, own, ours, theirs } = device;
    let mut session = store::open(world)?;
    let home = session.nodes().read(format!("{own}/backend").as_bytes())?;
    let home = String::from_utf8_lossy(&home).into_owned();
    for (home, names) in [(home.as_str(), theirs), (own, ours)] {
        for name in names {
            write_nonsense(world, &mut session, word, &format!("{home}/{name}"))?;
        }
    }
    say!(world, "{word}: done");
    Ok(())
}

/// Writes all kinds of nonsense to a node and says which of it was taken.
fn write_nonsense<W: World>(
    world: &W,
    session: &mut Session<Stream<'_, W>>,
    word: &str,
    path: &str,
) -> Result<(), Trouble> {
    for value in NONSENSE {
        match session.nodes().write(path.as_bytes(), value) {
            Ok(()) => say!(world, "{word}: {path}: taken"),
            Err(refused @ ClientError::Refused(_)) => say!(world, "{word}: {path}: {refused}"),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// Sees requests to shut down, and stays.
///
/// # Errors
/// As XenStore decides.
pub fn ignore_shutdown(world: &impl World) -> Result<(), Trouble> {
    let mut session = store::open(world)?;
    let never: Infallible = honest::each_request(&mut session, |request| {
        say!(world, "control-shutdown-ignore: asked for '{}', stays", request.escape_ascii());
        None
    })?;
    match never {}
}

/// The same request again and again; how much of the latest is sent.
#[derive(Default)]
struct Requests {
    sent: u64,
    begun: usize,
}

impl Requests {
    /// Sends what fits.
    fn send(&mut self, ring: &mut Stream<'_, impl World>) -> Result<(), Lost> {
        let header = header(PATH.len());
        let request = [header.as_bytes(), PATH].concat();
        while ring.write_ready()? {
            let rest = request.get(self.begun..).unwrap_or_default();
            self.begun += ring.write(rest)?;
            if self.begun == request.len() {
                (self.sent, self.begun) = (self.sent + 1, 0);
            }
        }
        Ok(())
    }
}

fn header(len: usize) -> SockMsg {
    SockMsg { kind: XS_READ, req_id: 1, len: u32::try_from(len).unwrap_or(u32::MAX), ..SockMsg::ZERO }
}

/// Gives `condition` some seconds to come true.
fn await_that(world: &impl World, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = world.now().saturating_add(PATIENCE);
    while world.now() < deadline {
        if condition() {
            return true;
        }
        // Whatever happens on any ring ends it earlier.
        world.wait(Some(SECOND));
    }
    condition()
}
