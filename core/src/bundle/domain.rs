//! The domains in a bundle.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{BundleError, MAX_DOMAINS, Payload};
use crate::config::{Boot, DomainConfig, MemorySize};
use crate::rights::Rights;

/// What a domain is to the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Role {
    /// One of many.
    #[default]
    Guest,
    /// The admin domain: its console is joined to the machine's serial line.
    Admin,
}

/// What the manifest says about one domain. Payloads are numbered in the order of the manifest, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record<'a> {
    /// What it is to the machine.
    pub role: Role,
    /// What it may ask of the control domain.
    pub rights: Rights,
    /// The payload that is its kernel.
    pub kernel: u32,
    /// The payload that is its ramdisk.
    pub ramdisk: Option<u32>,
    /// Its configuration, as [`DomainConfig::encode`] writes it.
    pub config: &'a [u8],
}

/// A domain to start at boot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Domain<'a> {
    /// What it is to the machine.
    pub role: Role,
    /// What it may ask of the control domain.
    pub rights: Rights,
    /// Its kernel, packed or not.
    pub kernel: Payload<'a>,
    /// Its ramdisk.
    pub ramdisk: Option<Payload<'a>>,
    /// Its configuration.
    pub config: DomainConfig,
}

/// Why a domain cannot be started from a bundle, or not from this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// One before it has the same name.
    NameTaken,
    /// One before it has the same UUID.
    UuidTaken,
    /// One before it is the admin domain, and there is one serial line.
    SecondAdmin,
    /// Its kernel would come from a boot loader, which nothing here can run.
    Bootloader,
    /// It has a ramdisk and its configuration does not, or the reverse.
    Ramdisk,
    /// With it the domains want more memory than any machine has.
    Memory,
}

/// Reads all of the manifest behind the records of payloads.
pub(super) fn read<'a>(
    mut manifest: &'a [u8],
    payloads: &[Payload<'a>],
) -> Result<Vec<Domain<'a>>, BundleError> {
    let mut domains = Vec::new();
    while !manifest.is_empty() {
        let index = u32::try_from(domains.len()).unwrap_or(u32::MAX);
        if index >= MAX_DOMAINS {
            return Err(BundleError::TooManyDomains);
        }
        let (record, rest) =
            postcard::take_from_bytes(manifest).map_err(|_| BundleError::BadDomain { index })?;
        domains.push(domain(index, &record, payloads)?);
        manifest = rest;
    }
    check_together(&domains)?;
    Ok(domains)
}

fn domain<'a>(index: u32, record: &Record<'_>, payloads: &[Payload<'a>]) -> Result<Domain<'a>, BundleError> {
    let payload = |number| {
        let payload = usize::try_from(number).ok().and_then(|number| payloads.get(number));
        payload.copied().ok_or(BundleError::BadDomain { index })
    };
    let config =
        DomainConfig::decode(record.config).map_err(|reason| BundleError::BadConfig { index, reason })?;
    Ok(Domain {
        role: record.role,
        rights: record.rights,
        kernel: payload(record.kernel)?,
        ramdisk: record.ramdisk.map(payload).transpose()?,
        config,
    })
}

fn check_together(domains: &[Domain<'_>]) -> Result<(), BundleError> {
    let mut known = Known::default();
    for domain in domains {
        if let Some(conflict) = known.conflict(domain) {
            return Err(BundleError::Conflict { name: domain.config.name.clone(), conflict });
        }
    }
    Ok(())
}

/// What the domains so far have taken.
#[derive(Default)]
struct Known<'a> {
    names: BTreeSet<&'a str>,
    uuids: BTreeSet<[u8; 16]>,
    admin: bool,
    pages: u64,
}

impl<'a> Known<'a> {
    fn conflict(&mut self, domain: &'a Domain<'_>) -> Option<Conflict> {
        let config = &domain.config;
        if !self.names.insert(config.name.as_str()) {
            return Some(Conflict::NameTaken);
        }
        if !self.uuids.insert(config.uuid.handle()) {
            return Some(Conflict::UuidTaken);
        }
        if domain.role == Role::Admin && core::mem::replace(&mut self.admin, true) {
            return Some(Conflict::SecondAdmin);
        }
        let Boot::Direct { ramdisk, .. } = &config.boot else { return Some(Conflict::Bootloader) };
        if ramdisk.is_some() != domain.ramdisk.is_some() {
            return Some(Conflict::Ramdisk);
        }
        // The sum of all of them as one domain's memory: what is too much for that is too much for Xen.
        self.pages = self.pages.saturating_add(config.memory.initial().pages());
        MemorySize::try_from(self.pages).is_err().then_some(Conflict::Memory)
    }
}
