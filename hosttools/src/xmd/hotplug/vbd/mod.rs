//! Block devices (`vbd`): who may have what is behind one, and what becomes of that.

mod disks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::class::{Class, Get, Problem, SetUp, Why};
use super::node::{Failed, Node};
use super::scripts::{Call, other_than};
use crate::loops::Identity;

#[cfg(test)]
pub(super) use self::disks::Source;
pub(super) use self::disks::{Disks, Held};

/// What there is to know of a block device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The file or block device; empty for an empty drive.
    params: String,
    /// It may be written.
    writes: bool,
    /// Whoever else uses it may go on.
    shared: bool,
    /// The script that does the work, when it is not done here.
    script: Option<String>,
    /// The device that was given to the backend.
    given: Option<String>,
}

/// A device that was got ready.
#[derive(Debug)]
pub(super) struct Block {
    held: Held,
    /// What is behind it, if anything is.
    identity: Option<Identity>,
    writes: bool,
}

impl<M: Disks> Class<M> for Block {
    const NAME: &'static str = "vbd";

    type Wanted = Wanted;

    fn read(get: &mut Get<'_>) -> Result<Wanted, Failed> {
        let mode = get("mode")?.unwrap_or_default();
        Ok(Wanted {
            params: get("params")?.unwrap_or_default(),
            writes: mode.starts_with('w'),
            shared: mode.ends_with('!'),
            script: other_than("block", get("script")?),
            given: get("physical-device-path")?,
        })
    }

    fn set_up(
        machine: &mut M,
        others: &BTreeMap<String, Self>,
        home: &str,
        node: &Node<Wanted>,
    ) -> Result<SetUp<Self>, Problem> {
        let wanted = &node.wanted;
        let ready = ("hotplug-status", "connected".to_owned());
        let (identity, writes) = (None, wanted.writes);
        if let Some(script) = &wanted.script {
            let held = Held::Script(script.clone());
            return Ok(SetUp::Script(Self { held, identity, writes }, call(script, "add", home)));
        }
        if wanted.params.is_empty() {
            return Ok(SetUp::Ready(Self { held: Held::Nothing, identity, writes }, vec![ready]));
        }
        let path = Path::new(&wanted.params);
        let source = machine.open(path, writes)?;
        let identity = Some(source.identity);
        if !wanted.shared {
            let clash =
                |(_, other): &(&String, &Self)| other.identity == identity && (other.writes || writes);
            let user = others.iter().find(clash).map(|(other, _)| used_by(path, other));
            let user = user.or_else(|| machine.used(&source, path, writes, &loops(others)));
            if let Some(why) = user {
                return Err(Problem { why, busy: true });
            }
        }
        let (held, number, device) = machine.hold(&source, path, writes)?;
        let words = vec![
            ("physical-device-path", device.display().to_string()),
            ("physical-device", physical(number)),
            ready,
        ];
        Ok(SetUp::Ready(Self { held, identity, writes }, words))
    }

    fn find(machine: &mut M, _: &str, wanted: &Wanted) -> Option<Self> {
        let writes = wanted.writes;
        if let Some(script) = &wanted.script {
            return Some(Self { held: Held::Script(script.clone()), identity: None, writes });
        }
        if wanted.params.is_empty() {
            return Some(Self { held: Held::Nothing, identity: None, writes });
        }
        let Ok(source) = machine.open(Path::new(&wanted.params), false) else {
            // Its file has no name any more; whoever has the device open has it still.
            return Some(Self { held: Held::Nothing, identity: None, writes });
        };
        let held = machine.find(&source, Path::new(wanted.given.as_deref()?))?;
        Some(Self { held, identity: Some(source.identity), writes })
    }

    fn is_scripts(&self) -> bool {
        matches!(self.held, Held::Script(_))
    }

    /// A loop device goes when the backend has closed it, too.
    fn let_go(self, home: &str) -> Option<Call> {
        match self.held {
            Held::Script(script) => Some(call(&script, "remove", home)),
            Held::Device | Held::Loop(_) | Held::Nothing => None,
        }
    }
}

fn call(script: &str, action: &'static str, home: &str) -> Call {
    let (script, home) = (script.to_owned(), home.to_owned());
    Call { script, arguments: vec![action], class: "vbd", home, variables: Vec::new() }
}

fn used_by(path: &Path, home: &str) -> Why {
    let domain = home.split('/').nth(2).unwrap_or_default();
    format!("{} is used by domain {domain}", path.display())
}

fn loops(others: &BTreeMap<String, Block>) -> Vec<PathBuf> {
    let ours = others.values().filter_map(|block| match &block.held {
        Held::Loop(device) => Some(device.path().to_owned()),
        Held::Device | Held::Nothing | Held::Script(_) => None,
    });
    ours.collect()
}

/// The number of a block device as its backend reads it: `major:minor` in hexadecimal digits.
fn physical(number: u64) -> String {
    format!("{:x}:{:x}", rustix::fs::major(number), rustix::fs::minor(number))
}
