//! An ordered map that shares its structure: a copy costs one count, a change copies only what others still see.
//!
//! A weight-balanced binary tree: every operation is O(log n), and so is the depth, which is all that the
//! recursion here depends on. What nobody shares is changed in place. The map also knows how many bytes its keys
//! take as a list of NUL-terminated names, of whole subtrees, so that a list can be entered at any byte.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;

/// How much heavier one side may be than the other, and when one rotation does not do. This pair keeps the tree
/// balanced under insertion and removal (Hirai and Yamamoto, 2011).
const DELTA: u32 = 3;
const GAMMA: u32 = 2;

/// What a map holds: values that carry their own key. The key must not change while the value is in a map.
pub(crate) trait Keyed: Clone {
    fn key(&self) -> &[u8];
}

/// The map.
#[derive(Debug)]
pub(crate) struct Map<T>(Option<Rc<Entry<T>>>);

#[derive(Clone, Debug)]
struct Entry<T> {
    item: T,
    left: Map<T>,
    right: Map<T>,
    len: u32,
    key_bytes: u32,
}

/// What one entry of a map comes apart into.
pub(crate) struct Parts<T> {
    pub(crate) item: T,
    pub(crate) rest: [Map<T>; 2],
}

impl<T> Clone for Map<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Map<T> {
    /// Entries.
    pub(crate) fn len(&self) -> u32 {
        self.0.as_ref().map_or(0, |entry| entry.len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of all keys, each with a NUL.
    pub(crate) fn key_bytes(&self) -> u32 {
        self.0.as_ref().map_or(0, |entry| entry.key_bytes)
    }

    /// Whether both are the same, not only equal. Two empty maps are.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether there is anything, and nobody shares it.
    pub(crate) fn is_ours(&self) -> bool {
        self.0.as_ref().is_some_and(|entry| Rc::strong_count(entry) == 1)
    }

    /// All items, in order of their keys.
    pub(crate) fn iter(&self) -> Iter<'_, T> {
        let mut iter = Iter(Vec::new());
        iter.descend(self);
        iter
    }

    /// The root's item and both sides, by reference.
    pub(crate) fn peek(&self) -> Option<(&Self, &T, &Self)> {
        self.0.as_ref().map(|entry| (&entry.left, &entry.item, &entry.right))
    }

    /// Takes the root apart when nobody shares it; otherwise only lets go of it.
    pub(crate) fn dismantle(&mut self) -> Option<Parts<T>> {
        let Entry { item, left, right, .. } = Rc::try_unwrap(self.0.take()?).ok()?;
        Some(Parts { item, rest: [left, right] })
    }
}

impl<T: Keyed> Map<T> {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&T> {
        let mut at = self;
        while let Some(entry) = &at.0 {
            at = match key.cmp(entry.item.key()) {
                Ordering::Less => &entry.left,
                Ordering::Greater => &entry.right,
                Ordering::Equal => return Some(&entry.item),
            };
        }
        None
    }

    /// The item to change. Shared entries on the way are copied, so ask [`Map::get`] first whether it exists.
    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut T> {
        let mut at = self;
        loop {
            let entry = Rc::make_mut(at.0.as_mut()?);
            at = match key.cmp(entry.item.key()) {
                Ordering::Less => &mut entry.left,
                Ordering::Greater => &mut entry.right,
                Ordering::Equal => return Some(&mut entry.item),
            };
        }
    }

    /// Adds an item; returns the one that had its key.
    pub(crate) fn insert(&mut self, item: T) -> Option<T> {
        let Some(rc) = &mut self.0 else {
            self.set(item, [Self::default(), Self::default()]);
            return None;
        };
        let entry = Rc::make_mut(rc);
        let replaced = match item.key().cmp(entry.item.key()) {
            Ordering::Less => entry.left.insert(item),
            Ordering::Greater => entry.right.insert(item),
            Ordering::Equal => return Some(mem::replace(&mut entry.item, item)),
        };
        self.balance();
        replaced
    }

    /// Takes an item out. Shared entries on the way are copied, so ask [`Map::get`] first whether it exists.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<T> {
        let entry = Rc::make_mut(self.0.as_mut()?);
        let removed = match key.cmp(entry.item.key()) {
            Ordering::Less => entry.left.remove(key),
            Ordering::Greater => entry.right.remove(key),
            Ordering::Equal => {
                let Entry { item, mut left, mut right, .. } = Rc::unwrap_or_clone(self.0.take()?);
                let heir = if left.len() > right.len() { left.pop(false) } else { right.pop(true) };
                if let Some(heir) = heir {
                    self.set(heir, [left, right]);
                }
                Some(item)
            }
        };
        self.balance();
        removed
    }

    /// The first item whose key comes after `key`.
    pub(crate) fn after(&self, key: &[u8]) -> Option<&T> {
        let (mut at, mut best) = (self, None);
        while let Some(entry) = &at.0 {
            at = if entry.item.key() > key {
                best = Some(&entry.item);
                &entry.left
            } else {
                &entry.right
            };
        }
        best
    }

