//! How long what needs the control domain waits for the ring to come, or to come back, before it is told that there is
//! none.
//!
//! A ring that is on its way is waited for much longer: on a machine with much to do, XenStore and the control domain get
//! to it when they can. For ever would be too long, because what hangs there does not say so.

use std::time::{Duration, Instant};

/// The wait for a ring of which there is no sign.
const WITHOUT: Duration = Duration::from_secs(2);

/// The wait for one that is on its way.
const COMING: Duration = Duration::from_secs(60);

/// The wait that began when the program started, or when the ring was lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    since: Instant,
}

impl Patience {
    pub(super) const fn begin(now: Instant) -> Self {
        Self { since: now }
    }

    /// When it ends, if the ring is on its way, or is not.
    pub(super) fn until(self, coming: bool) -> Instant {
        self.since + if coming { COMING } else { WITHOUT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_on_its_way_is_waited_for_longer_but_not_for_ever() {
        let start = Instant::now();
        let patience = Patience::begin(start);
        let (without, coming) = (patience.until(false) - start, patience.until(true) - start);
        assert!(without < Duration::from_secs(5) && coming > 10 * without);
        assert!(coming < Duration::from_secs(120));
    }
}
