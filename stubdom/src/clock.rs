//! From the processor's time stamp counter to nanoseconds. Source: `xen/xen.h`, `vcpu_time_info`.

/// How the counter runs, as Xen publishes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// The counter at the moment that `system_time` names.
    pub tsc_timestamp: u64,
    /// Nanoseconds since Xen booted.
    pub system_time: u64,
    /// Nanoseconds per tick, shifted left by 32 bits.
    pub tsc_to_system_mul: u32,
    /// Bits by which a difference of ticks is shifted left before it is multiplied; right when negative.
    pub tsc_shift: i8,
}

impl Scale {
    /// Nanoseconds since Xen booted, when the counter stands at `tsc`, before or behind the published moment. The counter
    /// of a domain may start when the domain does, and then the published moment may lie below zero.
    #[must_use]
    pub fn nanoseconds(&self, tsc: u64) -> u64 {
        let ticks = tsc.wrapping_sub(self.tsc_timestamp).cast_signed();
        let duration = self.duration(ticks.unsigned_abs());
        if ticks >= 0 {
            self.system_time.saturating_add(duration)
        } else {
            self.system_time.saturating_sub(duration)
        }
    }

    fn duration(&self, ticks: u64) -> u64 {
        let shift = u32::from(self.tsc_shift.unsigned_abs()).min(u64::BITS - 1);
        let ticks = if self.tsc_shift < 0 { ticks >> shift } else { ticks << shift };
        let scaled = (u128::from(ticks) * u128::from(self.tsc_to_system_mul)) >> 32;
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 GHz: half a nanosecond per tick.
    const TWO_GHZ: Scale =
        Scale { tsc_timestamp: 1000, system_time: 5000, tsc_to_system_mul: 1 << 31, tsc_shift: 0 };

    #[test]
    fn runs_forwards_and_backwards_from_the_published_moment() {
        assert_eq!(TWO_GHZ.nanoseconds(1000), 5000);
        assert_eq!(TWO_GHZ.nanoseconds(3000), 6000);
        assert_eq!(TWO_GHZ.nanoseconds(800), 4900);
    }

    #[test]
    fn the_published_moment_may_lie_before_the_counters_zero() {
        let early = Scale { tsc_timestamp: 1000_u64.wrapping_neg(), ..TWO_GHZ };
        assert_eq!(early.nanoseconds(1000), 6000);
    }

    #[test]
    fn shifts_either_way() {
        assert_eq!(Scale { tsc_shift: 1, ..TWO_GHZ }.nanoseconds(3000), 7000);
        assert_eq!(Scale { tsc_shift: -1, ..TWO_GHZ }.nanoseconds(3000), 5500);
    }

    #[test]
    fn a_long_uptime_does_not_overflow() {
        let year = 365 * 24 * 3600 * 1_000_000_000;
        let start = Scale { tsc_timestamp: 0, system_time: 0, ..TWO_GHZ };
        assert_eq!(start.nanoseconds(2 * year), year);
        assert_eq!(start.nanoseconds(u64::MAX >> 1), u64::MAX >> 2);
    }
}
