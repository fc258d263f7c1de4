//! What the directory of a device says. The control domain wrote it, and its guest cannot; it is not trusted beyond that.

use std::io;

use xendless_core::devices::XenbusState;
use xendless_core::store::client::ClientError;

use super::class::Get;
use super::tree::{Tree, Wire};

pub(super) type Failed = ClientError<io::Error>;

/// What hotplug says of a device, in the order in which it is taken back.
const SAID: [&str; 4] = ["hotplug-error", "physical-device", "physical-device-path", "hotplug-status"];

/// What hotplug has said of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// That it is ready.
    Connected,
    /// That it does not work.
    Error,
}

/// What the directory of a device says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node<W> {
    pub(super) online: bool,
    pub(super) state: XenbusState,
    pub(super) said: Said,
    /// What is said in devices of its class alone.
    pub(super) wanted: W,
}

impl<W> Node<W> {
    /// Whether it was taken away, and its driver has let go.
    pub(super) fn is_over(&self) -> bool {
        !self.online && self.state == XenbusState::Closed
    }

    /// Reads a directory; `None` when it is not there.
    pub(super) fn read<S: Wire>(
        tree: &mut Tree<S>,
        home: &str,
        wanted: impl FnOnce(&mut Get<'_>) -> Result<W, Failed>,
    ) -> Result<Option<Self>, Failed> {
        let mut get = |name: &str| tree.read(&format!("{home}/{name}"));
        let Some(state) = get("state")? else { return Ok(None) };
        Ok(Some(Self {
            online: get("online")?.as_deref() == Some("1"),
            state: XenbusState::parse(state.as_bytes()),
            said: match get("hotplug-status")?.as_deref() {
                None | Some("") => Said::Nothing,
                Some("error" | "busy") => Said::Error,
                Some(_) => Said::Connected,
            },
            wanted: wanted(&mut get)?,
        }))
    }
}

/// Takes back what was said of a device.
pub(super) fn say_nothing<S: Wire>(tree: &mut Tree<S>, home: &str) -> Result<(), Failed> {
    SAID.iter().try_for_each(|name| tree.remove(&format!("{home}/{name}")))
}
