//! `suspend` and `resume`: saving and restoring managed domains, whose files have a place of their own.

use std::fs::File;
use std::io;

use xendless_core::config::Uuid;
use xendless_core::protocol::{Failure, Row};

use super::WRONG_NUMBER;
use super::file::{Saving, unwritable};
use super::restore::{Order, read, undeletable};
use super::save::{running, write};
use crate::client::{self, Client};
use crate::shown::Shown;
use crate::xm::commands::definition;
use crate::xm::commands::managed::FOREIGN;
use crate::xm::commands::target::{Target, target};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Dormant, Session, find, is_control};
use crate::xm::suspended::Image;
use crate::xm::table::Outcome;

/// What is said of a domain that there is nothing to resume of.
const NOT_SUSPENDED: &str = "Cannot resume domain that is not suspended.";

/// `suspend`.
pub(in crate::xm) fn suspend(session: &mut Session, given: &Given) -> Outcome {
    let mut client = session.connect()?;
    let row = running(&mut client, given.operand(0), "suspend")?;
    suspend_one(session, &mut client, &row)?;
    Ok(0)
}

/// Saves a domain where it is found again, if it has a definition, and ends it.
pub(in crate::xm::commands) fn suspend_one(
    session: &Session,
    client: &mut Client,
    row: &Row,
) -> Result<(), Error> {
    let found = definition::of(client, row)?.and_then(|found| found.config);
    let Some(config) = found.filter(|config| config.uuid.handle() == row.uuid) else {
        return Err(Error::Usage("Domain is not managed by Xend lifecycle support.".to_owned()));
    };
    let image = session.suspended.image(config.uuid);
    let failed = |error: io::Error| unwritable(image.path(), &error);
    session.suspended.make_folder().map_err(failed)?;
    // The domain runs, so what may be there is of an earlier life.
    image.remove().map_err(failed)?;
    let saving = Saving::create(image.between()).map_err(failed)?;
    match write(client, row, saving, false) {
        Ok(()) => image.settle().map_err(failed),
        Err(error) => Err(after(client, &image, config.uuid, error)),
    }
}

/// `resume`.
pub(in crate::xm) fn resume(session: &mut Session, given: &Given) -> Outcome {
    let [domain] = given.operands.as_slice() else { return Err(Error::Usage(WRONG_NUMBER.to_owned())) };
    if is_control(domain) {
        return Err(wrapped(Error::Plain(format!("Cannot resume privileged domain {domain}"))));
    }
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        Target::Defined(found) => resume_one(session, &mut client, &found, given.has("paused")),
        Target::Running(_) => Err(wrapped(Error::Plain(NOT_SUSPENDED.to_owned()))),
    }
}

/// Has a domain that is suspended go on.
pub(in crate::xm::commands) fn resume_one(
    session: &mut Session,
    client: &mut Client,
    found: &Dormant,
    paused: bool,
) -> Outcome {
    let Some(config) = &found.config else { return Err(Error::Plain(FOREIGN.to_owned())) };
    let image = session.suspended.image(config.uuid);
    if !image.is_there() {
        let hint = if image.between().exists() { format!(" {}", hint(&image)) } else { String::new() };
        return Err(wrapped(Error::Plain(format!("{NOT_SUSPENDED}{hint}"))));
    }
    let order = Order { path: image.path(), paused, suspended: Some((&image, &config.name)) };
    let opened = File::open(image.path())
        .map_err(|_| Error::Plain("Failed to read stored checkpoint file".to_owned()));
    let outcome = opened.and_then(|file| read(session, client, file, order));
    let outcome = match outcome {
        Ok(_) => image.remove().map_err(|error| undeletable(&error)),
        Err(error) => Err(after(client, &image, config.uuid, error)),
    };
    outcome.map(|()| 0).map_err(wrapped)
}

/// Finds out what a failure made of a file. When that cannot be known, a person is told of the file.
fn after(client: &mut Client, image: &Image, uuid: Uuid, error: Error) -> Error {
    if !image.between().exists() {
        return error;
    }
    let settled = match find(client, &uuid.to_string()) {
        Ok(_) => image.remove().is_ok(),
        Err(client::Error::Failed(Failure::NoSuchDomain)) => image.settle().is_ok(),
        Err(_) => false,
    };
    if !settled {
        eprintln!("{}", hint(image));
    }
    error
}

/// What a person can do with a file that nothing else uses.
fn hint(image: &Image) -> String {
    let path = image.between().to_string_lossy();
    format!("If the domain does not run, 'xm restore {}' makes it go on.", Shown(&path))
}

/// An error in the words of `resume`.
fn wrapped(error: Error) -> Error {
    let wrap = |text: String| format!("Error occurred when resuming: {text}");
    match error {
        Error::Plain(text) | Error::Usage(text) => Error::Plain(wrap(text)),
        other => other,
    }
}
