//! One block device: who may have what is behind it, and what becomes of that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disks::{Disks, Held, Why};
use super::node::Wanted;
use crate::loops::Identity;

/// A device that was got ready.
#[derive(Debug)]
pub(super) struct Block {
    held: Held,
    /// What is behind it, if anything is.
    identity: Option<Identity>,
    writes: bool,
}

/// Why a device was not got ready.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) why: Why,
    /// Somebody else has what is behind it.
    pub(super) busy: bool,
}

/// The number and the path of a block device, as they stand in XenStore.
pub(super) type Given = Option<(String, String)>;

impl Block {
    /// Gets ready what is behind a device. `others` are those that are ready.
    pub(super) fn set_up(
        disks: &mut impl Disks,
        others: &BTreeMap<String, Self>,
        home: &str,
        wanted: &Wanted,
    ) -> Result<(Self, Given), Problem> {
        let failed = |why| Problem { why, busy: false };
        let (nothing, writes) = (None, wanted.writes);
        if let Some(script) = &wanted.script {
            disks.script(script, "add", home).map_err(failed)?;
            return Ok((Self { held: Held::Script(script.clone()), identity: nothing, writes }, None));
        }
        if wanted.params.is_empty() {
            return Ok((Self { held: Held::Nothing, identity: nothing, writes }, None));
        }
        let path = Path::new(&wanted.params);
        let source = disks.open(path, writes).map_err(failed)?;
        let identity = Some(source.identity);
        if !wanted.shared {
            let clash =
                |(_, other): &(&String, &Self)| other.identity == identity && (other.writes || writes);
            let user = others.iter().find(clash).map(|(other, _)| used_by(path, other));
            let user = user.or_else(|| disks.used(&source, path, writes, &loops(others)));
            if let Some(why) = user {
                return Err(Problem { why, busy: true });
            }
        }
        let (held, number, device) = disks.hold(&source, path, writes).map_err(failed)?;
        let given = (physical(number), device.display().to_string());
        Ok((Self { held, identity, writes }, Some(given)))
    }

    /// Finds again what an earlier process got ready.
    pub(super) fn find(disks: &mut impl Disks, wanted: &Wanted, given: Option<&str>) -> Option<Self> {
        let writes = wanted.writes;
        if let Some(script) = &wanted.script {
            return Some(Self { held: Held::Script(script.clone()), identity: None, writes });
        }
        if wanted.params.is_empty() {
            return Some(Self { held: Held::Nothing, identity: None, writes });
        }
        let Ok(source) = disks.open(Path::new(&wanted.params), false) else {
            // Its file has no name any more; whoever has the device open has it still.
            return Some(Self { held: Held::Nothing, identity: None, writes });
        };
        let held = disks.find(&source, Path::new(given?))?;
        Some(Self { held, identity: Some(source.identity), writes })
    }

    /// Whether a script looks after it.
    pub(super) const fn is_scripts(&self) -> bool {
        matches!(self.held, Held::Script(_))
    }

    /// Lets go. A loop device goes when the backend has closed it, too.
    pub(super) fn let_go(self, disks: &mut impl Disks, home: &str) -> Result<(), Why> {
        match self.held {
            Held::Script(script) => disks.script(&script, "remove", home),
            Held::Device | Held::Loop(_) | Held::Nothing => Ok(()),
        }
    }
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