    /// The items whose keys come after `key`.
    pub(crate) fn iter_after(&self, key: &[u8]) -> Iter<'_, T> {
        let (mut at, mut iter) = (self, Iter(Vec::new()));
        while let Some(entry) = &at.0 {
            at = if entry.item.key() > key {
                iter.0.push(entry);
                &entry.left
            } else {
                &entry.right
            };
        }
        iter
    }

    /// The items of the list of NUL-terminated keys from byte `offset` on. The first may be entered in its
    /// middle; the number says how many of its bytes lie before `offset`.
    pub(crate) fn iter_from(&self, offset: u32) -> (usize, Iter<'_, T>) {
        let (mut at, mut offset, mut iter) = (self, offset, Iter(Vec::new()));
        while let Some(entry) = &at.0 {
            let before = entry.left.key_bytes();
            if offset < before {
                iter.0.push(entry);
                at = &entry.left;
                continue;
            }
            offset -= before;
            let own = list_bytes(&entry.item);
            if offset < own {
                iter.0.push(entry);
                break;
            }
            offset -= own;
            at = &entry.right;
        }
        (usize::try_from(offset).unwrap_or(usize::MAX), iter)
    }

    /// Takes out the first or last item.
    fn pop(&mut self, first: bool) -> Option<T> {
        let entry = Rc::make_mut(self.0.as_mut()?);
        let side = if first { &mut entry.left } else { &mut entry.right };
        if let Some(item) = side.pop(first) {
            self.balance();
            return Some(item);
        }
        let Entry { item, left, right, .. } = Rc::unwrap_or_clone(self.0.take()?);
        *self = if first { right } else { left };
        Some(item)
    }

    fn set(&mut self, item: T, [left, right]: [Self; 2]) {
        self.0 = Some(Rc::new(Entry { item, left, right, len: 0, key_bytes: 0 }));
        self.refresh();
    }

    /// Restores counts and balance of the root, whose sides are in order.
    fn balance(&mut self) {
        let Some(rc) = &mut self.0 else { return };
        let entry = Rc::make_mut(rc);
        let (left, right) = (entry.left.weight(), entry.right.weight());
        if right > DELTA * left {
            if entry.right.side_weight(Side::Left) >= GAMMA * entry.right.side_weight(Side::Right) {
                entry.right.rotate(Side::Right);
            }
            self.rotate(Side::Left);
        } else if left > DELTA * right {
            if entry.left.side_weight(Side::Right) >= GAMMA * entry.left.side_weight(Side::Left) {
                entry.left.rotate(Side::Left);
            }
            self.rotate(Side::Right);
        } else {
            self.refresh();
        }
    }

    /// Lets the root sink to `side` and its other child take its place.
    fn rotate(&mut self, side: Side) {
        let Some(mut root) = self.0.take() else { return };
        let mut riser = mem::take(side.opposite().of(Rc::make_mut(&mut root)));
        if let Some(rc) = &mut riser.0 {
            let entry = Rc::make_mut(rc);
            let between = mem::take(side.of(entry));
            *side.opposite().of(Rc::make_mut(&mut root)) = between;
            let mut sunk = Self(Some(root));
            sunk.refresh();
            *side.of(entry) = sunk;
        }
        riser.refresh();
        *self = riser;
    }

    fn refresh(&mut self) {
        if let Some(rc) = &mut self.0 {
            let entry = Rc::make_mut(rc);
            entry.len = 1 + entry.left.len() + entry.right.len();
            entry.key_bytes = list_bytes(&entry.item) + entry.left.key_bytes() + entry.right.key_bytes();
        }
    }

    fn weight(&self) -> u32 {
        self.len() + 1
    }

    fn side_weight(&self, side: Side) -> u32 {
        self.0.as_ref().map_or(1, |entry| match side {
            Side::Left => entry.left.weight(),
            Side::Right => entry.right.weight(),
        })
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Side {
    const fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    fn of<T>(self, entry: &mut Entry<T>) -> &mut Map<T> {
        match self {
            Self::Left => &mut entry.left,
            Self::Right => &mut entry.right,
        }
    }
}

/// Bytes an item's key takes in a list. Keys are parts of paths, whose length fits many times over.
fn list_bytes<T: Keyed>(item: &T) -> u32 {
    u32::try_from(item.key().len() + 1).unwrap_or(u32::MAX)
}

/// The items of a map, in order.
pub(crate) struct Iter<'a, T>(Vec<&'a Entry<T>>);

