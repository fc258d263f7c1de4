//! What a configuration file can learn about the host it is evaluated on: only what the caller says.

use std::collections::BTreeMap;

use xendless_core::config::Uuid;

/// What is at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathKind {
    /// Nothing, or nothing that may be known.
    Missing,
    /// A file or a device.
    File,
    /// A directory.
    Directory,
}

/// The world as configurations see it. Evaluation has no other source of information, so that the same text,
/// arguments and host always give the same configuration.
pub struct Host<'a> {
    /// What `os.uname()` answers: system, node name, release, version, machine.
    pub uname: [String; 5],
    /// What `os.environ` holds.
    pub environment: BTreeMap<String, String>,
    /// What `sys.argv` holds.
    pub arguments: Vec<String>,
    /// The directory that relative paths start from.
    pub directory: String,
    /// What `os.path.exists` and its like answer.
    pub probe: &'a dyn Fn(&str) -> PathKind,
    /// The UUID of a domain whose configuration gives none.
    pub uuid: Uuid,
}

impl Host<'_> {
    /// A host about which nothing is known.
    #[must_use]
    pub fn unknown(uuid: Uuid) -> Self {
        let uname = ["Linux", "localhost", "", "", "x86_64"].map(str::to_owned);
        let (environment, arguments) = (BTreeMap::new(), vec!["xm".to_owned()]);
        Self { uname, environment, arguments, directory: "/".to_owned(), probe: &|_| PathKind::Missing, uuid }
    }
}
