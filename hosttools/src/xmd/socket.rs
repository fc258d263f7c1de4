//! The socket where local programs come in, and the locks that keep two daemons apart.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::umask;

/// A file that only one process has locked. The lock ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock is held while the file is open")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be made.
    pub fn take(path: &Path) -> io::Result<Self> {
        make_directory_of(path)?;
        let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(io::Error::new(io::ErrorKind::AddrInUse, "another xmd is at work there"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A socket that is listened on. Dropping it removes it.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`, for root and the group. A socket that nobody listens on any more is replaced. The caller
    /// holds a lock, so that no other daemon does the same at the same time.
    ///
    /// # Errors
    /// When the socket cannot be made, or somebody listens there.
    pub fn bind(path: PathBuf, group: Option<u32>) -> io::Result<Self> {
        make_directory_of(&path)?;
        if fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()) {
            match UnixStream::connect(&path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(&path)?,
                _ => return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
            }
        }
        // For its owner alone, until the group is set.
        let before = umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
        let listener = UnixListener::bind(&path);
        umask(before);
        let socket = Self { listener: listener?, path };
        if group.is_some() {
            chown(&socket.path, None, group)?;
            fs::set_permissions(&socket.path, Permissions::from_mode(0o660))?;
        }
        socket.listener.set_nonblocking(true)?;
        Ok(socket)
    }

    /// The next connection that waits.
    ///
    /// # Errors
    /// When there is none, or it went away, or there is no room for it.
    pub fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next start replaces what stays.
        let _ = fs::remove_file(&self.path);
    }
}

fn make_directory_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => {
            DirBuilder::new().recursive(true).mode(0o755).create(directory)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getgid;

    #[test]
    fn a_socket_that_nobody_listens_on_is_replaced_and_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/xmd.sock");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let for_group = Socket::bind(path.clone(), Some(getgid().as_raw())).unwrap();
        assert_eq!(mode(), 0o660);
        drop(for_group);
        let first = Socket::bind(path.clone(), None).unwrap();
        assert_eq!(mode(), 0o600);
        assert_eq!(Socket::bind(path.clone(), None).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a socket of the dead");
        drop(Socket::bind(path.clone(), None).unwrap());
        fs::write(&path, "precious").unwrap();
        assert!(Socket::bind(path.clone(), None).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_lock_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/lock");
        let lock = Lock::take(&path).unwrap();
        assert_eq!(Lock::take(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(lock);
        Lock::take(&path).unwrap();
    }
}
