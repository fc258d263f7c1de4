//! What definitions are of: how their files are called, and how their names are found.

use xendless_core::config::{DomainConfig, DomainName, PoolConfig, PoolName};
use xendless_core::protocol::{Failure, PoolFailure};

use crate::xmd::mux::Kept;

/// The longest name of a domain whose name and an ending make a file name.
const LONGEST_NAME: usize = 240;

/// What stands for a slash, which names of pools may have and names of files may not, nor do names have this.
const SLASH: &str = "%";

impl Kept {
    const ALL: [Self; 2] = [Self::Domain, Self::Pool];

    /// What a file of this kind is called, behind the name.
    const fn ending(self) -> &'static str {
        match self {
            Self::Domain => ".domain",
            Self::Pool => ".pool",
        }
    }

    /// The file for a name.
    pub(super) fn file(self, name: &str) -> String {
        format!("{}{}", self.stem(name), self.ending())
    }

    /// The file for a name, without its ending.
    pub(super) fn stem(self, name: &str) -> String {
        match self {
            Self::Domain => name.to_owned(),
            Self::Pool => name.replace('/', SLASH),
        }
    }

    /// Kind and name of what a file is for, if it is for anything.
    pub(super) fn of_file(file: &str) -> Option<(Self, String)> {
        Self::ALL.into_iter().find_map(|kept| {
            let stem = file.strip_suffix(kept.ending())?;
            let name = match kept {
                Self::Domain => DomainName::new(stem).ok()?.as_str().to_owned(),
                Self::Pool => PoolName::new(stem.replace(SLASH, "/")).ok()?.as_str().to_owned(),
            };
            Some((kept, name))
        })
    }

    /// The name that a configuration gives.
    pub(super) fn name_in(self, config: &[u8]) -> Result<String, Failure> {
        let invalid = |error: xendless_core::config::DecodeError| Failure::Invalid(error.to_string());
        let name = match self {
            Self::Domain => DomainConfig::decode(config).map_err(invalid)?.name.as_str().to_owned(),
            Self::Pool => PoolConfig::decode(config).map_err(invalid)?.name.as_str().to_owned(),
        };
        if name.len() > LONGEST_NAME {
            let why = format!("a domain that is kept has a name of at most {LONGEST_NAME} characters");
            return Err(Failure::Invalid(why));
        }
        Ok(name)
    }

    /// There is none of this name.
    pub(super) const fn missing(self) -> Failure {
        match self {
            Self::Domain => Failure::NoSuchDomain,
            Self::Pool => Failure::Pool(PoolFailure::Unknown),
        }
    }
}
