//! The label in a configuration file: a line `seclabel = '…'` of its own.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use crate::shown::Shown;
use crate::xm::commands::create::source::{find, read};
use crate::xm::error::{Error, reason};

/// Where configuration files are looked for.
const FOLDERS: &str = ".:/etc/xen";

/// A configuration file.
pub(super) struct ConfigFile {
    path: String,
    text: String,
}

impl ConfigFile {
    /// Finds and reads it. `missing` is what to say when it is not there.
    pub(super) fn open(name: &str, missing: &str) -> Result<Self, Error> {
        let path = find(name, FOLDERS).ok_or_else(|| Error::Usage(missing.to_owned()))?;
        let text = read(&path).map_err(|error| Error::Plain(format!("{missing} ({})", reason(&error))))?;
        Ok(Self { path, text })
    }

    /// The label that it gives the domain.
    pub(super) fn label(&self) -> Option<&str> {
        self.text.lines().rev().find_map(value)
    }

    /// Adds a label; there is none.
    pub(super) fn add(&mut self, label: &str) -> Result<(), Error> {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text += &format!("seclabel = '{label}'\n");
        self.write()
    }

    /// Makes comments of the lines about labels.
    pub(super) fn remove(&mut self) -> Result<(), Error> {
        let lines = self.text.split_inclusive('\n');
        self.text =
            lines.map(|line| if value(line).is_some() { format!("#{line}") } else { line.into() }).collect();
        self.write()
    }

    /// Replaces the file in one step.
    fn write(&self) -> Result<(), Error> {
        let failed = |error: std::io::Error| {
            Error::Plain(format!("Cannot write {}: {}", Shown(&self.path), reason(&error)))
        };
        // What a link leads to is replaced, not the link.
        let path = fs::canonicalize(&self.path).map_err(failed)?;
        let mut fresh = path.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let written = File::create_new(&fresh).and_then(|mut file| {
            let written = file
                .write_all(self.text.as_bytes())
                .and_then(|()| file.set_permissions(fs::metadata(&path)?.permissions()))
                .and_then(|()| file.sync_all())
                .and_then(|()| fs::rename(&fresh, &path));
            // What could not be finished is not left there; that it cannot be removed changes nothing of the error.
            written.inspect_err(|_| drop(fs::remove_file(&fresh)))
        });
        written.map_err(failed)
    }
}

/// The label that a line gives, if it is about that.
fn value(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("seclabel")?.trim_start().strip_prefix('=')?.trim();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    rest.get(1..)?.split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_a_label_or_not() {
        assert_eq!(value("seclabel='a:b:c'"), Some("a:b:c"));
        assert_eq!(value("seclabel = \"a:b:c\"  # why"), Some("a:b:c"));
        for line in
            ["# seclabel='a'", "seclabels='a'", "seclabel", "seclabel == 1", " seclabel='a'", "x='seclabel'"]
        {
            assert_eq!(value(line), None, "{line}");
        }
    }
}
