//! Where a dump goes.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tz::TimeZone;
use xendless_core::protocol::Row;

use crate::shown::Shown;
use crate::xm::error::Error;

/// The folder of dumps without a name.
const FOLDER: &str = "/var/lib/xen/dump";
/// What is behind the name of a file that was not finished.
const INCOMPLETE: &str = "-incomplete";

/// The file of a dump.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    /// The file that the user named.
    pub(super) fn named(file: &str) -> Result<Self, Error> {
        let path = std::path::absolute(file).map_err(|error| super::failed(&error))?;
        if path.is_dir() {
            let shown = path.to_string_lossy().into_owned();
            return Err(Error::Usage(format!("Cannot dump core in a directory: {}", Shown(&shown))));
        }
        Ok(Self(path))
    }

    /// The file for a domain without one.
    pub(super) fn usual(row: &Row) -> Result<Self, Error> {
        Self::below(FOLDER.into(), row)
    }

    fn below(folder: PathBuf, row: &Row) -> Result<Self, Error> {
        let own = folder.join(&row.name);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let folder = match builder.create(&own) {
            Ok(()) => own,
            // Its name may be no name of a folder.
            Err(_) => builder.create(&folder).map(|()| folder).map_err(|error| super::failed(&error))?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Ok(Self(folder.join(format!("{}-{}.{}.core", stamp(now), row.name, row.domid))))
    }

    /// Makes the file, for its owner alone.
    pub(super) fn create(&self) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(true).mode(0o600).open(&self.0)
    }

    /// The file was not finished: its name says so from now on.
    pub(super) fn give_up(&self) {
        let mut name = self.0.clone().into_os_string();
        name.push(INCOMPLETE);
        // There is an error to tell already.
        let _ = fs::rename(&self.0, Path::new(&name));
    }

    /// Its path, to be shown.
    pub(super) fn shown(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

/// A time where this machine is, as `2026-1126-1907.25`.
fn stamp(now: u64) -> String {
    let zone = TimeZone::local().unwrap_or_else(|_| TimeZone::utc());
    let seconds = i64::try_from(now).unwrap_or(0);
    let Ok(zone) = zone.find_local_time_type(seconds) else { return now.to_string() };
    match tz::DateTime::from_timespec_and_local(seconds, 0, *zone) {
        Ok(time) => format!(
            "{}-{:02}{:02}-{:02}{:02}.{:02}",
            time.year(),
            time.month(),
            time.month_day(),
            time.hour(),
            time.minute(),
            time.second()
        ),
        Err(_) => now.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::xm::commands::list::tests::row;

    #[test]
    fn a_dump_without_a_name_is_found_by_domain_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let guest = row(7, "guest", xendless_core::hyper::DomainFlags::RUNNING);
        let place = Place::below(folder.path().join("dump"), &guest).unwrap();
        place.create().unwrap();
        let own = folder.path().join("dump/guest");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&own), mode(&place.0)), (0o700, 0o600));
        let name = place.0.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.ends_with("-guest.7.core"), "{name}");
        let stamp = name.strip_suffix("-guest.7.core").unwrap();
        let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-0000-0000.00");
        place.give_up();
        assert!(own.join(format!("{name}-incomplete")).exists() && !place.0.exists());
    }
}
