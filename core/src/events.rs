//! Event channels on our side: finding the pending ones fairly, and knowing what each is for.
//!
//! Xen marks a channel pending in a bitmap of 64 words and marks the word in a selector (the two-level layout of
//! `xen/xen.h`: `shared_info.evtchn_pending`, `evtchn_mask`, `vcpu_info.evtchn_pending_sel`). [`Scanner`] takes
//! one channel at a time and goes on behind the last one served, so a channel that is signalled without end
//! waits its turn like every other. [`Bindings`] says in constant time what a channel means.
#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::abi::shared_info::EVTCHN_2L_NR_CHANNELS;
use crate::hyper::Port;

/// Words of a bitmap, and bits of the selector.
pub const WORDS: usize = 64;

/// Channels the two-level layout can express to a 64-bit domain.
pub const PORTS: u32 = EVTCHN_2L_NR_CHANNELS;

const BITS: u32 = u64::BITS;

/// The memory in which Xen reports events to one virtual CPU.
#[derive(Clone, Copy)]
pub struct Bitmaps<'a> {
    /// `vcpu_info.evtchn_pending_sel`: words of `pending` to look at.
    pub selector: &'a AtomicU64,
    /// `shared_info.evtchn_pending`.
    pub pending: &'a [AtomicU64; WORDS],
    /// `shared_info.evtchn_mask`: channels that wait although pending.
    pub mask: &'a [AtomicU64; WORDS],
}

/// Takes pending channels in rotation.
///
/// Between the moment a channel becomes pending and the moment it is served, every other channel is served at
/// most once. The caller clears `vcpu_info.evtchn_upcall_pending` before it takes the first one; it may sleep
/// after [`Scanner::take`] returned `None`.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Words that may still hold pending channels: taken from the selector, not found empty yet.
    selected: u64,
    /// Where to look first: the port behind the last one served.
    next: u32,
}

impl Scanner {
    /// Starts at port 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { selected: 0, next: 0 }
    }

    /// Takes one channel that is pending and not masked, and clears it. Looks at each word at most twice.
    pub fn take(&mut self, bits: Bitmaps<'_>) -> Option<Port> {
        self.selected |= bits.selector.swap(0, Ordering::AcqRel);
        if self.selected == 0 {
            return None;
        }
        let (first, skip) = (self.next / BITS, self.next % BITS);
        let behind = u64::MAX << skip;
        if let Some(port) = self.take_from(bits, first, behind) {
            return Some(port);
        }
        for step in 1..BITS {
            if let Some(port) = self.take_from(bits, (first + step) % BITS, u64::MAX) {
                return Some(port);
            }
        }
        self.take_from(bits, first, !behind)
    }

    /// Takes the lowest deliverable channel of `word` within `allowed`, and forgets the word when it is empty.
    fn take_from(&mut self, bits: Bitmaps<'_>, word: u32, allowed: u64) -> Option<Port> {
        let selected = 1u64 << word;
        if self.selected & selected == 0 {
            return None;
        }
        let at = usize::try_from(word).ok()?;
        let (pending, mask) = (bits.pending.get(at)?, bits.mask.get(at)?);
        let ready = pending.load(Ordering::Acquire) & !mask.load(Ordering::Acquire);
        if ready == 0 {
            self.selected &= !selected;
        }
        let candidates = ready & allowed;
        if candidates == 0 {
            return None;
        }
        let bit = candidates.trailing_zeros();
        pending.fetch_and(!(1u64 << bit), Ordering::AcqRel);
        let port = word * BITS + bit;
        self.next = (port + 1) % PORTS;
        Some(Port(port))
    }
}

/// Why a channel cannot be bound to a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindError {
    /// Port 0, or one beyond [`PORTS`].
    OutOfRange,
    /// The port has a meaning already.
    Taken,
    /// No memory for a longer table.
    OutOfMemory,
}

/// What each of our channels is for. Lookups take constant time; the table is as long as the highest port.
#[derive(Debug)]
pub struct Bindings<T>(Vec<Option<T>>);

impl<T: Copy> Bindings<T> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Says what `port` is for.
    pub fn bind(&mut self, port: Port, meaning: T) -> Result<(), BindError> {
        let at = index(port).ok_or(BindError::OutOfRange)?;
        if at >= self.0.len() {
            let missing = at + 1 - self.0.len();
            self.0.try_reserve(missing).map_err(|_| BindError::OutOfMemory)?;
            self.0.resize(at + 1, None);
        }
        match self.0.get_mut(at) {
            Some(slot @ None) => *slot = Some(meaning),
            _ => return Err(BindError::Taken),
        }
        Ok(())
    }

    /// Takes the meaning of `port` away; returns it.
    pub fn unbind(&mut self, port: Port) -> Option<T> {
        self.0.get_mut(index(port)?)?.take()
    }

    /// What `port` is for, if anything.
    #[must_use]
    pub fn get(&self, port: Port) -> Option<T> {
        self.0.get(index(port)?).copied().flatten()
    }

    /// Every bound port with its meaning, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Port, T)> + '_ {
        (0..).zip(&self.0).filter_map(|(port, meaning)| Some((Port(port), (*meaning)?)))
    }
}

