//! A tree of named nodes, each with a value of any kind and an ordered [`Map`] of children.
//!
//! The store's tree and the index of watches are both of this shape. Guests choose how deep and how wide it
//! grows, so nothing here recurses along a path: lookups and walks are loops, and so is dropping. [`Remains`]
//! does the same in steps, for subtrees too big to drop at once.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::mem;

use super::map::{Keyed, Map};
use crate::store::path::Path;

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Node<V> {
    name: Rc<[u8]>,
    pub(crate) value: V,
    pub(crate) kids: Map<Self>,
}

impl<V: Clone> Keyed for Node<V> {
    fn key(&self) -> &[u8] {
        &self.name
    }
}

/// How far a path leads.
pub(crate) struct Reach<'a, V> {
    /// The last node there is on the way.
    pub(crate) node: &'a Node<V>,
    /// The node above it, or itself when it is the root.
    pub(crate) parent: &'a Node<V>,
    /// How many names of the path led nowhere; 0 when `node` is the path's own.
    pub(crate) missing: usize,
}

impl<V: Clone> Node<V> {
    pub(crate) fn new(name: &[u8], value: V) -> Self {
        Self { name: name.into(), value, kids: Map::default() }
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Follows `path` as far as it leads.
    pub(crate) fn reach(&self, path: Path<'_>) -> Reach<'_, V> {
        let (mut node, mut parent) = (self, self);
        let mut names = path.names();
        while let Some(name) = names.next() {
            match node.kids.get(name) {
                Some(child) => (parent, node) = (node, child),
                None => return Reach { node, parent, missing: 1 + names.count() },
            }
        }
        Reach { node, parent, missing: 0 }
    }

    /// The node at `path`.
    pub(crate) fn get(&self, path: Path<'_>) -> Option<&Self> {
        let mut node = self;
        for name in path.names() {
            node = node.kids.get(name)?;
        }
        Some(node)
    }

    /// The node at `path`, to change. Shared nodes on the way are copied, so be sure that it exists.
    pub(crate) fn get_mut(&mut self, path: Path<'_>) -> Option<&mut Self> {
        let mut node = self;
        for name in path.names() {
            node = node.kids.get_mut(name)?;
        }
        Some(node)
    }

    /// The node at `path`, to change, after creating what was missing of it. `make` gets the value of the node
    /// above and gives that of a new one.
    pub(crate) fn grow(&mut self, path: Path<'_>, mut make: impl FnMut(&mut V) -> V) -> Option<&mut Self> {
        let mut node = self;
        for name in path.names() {
            if node.kids.get(name).is_none() {
                let value = make(&mut node.value);
                node.kids.insert(Self::new(name, value));
            }
            node = node.kids.get_mut(name)?;
        }
        Some(node)
    }

    /// All nodes, parents first, siblings in order; each with its depth below this one.
    pub(crate) fn walk(&self) -> Walk<'_, V> {
        Walk { next: Some((0, self)), links: Vec::new() }
    }
}

/// See [`Node::walk`].
pub(crate) struct Walk<'a, V> {
    next: Option<(usize, &'a Node<V>)>,
    links: Vec<(usize, Link<'a, V>)>,
}

enum Link<'a, V> {
    Node(&'a Node<V>),
    Map(&'a Map<Node<V>>),
}

impl<'a, V> Iterator for Walk<'a, V> {
    type Item = (usize, &'a Node<V>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((depth, node)) = self.next.take() {
            self.links.push((depth + 1, Link::Map(&node.kids)));
            return Some((depth, node));
        }
        while let Some((depth, link)) = self.links.pop() {
            match link {
                Link::Node(node) => {
                    self.next = Some((depth, node));
                    return self.next();
                }
                Link::Map(map) => {
                    if let Some((left, node, right)) = map.peek() {
                        self.links.push((depth, Link::Map(right)));
                        self.links.push((depth, Link::Node(node)));
                        self.links.push((depth, Link::Map(left)));
                    }
                }
            }
        }
        None
    }
}

/// Subtrees to drop, one node at a time. What others share stays alive and costs nothing.
#[derive(Debug)]
pub(crate) struct Remains<V>(Vec<Map<Node<V>>>);

impl<V> Default for Remains<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Remains<V> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what lies below a node that is about to go.
    pub(crate) fn add(&mut self, mut node: Node<V>) {
        self.push(mem::take(&mut node.kids));
    }

    /// Drops one node; `false` when nothing was left.
    pub(crate) fn step(&mut self) -> bool {
        let Some(mut map) = self.0.pop() else { return false };
        if let Some(mut parts) = map.dismantle() {
            parts.rest.into_iter().for_each(|side| self.push(side));
            self.push(mem::take(&mut parts.item.kids));
        }
        true
    }

    /// Drops one node and shows it to `see`, shared or not; `false` when nothing was left.
    pub(crate) fn step_seeing(&mut self, see: impl FnOnce(&Node<V>)) -> bool {
        let Some(map) = self.0.pop() else { return false };
        if let Some((left, node, right)) = map.peek() {
            see(node);
            [left, right, &node.kids].into_iter().for_each(|link| self.push(link.clone()));
        }
        true
    }

    fn push(&mut self, map: Map<Node<V>>) {
        if !map.is_empty() {
            self.0.push(map);
        }
    }
}

impl<V> Drop for Node<V> {
    fn drop(&mut self) {
        if self.kids.is_ours() {
            let mut remains = Remains(alloc::vec![mem::take(&mut self.kids)]);
            while remains.step() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn path(text: &str) -> Path<'_> {
        Path::new(text.as_bytes()).unwrap()
    }

    fn tree(names: &[&str]) -> Node<()> {
        let mut root = Node::new(b"", ());
        for name in names {
            let path = path(name);
            let parent = root.get_mut(path.parent().unwrap()).unwrap();
            parent.kids.insert(Node::new(path.name().unwrap(), ()));
        }
        root
    }

    #[test]
    fn a_path_reaches_as_far_as_it_exists() {
        let root = tree(&["/a", "/a/b"]);
        let reach = root.reach(path("/a/b/c/d"));
        assert_eq!((reach.node.name(), reach.parent.name(), reach.missing), (&b"b"[..], &b"a"[..], 2));
        assert_eq!(root.reach(Path::ROOT).missing, 0);
        assert!(root.get(path("/a/b")).is_some() && root.get(path("/b")).is_none());
    }

    #[test]
    fn a_walk_sees_parents_first_and_siblings_in_order() {
        let root = tree(&["/b", "/b/x", "/b/x/y", "/a", "/c", "/b/w"]);
        let seen: Vec<(usize, String)> = root
            .walk()
            .map(|(depth, node)| (depth, String::from_utf8_lossy(node.name()).to_string()))
            .collect();
        let expected = [(0, ""), (1, "a"), (1, "b"), (2, "w"), (2, "x"), (3, "y"), (1, "c")];
        assert_eq!(seen, expected.map(|(depth, name)| (depth, name.to_string())));
    }

    /// A million levels would overflow any stack if one frame stood for each.
    #[test]
    fn attack_a14_a_very_deep_tree_is_dropped_without_recursion() {
        let mut root = Node::new(b"", ());
        for _ in 0..1_000_000 {
            let mut above = Node::new(b"d", ());
            above.kids.insert(root);
            root = above;
        }
        drop(root);
    }

    #[test]
    fn remains_go_one_node_a_step_and_spare_what_is_shared() {
        let root = tree(&["/a", "/a/b", "/a/b/c", "/a/d", "/e"]);
        let kept = root.get(path("/a/b")).unwrap().clone();
        let mut remains = Remains::default();
        remains.add(root);
        let mut steps = 0;
        while remains.step() {
            steps += 1;
        }
        assert!(remains.is_empty());
        assert_eq!(steps, 5);
        assert_eq!(kept.walk().count(), 2);
        remains.add(kept.clone());
        while remains.step_seeing(|_| steps += 1) {}
        assert_eq!(steps, 6);
    }
}
