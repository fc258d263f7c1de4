//! Files and block devices of this domain.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::super::class::{Why, words};
use super::super::machine::Machine;
use super::super::scripts::Scripts;
use crate::loops::{self, Identity, Loop};

/// A block device that is held for a backend.
#[derive(Debug)]
pub(in super::super) enum Held {
    /// A device that is there by itself.
    Device,
    /// A loop device; without this and without a backend it goes.
    Loop(Loop),
    /// Nothing, in an empty drive.
    Nothing,
    /// The business of a script.
    Script(String),
}

/// What is behind a device, found and opened.
#[derive(Debug)]
pub(in super::super) struct Source {
    pub(in super::super) file: File,
    pub(in super::super) identity: Identity,
}

/// What hotplug does with this domain's files and devices.
pub(in super::super) trait Disks: Scripts {
    /// Opens what is behind a device.
    fn open(&mut self, path: &Path, writes: bool) -> Result<Source, Why>;

    /// Who else in this domain uses it, in words; `ours` are loop devices that do not count.
    fn used(&mut self, source: &Source, path: &Path, writes: bool, ours: &[PathBuf]) -> Option<Why>;

    /// Makes a block device of it. Gives its number and its path.
    fn hold(&mut self, source: &Source, path: &Path, writes: bool) -> Result<(Held, u64, PathBuf), Why>;

    /// Finds again what was made of it before; `given` is where.
    fn find(&mut self, source: &Source, given: &Path) -> Option<Held>;
}

impl Disks for Machine {
    fn open(&mut self, path: &Path, writes: bool) -> Result<Source, Why> {
        let of = |error: io::Error| format!("{}: {}", path.display(), words(&error));
        // A pipe or a terminal would be waited for.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = OpenOptions::new().read(true).write(writes).custom_flags(flags).open(path);
        let file = opened.map_err(of)?;
        let identity = Identity::of(&file).map_err(of)?;
        let identity =
            identity.ok_or_else(|| format!("{}: neither a file nor a block device", path.display()))?;
        Ok(Source { file, identity })
    }

    fn used(&mut self, source: &Source, path: &Path, writes: bool, ours: &[PathBuf]) -> Option<Why> {
        match source.identity {
            Identity::File(..) => {
                let clash = |(device, written): &(PathBuf, bool)| {
                    (*written || writes) && !ours.iter().any(|ours| ours == device)
                };
                let (device, _) = loops::with(source.identity).into_iter().find(clash)?;
                Some(format!("{} is set up as {} by somebody else", path.display(), device.display()))
            }
            // Linux lets nobody have it alone while it is mounted or part of something else.
            Identity::Device(_) if writes => {
                let alone =
                    OpenOptions::new().read(true).custom_flags(OFlags::EXCL.bits().cast_signed()).open(path);
                let busy = alone.is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy);
                busy.then(|| format!("{} is mounted or part of another device", path.display()))
            }
            Identity::Device(_) => None,
        }
    }

    fn hold(&mut self, source: &Source, path: &Path, writes: bool) -> Result<(Held, u64, PathBuf), Why> {
        let of = |error: io::Error| format!("{}: no loop device: {}", path.display(), words(&error));
        match source.identity {
            Identity::Device(number) => Ok((Held::Device, number, path.into())),
            Identity::File(..) => {
                let device = Loop::set_up(&source.file, path, !writes).map_err(of)?;
                let (number, path) = (device.number().map_err(of)?, device.path().to_owned());
                Ok((Held::Loop(device), number, path))
            }
        }
    }

    fn find(&mut self, source: &Source, given: &Path) -> Option<Held> {
        match source.identity {
            Identity::Device(number) => {
                (std::fs::metadata(given).ok()?.rdev() == number).then_some(Held::Device)
            }
            Identity::File(..) => Loop::find(given, source.identity).map(Held::Loop),
        }
    }
}
