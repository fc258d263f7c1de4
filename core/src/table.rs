//! A table of limited length whose entries are named by keys that are never used again.
#![forbid(unsafe_code)]

use alloc::vec::Vec;

/// Names one entry of one table, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    slot: u32,
    serial: u32,
}

impl Key {
    /// Where the entry stands; another one may stand there later.
    pub(crate) const fn slot(self) -> u32 {
        self.slot
    }
}

/// Why an entry was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableError {
    /// The table is as long as it may be.
    Full,
    /// No memory for a longer table.
    OutOfMemory,
}

#[derive(Debug)]
struct Entry<T> {
    serial: u32,
    value: Option<T>,
}

#[derive(Debug)]
pub(crate) struct Table<T> {
    entries: Vec<Entry<T>>,
    /// Empty entries; has room for all of them.
    vacant: Vec<u32>,
    limit: usize,
}

impl<T> Table<T> {
    pub(crate) const fn with_limit(limit: usize) -> Self {
        Self { entries: Vec::new(), vacant: Vec::new(), limit }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.vacant.len()
    }

    pub(crate) fn insert(&mut self, value: T) -> Result<Key, TableError> {
        if self.vacant.is_empty() {
            self.grow()?;
        }
        let slot = self.vacant.pop().ok_or(TableError::Full)?;
        let entry = usize::try_from(slot).ok().and_then(|at| self.entries.get_mut(at));
        let entry = entry.ok_or(TableError::Full)?;
        entry.value = Some(value);
        Ok(Key { slot, serial: entry.serial })
    }

    fn grow(&mut self) -> Result<(), TableError> {
        let slot = u32::try_from(self.entries.len()).map_err(|_| TableError::Full)?;
        if self.entries.len() >= self.limit {
            return Err(TableError::Full);
        }
        self.entries.try_reserve(1).map_err(|_| TableError::OutOfMemory)?;
        self.vacant.try_reserve(self.entries.len() + 1).map_err(|_| TableError::OutOfMemory)?;
        self.entries.push(Entry { serial: 0, value: None });
        self.vacant.push(slot);
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entry_mut(key)?;
        let value = entry.value.take()?;
        entry.serial = entry.serial.wrapping_add(1);
        self.vacant.push(key.slot);
        Some(value)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(usize::try_from(key.slot).ok()?)?;
        entry.value.as_ref().filter(|_| entry.serial == key.serial)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entry_mut(key)?.value.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0..)
            .zip(&self.entries)
            .filter_map(|(slot, entry)| Some((Key { slot, serial: entry.serial }, entry.value.as_ref()?)))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|entry| entry.value.as_mut())
    }

    fn entry_mut(&mut self, key: Key) -> Option<&mut Entry<T>> {
        let entry = self.entries.get_mut(usize::try_from(key.slot).ok()?)?;
        (entry.serial == key.serial).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_finds_its_own_value_or_nothing(steps in prop::collection::vec(any::<(bool, prop::sample::Index)>(), 0..80)) {
            let mut table = Table::with_limit(8);
            let mut model: BTreeMap<usize, Key> = BTreeMap::new();
            let mut keys: Vec<Key> = Vec::new();
            for (insert, at) in steps {
                if insert {
                    match table.insert(keys.len()) {
                        Ok(key) => { model.insert(keys.len(), key); keys.push(key); }
                        Err(error) => prop_assert_eq!((error, model.len()), (TableError::Full, 8)),
                    }
                } else if !keys.is_empty() {
                    let at = at.index(keys.len());
                    prop_assert_eq!(table.remove(keys[at]), model.remove(&at).map(|_| at));
                }
                prop_assert_eq!(table.len(), model.len());
                for (value, key) in keys.iter().enumerate() {
                    prop_assert_eq!(table.get(*key).copied(), model.get(&value).map(|_| value));
                }
            }
            let mut left: Vec<usize> = table.values_mut().map(|value| *value).collect();
            left.sort_unstable();
            prop_assert_eq!(left, model.into_keys().collect::<Vec<_>>());
        }
    }
}
