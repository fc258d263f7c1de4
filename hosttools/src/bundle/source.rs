//! Domains for a bundle, from configuration files.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use xendless_core::bundle::{Role, checksum};
use xendless_core::config::{Boot, Uuid};
use xendless_core::rights::Rights;

use super::{MakeError, Start};
use crate::config::host::Host;
use crate::config::{Limits, Request, evaluate};

/// A configuration file, and what its domain is to be: `FILE[,admin][,rights=RIGHTS]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The configuration file.
    pub file: PathBuf,
    /// What its domain is to the machine.
    pub role: Role,
    /// What it may ask of the control domain.
    pub rights: Rights,
}

impl FromStr for Source {
    type Err = String;

    /// An admin domain has all rights unless something else is said, others have none.
    fn from_str(text: &str) -> Result<Self, String> {
        let (mut file, mut role, mut rights) = (text, Role::Guest, None);
        while let Some((rest, word)) = file.rsplit_once(',') {
            match word.strip_prefix("rights=") {
                Some(name) => rights = Some(name.parse::<Rights>().map_err(|error| error.to_string())?),
                None if word == "admin" => role = Role::Admin,
                // The name of a file can have a comma in it.
                None => break,
            }
            file = rest;
        }
        if file.is_empty() {
            return Err("write FILE[,admin][,rights=RIGHTS]".into());
        }
        let usual = if role == Role::Admin { Rights::Everything } else { Rights::Nothing };
        Ok(Self { file: file.into(), role, rights: rights.unwrap_or(usual) })
    }
}

impl Source {
    /// Evaluates the configuration and reads the files that it names; relative paths start from its own folder. Gives
    /// the warnings too.
    pub fn load(&self) -> Result<(Start, Vec<String>), MakeError> {
        let text = fs::read_to_string(&self.file).map_err(|error| self.unreadable(error))?;
        let path = self.file.to_string_lossy();
        let request = Request {
            path: &path,
            text: &text,
            arguments: &[],
            host: &Host::unknown(uuid(&path, &text)),
            limits: Limits::default(),
        };
        let evaluated = evaluate(&request).map_err(MakeError::Config)?;
        let config = evaluated.config;
        let Boot::Direct { kernel, ramdisk } = &config.boot else {
            return Err(MakeError::Bootloader(config.name.clone()));
        };
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let read = |path: &str| {
            let path = folder.join(path);
            fs::read(&path).map_err(|error| MakeError::Read(path, error))
        };
        let (kernel, ramdisk) = (read(kernel)?, ramdisk.as_deref().map(read).transpose()?);
        let warnings = evaluated.warnings.iter().map(ToString::to_string).collect();
        Ok((Start { role: self.role, rights: self.rights, config, kernel, ramdisk }, warnings))
    }

    fn unreadable(&self, error: std::io::Error) -> MakeError {
        MakeError::Read(self.file.clone(), error)
    }
}

/// The UUID of a domain whose configuration gives none: the same whenever the bundle is made again.
fn uuid(path: &str, text: &str) -> Uuid {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hash = u128::from(checksum(name.as_bytes())) << 64 | u128::from(checksum(text.as_bytes()));
    // Version 8, variant 10: made by a rule of our own (RFC 9562, 5.8).
    let cleared = hash & !(0xf << 76 | 0x3 << 62);
    let marked = cleared | 0x8 << 76 | 0x2 << 62;
    Uuid::from_bytes(marked.to_be_bytes()).unwrap_or_else(|_| unreachable!("the version is not zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_behind_the_file_say_what_the_domain_is() {
        let read =
            |text: &str| text.parse::<Source>().map(|source| (source.file, source.role, source.rights));
        assert_eq!(read("a.cfg"), Ok(("a.cfg".into(), Role::Guest, Rights::Nothing)));
        assert_eq!(read("a,admin"), Ok(("a".into(), Role::Admin, Rights::Everything)));
        assert_eq!(read("a,admin,rights=observe"), Ok(("a".into(), Role::Admin, Rights::Observe)));
        assert_eq!(read("a,b,rights=children"), Ok(("a,b".into(), Role::Guest, Rights::Children)));
        assert!(read("a,rights=all").unwrap_err().contains("everything"));
        assert!(read(",admin").is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn a_uuid_made_here_depends_on_name_and_text_alone() {
        let made = uuid("/etc/xen/web", "memory = 64");
        assert_eq!(made, uuid("elsewhere/web", "memory = 64"));
        assert_ne!(made, uuid("/etc/xen/db", "memory = 64"));
        assert_ne!(made, uuid("/etc/xen/web", "memory = 65"));
        assert_eq!(made.to_string().as_bytes()[14], b'8');
    }
}
