//! The boot bundle: one file, loaded by Xen beside the control domain, with everything to start at boot.
//!
//! ```text
//! header    48 bytes, little-endian, see `Header`
//! manifest  one postcard record per payload, see `Entry`; then one per domain, in start order, see `Record`
//! payloads  in the order of the manifest; zeros before each up to a multiple of 16 bytes
//! ```
//!
//! No offset is written down: where a payload stands follows from the lengths before it, so payloads cannot
//! overlap. Names are in order, so none comes twice. Payloads are read in place; what else is kept of a bundle is
//! bounded by the length of its manifest, whatever the counts in it say.
//!
//! Checksums are XXH64: a bundle is as trusted as the kernel beside it, so they guard against damage and
//! truncation, not against forgers. 64 bits leave no realistic chance of missing damage where CRC-32 misses one in
//! four billion, it costs well under an instruction per byte (checking a 30 MiB kernel takes some 15 ms of
//! counted instructions, a table CRC three times that), and it can be fed in pieces without a buffer of its own. The
//! header and the manifest are checked when the bundle is opened, a payload when it is used, in steps: boot time does not
//! grow with the size of kernels and ramdisks.
#![forbid(unsafe_code)]

mod domain;
mod error;
mod header;
mod payload;

use alloc::vec::Vec;

use zerocopy::FromBytes;

pub use domain::{Conflict, Domain, Record, Role};
pub use error::BundleError;
pub use header::{ALIGNMENT, HEADER_LEN, Header, MAGIC, VERSION, checksum};
pub use payload::{CHECK_STEP, Check, Entry, Payload, is_name, padding};

/// The most payloads of a bundle.
pub const MAX_PAYLOADS: u32 = 1024;

/// The most domains of a bundle.
pub const MAX_DOMAINS: u32 = 1024;

/// The longest name of a payload, in bytes.
pub const MAX_NAME: usize = 64;

/// A bundle in which everything is sound but perhaps the payloads' contents.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    payloads: Vec<Payload<'a>>,
    domains: Vec<Domain<'a>>,
}

impl<'a> Bundle<'a> {
    /// Checks everything but the payloads' contents.
    pub fn open(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| BundleError::TooShort)?;
        header.check(bytes.len() as u64)?;
        let (manifest, area) = usize::try_from(header.manifest_len.get())
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .filter(|(manifest, _)| checksum(manifest) == header.manifest_checksum.get())
            .ok_or(BundleError::BadManifest)?;
        let (payloads, manifest) = payload::read(header.payloads.get(), manifest, area)?;
        let domains = domain::read(manifest, &payloads)?;
        Ok(Self { payloads, domains })
    }

    /// The files in it, in order of name.
    #[must_use]
    pub fn payloads(&self) -> &[Payload<'a>] {
        &self.payloads
    }

    /// The domains in it, in the order in which they are to be started.
    #[must_use]
    pub fn domains(&self) -> &[Domain<'a>] {
        &self.domains
    }

    /// The same, for whoever starts them.
    #[must_use]
    pub fn into_domains(self) -> Vec<Domain<'a>> {
        self.domains
    }
}
