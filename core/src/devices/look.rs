//! What a backend says of a device, read once and taken for no more than it is.

use alloc::format;
use alloc::vec::Vec;

use super::work::token;
use super::{Detail, DeviceName, Failed, XenbusState};
use crate::hyper::DomId;
use crate::store::service::{Local, Refused};
use crate::store::wire::{Request, XsError};

/// What the hotplug of the backend's domain says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hotplug {
    /// Nothing, or nothing any more.
    None,
    /// The device has what is behind it.
    Connected,
    /// It has not, and why.
    Error(Detail),
    /// Somebody else has that.
    Busy(Detail),
}

/// What a backend says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    pub(super) state: XenbusState,
    pub(super) hotplug: Hotplug,
}

impl View {
    /// Whether the backend has let go.
    pub(super) fn has_let_go(view: Option<Self>) -> bool {
        view.is_none_or(|view| view.state == XenbusState::Closed && view.hotplug == Hotplug::None)
    }
}

/// What the backend says; `None` when its directory is not there.
pub(super) fn look(store: &mut impl Local, name: &DeviceName, back: DomId) -> Result<Option<View>, Failed> {
    let home = name.backend(back);
    if read(store, &home)?.is_none() {
        return Ok(None);
    }
    let state = read(store, &format!("{home}/state"))?.unwrap_or_default();
    let word = if name.class.has_hotplug() { read(store, &format!("{home}/hotplug-status"))? } else { None };
    let hotplug = match word.as_deref() {
        // Of an interface the word is there before hotplug has said it.
        None | Some(b"") => Hotplug::None,
        Some(b"error") => Hotplug::Error(detail(store, &format!("{home}/hotplug-error"))?),
        Some(b"busy") => Hotplug::Busy(detail(store, &format!("{home}/hotplug-error"))?),
        Some(_) => Hotplug::Connected,
    };
    Ok(Some(View { state: XenbusState::parse(&state), hotplug }))
}

/// Why the backend's driver gave up, where it says such things.
pub(super) fn complaint(store: &mut impl Local, name: &DeviceName, back: DomId) -> Result<Detail, Failed> {
    detail(store, &format!("{}/error", name.complaint(back)))
}

fn detail(store: &mut impl Local, path: &str) -> Result<Detail, Failed> {
    Ok(Detail::new(&read(store, path)?.unwrap_or_default()))
}

/// A node's value; `None` when it is not there.
pub(super) fn read(store: &mut impl Local, path: &str) -> Result<Option<Vec<u8>>, Failed> {
    match store.query(&Request::Read { path: path.as_bytes() }) {
        Ok(value) => Ok(Some(value)),
        Err(Refused::Later) => Err(Failed::Later),
        Err(Refused::Error(XsError::ENOENT)) => Ok(None),
        Err(Refused::Error(error)) => Err(Failed::For(error)),
    }
}

/// Has events about a device told for what happens below `path`. That it is watched already is as good.
pub(super) fn watch(store: &mut impl Local, name: &DeviceName, path: &str) -> Result<(), Failed> {
    let token = token(name);
    let watch = Request::Watch { path: path.as_bytes(), token: token.as_bytes(), depth: None };
    match ask(store, &watch) {
        Err(Failed::For(XsError::EEXIST)) => Ok(()),
        outcome => outcome,
    }
}

/// Asks for something; that a node or watch is not there is as good as done.
pub(super) fn ask(store: &mut impl Local, request: &Request<'_>) -> Result<(), Failed> {
    match store.ask(request) {
        Ok(()) | Err(Refused::Error(XsError::ENOENT)) => Ok(()),
        Err(Refused::Later) => Err(Failed::Later),
        Err(Refused::Error(error)) => Err(Failed::For(error)),
    }
}
