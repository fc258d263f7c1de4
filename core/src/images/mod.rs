//! The files that domains start from, kept by what is in them.
//!
//! Whoever creates a domain sends its kernel and ramdisk once; while they are kept, naming their [`Digest`] is
//! enough. A kernel that was unpacked is kept as well, under what it came from, so that the next domain with that
//! kernel, and each restart, saves the work.
//!
//! One budget of bytes covers everything: what is kept and what is still being received. What somebody holds a
//! handle on stays; the rest goes when room is needed, the least recently used first. Each image is one piece of
//! memory, because decoders and builds read it as a slice; it is asked for once, at its final size, and where
//! there is no such piece the answer is an error.
//!
//! That an image is here tells whoever asks for it that somebody sent it before. To ask, one has to have every
//! byte of it already and the right to create domains, so this is not hidden. Nobody can put other bytes under a
//! digest: what was received is compared with it before anyone can find it.
#![forbid(unsafe_code)]

mod digest;
mod receive;
#[cfg(test)]
mod tests;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

pub use digest::Digest;
pub use receive::{FinishError, Receiving, STEP, TooLong};

/// The most images that are kept. Looking for one goes through all of them.
const ENTRIES: usize = 1024;

/// The bytes of an image, cheap to hold more than once. They stay until the last handle goes.
#[derive(Clone)]
pub struct Image(Rc<Held>);

struct Held {
    key: Key,
    bytes: Vec<u8>,
    /// Nothing for what is not kept.
    charge: Option<Charge>,
}

impl Image {
    /// The file it is, or was unpacked from.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.0.key {
            Key::File(digest) => Source::Received(digest),
            Key::Kernel(source) => source,
        }
    }
}

impl Image {
    fn new(key: Key, bytes: Vec<u8>, charge: Option<Charge>) -> Self {
        Self(Rc::new(Held { key, bytes, charge }))
    }

    /// Whether somebody holds it besides the list.
    fn is_in_use(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// Its share of the budget in bytes.
    fn charged(&self) -> usize {
        self.0.charge.as_ref().map_or(0, |charge| charge.bytes)
    }
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.0.bytes.len())
    }
}

/// A file, as far as it tells what is unpacked from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A file that was received.
    Received(Digest),
    /// A file that stays where it is for good, as those of the boot bundle do.
    Place {
        /// Its first byte.
        address: usize,
        /// Its length in bytes.
        len: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    File(Digest),
    Kernel(Source),
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
struct Charge {
    total: Rc<Cell<usize>>,
    bytes: usize,
}

impl Charge {
    fn new(total: &Rc<Cell<usize>>, bytes: usize) -> Self {
        total.set(total.get().saturating_add(bytes));
        Self { total: Rc::clone(total), bytes }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.total.set(self.total.get().saturating_sub(self.bytes));
    }
}

/// Why an image is not received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeginError {
    /// It is larger than everything kept may be together.
    TooBig {
        /// The budget in bytes.
        limit: usize,
    },
    /// What is in use or being received leaves too little room.
    Full {
        /// Bytes that could be had.
        room: usize,
    },
    /// The control domain has no memory for it.
    OutOfMemory,
}

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooBig { limit } => {
                write!(
                    f,
                    "the image is larger than the {limit} bytes that the control domain keeps of images"
                )
            }
            Self::Full { room } => {
                write!(f, "images in use leave room for {room} more bytes in the control domain")
            }
            Self::OutOfMemory => f.write_str("the control domain has no memory for the image"),
        }
    }
}

/// Images by what is in them.
#[derive(Debug)]
pub struct Images {
    /// The least recently used first.
    kept: Vec<Image>,
    /// Bytes kept and being received.
    total: Rc<Cell<usize>>,
    limit: usize,
}

impl Images {
    /// Nothing yet, and never more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), total: Rc::new(Cell::new(0)), limit }
    }

    /// Bytes kept and being received.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total.get()
    }

    /// The image with this digest, if it was received and is still here.
    pub fn get(&mut self, digest: &Digest) -> Option<Image> {
        self.find(Key::File(*digest))
    }

    /// What was unpacked from `source`, if it is still here.
    pub fn unpacked(&mut self, source: Source) -> Option<Image> {
        self.find(Key::Kernel(source))
    }

    /// Begins to receive an image of `size` bytes that is said to have this digest. Makes room for all of it.
    pub fn begin(&mut self, digest: Digest, size: usize) -> Result<Receiving, BeginError> {
        if size > self.limit {
            return Err(BeginError::TooBig { limit: self.limit });
        }
        let room = self.room();
        if size > room {
            return Err(BeginError::Full { room });
        }
        self.fit(size);
        let mut bytes = Vec::new();
        while bytes.try_reserve_exact(size).is_err() {
            if !self.shrink(size) {
                return Err(BeginError::OutOfMemory);
            }
        }
        Ok(Receiving::new(digest, bytes, size, Charge::new(&self.total, size)))
    }

    /// Keeps what was unpacked from `source` if there is room; it is good to be used in any case.
    pub fn keep_unpacked(&mut self, source: Source, bytes: Vec<u8>) -> Image {
        let size = bytes.capacity();
        let fits = size <= self.room();
        if fits {
            self.fit(size);
        }
        let charge = fits.then(|| Charge::new(&self.total, size));
        let image = Image::new(Key::Kernel(source), bytes, charge);
        if fits {
            self.enter(&image);
        }
        image
    }

    /// Frees what is not in use, the least recently used first, until that makes `bytes` or nothing is left.
    /// Returns whether anything was freed.
    pub fn shrink(&mut self, bytes: usize) -> bool {
        let mut freed = 0_usize;
        let before = self.kept.len();
        self.kept.retain(|image| {
            let goes = freed < bytes && !image.is_in_use();
            if goes {
                freed = freed.saturating_add(image.charged());
            }
            !goes
        });
        self.kept.len() < before
    }

    fn find(&mut self, key: Key) -> Option<Image> {
        let at = self.kept.iter().position(|image| image.0.key == key)?;
        // It is the most recently used one now.
        self.kept.get_mut(at..)?.rotate_left(1);
        self.kept.last().cloned()
    }

    /// Bytes that could be had if all that is not in use were freed.
    fn room(&self) -> usize {
        let unused: usize = self.kept.iter().filter(|image| !image.is_in_use()).map(Image::charged).sum();
        self.limit.saturating_sub(self.total()).saturating_add(unused)
    }

    /// Frees what has to go for `size` more bytes.
    fn fit(&mut self, size: usize) {
        let missing = self.total().saturating_add(size).saturating_sub(self.limit);
        self.shrink(missing);
    }

    /// Makes an image one that can be found. Where the list cannot be longer, it just is not.
    fn enter(&mut self, image: &Image) {
        self.kept.retain(|other| other.0.key != image.0.key);
        if self.kept.len() >= ENTRIES {
            self.shrink(1);
        }
        if self.kept.len() < ENTRIES && self.kept.try_reserve(1).is_ok() {
            self.kept.push(image.clone());
        }
    }
}
