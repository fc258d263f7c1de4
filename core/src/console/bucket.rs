//! Token buckets: how much of something may happen in a span of time.
//!
//! A bucket is one number, the time at which it is full again. Using tokens moves that time ahead.

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// At most `burst` at once and `per_second` in the long run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// Tokens that come back in a second, at least 1.
    pub per_second: u32,
    /// Tokens of a full bucket.
    pub burst: u32,
}

impl RateLimit {
    /// In what time tokens come back: this many nanoseconds, divided by the second number.
    fn time(self, tokens: u32) -> (u64, u64) {
        (u64::from(tokens) * SECOND, u64::from(self.per_second.max(1)))
    }
}

#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    full_at: u64,
}

impl Bucket {
    pub(super) const fn full(limit: RateLimit) -> Self {
        Self { limit, full_at: 0 }
    }

    /// The tokens that are there.
    pub(super) fn available(&self, now: u64) -> u32 {
        let to_full = self.full_at.saturating_sub(now);
        let missing = to_full.saturating_mul(u64::from(self.limit.per_second)).div_ceil(SECOND);
        self.limit.burst.saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX))
    }

    /// Uses tokens, no more than there are.
    pub(super) fn take(&mut self, now: u64, tokens: u32) {
        let tokens = tokens.min(self.available(now));
        let (time, per) = self.limit.time(tokens);
        self.full_at = self.full_at.max(now).saturating_add(time.div_ceil(per));
    }

    /// When so many tokens will be there, or as many as ever can be.
    pub(super) fn ready_at(&self, tokens: u32) -> u64 {
        let spare = self.limit.burst.saturating_sub(tokens);
        let (time, per) = self.limit.time(spare);
        self.full_at.saturating_sub(time / per)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_come_back_with_time() {
        let mut bucket = Bucket::full(RateLimit { per_second: 1000, burst: 10 });
        assert_eq!(bucket.available(0), 10);
        bucket.take(0, 10);
        assert_eq!(bucket.available(0), 0);
        assert_eq!(bucket.available(3_000_000), 3);
        assert_eq!(bucket.available(SECOND), 10);
    }

    proptest! {
        #[test]
        fn no_span_of_time_sees_more_than_the_limit(
            per_second in 1u32..100_000, burst in 1u32..10_000,
            steps in prop::collection::vec((0u64..2 * SECOND, any::<u16>()), 1..40),
        ) {
            let mut bucket = Bucket::full(RateLimit { per_second, burst });
            let (mut now, mut used) = (0, 0u64);
            for (pause, wanted) in steps {
                now += pause;
                let taken = bucket.available(now).min(u32::from(wanted));
                bucket.take(now, taken);
                used += u64::from(taken);
                let allowed = u64::from(burst) + now * u64::from(per_second) / SECOND;
                prop_assert!(used <= allowed, "{} of {} after {} ns", used, allowed, now);
            }
        }

        #[test]
        fn at_the_time_it_names_the_tokens_are_there(
            per_second in 1u32..1_000_000, burst in 1u32..10_000, used: u32, wanted in 1u32..10_000, now in 0..1u64 << 50,
        ) {
            let mut bucket = Bucket::full(RateLimit { per_second, burst });
            bucket.take(now, used);
            prop_assert!(bucket.available(bucket.ready_at(wanted)) >= wanted.min(burst));
        }
    }
}
