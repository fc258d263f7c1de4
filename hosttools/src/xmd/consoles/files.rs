//! Log files of a limited size.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::xmd::note::note;

/// Where consoles are logged to. What cannot be logged is lost; nobody waits for it.
pub trait Sink {
    /// The log of this name goes on with a new connection.
    fn begin(&mut self, name: &str);

    /// Appends to the log of this name.
    fn write(&mut self, name: &str, bytes: &[u8]);

    /// Tells a person.
    fn complain(&mut self, what: &str);
}

/// Files in a directory: `console-NAME.log`, and `.1` and so on behind that for what was before.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    /// The most bytes in a file.
    limit: u64,
    /// How many older files there are for each.
    keep: u32,
    open: BTreeMap<String, Log>,
}

/// A log; without a file when that failed.
#[derive(Debug)]
struct Log {
    file: Option<File>,
    length: u64,
}

impl Files {
    /// Logs to `directory`, which is made when it is needed.
    #[must_use]
    pub const fn new(directory: PathBuf, limit: u64, keep: u32) -> Self {
        Self { directory, limit, keep, open: BTreeMap::new() }
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.directory.join(format!("console-{name}.log"));
        let log = match self.open.get_mut(name) {
            Some(log) => log,
            None => {
                // Also when it fails: it is tried and complained of once.
                let log = self.open.entry(name.to_owned()).or_insert(Log { file: None, length: 0 });
                (log.file, log.length) = open(&path).map(|(file, length)| (Some(file), length))?;
                log
            }
        };
        let Some(file) = &mut log.file else { return Ok(()) };
        let count = bytes.len() as u64;
        if log.length > 0 && log.length + count > self.limit {
            log.file = None;
            rotate(&path, self.keep)?;
            let (file, length) = open(&path)?;
            log.length = length + count;
            return log.file.insert(file).write_all(bytes);
        }
        log.length += count;
        file.write_all(bytes)
    }
}

impl Sink for Files {
    fn begin(&mut self, name: &str) {
        // A new connection is a new chance for a file that failed.
        self.open.remove(name);
        self.write(
            name,
            b"\r\n--- xmd listens from here; first comes what the control domain remembers ---\r\n",
        );
    }

    fn write(&mut self, name: &str, bytes: &[u8]) {
        if let Err(error) = self.append(name, bytes) {
            if let Some(log) = self.open.get_mut(name) {
                log.file = None;
            }
            note(format_args!("the console of {name} is not logged any more: {error}"));
        }
    }

    fn complain(&mut self, what: &str) {
        note(format_args!("{what}"));
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o750).create(directory)?;
    }
    let file = File::options().append(true).create(true).mode(0o640).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Moves a log out of the way: `.log` to `.log.1`, that to `.log.2`; the last one is replaced.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let older = |number: u32| match number {
        0 => path.to_owned(),
        _ => PathBuf::from(format!("{}.{number}", path.display())),
    };
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (0..keep).rev() {
        match fs::rename(older(number), older(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
