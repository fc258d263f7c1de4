//! Watches and the index that finds those a change matters to. Source: `docs/misc/xenstore.txt`, "Watches".
//!
//! The index has the shape of the store's tree, so a change costs by the watches on its way and below it; how
//! many others there are makes no difference.
#![forbid(unsafe_code)]

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::path::{Path, PathBuf};
use super::server::ConnId;
use super::tree::Node;
use super::wire::{ABS_PATH_MAX, PAYLOAD_MAX};

/// Bytes a token may have: with it, no path can make an event too long to be sent.
pub(crate) const TOKEN_MAX: usize = PAYLOAD_MAX - ABS_PATH_MAX - 2;

/// Bytes a watch is charged besides its path and token: about what it takes in memory.
pub(crate) const WATCH_COST: u32 = 256;

/// What a watch is on, which with the token is its identity within a connection.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Subject {
    Path(PathBuf),
    /// Something that starts with an at sign. Only few of these names ever have events.
    Special(Rc<[u8]>),
}

impl Subject {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Path(path) => path.as_path().as_bytes(),
            Self::Special(name) => name,
        }
    }
}

/// A watch.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) conn: ConnId,
    /// Grows with every watch that is set: watches are served in this order.
    pub(crate) number: u64,
    pub(crate) subject: Subject,
    pub(crate) token: Rc<[u8]>,
    /// Bytes to leave off the front of the paths of events: the home, when the client's path was relative.
    pub(crate) prefix: usize,
    /// How many levels below its path matter.
    pub(crate) depth: Option<u32>,
    /// Whether events of it found no room in the queue and one event has to stand for all of them.
    pub(crate) lost: Cell<bool>,
}

/// All watches, by what they are on.
#[derive(Debug)]
pub(crate) struct Watches {
    paths: Node<Vec<Rc<Watch>>>,
    specials: BTreeMap<Rc<[u8]>, Vec<Rc<Watch>>>,
}

