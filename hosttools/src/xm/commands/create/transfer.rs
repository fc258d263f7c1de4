//! The request for a new domain, and its files on their way up.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use xendless_core::config::DomainConfig;
use xendless_core::protocol::{Answer, CHUNK, Created, Failure, File, Request, RequestId};

use super::super::saved::Saved;
use super::file::Local;
use super::progress::Progress;
use super::undo;
use crate::client::{self, Client, Event};
use crate::xm::error::Error;
use crate::xm::signals::{Signals, status};

/// What is to become of a configuration.
#[derive(Debug)]
pub(super) struct Order<'a, 's> {
    pub(super) config: &'a DomainConfig,
    /// It stays paused.
    pub(super) paused: bool,
    /// Nothing is shown meanwhile.
    pub(super) quiet: bool,
    /// What was saved of it, from which it is made.
    pub(super) saved: Option<&'a mut Saved<'s>>,
}

/// Creates a domain. Whatever goes wrong, and whenever the user says stop, nothing is left of it.
pub(super) fn create(
    client: &mut Client,
    order: Order<'_, '_>,
    files: &mut [Local],
) -> Result<Result<Created, Failure>, Error> {
    let Order { config, paused, quiet, saved } = order;
    let image = |wanted: File| files.iter().find(|local| local.file == wanted).map(|local| local.image);
    let encoded = config.encode();
    let (Some(encoded), Some(kernel)) = (encoded, image(File::Kernel)) else {
        return Err(Error::Plain("The configuration is too long.".to_owned()));
    };
    let ramdisk = image(File::Ramdisk);
    let mut signals = Signals::catch().map_err(|error| Error::Plain(error.to_string()))?;
    let id = client.start(Request::Create {
        config: &encoded,
        kernel,
        ramdisk,
        paused,
        saved: saved.is_some(),
    })?;
    let progress = Progress::new(quiet);
    let wanted = VecDeque::new();
    let mut upload = Upload { id, files, wanted, saved, saved_wanted: false, sent: 0, credit: 0, progress };
    let mut stopped: Option<Error> = None;
    loop {
        let sends = stopped.is_none() && upload.can_send();
        let woken = client.wait([Some(signals.as_fd())], sends)?;
        if woken.others == [true]
            && let Some(signal) = signals.take()
        {
            if stopped.is_some() {
                // The answer does not come. Closing the connection ends the request as well.
                return Err(Error::Silent(status(signal)));
            }
            client.cancel(id)?;
            stopped = Some(Error::Silent(status(signal)));
        }
        if woken.message {
            if let Some(result) = upload.take(client)? {
                return finish(client, result, stopped);
            }
        } else if woken.room
            && sends
            && let Err(error) = upload.send(client)?
        {
            client.cancel(id)?;
            stopped = Some(error);
        }
    }
}

/// The end of the request. It may have succeeded just before it was told to stop.
fn finish(
    client: &mut Client,
    result: Result<Created, Failure>,
    stopped: Option<Error>,
) -> Result<Result<Created, Failure>, Error> {
    match (stopped, result) {
        (None, result) => Ok(result),
        (Some(error), Err(_)) => Err(error),
        (Some(error), Ok(created)) => {
            undo(client, created)?;
            Err(error)
        }
    }
}

/// The stream upwards.
struct Upload<'a, 's> {
    id: RequestId,
    files: &'a mut [Local],
    /// The files to send; the first is on its way.
    wanted: VecDeque<usize>,
    /// What was saved of the domain, which comes behind the files.
    saved: Option<&'a mut Saved<'s>>,
    /// That is to be sent.
    saved_wanted: bool,
    /// Bytes of the first that are sent.
    sent: u64,
    credit: usize,
    progress: Progress,
}

impl Upload<'_, '_> {
    fn can_send(&self) -> bool {
        let saved = self.saved_wanted && self.saved.as_ref().is_some_and(|saved| !saved.ended());
        self.credit > 0 && (saved || !self.wanted.is_empty())
    }

    /// Takes what the server says. Gives the end of the request when it is that.
    fn take(&mut self, client: &mut Client) -> Result<Option<Result<Created, Failure>>, Error> {
        match client.next(self.id)? {
            Event::Want(File::Saved) if self.saved.is_some() => self.saved_wanted = true,
            Event::Want(file) => {
                let index = self.files.iter().position(|local| local.file == file);
                let index = index.filter(|index| !self.wanted.contains(index));
                let index = index.ok_or(client::Error::Unexpected)?;
                self.wanted.push_back(index);
                self.skip_empty();
            }
            Event::Credit(bytes) => {
                self.credit = self.credit.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            Event::Answer(Ok(Answer::Created(created))) => return Ok(Some(Ok(created))),
            Event::Answer(Err(failure)) => return Ok(Some(Err(failure))),
            Event::Answer(Ok(_)) | Event::Data(_) => return Err(client::Error::Unexpected.into()),
        }
        Ok(None)
    }

    /// A file without bytes is sent as soon as it is its turn.
    fn skip_empty(&mut self) {
        while self.wanted.front().is_some_and(|index| self.size(*index) == 0) {
            self.wanted.pop_front();
        }
    }

    fn size(&self, index: usize) -> u64 {
        self.files.get(index).map_or(0, |local| local.image.size)
    }

    /// Sends a chunk. The inner error is the file's.
    fn send(&mut self, client: &mut Client) -> Result<Result<(), Error>, Error> {
        let Some(index) = self.wanted.front().copied() else { return self.send_saved(client) };
        let size = self.size(index);
        let Some(local) = self.files.get_mut(index) else { return Ok(Ok(())) };
        if self.sent == 0
            && let Err(error) = local.rewind()
        {
            return Ok(Err(error));
        }
        let rest = usize::try_from(size - self.sent).unwrap_or(usize::MAX);
        let mut bytes = vec![0; CHUNK.min(self.credit).min(rest)];
        if let Err(error) = local.read(&mut bytes) {
            return Ok(Err(error));
        }
        client.data(self.id, &bytes)?;
        self.credit -= bytes.len();
        self.sent += bytes.len() as u64;
        self.progress.show(&local.file.to_string(), self.sent, size);
        if self.sent == size {
            self.sent = 0;
            self.wanted.pop_front();
            self.skip_empty();
        }
        Ok(Ok(()))
    }

    /// Sends a chunk of what was saved, likewise.
    fn send_saved(&mut self, client: &mut Client) -> Result<Result<(), Error>, Error> {
        let Some(saved) = &mut self.saved else { return Ok(Ok(())) };
        let bytes = match saved.next(CHUNK.min(self.credit)) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        client.data(self.id, &bytes)?;
        self.credit -= bytes.len();
        Ok(Ok(()))
    }
}
