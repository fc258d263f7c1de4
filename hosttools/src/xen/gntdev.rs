//! `/dev/xen/gntdev`: pages that other domains granted to this one.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use rustix::ioctl::Opcode;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use xendless_core::hyper::{Access, DomId, GrantRef, Port};
use xendless_core::shared::{PAGE_SIZE, Page};

use super::call::{Argument, call, number};

/// A page is unmapped: one of its bytes becomes zero (`UNMAP_NOTIFY_CLEAR_BYTE`).
const CLEAR_BYTE: u32 = 1;
/// A page is unmapped: a channel is signalled (`UNMAP_NOTIFY_SEND_EVENT`).
const SEND_EVENT: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
struct MapGrantRef {
    /// Always 1: there is one `refs` here.
    count: u32,
    pad: u32,
    index: u64,
    domid: u32,
    gref: u32,
}

// SAFETY: the structure is `ioctl_gntdev_map_grant_ref`; its driver reads `count` references, which is always one.
unsafe impl Argument for MapGrantRef {
    const NUMBER: Opcode = number::<Self>(b'G', 0);
}

#[repr(C)]
#[derive(Clone, Copy)]
struct UnmapGrantRef {
    index: u64,
    count: u32,
    pad: u32,
}

// SAFETY: the structure is `ioctl_gntdev_unmap_grant_ref`; its driver forgets a mapping that is unmapped already.
unsafe impl Argument for UnmapGrantRef {
    const NUMBER: Opcode = number::<Self>(b'G', 1);
}

#[repr(C)]
#[derive(Clone, Copy)]
struct UnmapNotify {
    index: u64,
    action: u32,
    port: u32,
}

// SAFETY: the structure is `ioctl_gntdev_unmap_notify`; its driver writes to granted pages only, which are shared.
unsafe impl Argument for UnmapNotify {
    const NUMBER: Opcode = number::<Self>(b'G', 7);
}

/// The open device.
#[derive(Clone, Debug)]
pub struct GrantDevice(Rc<File>);

impl GrantDevice {
    /// Opens it.
    ///
    /// # Errors
    /// When there is none, or it may not be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Rc::new(File::options().read(true).write(true).open(path)?)))
    }

    /// Maps a page that `domid` granted.
    ///
    /// # Errors
    /// When it did not, or does not grant such access.
    pub fn map(&self, domid: DomId, gref: GrantRef, access: Access) -> io::Result<GrantedPage> {
        let request = MapGrantRef { count: 1, pad: 0, index: 0, domid: domid.0.into(), gref: gref.0 };
        let (MapGrantRef { index, .. }, _) = call(&*self.0, request)?;
        let protection = match access {
            Access::ReadOnly => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a fresh mapping at an address that the kernel chooses touches no memory that is in use.
        let mapped = unsafe { mmap(null_mut(), PAGE_SIZE, protection, MapFlags::SHARED, &*self.0, index) };
        let address = mapped.map_err(io::Error::from).and_then(|at| {
            NonNull::new(at.cast()).ok_or_else(|| io::Error::other("a page was mapped at address 0"))
        });
        match address {
            Ok(address) => Ok(GrantedPage { device: self.clone(), index, address }),
            Err(error) => {
                self.forget(index);
                Err(error)
            }
        }
    }

    /// The driver frees what it kept for a mapping that is not there any more. What it cannot free now, it frees when
    /// the device is closed.
    fn forget(&self, index: u64) {
        let _ = call(&*self.0, UnmapGrantRef { index, count: 1, pad: 0 });
    }
}

/// A page of another domain, mapped. Dropping it unmaps.
#[derive(Debug)]
pub struct GrantedPage {
    device: GrantDevice,
    index: u64,
    address: NonNull<Page>,
}

impl GrantedPage {
    /// When this page is unmapped, or the process ends in whatever way, the byte at `offset` becomes zero and the
    /// other end of our channel `port` is signalled.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn notify_when_unmapped(&self, offset: u16, port: Port) -> io::Result<()> {
        let index = self.index + u64::from(offset);
        call(&*self.device.0, UnmapNotify { index, action: CLEAR_BYTE | SEND_EVENT, port: port.0 }).map(drop)
    }
}

impl Deref for GrantedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        // SAFETY: a whole page is mapped here until this is dropped, and all that `Page` does with memory is by
        // atomics, whatever the other domain does meanwhile. A page that is mapped for reading is only read.
        unsafe { self.address.as_ref() }
    }
}

impl Drop for GrantedPage {
    fn drop(&mut self) {
        // SAFETY: this is the page that was mapped, and nobody has a reference into it any more.
        if unsafe { munmap(self.address.as_ptr().cast(), PAGE_SIZE) }.is_ok() {
            self.device.forget(self.index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_have_the_numbers_of_the_header() {
        assert_eq!((MapGrantRef::NUMBER, size_of::<MapGrantRef>()), (0x0018_4700, 24));
        assert_eq!((UnmapGrantRef::NUMBER, size_of::<UnmapGrantRef>()), (0x0010_4701, 16));
        assert_eq!((UnmapNotify::NUMBER, size_of::<UnmapNotify>()), (0x0010_4707, 16));
    }
}