impl<T: Copy> Default for Bindings<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn index(port: Port) -> Option<usize> {
    (1..PORTS).contains(&port.0).then(|| usize::try_from(port.0).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::vec;
    use proptest::prelude::*;

    struct Memory {
        selector: AtomicU64,
        pending: [AtomicU64; WORDS],
        mask: [AtomicU64; WORDS],
    }

    impl Memory {
        fn new() -> Self {
            let zero = || [const { AtomicU64::new(0) }; WORDS];
            Self { selector: AtomicU64::new(0), pending: zero(), mask: zero() }
        }

        fn bits(&self) -> Bitmaps<'_> {
            Bitmaps { selector: &self.selector, pending: &self.pending, mask: &self.mask }
        }

        fn at(port: u32) -> (usize, u64) {
            ((port / BITS) as usize, 1 << (port % BITS))
        }

        /// What Xen does when it signals a channel.
        fn raise(&self, port: u32) {
            let (word, bit) = Self::at(port);
            let was = self.pending[word].fetch_or(bit, Ordering::SeqCst);
            if was & bit == 0 && self.mask[word].load(Ordering::SeqCst) & bit == 0 {
                self.selector.fetch_or(1 << word, Ordering::SeqCst);
            }
        }

        fn mask(&self, port: u32) {
            let (word, bit) = Self::at(port);
            self.mask[word].fetch_or(bit, Ordering::SeqCst);
        }

        /// What Xen does when asked to unmask.
        fn unmask(&self, port: u32) {
            let (word, bit) = Self::at(port);
            self.mask[word].fetch_and(!bit, Ordering::SeqCst);
            if self.pending[word].load(Ordering::SeqCst) & bit != 0 {
                self.selector.fetch_or(1 << word, Ordering::SeqCst);
            }
        }
    }

    fn drain(scanner: &mut Scanner, memory: &Memory) -> vec::Vec<u32> {
        core::iter::from_fn(|| scanner.take(memory.bits())).map(|port| port.0).collect()
    }

    #[test]
    fn attack_b03_a_storm_on_one_channel_leaves_the_others_their_turn() {
        let memory = Memory::new();
        let mut scanner = Scanner::new();
        memory.raise(7);
        memory.raise(8);
        memory.raise(4000);
        let mut served = vec![];
        for _ in 0..6 {
            served.push(scanner.take(memory.bits()).unwrap().0);
            memory.raise(7);
        }
        assert_eq!(served, [7, 8, 4000, 7, 7, 7]);
    }

    #[test]
    fn a_masked_channel_waits_until_it_is_unmasked() {
        let memory = Memory::new();
        let mut scanner = Scanner::new();
        memory.mask(70);
        memory.raise(70);
        memory.raise(71);
        assert_eq!(drain(&mut scanner, &memory), [71]);
        memory.unmask(70);
        assert_eq!(drain(&mut scanner, &memory), [70]);
    }

    proptest! {
        #[test]
        fn every_pending_channel_is_served_once_and_no_masked_one(
            raised in prop::collection::btree_set(1u32..PORTS, 0..200),
            masked in prop::collection::btree_set(1u32..PORTS, 0..200),
            start in 0u32..PORTS,
        ) {
            let memory = Memory::new();
            for port in &masked { memory.mask(*port); }
            for port in &raised { memory.raise(*port); }
            let served = drain(&mut Scanner { selected: 0, next: start }, &memory);
            let expected: BTreeSet<u32> = raised.difference(&masked).copied().collect();
            prop_assert_eq!(served.len(), expected.len());
            prop_assert_eq!(served.into_iter().collect::<BTreeSet<_>>(), expected);
        }

        /// Signals arrive all the time; nobody who waits is overtaken twice by the same channel.
        #[test]
        fn nobody_is_overtaken_twice(
            rounds in prop::collection::vec(prop::collection::vec(1u32..300, 0..6), 1..200),
        ) {
            let memory = Memory::new();
            let mut scanner = Scanner::new();
            let mut waiting: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            for raised in rounds {
                for port in raised {
                    memory.raise(port);
                    waiting.entry(port).or_default();
                }
                let Some(Port(served)) = scanner.take(memory.bits()) else { continue };
                prop_assert!(waiting.remove(&served).is_some(), "{} was not pending", served);
                for (port, overtaken_by) in &mut waiting {
                    prop_assert!(overtaken_by.insert(served), "{} overtook {} twice", served, port);
                }
            }
            let rest = drain(&mut scanner, &memory);
            prop_assert_eq!(rest.into_iter().collect::<BTreeSet<_>>(), waiting.into_keys().collect());
        }

        #[test]
        fn a_binding_is_found_and_nothing_else(
            ports in prop::collection::btree_map(1u32..PORTS, any::<u8>(), 0..50), other in 0u32..5000,
        ) {
            let mut bindings = Bindings::new();
            for (port, meaning) in &ports {
                prop_assert_eq!(bindings.bind(Port(*port), *meaning), Ok(()));
            }
            prop_assert_eq!(bindings.get(Port(other)), ports.get(&other).copied());
            let listed: BTreeMap<u32, u8> = bindings.iter().map(|(port, meaning)| (port.0, meaning)).collect();
            prop_assert_eq!(listed, ports);
        }
    }

    #[test]
    fn ports_that_cannot_be_are_refused() {
        let mut bindings = Bindings::new();
        assert_eq!(bindings.bind(Port(0), ()), Err(BindError::OutOfRange));
        assert_eq!(bindings.bind(Port(PORTS), ()), Err(BindError::OutOfRange));
        assert_eq!(bindings.bind(Port(PORTS - 1), ()), Ok(()));
        assert_eq!(bindings.bind(Port(PORTS - 1), ()), Err(BindError::Taken));
        assert_eq!(bindings.unbind(Port(PORTS - 1)), Some(()));
        assert_eq!(bindings.unbind(Port(PORTS - 1)), None);
        assert_eq!(bindings.bind(Port(PORTS - 1), ()), Ok(()));
    }
}
