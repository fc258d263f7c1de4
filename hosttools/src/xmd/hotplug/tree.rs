//! XenStore, as hotplug needs it. Whatever is there may be gone at the next moment: that is no failure.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use embedded_io::{ErrorType, Read, Write};
use xendless_core::store::client::{ClientError, Session, WatchEvent};
use xendless_core::store::transport::StreamError;
use xendless_core::store::wire::XsError;

use super::node::Failed;

/// A stream to XenStore.
pub(super) trait Wire: Read + Write + ErrorType<Error = io::Error> + AsFd {}

impl<S: Read + Write + ErrorType<Error = io::Error> + AsFd> Wire for S {}

/// A connection to XenStore.
pub(super) struct Tree<S>(Session<S>);

impl<S: Wire> Tree<S> {
    pub(super) const fn new(session: Session<S>) -> Self {
        Self(session)
    }

    pub(super) fn watch(&mut self, path: &str) -> Result<(), Failed> {
        self.0.watch(path.as_bytes(), b"hotplug")
    }

    /// Gives the paths of all changes that there are. When there are none, `wait` may wait for them and says whether
    /// there are.
    pub(super) fn changes(
        &mut self,
        wait: impl FnOnce(BorrowedFd<'_>) -> io::Result<bool>,
    ) -> Result<Vec<String>, Failed> {
        let mut first = self.0.pending_event();
        if first.is_none() && wait(self.0.stream().as_fd()).map_err(StreamError::Io)? {
            first = Some(self.0.next_event()?);
        }
        let text = |event: WatchEvent| String::from_utf8_lossy(&event.path).into_owned();
        let mut paths: Vec<String> = first.into_iter().map(text).collect();
        while let Some(event) = self.0.pending_event() {
            paths.push(text(event));
        }
        Ok(paths)
    }

    /// A node's text; `None` when it is not there.
    pub(super) fn read(&mut self, path: &str) -> Result<Option<String>, Failed> {
        let value = unless_gone(self.0.nodes().read(path.as_bytes()).map(Some))?;
        Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
    }

    /// The names below a node.
    pub(super) fn list(&mut self, path: &str) -> Result<Vec<String>, Failed> {
        let names = unless_gone(self.0.nodes().list(path.as_bytes()))?;
        Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect())
    }

    pub(super) fn write(&mut self, path: &str, value: &str) -> Result<(), Failed> {
        unless_gone(self.0.nodes().write(path.as_bytes(), value.as_bytes()))
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<(), Failed> {
        unless_gone(self.0.nodes().remove(path.as_bytes()))
    }
}

fn unless_gone<T: Default>(outcome: Result<T, Failed>) -> Result<T, Failed> {
    match outcome {
        Err(ClientError::Refused(XsError::ENOENT | XsError::EACCES)) => Ok(T::default()),
        outcome => outcome,
    }
}
