//! The devices of one class: which there are, and what is to be done about each.

use std::collections::{BTreeMap, BTreeSet};

use super::class::{Class, SetUp, Why};
use super::node::{Failed, Node, Said, say_nothing};
use super::scripts::{Ended, Scripts};
use super::tree::{Tree, Wire};
use crate::xmd::note::note;

/// Where all devices are that this domain serves.
pub(super) const BACKEND: &str = "backend";

/// Devices of one class.
pub(super) struct Devices<C> {
    /// What is held, by the device's directory.
    held: BTreeMap<String, C>,
    /// What a script gets ready.
    coming: BTreeMap<String, Coming<C>>,
}

/// A device that a script is getting ready.
#[derive(Debug)]
struct Coming<C> {
    device: C,
    /// It went meanwhile; there may be another one of this name.
    went: bool,
}

impl<C> Devices<C> {
    pub(super) const fn new() -> Self {
        Self { held: BTreeMap::new(), coming: BTreeMap::new() }
    }

    /// Sees to the devices in which these paths changed.
    pub(super) fn changed<S, M>(
        &mut self,
        tree: &mut Tree<S>,
        machine: &mut M,
        paths: &[String],
    ) -> Result<(), Failed>
    where
        S: Wire,
        M: Scripts,
        C: Class<M>,
    {
        let (mut all, mut some) = (false, BTreeSet::new());
        for path in paths {
            match place(C::NAME, path) {
                Place::Above => all = true,
                Place::Device(home) => drop(some.insert(home)),
                Place::Elsewhere => {}
            }
        }
        let mut work = self.work(tree, machine);
        if all { work.look_at_all() } else { work.see_to(&some) }
    }

    /// A script has ended, perhaps one for a device of this class.
    pub(super) fn ended<S, M>(
        &mut self,
        tree: &mut Tree<S>,
        machine: &mut M,
        ended: &Ended,
    ) -> Result<(), Failed>
    where
        S: Wire,
        M: Scripts,
        C: Class<M>,
    {
        match place(C::NAME, &ended.home) {
            Place::Device(home) => self.work(tree, machine).go_on(&home, &ended.outcome),
            Place::Above | Place::Elsewhere => Ok(()),
        }
    }

    const fn work<'a, S, M>(&'a mut self, tree: &'a mut Tree<S>, machine: &'a mut M) -> Work<'a, S, M, C> {
        Work { tree, machine, held: &mut self.held, coming: &mut self.coming }
    }
}

/// The devices and what is needed to see to them.
struct Work<'a, S, M, C> {
    tree: &'a mut Tree<S>,
    machine: &'a mut M,
    held: &'a mut BTreeMap<String, C>,
    coming: &'a mut BTreeMap<String, Coming<C>>,
}

