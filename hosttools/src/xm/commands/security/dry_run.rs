//! `dry-run`: whether a configuration could be used.

use std::fs::{self, File};

use xendless_core::config::{Boot, DomainConfig};
use xendless_core::protocol::Labels;

use super::ask;
use crate::shown::Shown;
use crate::xm::commands::create::load;
use crate::xm::error::{Error, reason};
use crate::xm::options::Given;
use crate::xm::session::{Session, is_root};
use crate::xm::table::Outcome;

/// The exit status of a configuration that could not be used.
const DENIED: u8 = 255;

/// `dry-run`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    let named = given.value("defconfig").is_some() || given.value("config").is_some();
    if given.operands.len() != usize::from(!named) {
        return Err(Error::Usage("Invalid number of arguments".to_owned()));
    }
    let passed = match load(session, given) {
        Ok(loaded) => check(session, &loaded.config)?,
        Err(error) => {
            let report = error.report(is_root());
            session.out.line(report.text)?;
            false
        }
    };
    session.out.line(if passed { "Dry Run: PASSED" } else { "Dry Run: FAILED" })?;
    Ok(if passed { 0 } else { DENIED })
}

fn check(session: &mut Session, config: &DomainConfig) -> Result<bool, Error> {
    session.out.line("Checking domain:")?;
    let label = match &config.platform.label {
        None => Ok(()),
        Some(label) => {
            ask(&mut session.connect()?, Labels::Check { label }).map_err(|error| error.bare(is_root()))
        }
    };
    let mut passed = verdict(session, config.name.as_str(), label)?;
    session.out.line("Checking resources:")?;
    for (path, outcome) in resources(config) {
        passed &= verdict(session, path, outcome)?;
    }
    Ok(passed)
}

fn verdict(session: &mut Session, name: &str, outcome: Result<(), String>) -> Result<bool, Error> {
    let name = Shown(name);
    match &outcome {
        Ok(()) => session.out.line(format_args!("   {name}: PERMITTED"))?,
        Err(why) => {
            session.out.line(format_args!("   {name}: DENIED"))?;
            session.out.line(format_args!("   --> {}", Shown(why)))?;
        }
    }
    Ok(outcome.is_ok())
}

/// What the domain needs of this system, and whether it is there.
fn resources(config: &DomainConfig) -> Vec<(&str, Result<(), String>)> {
    let mut found = Vec::new();
    if let Boot::Direct { kernel, ramdisk } = &config.boot {
        let files = std::iter::once(kernel).chain(ramdisk);
        found.extend(files.map(|path| (path.as_str(), File::open(path.as_str()).map(drop))));
    }
    for disk in config.devices.disks.iter().filter(|disk| disk.backend.is_none()) {
        // What a script makes of its target, only that knows.
        let Some(source) = disk.medium.source().filter(|source| source.script.is_none()) else { continue };
        let path = source.target.as_str();
        found.push((path, fs::metadata(path).map(drop)));
    }
    found.into_iter().map(|(path, outcome)| (path, outcome.map_err(|error| reason(&error)))).collect()
}
