//! `man`: the manual pages, made from the table of sub-commands, the table of configuration variables, the options of
//! `xmd`, and `texts.md` for what tables cannot say.

mod page;
mod pages;
mod texts;

use std::fs;
use std::path::Path;

use super::error::{Error, reason};
use super::options::Given;
use super::session::Session;
use super::table::Outcome;
use crate::shown::Shown;

/// `man`.
pub(super) fn run(_: &mut Session, given: &Given) -> Outcome {
    let folder = Path::new(given.operand(0));
    for (name, text) in pages::all() {
        fs::write(folder.join(name), text).map_err(|error| {
            Error::Plain(format!("Cannot write to {}: {}", Shown(given.operand(0)), reason(&error)))
        })?;
    }
    Ok(0)
}
