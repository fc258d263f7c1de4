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
use super::tree::{Keyed, Map, Node};
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
    pub(crate) fn path(&self) -> Option<Path<'_>> {
        match self {
            Self::Path(path) => Some(path.as_path()),
            Self::Special(_) => None,
        }
    }

    /// See [`Path::walk_cost`].
    pub(crate) fn walk_cost(&self) -> u32 {
        self.path().map_or(1, Path::walk_cost)
    }

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
    /// Whether it was ended.
    pub(crate) gone: Cell<bool>,
}

/// A watch among those on the same subject, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    number: [u8; 8],
    pub(crate) watch: Rc<Watch>,
}

impl Keyed for Entry {
    fn key(&self) -> &[u8] {
        &self.number
    }
}

/// The watches on one subject, oldest first. A copy costs next to nothing.
pub(crate) type Set = Map<Entry>;

/// The part of the index at and below a path.
pub(crate) type Index = Node<Set>;

/// All watches, by what they are on.
#[derive(Debug)]
pub(crate) struct Watches {
    paths: Index,
    specials: BTreeMap<Rc<[u8]>, Set>,
    count: usize,
}

impl Watches {
    pub(crate) fn new() -> Self {
        Self { paths: Node::new(b"", Set::default()), specials: BTreeMap::new(), count: 0 }
    }

    pub(crate) fn add(&mut self, watch: &Rc<Watch>) {
        let entry = Entry { number: watch.number.to_be_bytes(), watch: Rc::clone(watch) };
        self.count += 1;
        match &watch.subject {
            Subject::Path(path) => {
                if let Some(node) = self.paths.grow(path.as_path(), |_| Set::default()) {
                    node.value.insert(entry);
                }
            }
            Subject::Special(name) => {
                self.specials.entry(Rc::clone(name)).or_default().insert(entry);
            }
        }
    }

    pub(crate) fn remove(&mut self, watch: &Watch) {
        let number = watch.number.to_be_bytes();
        let removed = match &watch.subject {
            Subject::Path(path) => {
                let node = self.paths.get_mut(path.as_path());
                let removed = node.and_then(|node| node.value.remove(&number));
                self.prune(path.as_path());
                removed
            }
            Subject::Special(name) => {
                let set = self.specials.get_mut(name);
                let removed = set.and_then(|set| set.remove(&number));
                if self.special(name).is_empty() {
                    self.specials.remove(name);
                }
                removed
            }
        };
        self.count -= usize::from(removed.is_some());
    }

    /// The watches that a change of the node at `path` may matter to, with how many levels above it they are.
    pub(crate) fn matching(&self, path: Path<'_>) -> Vec<(usize, Set)> {
        let mut found = Vec::new();
        let mut node = &self.paths;
        let mut names = path.names();
        let mut depth = 0;
        loop {
            if !node.value.is_empty() {
                found.push((depth, node.value.clone()));
            }
            match names.next().and_then(|name| node.kids.get(name)) {
                Some(child) => node = child,
                None => break,
            }
            depth += 1;
        }
        if !found.is_empty() {
            let levels = path.names().count();
            found.iter_mut().for_each(|(depth, _)| *depth = levels.saturating_sub(*depth));
        }
        found
    }

    /// The index at and below `path`, if there is anything below it.
    pub(crate) fn below(&self, path: Path<'_>) -> Option<&Index> {
        self.paths.get(path).filter(|top| !top.kids.is_empty())
    }

    /// The watches on exactly this special name.
    pub(crate) fn special(&self, name: &[u8]) -> Set {
        self.specials.get(name).cloned().unwrap_or_default()
    }

    /// How many watches there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether there is any watch at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Removes nodes at and above `path` that no longer lead to a watch: all below the last that is of other use.
    fn prune(&mut self, path: Path<'_>) {
        let (mut node, mut above) = (&self.paths, None);
        for (level, name) in path.names().enumerate() {
            if level == 0 || node.kids.len() > 1 || !node.value.is_empty() {
                above = Some((level, name));
            }
            let Some(child) = node.kids.get(name) else { return };
            node = child;
        }
        if !node.value.is_empty() || !node.kids.is_empty() {
            return;
        }
        let Some((level, name)) = above else { return };
        let parent = path.names().take(level).try_fold(&mut self.paths, |node, name| node.kids.get_mut(name));
        if let Some(parent) = parent {
            parent.kids.remove(name);
        }
    }
}

impl Watch {
    /// Whether a change so many levels below its path matters.
    pub(crate) fn reaches(&self, levels: usize) -> bool {
        self.depth.is_none_or(|depth| levels <= widen(depth))
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
        Rc::new(Watch {
            conn: ConnId(0),
            number,
            subject,
            token,
            prefix: 0,
            depth,
            lost: Cell::new(false),
            gone: Cell::new(false),
        })
    }

    /// The numbers of those that a change of `path` matters to.
    fn matching(index: &Watches, text: &str) -> String {
        let near = |levels: usize, set: Set| {
            let near = set.iter().filter(|entry| entry.watch.reaches(levels));
            near.map(|entry| entry.watch.number).collect::<Vec<_>>()
        };
        let sets = index.matching(path(text));
        let mut numbers: Vec<_> = sets.into_iter().flat_map(|(levels, set)| near(levels, set)).collect();
        numbers.sort_unstable();
        numbers.iter().map(|number| format!("{number} ")).collect()
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
        assert_eq!(matching(&index, "/a/b"), "0 1 3 ");
        assert_eq!(matching(&index, "/a"), "1 2 3 ");
        assert_eq!(matching(&index, "/a/b/c/d"), "0 1 4 ");
        assert_eq!(matching(&index, "/a/bc"), "1 3 ");
    }

    #[test]
    fn a_removed_watch_leaves_nothing_behind() {
        let mut index = Watches::new();
        let (deep, high) = (watch(0, "/a/b/c", None), watch(1, "/a", None));
        index.add(&deep);
        index.add(&high);
        index.remove(&deep);
        assert_eq!(matching(&index, "/a/b/c"), "1 ");
        assert_eq!(index.paths.walk().count(), 2);
        index.remove(&high);
        assert!(index.is_empty());
    }
}
