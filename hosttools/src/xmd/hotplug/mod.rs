//! What is behind the devices that this domain serves: files become loop devices and the backend learns their numbers
//! (`vbd`); interfaces that the backend made become ports of bridges (`vif`).
//!
//! The control domain writes a directory for each device below `backend/`; this looks at each, whenever something in it
//! changes, and does what it says (`docs/devices.md`). It needs XenStore and nothing else of the control domain, so it
//! works in a driver domain that may ask nothing. It sleeps in a thread of its own until XenStore has news.
//!
//! What it did stands in XenStore and in the devices themselves. So one that was killed finds all of it again, and what
//! nobody needs any more goes by itself.

mod agent;
mod children;
mod class;
mod devices;
mod machine;
mod node;
mod scripts;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod vbd;
mod vif;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use xendless_core::store::client::Session;

use self::agent::Agent;
use self::machine::Machine;
use self::stream::Stream;
pub use self::vif::Bridge;
use super::note::note;

/// How long to wait before XenStore is opened again, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Begins to serve, for as long as this process is there. `devices` is the directory with Xen's devices, `scripts` the
/// one with hotplug scripts, `bridges` are provided first.
///
/// # Errors
/// When there is no XenStore, or no thread.
pub fn start(devices: &Path, scripts: PathBuf, bridges: &[Bridge]) -> io::Result<()> {
    let mut machine = Machine::new(scripts, bridges.first().map(|bridge| bridge.name.clone()));
    vif::provide(&mut machine, bridges);
    let xenbus = devices.join("xenbus");
    let first = open(&xenbus)?;
    thread::Builder::new().name("hotplug".into()).spawn(move || {
        let (mut opened, mut pause) = (Some(first), PAUSE);
        loop {
            let Err(error) = opened.take().map_or_else(|| open(&xenbus), Ok).and_then(|file| {
                let session = Session::new(Stream(file));
                let served = Agent::new(session, &mut machine).and_then(|mut agent| agent.run());
                served.map_err(|error| io::Error::other(error.to_string()))
            });
            note(format_args!("hotplug: {error}; it is tried again in {} seconds", pause.as_secs()));
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    })?;
    Ok(())
}

fn open(xenbus: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(xenbus)
}
