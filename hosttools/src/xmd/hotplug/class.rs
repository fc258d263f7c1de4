//! What differs from one class of devices to another.

use std::collections::BTreeMap;
use std::io;

use super::node::{Failed, Node};
use super::scripts::Call;

/// Why something does not work.
pub(super) type Why = String;

/// Why a device was not got ready.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) why: Why,
    /// Somebody else has what is behind it.
    pub(super) busy: bool,
}

impl From<Why> for Problem {
    fn from(why: Why) -> Self {
        Self { why, busy: false }
    }
}

/// How far a device has come.
#[derive(Debug)]
pub(super) enum SetUp<C> {
    /// It is ready; this is to be said of it, in this order.
    Ready(C, Vec<(&'static str, String)>),
    /// A script has to do its work, and says itself in XenStore what came of it.
    Script(C, Call),
    /// Its backend has to do something first.
    Later,
}

/// Reads a node of a device's directory, by its name.
pub(super) type Get<'a> = dyn FnMut(&str) -> Result<Option<String>, Failed> + 'a;

/// A device of some class that was got ready, on a machine `M`. `home` is its directory.
pub(super) trait Class<M>: Sized {
    /// The class, as XenStore calls it.
    const NAME: &'static str;

    /// What there is to know of a device.
    type Wanted;

    /// Reads it.
    fn read(get: &mut Get<'_>) -> Result<Self::Wanted, Failed>;

    /// Gets a device ready. `others` are those that are.
    fn set_up(
        machine: &mut M,
        others: &BTreeMap<String, Self>,
        home: &str,
        node: &Node<Self::Wanted>,
    ) -> Result<SetUp<Self>, Problem>;

    /// Finds again what an earlier process got ready.
    fn find(machine: &mut M, home: &str, wanted: &Self::Wanted) -> Option<Self>;

    /// Whether a script looks after it.
    fn is_scripts(&self) -> bool;

    /// Lets go, and says what a script has to do for that.
    fn let_go(self, home: &str) -> Option<Call>;
}

/// What the system says, without the number behind it.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
