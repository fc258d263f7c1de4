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
    /// Nanoseconds since Xen booted, when the counter stands at `tsc`, before or behind the published moment.
    #[must_use]
    pub fn nanoseconds(&self, tsc: u64) -> u64 {
        if tsc >= self.tsc_timestamp {
            self.system_time.saturating_add(self.duration(tsc - self.tsc_timestamp))
        } else {
            self.system_time.saturating_sub(self.duration(self.tsc_timestamp - tsc))
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
    fn shifts_either_way() {
        assert_eq!(Scale { tsc_shift: 1, ..TWO_GHZ }.nanoseconds(3000), 7000);
        assert_eq!(Scale { tsc_shift: -1, ..TWO_GHZ }.nanoseconds(3000), 5500);
    }

    #[test]
    fn a_long_uptime_does_not_overflow() {
        let year = 365 * 24 * 3600 * 1_000_000_000;
        let start = Scale { tsc_timestamp: 0, system_time: 0, ..TWO_GHZ };
        assert_eq!(start.nanoseconds(2 * year), year);
        assert_eq!(start.nanoseconds(u64::MAX), u64::MAX >> 1);
    }
}
