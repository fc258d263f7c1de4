//! A clock that never goes back. Each virtual CPU's clock is as exact as the counters of the physical CPUs agree, so when
//! it moves to another one, what it reads may be a little earlier than what it read before.

use core::sync::atomic::{AtomicU64, Ordering};

/// The latest time that was read.
#[derive(Debug, Default)]
pub struct Forward(AtomicU64);

impl Forward {
    /// Nothing was read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// What to say when `now` is read: that, or what was said before if that is later.
    pub fn after(&self, now: u64) -> u64 {
        self.0.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_rather_than_going_back() {
        let clock = Forward::new();
        let read = [5, 7, 6, 3, 7, 8, u64::MAX, 1];
        assert_eq!(read.map(|now| clock.after(now)), [5, 7, 7, 7, 7, 8, u64::MAX, u64::MAX]);
    }
}