impl<'a, T> Iter<'a, T> {
    fn descend(&mut self, mut at: &'a Map<T>) {
        while let Some(entry) = &at.0 {
            self.0.push(entry);
            at = &entry.left;
        }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let entry = self.0.pop()?;
        self.descend(&entry.right);
        Some(&entry.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use proptest::prelude::*;

    #[derive(Clone, PartialEq, Debug)]
    struct Item(Vec<u8>, u32);

    impl Keyed for Item {
        fn key(&self) -> &[u8] {
            &self.0
        }
    }

    /// Counts and balance of every entry; returns the height.
    fn check(map: &Map<Item>) -> u32 {
        let Some((left, item, right)) = map.peek() else { return 0 };
        let heights = (check(left), check(right));
        assert_eq!(map.len(), 1 + left.len() + right.len());
        assert_eq!(map.key_bytes(), list_bytes(item) + left.key_bytes() + right.key_bytes());
        assert!(left.weight() <= DELTA * right.weight() && right.weight() <= DELTA * left.weight());
        1 + heights.0.max(heights.1)
    }

    fn name(number: u32) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn it_stays_shallow_in_any_order() {
        for step in [1, 0x9e37_79b1, u32::MAX] {
            let mut map = Map::default();
            for i in 0..10_000u32 {
                map.insert(Item(name(i.wrapping_mul(step)), i));
            }
            assert!(check(&map) <= 24);
            for i in 0..9_000u32 {
                assert_eq!(map.remove(&name(i.wrapping_mul(step))).map(|item| item.1), Some(i));
            }
            assert!(check(&map) <= 18);
        }
    }

    #[test]
    fn what_nobody_shares_is_changed_in_place() {
        let mut map = Map::default();
        for i in 0..100 {
            map.insert(Item(name(i), i));
        }
        let at = core::ptr::from_ref(map.get(&name(50)).unwrap());
        map.get_mut(&name(50)).unwrap().1 = 7;
        assert_eq!(core::ptr::from_ref(map.get(&name(50)).unwrap()), at);
        let copy = map.clone();
        map.get_mut(&name(50)).unwrap().1 = 8;
        assert_eq!((copy.get(&name(50)).unwrap().1, map.get(&name(50)).unwrap().1), (7, 8));
        assert!(!copy.is(&map));
    }

    #[test]
    fn a_list_is_entered_at_any_byte() {
        let mut map = Map::default();
        for key in [&b"bb"[..], b"a", b"cccc", b"d"] {
            map.insert(Item(key.to_vec(), 0));
        }
        let list = b"a\0bb\0cccc\0d\0";
        assert_eq!(map.key_bytes() as usize, list.len());
        for offset in 0..=list.len() {
            let (inside, items) = map.iter_from(u32::try_from(offset).unwrap());
            let rest: Vec<u8> = items.flat_map(|item| [&item.0[..], &[0]].concat()).collect();
            assert_eq!(rest.get(inside..).unwrap_or_default(), &list[offset..]);
        }
    }

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u8, u32),
        Remove(u8),
        Set(u8, u32),
        Snapshot,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (any::<u8>(), any::<u32>()).prop_map(|(key, value)| Op::Insert(key, value)),
            3 => any::<u8>().prop_map(Op::Remove),
            2 => (any::<u8>(), any::<u32>()).prop_map(|(key, value)| Op::Set(key, value)),
            1 => Just(Op::Snapshot),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_behaves_like_an_ordinary_map_and_snapshots_never_change(ops in proptest::collection::vec(op(), 0..400)) {
            let (mut map, mut model) = (Map::default(), BTreeMap::new());
            let mut snapshots = vec![];
            for op in ops {
                match op {
                    Op::Insert(key, value) => {
                        let old = map.insert(Item(vec![key], value));
                        prop_assert_eq!(old.map(|item| item.1), model.insert(vec![key], value));
                    }
                    Op::Remove(key) => {
                        let old = map.remove(&[key]);
                        prop_assert_eq!(old.map(|item| item.1), model.remove(&vec![key]));
                    }
                    Op::Set(key, value) => {
                        let there = map.get_mut(&[key]).map(|item| item.1 = value).is_some();
                        prop_assert_eq!(there, model.get_mut(&vec![key]).map(|slot| *slot = value).is_some());
                    }
                    Op::Snapshot => snapshots.push((map.clone(), model.clone())),
                }
                check(&map);
                for key in [0, 100, 255] {
                    let next = model.range((core::ops::Bound::Excluded(vec![key]), core::ops::Bound::Unbounded)).next();
                    prop_assert_eq!(map.after(&[key]).map(|item| &item.0), next.map(|(key, _)| key));
                    let rest: Vec<_> = map.iter_after(&[key]).map(|item| item.0.clone()).collect();
                    let expected: Vec<_> = model.keys().filter(|other| **other > vec![key]).cloned().collect();
                    prop_assert_eq!(rest, expected);
                }
            }
            snapshots.push((map, model));
            for (map, model) in snapshots {
                let all: Vec<_> = map.iter().map(|item| (item.0.clone(), item.1)).collect();
                prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
