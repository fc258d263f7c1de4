//! Which devices there are, and what is to be done about each.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;

use embedded_io::{Read, Write};
use xendless_core::devices::XenbusState;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::wire::XsError;

use super::block::Block;
use super::disks::Disks;
use super::node::{Failed, Node, Said};
use crate::xmd::note::note;

/// Where all block devices are that this domain serves.
const ROOT: &str = "backend/vbd";

/// What is watched. It is there when the first device is, so the one above it is watched.
const WATCHED: &str = "backend";

/// Hotplug at work.
pub(super) struct Agent<'a, S, D> {
    session: Session<S>,
    disks: &'a mut D,
    /// What is held, by the device's directory.
    held: BTreeMap<String, Block>,
}

impl<'a, S, D> Agent<'a, S, D>
where
    S: Read + Write + embedded_io::ErrorType<Error = io::Error>,
    D: Disks,
{
    pub(super) const fn new(session: Session<S>, disks: &'a mut D) -> Self {
        Self { session, disks, held: BTreeMap::new() }
    }

    /// Works until XenStore is lost.
    pub(super) fn run(&mut self) -> Result<Infallible, Failed> {
        self.session.watch(WATCHED.as_bytes(), b"hotplug")?;
        loop {
            self.turn()?;
        }
    }

    /// Waits for changes and sees to them.
    pub(super) fn turn(&mut self) -> Result<(), Failed> {
        let mut changed = BTreeSet::new();
        let mut next = Some(self.session.next_event()?);
        while let Some(event) = next {
            changed.insert(device(&event.path));
            next = self.session.pending_event();
        }
        if changed.contains(&None) {
            return self.look_at_all();
        }
        self.see_to(changed.into_iter().flatten().collect())
    }

    /// Sees to some devices; first to those that end, so that what they had is free.
    fn see_to(&mut self, homes: Vec<String>) -> Result<(), Failed> {
        for home in &homes {
            // Without a word in its directory, what is held was for an earlier device of this name. Of a script's, only the
            // script knows.
            if self.held.get(home).is_some_and(|block| !block.is_scripts()) {
                let node = Node::read(&mut self.session, home)?;
                if node.is_none_or(|node| node.said == Said::Nothing) {
                    self.let_go(home);
                }
            }
        }
        homes.iter().try_for_each(|home| self.look(home))
    }

    /// Looks at every device that is there or was. What is in use already comes first, so that whoever wants to share
    /// it is found out.
    fn look_at_all(&mut self) -> Result<(), Failed> {
        let mut homes: BTreeSet<String> = self.held.keys().cloned().collect();
        for domain in self.list(ROOT)? {
            let domain = format!("{ROOT}/{domain}");
            homes.extend(self.list(&domain)?.into_iter().map(|id| format!("{domain}/{id}")));
        }
        for home in &homes {
            let known = self.held.contains_key(home);
            if let Some(node) = Node::read(&mut self.session, home)?
                && node.said == Said::Connected
                && !known
            {
                self.find_again(home, &node)?;
            }
        }
        self.see_to(homes.into_iter().collect())
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, Failed> {
        match self.session.nodes().list(path.as_bytes()) {
            Ok(names) => Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()),
            Err(ClientError::Refused(XsError::ENOENT | XsError::EACCES)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Sees to one device.
    fn look(&mut self, home: &str) -> Result<(), Failed> {
        let Some(node) = Node::read(&mut self.session, home)? else {
            self.let_go(home);
            return Ok(());
        };
        match (node.online, node.said) {
            (false, said) if node.state == XenbusState::Closed => {
                self.let_go(home);
                if said == Said::Nothing { Ok(()) } else { self.say_nothing(home) }
            }
            (true, Said::Nothing) if !self.held.contains_key(home) => self.set_up(home, &node),
            (true, Said::Connected) if !self.held.contains_key(home) => self.find_again(home, &node),
            _ => Ok(()),
        }
    }

    /// Gets ready what is behind a device.
    fn set_up(&mut self, home: &str, node: &Node) -> Result<(), Failed> {
        match Block::set_up(self.disks, &self.held, home, &node.wanted) {
            Ok((block, given)) => {
                self.held.insert(home.to_owned(), block);
                if let Some((number, path)) = given {
                    self.say(home, "physical-device-path", &path)?;
                    self.say(home, "physical-device", &number)?;
                }
                // A script says it itself.
                if node.wanted.script.is_none() {
                    self.say(home, "hotplug-status", "connected")
                } else {
                    Ok(())
                }
            }
            Err(problem) => {
                note(format_args!("{home}: {}", problem.why));
                self.say(home, "hotplug-error", &problem.why)?;
                self.say(home, "hotplug-status", if problem.busy { "busy" } else { "error" })
            }
        }
    }

    /// Takes over what an earlier process got ready. What is gone meanwhile is got ready again.
    fn find_again(&mut self, home: &str, node: &Node) -> Result<(), Failed> {
        match Block::find(self.disks, &node.wanted, node.given.as_deref()) {
            Some(block) => {
                self.held.insert(home.to_owned(), block);
                Ok(())
            }
            None => self.set_up(home, node),
        }
    }

    fn let_go(&mut self, home: &str) {
        if let Some(block) = self.held.remove(home)
            && let Err(why) = block.let_go(self.disks, home)
        {
            note(format_args!("{home}: {why}"));
        }
    }

    /// Writes what hotplug says. A directory that is not there any more is no matter: its device is let go next.
    fn say(&mut self, home: &str, name: &str, value: &str) -> Result<(), Failed> {
        ignore_gone(self.session.nodes().write(format!("{home}/{name}").as_bytes(), value.as_bytes()))
    }

    fn say_nothing(&mut self, home: &str) -> Result<(), Failed> {
        ["hotplug-error", "physical-device", "physical-device-path", "hotplug-status"].iter().try_for_each(
            |name| ignore_gone(self.session.nodes().remove(format!("{home}/{name}").as_bytes())),
        )
    }
}

fn ignore_gone(outcome: Result<(), Failed>) -> Result<(), Failed> {
    match outcome {
        Err(ClientError::Refused(XsError::ENOENT | XsError::EACCES)) => Ok(()),
        outcome => outcome,
    }
}

/// The directory of the device that a changed node belongs to; `None` when it is above all of them.
fn device(path: &[u8]) -> Option<String> {
    let path = str::from_utf8(path).ok()?.strip_prefix(ROOT)?.strip_prefix('/')?;
    let mut parts = path.split('/');
    let (domain, id) = (parts.next()?, parts.next()?);
    (!domain.is_empty() && !id.is_empty()).then(|| format!("{ROOT}/{domain}/{id}"))
}
