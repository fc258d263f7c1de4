//! Loop devices of Linux: block devices whose blocks are those of a file. Source: Linux `include/uapi/linux/loop.h`.
//!
//! Each is made so that it goes by itself when nobody has it open any more. So whoever dies leaves none behind: not
//! this process, and not a backend.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::ioctl::Opcode;

use crate::xen::call::{Argument, call};

/// It cannot be written.
const READ_ONLY: u32 = 1;
/// It goes when it is closed for the last time.
const AUTOCLEAR: u32 = 4;
/// It passes the page cache by, where the file system lets it.
const DIRECT_IO: u32 = 16;

/// How often another device is tried when somebody was faster.
const ATTEMPTS: u32 = 64;

/// Which file something is, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// A file, by its device and number.
    File(u64, u64),
    /// A block device, by its number.
    Device(u64),
}

impl Identity {
    /// What a file is; `None` when it is neither a file nor a block device.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn of(file: &File) -> io::Result<Option<Self>> {
        let meta = file.metadata()?;
        let kind = meta.file_type();
        Ok(match kind {
            _ if kind.is_block_device() => Some(Self::Device(meta.rdev())),
            _ if kind.is_file() => Some(Self::File(meta.dev(), meta.ino())),
            _ => None,
        })
    }
}

/// `struct loop_info64`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Info {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

impl Info {
    const fn with(flags: u32, file_name: [u8; 64]) -> Self {
        Self {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags,
            file_name,
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        }
    }
}

// SAFETY: `LOOP_GET_STATUS64`; the driver fills the structure and touches nothing else.
unsafe impl Argument for Info {
    const NUMBER: Opcode = 0x4c05;
}

/// `struct loop_config`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Configure {
    fd: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

// SAFETY: `LOOP_CONFIGURE`; the driver reads the structure, and refuses a number that is no open file.
unsafe impl Argument for Configure {
    const NUMBER: Opcode = 0x4c0a;
}

#[repr(C)]
#[derive(Clone, Copy)]
struct GetFree(u64);

// SAFETY: `LOOP_CTL_GET_FREE`; the driver looks at no argument.
unsafe impl Argument for GetFree {
    const NUMBER: Opcode = 0x4c82;
}

/// A loop device that is set up. While this is there, the device is.
#[derive(Debug)]
pub struct Loop {
    device: File,
    path: PathBuf,
}

impl Loop {
    /// Puts a file behind a free device.
    ///
    /// # Errors
    /// When there is no driver, or it refuses.
    pub fn set_up(file: &File, name: &Path, read_only: bool) -> io::Result<Self> {
        let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
        let flags = AUTOCLEAR | DIRECT_IO | if read_only { READ_ONLY } else { 0 };
        let fd = u32::try_from(file.as_raw_fd()).map_err(io::Error::other)?;
        let info = Info::with(flags, shown(name));
        for _ in 0..ATTEMPTS {
            let (_, number) = call(&control, GetFree(0))?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = OpenOptions::new().read(true).write(!read_only).open(&path)?;
            match call(&device, Configure { fd, block_size: 0, info, reserved: [0; 8] }) {
                Ok(_) => return Ok(Self { device, path }),
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// A device that was set up before; `None` when there is another file behind it, or none.
    #[must_use]
    pub fn find(path: &Path, behind: Identity) -> Option<Self> {
        let device = File::open(path).ok()?;
        let (info, _) = call(&device, Info::with(0, [0; 64])).ok()?;
        (Identity::File(info.device, info.inode) == behind).then(|| Self { device, path: path.into() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its number.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn number(&self) -> io::Result<u64> {
        Ok(self.device.metadata()?.rdev())
    }
}

/// The loop devices that have this file behind them, and whether they can be written.
#[must_use]
pub fn with(behind: Identity) -> Vec<(PathBuf, bool)> {
    let Ok(devices) = std::fs::read_dir("/sys/block") else { return Vec::new() };
    let names = devices.flatten().filter(|entry| entry.path().join("loop/backing_file").exists());
    let paths = names.map(|entry| Path::new("/dev").join(entry.file_name()));
    let found = paths.filter_map(|path| {
        let device = File::open(&path).ok()?;
        let (info, _) = call(&device, Info::with(0, [0; 64])).ok()?;
        (Identity::File(info.device, info.inode) == behind).then_some((path, info.flags & READ_ONLY == 0))
    });
    found.collect()
}

/// What `losetup` shows, as much of it as there is room for.
fn shown(name: &Path) -> [u8; 64] {
    let mut shown = [0; 64];
    let bytes = name.as_os_str().as_encoded_bytes();
    // The last byte stays zero.
    shown.iter_mut().take(63).zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_as_long_as_those_of_the_header() {
        assert_eq!((size_of::<Info>(), size_of::<Configure>()), (232, 304));
    }

    #[test]
    fn a_file_is_itself_under_every_name() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        std::fs::write(&one, "x").unwrap();
        std::fs::hard_link(&one, &two).unwrap();
        let identity = |path: &Path| Identity::of(&File::open(path).unwrap()).unwrap();
        assert!(identity(&one).is_some() && identity(&one) == identity(&two));
        assert_eq!(identity(dir.path()), None);
        assert_eq!(identity(Path::new("/dev/null")), None);
    }
}
