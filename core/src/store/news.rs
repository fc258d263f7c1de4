//! Changes that were made and are yet to be told to some who watch.
//!
//! A change may matter to any number of watches, so it is told in steps. What is kept of it is how things stood when
//! it was made: who watched, and what may be read by whom. Both are shared with the store and cost next to nothing.
#![forbid(unsafe_code)]

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::perms::Perms;
use super::tree::{Map, Tree};
use super::watch::{Index, Set, Watch};

/// Something to tell.
#[derive(Debug)]
pub(super) enum News {
    /// A change of one node, or of a domain.
    Change(Change),
    /// What became of the nodes below one that was removed.
    Below(Below),
}

/// See [`News::Change`].
#[derive(Debug)]
pub(super) struct Change {
    /// The path of the event.
    pub(super) shown: Rc<[u8]>,
    /// What is shown instead to those who watch without a depth.
    pub(super) plain: Option<Rc<[u8]>>,
    /// Who can read any of these may learn of it.
    pub(super) known: [Option<Rc<Perms>>; 4],
    /// Who watches, and how many levels above.
    pub(super) sets: Vec<(usize, Set)>,
    /// The last that was told.
    pub(super) last: [u8; 8],
}

impl Change {
    /// The next to be told, at most `most`, in the order in which the watches were set.
    pub(super) fn next(&mut self, most: usize) -> Vec<(usize, Rc<Watch>)> {
        let next = |(levels, set): &(usize, Set)| {
            let levels = *levels;
            set.iter_after(&self.last)
                .take(most)
                .map(move |entry| (levels, Rc::clone(&entry.watch)))
                .collect()
        };
        let mut found: Vec<(usize, Rc<Watch>)> = match self.sets.as_slice() {
            [one] => next(one),
            sets => sets.iter().map(next).collect::<Vec<Vec<_>>>().concat(),
        };
        if self.sets.len() > 1 {
            found.sort_unstable_by_key(|(_, watch)| watch.number);
            found.truncate(most);
        }
        if let Some((_, watch)) = found.last() {
            self.last = watch.number.to_be_bytes();
        }
        found
    }

    /// The path to show to a watch so many levels above, unless it is too far.
    pub(super) fn shown_to(&self, levels: usize, watch: &Watch) -> Option<Rc<[u8]>> {
        let plain = self.plain.as_ref().filter(|_| watch.depth.is_none());
        watch.reaches(levels).then(|| Rc::clone(plain.unwrap_or(&self.shown)))
    }
}

/// See [`News::Below`].
#[derive(Debug)]
pub(super) struct Below {
    /// Levels of the removed node's path.
    depth: usize,
    /// What was removed.
    pub(super) removed: Tree,
    /// What is left of the index; the last comes first.
    left: Vec<Link>,
}

#[derive(Debug)]
enum Link {
    Nodes(Map<Index>),
    Set(Set, [u8; 8]),
}

impl Below {
    /// News for those in `index` below the node that was `removed`, whose path has `depth` levels.
    pub(super) fn new(index: &Index, removed: &Tree, depth: usize) -> Self {
        Self { depth, removed: removed.clone(), left: [Link::Nodes(index.kids.clone())].into() }
    }

    /// Goes on by one: a watch, if there is one here; `None` at the end. Those on children come before those on
    /// their parents.
    pub(super) fn next(&mut self) -> Option<Option<Rc<Watch>>> {
        match self.left.pop()? {
            Link::Nodes(map) => {
                if let Some((left, node, right)) = map.peek() {
                    let parts = [
                        Link::Nodes(right.clone()),
                        Link::Set(node.value.clone(), [0; 8]),
                        Link::Nodes(node.kids.clone()),
                        Link::Nodes(left.clone()),
                    ];
                    self.left.extend(parts.into_iter().filter(|part| !part.is_empty()));
                }
                Some(None)
            }
            Link::Set(set, last) => {
                let watch = set.after(&last).map(|entry| Rc::clone(&entry.watch));
                if let Some(watch) = &watch {
                    self.left.push(Link::Set(set, watch.number.to_be_bytes()));
                }
                Some(watch)
            }
        }
    }

    /// The node that `watch` is on, as it was, and the one above it.
    pub(super) fn node(&self, watch: &Watch) -> Option<[&Perms; 2]> {
        let (mut node, mut parent) = (&self.removed, &self.removed);
        for name in watch.subject.path()?.names().skip(self.depth) {
            (parent, node) = (node, node.kids.get(name)?);
        }
        Some([&node.value.perms, &parent.value.perms])
    }
}

impl Link {
    fn is_empty(&self) -> bool {
        match self {
            Self::Nodes(map) => map.is_empty(),
            Self::Set(set, _) => set.is_empty(),
        }
    }
}
