//! `restore`.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, absolute};

use xendless_core::config::{DomainConfig, DomainName, Settings};

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
const BUFFER: usize = 256 << 10;

/// The saved domain of a file.
#[derive(Debug)]
pub(in crate::xm::commands) struct Saved<'a> {
    path: &'a Path,
    reader: Reader<BufReader<File>>,
    /// From when all of it was read the domain may run.
    once: Option<&'a Image>,
}

impl Saved<'_> {
    /// Whether all was given away.
    pub(in crate::xm::commands) const fn ended(&self) -> bool {
        self.reader.ended()
    }

    /// The next bytes, at most so many.
    pub(in crate::xm::commands) fn next(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let bytes = self.reader.next(most).map_err(|error| unreadable(self.path, &reason(&error)))?;
        if self.reader.ended()
            && let Some(image) = self.once
        {
            image.leave().map_err(|error| undeletable(&error))?;
        }
        Ok(bytes)
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
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(unreadable(path, "it is no file"));
    }
    let begun = Reader::begin(BufReader::with_capacity(BUFFER, file));
    let (reader, config) = begun.map_err(|Invalid(text)| Error::Plain(text))?;
    let invalid = || Error::Plain("not a valid guest state file: config parse".to_owned());
    let mut config = DomainConfig::decode(&config).map_err(|_| invalid())?;
    if let Some((_, name)) = suspended {
        let settings = Settings { name: name.clone(), ..config.into_settings() };
        config = DomainConfig::new(settings).map_err(|_| invalid())?;
    }
    if config.platform.no_migrate {
        return Err(Error::Plain("cannot restore non-migratable domain".to_owned()));
    }
    let once = suspended.map(|(image, _)| image);
    create::restore(session, client, &config, paused, &mut Saved { path, reader, once })
}

/// That the file of a suspended domain stays where it is.
pub(in crate::xm::commands) fn undeletable(why: &std::io::Error) -> Error {
    Error::Plain(format!("Failed to delete checkpoint file: {}", reason(why)))
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::Plain(format!("can't read guest state file {}: {why}", Shown(&path.to_string_lossy())))
}
