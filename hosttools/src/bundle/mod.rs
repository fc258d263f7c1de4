//! Writing boot bundles. The format, and reading it, stand in `xendless_core::bundle`.

mod error;
mod show;
mod source;

use std::collections::BTreeMap;

use xendless_core::bundle::{
    Bundle, Entry, HEADER_LEN, Header, MAX_NAME, MAX_PAYLOADS, Record, Role, checksum, is_name, padding,
};
use xendless_core::config::{Boot, DomainConfig};
use xendless_core::rights::Rights;

pub use error::MakeError;
pub use show::describe;
pub use source::Source;

/// A boot bundle in the making.
#[derive(Debug, Default)]
pub struct Maker {
    payloads: BTreeMap<String, Vec<u8>>,
    domains: Vec<Domain>,
}

#[derive(Debug)]
struct Domain {
    role: Role,
    rights: Rights,
    kernel: String,
    ramdisk: Option<String>,
    config: Vec<u8>,
}

/// A domain to start at boot, with its files.
#[derive(Clone, Debug)]
pub struct Start {
    /// What it is to the machine.
    pub role: Role,
    /// What it may ask of the control domain.
    pub rights: Rights,
    /// Its configuration.
    pub config: DomainConfig,
    /// Its kernel, packed or not.
    pub kernel: Vec<u8>,
    /// Its ramdisk; there is one if the configuration names one.
    pub ramdisk: Option<Vec<u8>>,
}

impl Maker {
    /// A bundle with nothing in it, which is a valid one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `content` in under `name`.
    pub fn add(&mut self, name: &str, content: Vec<u8>) -> Result<(), MakeError> {
        if !is_name(name) {
            return Err(MakeError::BadName(name.into()));
        }
        if self.payloads.contains_key(name) {
            return Err(MakeError::Twice(name.into()));
        }
        if self.payloads.len() >= MAX_PAYLOADS as usize {
            return Err(MakeError::TooMany);
        }
        self.payloads.insert(name.into(), content);
        Ok(())
    }

    /// Puts a domain in, to be started after those before it. Domains with the same file share it.
    pub fn start(&mut self, start: Start) -> Result<(), MakeError> {
        let Start { role, rights, config, kernel, ramdisk } = start;
        let Boot::Direct { kernel: kernel_path, ramdisk: ramdisk_path } = &config.boot else {
            return Err(MakeError::Bootloader(config.name.clone()));
        };
        let kernel = self.share(kernel_path, kernel)?;
        let ramdisk_path = ramdisk_path.as_ref().map_or("ramdisk", |path| path.as_str());
        let ramdisk = ramdisk.map(|content| self.share(ramdisk_path, content)).transpose()?;
        let encoded = config.encode().ok_or_else(|| MakeError::TooLong(config.name.clone()))?;
        self.domains.push(Domain { role, rights, kernel, ramdisk, config: encoded });
        Ok(())
    }

    /// Puts a file in under a name like that of its path, unless it is there; gives that name.
    fn share(&mut self, path: &str, content: Vec<u8>) -> Result<String, MakeError> {
        let stem = stem(path);
        let name = (1..)
            .map(|number| if number == 1 { stem.clone() } else { format!("{stem}~{number}") })
            .find(|name| self.payloads.get(name).is_none_or(|known| *known == content))
            .ok_or(MakeError::TooMany)?;
        if !self.payloads.contains_key(&name) {
            self.add(&name, content)?;
        }
        Ok(name)
    }

    /// The bundle's bytes. The same contents always give the same bytes.
    pub fn make(&self) -> Result<Vec<u8>, MakeError> {
        let manifest = self.manifest()?;
        let mut area = Vec::new();
        let mut before = manifest.len();
        for content in self.payloads.values() {
            area.resize(area.len() + padding(before), 0);
            area.extend_from_slice(content);
            before = content.len();
        }
        let count = u32::try_from(self.payloads.len()).map_err(|_| MakeError::TooMany)?;
        let total = (HEADER_LEN + manifest.len() + area.len()) as u64;
        let header = Header::new(count, &manifest, total);
        let bytes = [&header.to_bytes()[..], &manifest, &area].concat();
        // Who reads it knows all the rules.
        Bundle::open(&bytes).map_err(MakeError::Unusable)?;
        Ok(bytes)
    }

    fn manifest(&self) -> Result<Vec<u8>, MakeError> {
        let mut manifest = Vec::new();
        for (name, content) in &self.payloads {
            let entry = Entry { name, len: content.len() as u64, checksum: checksum(content) };
            manifest = postcard::to_extend(&entry, manifest).map_err(MakeError::Encode)?;
        }
        for domain in &self.domains {
            let record = Record {
                role: domain.role,
                rights: domain.rights,
                kernel: self.number(&domain.kernel),
                ramdisk: domain.ramdisk.as_ref().map(|name| self.number(name)),
                config: &domain.config,
            };
            manifest = postcard::to_extend(&record, manifest).map_err(MakeError::Encode)?;
        }
        Ok(manifest)
    }

    /// Where a payload stands in the manifest.
    fn number(&self, name: &String) -> u32 {
        // There are at most MAX_PAYLOADS.
        self.payloads.keys().take_while(|known| *known != name).count().try_into().unwrap_or(u32::MAX)
    }
}

/// A payload's name made from a path: its last part as far as a name can hold it, with room for a number.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("file");
    let shown = |char: char| if char.is_ascii_graphic() { char } else { '_' };
    name.chars().map(shown).take(MAX_NAME - "~1024".len()).collect()
}