impl Watches {
    pub(crate) fn new() -> Self {
        Self { paths: Node::new(b"", Vec::new()), specials: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, watch: &Rc<Watch>) {
        match &watch.subject {
            Subject::Path(path) => {
                if let Some(node) = self.paths.grow(path.as_path(), |_| Vec::new()) {
                    node.value.push(Rc::clone(watch));
                }
            }
            Subject::Special(name) => {
                self.specials.entry(Rc::clone(name)).or_default().push(Rc::clone(watch));
            }
        }
    }

    pub(crate) fn remove(&mut self, watch: &Rc<Watch>) {
        let others = |known: &Rc<Watch>| !Rc::ptr_eq(known, watch);
        match &watch.subject {
            Subject::Path(path) => {
                if let Some(node) = self.paths.get_mut(path.as_path()) {
                    node.value.retain(others);
                }
                self.prune(path.as_path());
            }
            Subject::Special(name) => {
                if let Some(watches) = self.specials.get_mut(name) {
                    watches.retain(others);
                    if watches.is_empty() {
                        self.specials.remove(name);
                    }
                }
            }
        }
    }

    /// The watches that a change of the node at `path` matters to, in the order in which they were set.
    pub(crate) fn matching(&self, path: Path<'_>) -> Vec<Rc<Watch>> {
        let mut found = Vec::new();
        let mut levels = path.names().count();
        let mut node = &self.paths;
        let mut names = path.names();
        loop {
            let near = |watch: &&Rc<Watch>| watch.depth.is_none_or(|depth| levels <= widen(depth));
            found.extend(node.value.iter().filter(near).cloned());
            match names.next().and_then(|name| node.kids.get(name)) {
                Some(child) => node = child,
                None => break,
            }
            levels = levels.saturating_sub(1);
        }
        found.sort_by_key(|watch| watch.number);
        found
    }

    /// The watches on paths below `path`, those on children before those on their parents.
    pub(crate) fn below(&self, path: Path<'_>) -> Vec<Rc<Watch>> {
        let Some(top) = self.paths.get(path) else { return Vec::new() };
        let (mut found, mut above) = (Vec::new(), Vec::<(usize, &Node<Vec<Rc<Watch>>>)>::new());
        for (depth, node) in top.walk().skip(1) {
            while let Some((_, done)) = above.pop_if(|(above, _)| *above >= depth) {
                found.extend(done.value.iter().cloned());
            }
            above.push((depth, node));
        }
        found.extend(above.iter().rev().flat_map(|(_, node)| node.value.iter().cloned()));
        found
    }

    /// The watches on exactly this special name.
    pub(crate) fn special(&self, name: &[u8]) -> &[Rc<Watch>] {
        self.specials.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many watches there are.
    pub(crate) fn len(&self) -> usize {
        let specials = self.specials.values().map(Vec::len).sum::<usize>();
        specials + self.paths.walk().map(|(_, node)| node.value.len()).sum::<usize>()
    }

    /// Whether there is any watch at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.specials.is_empty() && self.paths.kids.is_empty() && self.paths.value.is_empty()
    }

    /// Removes nodes at and above `path` that no longer lead to a watch.
    fn prune(&mut self, path: Path<'_>) {
        let mut at = path;
        while let (Some(above), Some(name)) = (at.parent(), at.name()) {
            let idle = |node: &Node<Vec<Rc<Watch>>>| node.value.is_empty() && node.kids.is_empty();
            if !self.paths.get(at).is_some_and(idle) {
                return;
            }
            if let Some(parent) = self.paths.get_mut(above) {
                parent.kids.remove(name);
            }
            at = above;
        }
    }
}

/// A depth beyond what a path can have is as good as none.
fn widen(depth: u32) -> usize {
    usize::try_from(depth).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn watch(number: u64, path: &str, depth: Option<u32>) -> Rc<Watch> {
        let subject = Subject::Path(Path::new(path.as_bytes()).unwrap().to_buf());
        let token = format!("{number}").as_bytes().into();
        Rc::new(Watch { conn: ConnId(0), number, subject, token, prefix: 0, depth, lost: Cell::new(false) })
    }

    fn numbers(watches: &[Rc<Watch>]) -> String {
        watches.iter().map(|watch| format!("{} ", watch.number)).collect()
    }

    fn path(text: &str) -> Path<'_> {
        Path::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_change_finds_its_own_and_higher_watches_within_their_depth() {
        let mut index = Watches::new();
        let set =
            [("/a/b", None), ("/", None), ("/a", Some(0)), ("/a", Some(1)), ("/a/b/c", None), ("/ab", None)];
        for (number, (path, depth)) in (0..).zip(set) {
            index.add(&watch(number, path, depth));
        }
        assert_eq!(numbers(&index.matching(path("/a/b"))), "0 1 3 ");
        assert_eq!(numbers(&index.matching(path("/a"))), "1 2 3 ");
        assert_eq!(numbers(&index.matching(path("/a/b/c/d"))), "0 1 4 ");
        assert_eq!(numbers(&index.matching(path("/a/bc"))), "1 3 ");
    }

    #[test]
    fn watches_below_come_children_first() {
        let mut index = Watches::new();
        for (number, path) in (0..).zip(["/x", "/x/a", "/x/a/b", "/x/c", "/x/a/d", "/y"]) {
            index.add(&watch(number, path, None));
        }
        assert_eq!(numbers(&index.below(path("/x"))), "2 4 1 3 ");
        assert_eq!(numbers(&index.below(path("/z"))), "");
    }

    #[test]
    fn a_removed_watch_leaves_nothing_behind() {
        let mut index = Watches::new();
        let (deep, high) = (watch(0, "/a/b/c", None), watch(1, "/a", None));
        index.add(&deep);
        index.add(&high);
        index.remove(&deep);
        assert_eq!(numbers(&index.matching(path("/a/b/c"))), "1 ");
        assert_eq!(index.paths.walk().count(), 2);
        index.remove(&high);
        assert!(index.is_empty());
    }
}
