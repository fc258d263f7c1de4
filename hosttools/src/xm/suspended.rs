//! The files of suspended domains: one for each, called by its UUID, as `save` writes them.
//!
//! A domain goes on from such a file once. What is on its disks changes from then on, so going on from the same file
//! again would harm them. That is why the file has another name whenever it is not known whether the domain runs: from
//! when all of it is written until the domain is gone, and from just before the control domain gets the last of it until
//! it is known what came of that. Whoever is killed in between leaves a file that nothing but a person uses.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use xendless_core::config::{DomainConfig, Uuid};

use super::durable::rename;

/// Where the files are, when nothing else is said.
const FOLDER: &str = "/var/lib/xendless/suspended";

/// The variable that says something else.
const VARIABLE: &str = "XM_SUSPENDED";

/// Where the files of suspended domains are.
#[derive(Clone, Debug)]
pub(super) struct Suspended(PathBuf);

impl Suspended {
    /// As the environment says.
    pub(super) fn from_environment() -> Self {
        let said = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        Self(said.map_or_else(|| FOLDER.into(), PathBuf::from))
    }

    /// The file of a domain, whether it is there or not.
    pub(super) fn image(&self, uuid: Uuid) -> Image {
        let path = |ending: &str| self.0.join(format!("{uuid}.{ending}"));
        Image { path: path("chk"), between: path("between") }
    }

    /// Whether a domain is suspended that has this configuration, as far as that is known.
    pub(super) fn holds(&self, config: Option<&DomainConfig>) -> bool {
        config.is_some_and(|config| self.image(config.uuid).is_there())
    }

    /// Makes the folder if it is not there. Who knows a domain's UUID may learn whether it is suspended.
    pub(super) fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o711).create(&self.0)
    }
}

/// The file of a domain.
#[derive(Clone, Debug)]
pub(super) struct Image {
    path: PathBuf,
    /// Where it is while it is not known whether the domain runs.
    between: PathBuf,
}

impl Image {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is while it is not known whether the domain runs.
    pub(super) fn between(&self) -> &Path {
        &self.between
    }

    /// Whether the domain is suspended.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// The domain may run from now on.
    pub(super) fn leave(&self) -> io::Result<()> {
        rename(&self.path, &self.between)
    }

    /// It does not run.
    pub(super) fn settle(&self) -> io::Result<()> {
        rename(&self.between, &self.path)
    }

    /// Removes it, under both names.
    pub(super) fn remove(&self) -> io::Result<()> {
        [&self.path, &self.between].into_iter().try_for_each(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_under_one_name_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let all = Suspended(folder.path().join("a/b"));
        let image = all.image("5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11".parse().unwrap());
        assert!(image.path().ends_with("a/b/5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11.chk"));
        assert!(!image.is_there() && image.leave().is_err());
        image.remove().unwrap();
        all.make_folder().unwrap();
        all.make_folder().unwrap();
        fs::write(image.path(), "memory").unwrap();
        image.leave().unwrap();
        assert!(!image.is_there());
        image.settle().unwrap();
        assert_eq!(fs::read(image.path()).unwrap(), b"memory");
        image.leave().unwrap();
        image.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
    }
}
