//! The files that a domain starts from, and making sure of them.

use core::mem;

use super::Failure;
use crate::bundle::{Check, Payload};
use crate::images::{Image, Source};

/// The bytes of a file, cheap to hold more than once.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// In memory that stays, as the boot bundle does.
    Static(&'static [u8]),
    /// In memory that goes with its last holder.
    Shared(Image),
}

impl Bytes {
    /// What an unpacked kernel is found by.
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Static(bytes) => Source::Place { address: bytes.as_ptr().addr(), len: bytes.len() },
            Self::Shared(image) => image.source(),
        }
    }
}

impl Default for Bytes {
    /// No bytes.
    fn default() -> Self {
        Self::Static(&[])
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Shared(image) => image.as_ref(),
        }
    }
}

/// The files a domain starts from.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The kernel, packed or not.
    pub kernel: Bytes,
    /// The ramdisk, which may be empty.
    pub ramdisk: Bytes,
}

/// Where a domain's files come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// From somebody who sent them; they are as they were sent.
    Sent(Files),
    /// The same, but the first time it is made from what was saved of it, which is fed to it ([`super::Manager::feed`]).
    Saved(Files),
    /// From the boot bundle; they are compared with their checksums first.
    Bundle {
        /// The kernel.
        kernel: Payload<'static>,
        /// The ramdisk.
        ramdisk: Option<Payload<'static>>,
    },
}

impl From<Files> for Origin {
    fn from(files: Files) -> Self {
        Self::Sent(files)
    }
}

/// Files of the boot bundle that are being compared with their checksums.
#[derive(Debug)]
pub(super) struct Verify {
    check: Check<'static>,
    ramdisk: Option<Payload<'static>>,
    /// The kernel, once it is known to be right.
    kernel: Option<&'static [u8]>,
}

impl Verify {
    pub(super) fn new(kernel: &Payload<'static>, ramdisk: Option<Payload<'static>>) -> Self {
        Self { check: kernel.check(), ramdisk, kernel: None }
    }

    /// Does a bounded piece of the work; the files when all is right.
    pub(super) fn step(&mut self) -> Result<Option<Files>, Failure> {
        let name = self.check.name();
        let Some(content) = self.check.step().map_err(|_| Failure::Damaged(name))? else { return Ok(None) };
        if let Some(ramdisk) = self.ramdisk.take() {
            self.check = ramdisk.check();
            self.kernel = Some(content);
            return Ok(None);
        }
        let (kernel, ramdisk) = match mem::take(&mut self.kernel) {
            Some(kernel) => (kernel, content),
            None => (content, &[][..]),
        };
        Ok(Some(Files { kernel: Bytes::Static(kernel), ramdisk: Bytes::Static(ramdisk) }))
    }
}
