//! Names of files that survive the machine.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Gives a file another name in its folder. When it is done, the file has that name after a power cut, too.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
