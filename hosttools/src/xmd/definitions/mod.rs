//! Definitions of domains that need not run, and of CPU pools that need not be there, each in a file of its own.
//!
//! A definition is written beside its place, brought to the disk, moved into its place, and the move brought to the
//! disk; only then is it acknowledged. So at every moment each file in its place is one whole definition, and the last
//! one that was acknowledged or a later one. A file that is damaged all the same is set aside for a person to look at.

mod disk;
mod kinds;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;

use xendless_core::protocol::Failure;

use super::mux::{Keeper, Kept};
use record::RecordError;

pub use disk::{Directory, Disk};

/// The most definitions. Each may have the greatest length that a configuration can have.
const MOST: usize = 4096;

/// What the file of a definition is called while it is written.
const NEW: &str = ".new";

/// What it is called when it was found damaged.
const DAMAGED: &str = ".damaged";

/// The definitions on a disk.
#[derive(Debug)]
pub struct Definitions<D> {
    disk: D,
    names: BTreeSet<(Kept, String)>,
    /// Those whose files another version wrote. They are left as they are.
    foreign: BTreeSet<(Kept, String)>,
}

impl<D: Disk> Definitions<D> {
    /// Finds what is kept. Also returns a line for each file that something is wrong with.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(disk: D) -> io::Result<(Self, Vec<String>)> {
        let files = disk.names()?;
        let mut found = Self { disk, names: BTreeSet::new(), foreign: BTreeSet::new() };
        let mut complaints = Vec::new();
        for file in files {
            if let Some(named) = Kept::of_file(&file) {
                found.find(&file, named, &mut complaints);
            } else if file.ends_with(NEW) {
                // What was being written when nobody had been told of it yet.
                if let Err(error) = found.disk.remove(&file) {
                    complaints.push(format!("{file}, which was never finished, cannot be removed: {error}"));
                }
            }
        }
        Ok((found, complaints))
    }

    fn find(&mut self, file: &str, named: (Kept, String), complaints: &mut Vec<String>) {
        let content = match self.disk.read(file) {
            Ok(content) => content,
            Err(error) => return complaints.push(format!("{file} cannot be read: {error}")),
        };
        match record::parse(&named.1, &content) {
            Ok(_) => {
                self.names.insert(named);
            }
            Err(RecordError::Version(version)) => {
                complaints.push(format!(
                    "{file} is of version {version}, which is not known here; it is left alone"
                ));
                self.foreign.insert(named);
            }
            Err(RecordError::Damaged(why)) => {
                let aside = format!("{file}{DAMAGED}");
                let outcome = match self.disk.rename(file, &aside) {
                    Ok(()) => format!("it is now {aside}"),
                    Err(error) => format!("it cannot be moved aside: {error}"),
                };
                complaints.push(format!("{file} is damaged ({why}); {outcome}"));
            }
        }
    }

    /// Writes a definition in place of the one that may be there.
    fn replace(&mut self, kept: Kept, name: &str, content: &[u8]) -> io::Result<()> {
        let (new, file) = (format!("{}{NEW}", kept.stem(name)), kept.file(name));
        let written = self.disk.write(&new, content).and_then(|()| self.disk.sync(&new));
        if let Err(error) = written.and_then(|()| self.disk.rename(&new, &file)) {
            // If that fails, too, the next start removes it.
            let _ = self.disk.remove(&new);
            return Err(error);
        }
        self.names.insert((kept, name.to_owned()));
        self.disk.sync_names()
    }
}

impl<D: Disk> Keeper for Definitions<D> {
    fn define(&mut self, kept: Kept, config: &[u8]) -> Result<(), Failure> {
        let named = (kept, kept.name_in(config)?);
        let name = &named.1;
        if self.foreign.contains(&named) {
            return Err(Failure::Storage(format!("another version of xmd keeps a definition of {name}")));
        }
        if self.names.len() >= MOST && !self.names.contains(&named) {
            return Err(Failure::Limit("definitions".into()));
        }
        let content = record::make(name, config).map_err(|error| Failure::Storage(error.to_string()))?;
        self.replace(kept, name, &content).map_err(|error| storage(name, &error))
    }

    fn undefine(&mut self, kept: Kept, name: &str) -> Result<(), Failure> {
        let named = (kept, name.to_owned());
        if !self.names.contains(&named) {
            return Err(kept.missing());
        }
        self.disk.remove(&kept.file(name)).map_err(|error| storage(name, &error))?;
        self.names.remove(&named);
        self.disk.sync_names().map_err(|error| storage(name, &error))
    }

    fn after(&mut self, kept: Kept, name: &str) -> Result<Option<(String, Vec<u8>)>, Failure> {
        let behind = (Bound::Excluded((kept, name.to_owned())), Bound::Unbounded);
        let next = self.names.range(behind).next().filter(|(other, _)| *other == kept);
        let Some((_, name)) = next else { return Ok(None) };
        let content = self.disk.read(&kept.file(name)).map_err(|error| storage(name, &error))?;
        match record::parse(name, &content) {
            Ok(config) => Ok(Some((name.clone(), config))),
            Err(error) => Err(Failure::Storage(format!("the definition of {name}: {error}"))),
        }
    }
}

fn storage(name: &str, error: &io::Error) -> Failure {
    Failure::Storage(format!("the definition of {name}: {error}"))
}
