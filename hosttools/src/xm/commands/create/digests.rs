//! Digests of files that were hashed before, so that an unchanged kernel need not be read again.
//!
//! A file counts as unchanged while its place and its times are the same. It is kept in the folder of `xmd`'s socket,
//! which is gone after a restart of the machine. All of it is a convenience: what cannot be read or written is
//! passed over.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

/// How many files are remembered.
const FILES: usize = 64;
/// The longest list that is read.
const LONGEST: u64 = 64 << 10;
/// Seconds that a file must have been left alone: a change within the resolution of its times would not be seen.
const SETTLED: i64 = 2;

/// By what a file is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Key {
    pub(super) fn of(found: &fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The list of digests.
#[derive(Debug)]
pub(super) struct Digests {
    path: PathBuf,
    entries: Vec<(Key, [u8; 32])>,
    /// Now, in seconds since 1970.
    now: i64,
}

impl Digests {
    /// The list in the folder of the socket.
    pub(super) fn beside(socket: &Path) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Self::at(socket.with_file_name("digests"), i64::try_from(now).unwrap_or(0))
    }

    fn at(path: PathBuf, now: i64) -> Self {
        let entries = read(&path).map(|text| text.lines().filter_map(entry).take(FILES).collect());
        Self { path, entries: entries.unwrap_or_default(), now }
    }

    /// The digest of an unchanged file.
    pub(super) fn get(&self, key: &Key) -> Option<[u8; 32]> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, digest)| *digest)
    }

    /// Remembers a digest, if the file has settled.
    pub(super) fn keep(&mut self, key: Key, digest: [u8; 32]) {
        if self.now - key.changed.0 < SETTLED {
            return;
        }
        self.entries.retain(|(known, _)| (known.device, known.inode) != (key.device, key.inode));
        self.entries.insert(0, (key, digest));
        self.entries.truncate(FILES);
        // Without it the file is hashed again.
        let _ = self.write();
    }

    /// Puts a new list in the place of the old one.
    fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for (key, digest) in &self.entries {
            let hex = blake3::Hash::from_bytes(*digest).to_hex();
            let Key { device, inode, size, modified, changed } = key;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{device} {inode} {size} {} {} {} {} {hex}",
                modified.0, modified.1, changed.0, changed.1
            );
        }
        let partial = self.path.with_extension(format!("{}.partial", std::process::id()));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&partial)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&partial, &self.path));
        written.inspect_err(|_| drop(fs::remove_file(&partial)))
    }
}

/// The list's text, if nobody else can have written it: who can lies about what a kernel is.
fn read(path: &Path) -> io::Result<String> {
    let no_link = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = fs::OpenOptions::new().read(true).custom_flags(no_link).open(path)?;
    let found = file.metadata()?;
    let own = found.uid() == rustix::process::geteuid().as_raw();
    if !own || !found.is_file() || found.mode() & 0o022 != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn entry(line: &str) -> Option<(Key, [u8; 32])> {
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse::<i128>().ok();
    let unsigned = |number: i128| u64::try_from(number).ok();
    let signed = |number: i128| i64::try_from(number).ok();
    let (device, inode, size) = (unsigned(number()?)?, unsigned(number()?)?, unsigned(number()?)?);
    let modified = (signed(number()?)?, signed(number()?)?);
    let changed = (signed(number()?)?, signed(number()?)?);
    let digest = blake3::Hash::from_hex(words.next()?).ok()?;
    let rest = words.next().is_none();
    rest.then(|| (Key { device, inode, size, modified, changed }, *digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key(inode: u64, changed: i64) -> Key {
        Key { device: 1, inode, size: 3, modified: (-5, 6), changed: (changed, 9) }
    }

    #[test]
    fn what_was_kept_is_known_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        let mut digests = Digests::at(path.clone(), 1000);
        digests.keep(key(1, 10), [1; 32]);
        digests.keep(key(2, 999), [2; 32]);
        digests.keep(key(1, 20), [3; 32]);
        let later = Digests::at(path.clone(), 2000);
        assert_eq!(later.get(&key(1, 20)), Some([3; 32]));
        assert_eq!(later.get(&key(1, 10)), None, "the file changed");
        assert_eq!(later.get(&key(2, 999)), None, "it may change within the same moment");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        fs::write(&path, "nonsense\n1 2 3\n\u{7}").unwrap();
        assert_eq!(Digests::at(path, 2000).entries, []);
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        let mut digests = Digests::at(path.clone(), 1000);
        (0..100).for_each(|inode| digests.keep(key(inode, 1), [1; 32]));
        let later = Digests::at(path, 1000);
        assert_eq!(later.entries.len(), FILES);
        assert!(later.get(&key(99, 1)).is_some() && later.get(&key(0, 1)).is_none());
    }

    #[test]
    fn attack_a_list_that_others_can_write_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        Digests::at(path.clone(), 1000).keep(key(1, 10), [1; 32]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(Digests::at(path.clone(), 1000).get(&key(1, 10)), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(Digests::at(link, 1000).get(&key(1, 10)), None);
        assert!(Digests::at(path, 1000).get(&key(1, 10)).is_some());
    }
}
