//! Those who look at consoles and type at them.

use core::fmt;
use core::ops::Deref;

use super::{ConsoleId, Consoles, Notice, SubscribeError, TableError, TypeError};
use crate::hyper::EventChannels;
use crate::shared::Page;
use crate::table::Key;

/// Names a viewer, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ViewerId(Key);

/// Where a viewer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// It was told that there is something to do.
    Busy,
    /// In the console's list: it will be told.
    Waiting,
    /// In the queue of those to be told.
    Ready,
}

#[derive(Debug)]
pub(super) struct Viewer {
    console: ConsoleId,
    /// The position of the next byte it reads.
    at: u64,
    place: Place,
}

/// What a viewer got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Bytes before these that it was too slow to see; show them as [`Lost`].
    pub lost: u64,
    /// Bytes read.
    pub count: usize,
}

/// How lost bytes are shown, on lines of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost(pub u64);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\r\n[xendless: {} bytes of output lost]\r\n", self.0)
    }
}

impl<P: Deref<Target = Page>> Consoles<P> {
    /// Adds a viewer, which begins with the whole history. It is ready.
    pub fn subscribe(&mut self, id: ConsoleId) -> Result<ViewerId, SubscribeError> {
        let out_of_memory = |_| SubscribeError::Table(TableError::OutOfMemory);
        let console = self.consoles.get_mut(id.0).ok_or(SubscribeError::NoSuchConsole)?;
        let missing = (console.viewers + 1).saturating_sub(console.waiting.len());
        console.waiting.try_reserve(missing).map_err(out_of_memory)?;
        let missing = (self.viewers.len() + 1).saturating_sub(self.ready.len());
        self.ready.try_reserve(missing).map_err(out_of_memory)?;
        let viewer = Viewer { console: id, at: console.history.start(), place: Place::Ready };
        let viewer = self.viewers.insert(viewer).map(ViewerId).map_err(SubscribeError::Table)?;
        console.viewers += 1;
        self.ready.push_back(viewer);
        Ok(viewer)
    }

    /// Removes a viewer.
    pub fn unsubscribe(&mut self, id: ViewerId) {
        let Some(viewer) = self.viewers.remove(id.0) else { return };
        self.ready.retain(|other| *other != id);
        if let Some(console) = self.consoles.get_mut(viewer.console.0) {
            console.viewers = console.viewers.saturating_sub(1);
            console.waiting.retain(|other| *other != id);
        }
    }

    /// Whether [`Consoles::take_ready`] would name a viewer.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next viewer that has something to read, may type again, or whose console is gone. It is not named again
    /// before it has read everything or typed more than fits.
    pub fn take_ready(&mut self) -> Option<ViewerId> {
        let id = self.ready.pop_front()?;
        if let Some(viewer) = self.viewers.get_mut(id.0) {
            viewer.place = Place::Busy;
        }
        Some(id)
    }

    /// Reads on; `None` when the viewer or its console is gone.
    pub fn read(&mut self, id: ViewerId, out: &mut [u8]) -> Option<Seen> {
        let viewer = self.viewers.get_mut(id.0)?;
        let history = &self.consoles.get(viewer.console.0)?.history;
        let lost = history.start().saturating_sub(viewer.at);
        let at = viewer.at.saturating_add(lost);
        let count = history.read(at, out);
        viewer.at = at.saturating_add(count as u64);
        if viewer.at == history.end() {
            self.wait(id);
        }
        Some(Seen { lost, count })
    }

    /// Types at the domain; returns how many bytes it took. When those are fewer than given, the viewer will be
    /// ready when there may be room for the rest.
    pub fn type_in(
        &mut self,
        hv: &impl EventChannels,
        id: ViewerId,
        bytes: &[u8],
        mut report: impl FnMut(Notice),
    ) -> Result<usize, TypeError> {
        let console = self.viewers.get(id.0).ok_or(TypeError::NoSuchViewer)?.console;
        let count = self.pass_on(hv, console, bytes, &mut report)?;
        if count < bytes.len() {
            self.want_room(console);
            self.wait(id);
        }
        Ok(count)
    }

    /// Writes into the ring of the domain that has the console.
    pub(super) fn pass_on(
        &mut self,
        hv: &impl EventChannels,
        id: ConsoleId,
        bytes: &[u8],
        report: &mut dyn FnMut(Notice),
    ) -> Result<usize, TypeError> {
        let console = self.consoles.get_mut(id.0).ok_or(TypeError::NoSuchViewer)?;
        let link = console.link.as_mut().ok_or(TypeError::NoDomain)?;
        let count = match link.send(bytes) {
            Ok(count) => count,
            Err(reason) => {
                self.cut(hv, id, reason, report);
                return Err(TypeError::NoDomain);
            }
        };
        if count > 0
            && let Err(refusal) = link.notify(hv)
        {
            report(Notice::Refused(refusal));
        }
        Ok(count)
    }

    fn want_room(&mut self, id: ConsoleId) {
        if let Some(console) = self.consoles.get_mut(id.0) {
            console.room_wanted = true;
        }
    }

    fn wait(&mut self, id: ViewerId) {
        let Some(viewer) = self.viewers.get_mut(id.0) else { return };
        if viewer.place == Place::Busy
            && let Some(console) = self.consoles.get_mut(viewer.console.0)
        {
            viewer.place = Place::Waiting;
            console.waiting.push(id);
        }
    }

    /// Tells the viewers of a console that wait.
    pub(super) fn wake_viewers(&mut self, id: ConsoleId) {
        let Some(console) = self.consoles.get_mut(id.0) else { return };
        for id in console.waiting.drain(..) {
            if let Some(viewer) = self.viewers.get_mut(id.0) {
                viewer.place = Place::Ready;
                self.ready.push_back(id);
            }
        }
    }
}
