//! `restore`.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, absolute};

use xendless_core::config::{DomainConfig, DomainName, Settings, Uuid};

use super::WRONG_NUMBER;
use super::read::{Invalid, Reader};
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::commands::create;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::suspended::Image;
use crate::xm::table::Outcome;

/// What is read at once.
pub(super) const BUFFER: usize = 256 << 10;

/// A saved domain, of which another is made.
pub(in crate::xm::commands) struct Saved<'a> {
    reader: Reader<&'a mut dyn Read>,
    /// What to say when it cannot be read.
    unreadable: &'a dyn Fn(&str) -> Error,
    /// What is done before its first piece is read.
    wanted: Option<&'a dyn Fn() -> Result<(), Error>>,
    /// From when all of it was read the domain may run.
    once: Option<&'a Image>,
}

impl<'a> Saved<'a> {
    pub(super) fn new(
        reader: Reader<&'a mut dyn Read>,
        unreadable: &'a dyn Fn(&str) -> Error,
        wanted: Option<&'a dyn Fn() -> Result<(), Error>>,
    ) -> Self {
        Self { reader, unreadable, wanted, once: None }
    }

    /// Whether all was given away.
    pub(in crate::xm::commands) const fn ended(&self) -> bool {
        self.reader.ended()
    }

    /// The next bytes, at most so many.
    pub(in crate::xm::commands) fn next(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        self.wanted.take().map_or(Ok(()), |wanted| wanted())?;
        let bytes = self.reader.next(most).map_err(|error| (self.unreadable)(&reason(&error)))?;
        if self.reader.ended()
            && let Some(image) = self.once
        {
            image.leave().map_err(|error| undeletable(&error))?;
        }
        Ok(bytes)
    }
}

impl fmt::Debug for Saved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved").finish_non_exhaustive()
    }
}

/// `restore`.
pub(in crate::xm) fn restore(session: &mut Session, given: &Given) -> Outcome {
    let [file] = given.operands.as_slice() else { return Err(Error::Usage(WRONG_NUMBER.to_owned())) };
    let path = absolute(file).unwrap_or_else(|_| file.into());
    let opened = File::open(&path).map_err(|_| {
        let path = path.to_string_lossy();
        Error::Verbatim(format!("xm restore: Unable to read file {}", Shown(&path)))
    })?;
    let mut client = session.connect()?;
    read(session, &mut client, opened, Order { path: &path, paused: given.has("paused"), suspended: None })
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    pub(super) path: &'a Path,
    /// The domain stays paused.
    pub(super) paused: bool,
    /// It is that of a suspended domain, which has this name now.
    pub(super) suspended: Option<(&'a Image, &'a DomainName)>,
}

/// Makes the domain of a file.
pub(super) fn read(session: &mut Session, client: &mut Client, file: File, order: Order<'_>) -> Outcome {
    let Order { path, paused, suspended } = order;
    let unreadable = |why: &str| {
        Error::Plain(format!("can't read guest state file {}: {why}", Shown(&path.to_string_lossy())))
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(unreadable("it is no file"));
    }
    let mut file = BufReader::with_capacity(BUFFER, file);
    let from: &mut dyn Read = &mut file;
    let (reader, config) = Reader::begin(from).map_err(|Invalid(text)| Error::Plain(text))?;
    let mut config = decoded(&config)?;
    let mut saved = Saved::new(reader, &unreadable, None);
    if let Some((image, name)) = suspended {
        config = renamed(config, name, None)?;
        saved.once = Some(image);
    }
    create::restore(session, client, &config, paused, &mut saved)?;
    Ok(0)
}

/// That the file of a suspended domain stays where it is.
pub(in crate::xm::commands) fn undeletable(why: &std::io::Error) -> Error {
    Error::Plain(format!("Failed to delete checkpoint file: {}", reason(why)))
}

/// The configuration under another name, and perhaps another UUID.
pub(super) fn renamed(
    config: DomainConfig,
    name: &DomainName,
    uuid: Option<Uuid>,
) -> Result<DomainConfig, Error> {
    let settings = config.into_settings();
    let uuid = uuid.unwrap_or(settings.uuid);
    let settings = Settings { name: name.clone(), uuid, ..settings };
    DomainConfig::new(settings).map_err(|error| Error::Plain(error.to_string()))
}

/// The configuration of a saved domain, unless it forbids that one is made of it.
pub(super) fn decoded(config: &[u8]) -> Result<DomainConfig, Error> {
    let config = DomainConfig::decode(config)
        .map_err(|_| Error::Plain("not a valid guest state file: config parse".to_owned()))?;
    if config.platform.no_migrate {
        return Err(Error::Plain("cannot restore non-migratable domain".to_owned()));
    }
    Ok(config)
}
