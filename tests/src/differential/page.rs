//! A ring page in a file.

use std::fs::{File, OpenOptions};
use std::ops::Deref;
use std::path::Path;
use std::ptr::{self, NonNull};

use anyhow::{Context, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use xendless_core::shared::{PAGE_SIZE, Page};

/// A page that another process maps too.
#[derive(Debug)]
pub struct SharedPage(NonNull<Page>);

impl SharedPage {
    /// Maps the page in a file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        file.map_err(Into::into)
            .and_then(|file| Self::map(&file))
            .with_context(|| format!("mapping {}", path.display()))
    }

    fn map(file: &File) -> Result<Self> {
        // SAFETY: the address is the kernel's choice, so no memory of ours is replaced.
        let start = unsafe {
            mmap(ptr::null_mut(), PAGE_SIZE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0)
        }?;
        Ok(Self(NonNull::new(start.cast()).context("mapped at address 0")?))
    }
}

impl Deref for SharedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        // SAFETY: `map` got one whole page there, page-aligned, which stays until `drop`. `Page` is made of
        // atomics, so another process may write it meanwhile.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedPage {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours alone and nothing borrows it any more.
        let unmapped = unsafe { munmap(self.0.as_ptr().cast(), PAGE_SIZE) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
