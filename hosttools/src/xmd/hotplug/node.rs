//! What the directory of a device says. The control domain wrote it, and its guest cannot; it is not trusted beyond that.

use std::io;

use embedded_io::{Read, Write};
use xendless_core::devices::XenbusState;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::wire::XsError;

pub(super) type Failed = ClientError<io::Error>;

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

/// What there is to know of a block device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The file or block device; empty for an empty drive.
    pub(super) params: String,
    /// It may be written.
    pub(super) writes: bool,
    /// Whoever else uses it may go on.
    pub(super) shared: bool,
    /// The script that does the work, when it is not done here.
    pub(super) script: Option<String>,
}

/// What the directory of a device says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) online: bool,
    pub(super) state: XenbusState,
    pub(super) said: Said,
    /// The device that was given to the backend.
    pub(super) given: Option<String>,
    pub(super) wanted: Wanted,
}

impl Node {
    /// Reads a directory; `None` when it is not there.
    pub(super) fn read<S>(session: &mut Session<S>, home: &str) -> Result<Option<Self>, Failed>
    where
        S: Read + Write + embedded_io::ErrorType<Error = io::Error>,
    {
        let mut get = |name: &str| read(session, &format!("{home}/{name}"));
        let Some(state) = get("state")? else { return Ok(None) };
        let mode = get("mode")?.unwrap_or_default();
        let wanted = Wanted {
            params: get("params")?.unwrap_or_default(),
            writes: mode.starts_with('w'),
            shared: mode.ends_with('!'),
            script: get("script")?.filter(|script| !script.is_empty() && script != "block"),
        };
        Ok(Some(Self {
            online: get("online")?.as_deref() == Some("1"),
            state: XenbusState::parse(state.as_bytes()),
            said: match get("hotplug-status")?.as_deref() {
                None | Some("") => Said::Nothing,
                Some("error" | "busy") => Said::Error,
                Some(_) => Said::Connected,
            },
            given: get("physical-device-path")?,
            wanted,
        }))
    }
}

/// A node's text; `None` when it is not there.
pub(super) fn read<S>(session: &mut Session<S>, path: &str) -> Result<Option<String>, Failed>
where
    S: Read + Write + embedded_io::ErrorType<Error = io::Error>,
{
    match session.nodes().read(path.as_bytes()) {
        Ok(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
        Err(ClientError::Refused(XsError::ENOENT | XsError::EACCES)) => Ok(None),
        Err(error) => Err(error),
    }
}
