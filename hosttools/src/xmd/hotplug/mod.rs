//! What is behind the devices that this domain serves: files become loop devices, and the backend learns their numbers.
//!
//! The control domain writes a directory for each device below `backend/`; this looks at each, whenever something in it
//! changes, and does what it says (`docs/devices.md`). It needs XenStore and nothing else of the control domain, so it
//! works in a driver domain that may ask nothing. It sleeps in a thread of its own until XenStore has news.
//!
//! What it did stands in XenStore and in the devices themselves. So one that was killed finds all of it again, and what
//! nobody needs any more goes by itself.

mod agent;
mod block;
mod disks;
mod node;
mod scripts;
mod stream;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use xendless_core::store::client::Session;

use self::agent::Agent;
use self::disks::Machine;
use self::stream::Stream;
use super::note::note;

/// How long to wait before XenStore is opened again, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Begins to serve, for as long as this process is there. `devices` is the directory with Xen's devices, `scripts` the
/// one with hotplug scripts.
///
/// # Errors
/// When there is no XenStore, or no thread.
pub fn start(devices: &std::path::Path, scripts: PathBuf) -> io::Result<()> {
    let xenbus = devices.join("xenbus");
    let first = open(&xenbus)?;
    thread::Builder::new().name("hotplug".into()).spawn(move || {
        let mut machine = Machine::new(scripts);
        let (mut opened, mut pause) = (Some(first), PAUSE);
        loop {
            let Err(error) = opened.take().map_or_else(|| open(&xenbus), Ok).and_then(|file| {
                let mut agent = Agent::new(Session::new(Stream(file)), &mut machine);
                agent.run().map_err(|error| io::Error::other(error.to_string()))
            });
            note(format_args!("hotplug: {error}; it is tried again in {} seconds", pause.as_secs()));
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    })?;
    Ok(())
}

fn open(xenbus: &std::path::Path) -> io::Result<File> {
    File::options().read(true).write(true).open(xenbus)
}
