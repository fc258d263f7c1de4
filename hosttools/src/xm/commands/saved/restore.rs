//! `restore`.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, absolute};

use xendless_core::config::DomainConfig;

use super::WRONG_NUMBER;
use super::read::{Invalid, Reader};
use crate::client::Client;
use crate::shown::Shown;
use crate::xm::commands::create;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// What is read at once.
const BUFFER: usize = 256 << 10;

/// The saved domain of a file.
#[derive(Debug)]
pub(in crate::xm::commands) struct Saved<'a> {
    path: &'a Path,
    reader: Reader<BufReader<File>>,
}

impl Saved<'_> {
    /// Whether all was given away.
    pub(in crate::xm::commands) const fn ended(&self) -> bool {
        self.reader.ended()
    }

    /// The next bytes, at most so many.
    pub(in crate::xm::commands) fn next(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        self.reader.next(most).map_err(|error| unreadable(self.path, &reason(&error)))
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
    read(session, &mut client, &path, opened, given.has("paused"))
}

/// Makes the domain of a file.
pub(super) fn read(
    session: &mut Session,
    client: &mut Client,
    path: &Path,
    file: File,
    paused: bool,
) -> Outcome {
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(unreadable(path, "it is no file"));
    }
    let begun = Reader::begin(BufReader::with_capacity(BUFFER, file));
    let (reader, config) = begun.map_err(|Invalid(text)| Error::Plain(text))?;
    let config = DomainConfig::decode(&config)
        .map_err(|_| Error::Plain("not a valid guest state file: config parse".to_owned()))?;
    if config.platform.no_migrate {
        return Err(Error::Plain("cannot restore non-migratable domain".to_owned()));
    }
    create::restore(session, client, &config, paused, &mut Saved { path, reader })
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::Plain(format!("can't read guest state file {}: {why}", Shown(&path.to_string_lossy())))
}