impl<S: Wire, M: Scripts, C: Class<M>> Work<'_, S, M, C> {
    /// Sees to some devices; first to those that end, so that what they had is free.
    fn see_to(&mut self, homes: &BTreeSet<String>) -> Result<(), Failed> {
        for home in homes {
            // Without a word in its directory, what is held was for an earlier device of this name. Of a script's, only the
            // script knows.
            if self.held.get(home).is_some_and(|device| !device.is_scripts()) {
                let node = self.read(home)?;
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
        let mut homes: BTreeSet<String> = self.held.keys().chain(self.coming.keys()).cloned().collect();
        let root = format!("{BACKEND}/{}", C::NAME);
        for domain in self.tree.list(&root)? {
            let domain = format!("{root}/{domain}");
            homes.extend(self.tree.list(&domain)?.into_iter().map(|id| format!("{domain}/{id}")));
        }
        for home in &homes {
            let known = self.held.contains_key(home) || self.machine.works_on(home);
            if let Some(node) = self.read(home)?
                && node.said == Said::Connected
                && !known
            {
                self.find_again(home, &node)?;
            }
        }
        self.see_to(&homes)
    }

    fn read(&mut self, home: &str) -> Result<Option<Node<C::Wanted>>, Failed> {
        Node::read(self.tree, home, C::read)
    }

    /// Sees to one device. While a script is at work for it, nothing else is.
    fn look(&mut self, home: &str) -> Result<(), Failed> {
        let node = self.read(home)?;
        if self.machine.works_on(home) {
            if let Some(coming) = self.coming.get_mut(home) {
                coming.went |= node.is_none_or(|node| node.is_over());
            }
            return Ok(());
        }
        let Some(node) = node else {
            self.let_go(home);
            return Ok(());
        };
        match (node.online, node.said) {
            (false, said) if node.is_over() => {
                self.let_go(home);
                // What was said stays as long as a script is at work.
                if said == Said::Nothing || self.machine.works_on(home) {
                    return Ok(());
                }
                say_nothing(self.tree, home)
            }
            (true, Said::Nothing) if !self.held.contains_key(home) => self.set_up(home, &node),
            (true, Said::Connected) if !self.held.contains_key(home) => self.find_again(home, &node),
            _ => Ok(()),
        }
    }

    /// Goes on with a device for which a script was at work.
    fn go_on(&mut self, home: &str, outcome: &Result<(), Why>) -> Result<(), Failed> {
        if let Err(why) = outcome {
            note(format_args!("{home}: {why}"));
        }
        match (self.coming.remove(home), outcome) {
            (Some(Coming { device, went }), Ok(())) => {
                self.held.insert(home.to_owned(), device);
                if went {
                    self.let_go(home);
                }
            }
            (Some(Coming { went: false, .. }), Err(why)) => self.say_error(home, why)?,
            (Some(_), Err(_)) | (None, _) => {}
        }
        self.look(home)
    }

    /// Says why a device does not work, unless its script has said it better, or it has gone.
    fn say_error(&mut self, home: &str, why: &str) -> Result<(), Failed> {
        match self.read(home)? {
            Some(node) if node.online && node.said != Said::Error => {
                self.say(home, "hotplug-error", why)?;
                self.say(home, "hotplug-status", "error")
            }
            _ => Ok(()),
        }
    }

    /// Gets ready what is behind a device.
    fn set_up(&mut self, home: &str, node: &Node<C::Wanted>) -> Result<(), Failed> {
        match C::set_up(self.machine, self.held, home, node) {
            Ok(SetUp::Ready(device, words)) => {
                self.held.insert(home.to_owned(), device);
                words.iter().try_for_each(|(name, value)| self.say(home, name, value))
            }
            Ok(SetUp::Script(device, call)) => {
                self.coming.insert(home.to_owned(), Coming { device, went: false });
                self.machine.start(call);
                Ok(())
            }
            Ok(SetUp::Later) => Ok(()),
            Err(problem) => {
                note(format_args!("{home}: {}", problem.why));
                self.say(home, "hotplug-error", &problem.why)?;
                self.say(home, "hotplug-status", if problem.busy { "busy" } else { "error" })
            }
        }
    }

    /// Takes over what an earlier process got ready. What is gone meanwhile is got ready again.
    fn find_again(&mut self, home: &str, node: &Node<C::Wanted>) -> Result<(), Failed> {
        match C::find(self.machine, home, &node.wanted) {
            Some(device) => {
                self.held.insert(home.to_owned(), device);
                Ok(())
            }
            None => self.set_up(home, node),
        }
    }

    fn let_go(&mut self, home: &str) {
        if let Some(call) = self.held.remove(home).and_then(|device| device.let_go(home)) {
            self.machine.start(call);
        }
    }

    /// Writes what hotplug says. When the directory is not there any more, its device is let go next.
    fn say(&mut self, home: &str, name: &str, value: &str) -> Result<(), Failed> {
        self.tree.write(&format!("{home}/{name}"), value)
    }
}

/// What a node that changed has to do with a class of devices.
#[derive(PartialEq, Eq, Debug)]
enum Place {
    /// It is above some of its devices, or all.
    Above,
    /// It is in the device whose directory this is.
    Device(String),
    /// Nothing.
    Elsewhere,
}

fn place(class: &str, path: &str) -> Place {
    let mut parts = path.split('/').map(|part| Some(part).filter(|part| !part.is_empty()));
    match [(); 4].map(|()| parts.next().flatten()) {
        [Some(BACKEND), None, ..] => Place::Above,
        [Some(BACKEND), Some(name), ..] if name != class => Place::Elsewhere,
        [Some(BACKEND), Some(_), Some(domain), Some(id)] => {
            Place::Device(format!("{BACKEND}/{class}/{domain}/{id}"))
        }
        [Some(BACKEND), ..] => Place::Above,
        _ => Place::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_devices_or_above_it_or_elsewhere() {
        for path in ["backend", "backend/vif", "backend/vif/7", "backend/vif/7/"] {
            assert_eq!(place("vif", path), Place::Above, "{path}");
        }
        for path in ["backend/vif/7/0", "backend/vif/7/0/state", "backend/vif/7/0/a/b"] {
            assert_eq!(place("vif", path), Place::Device("backend/vif/7/0".into()), "{path}");
        }
        for path in ["backend/vbd/7/0", "backend/vif2/7/0", "backend/vbd", "other/vif/7/0", ""] {
            assert_eq!(place("vif", path), Place::Elsewhere, "{path}");
        }
    }
}
