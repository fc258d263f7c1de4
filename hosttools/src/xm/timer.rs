//! A time limit that can be waited for beside other things.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::error::Error;

/// Readable when the time is over.
pub(super) struct Timer(OwnedFd);

impl Timer {
    /// Begins now.
    ///
    /// # Errors
    ///
    /// When the machine has none left.
    pub(super) fn start(after: Duration) -> Result<Self, Error> {
        Self::try_start(after).map_err(|error| Error::Plain(error.to_string()))
    }

    fn try_start(after: Duration) -> rustix::io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        // A timer of nothing would never ring.
        let after = after.max(Duration::from_nanos(1));
        let it_value = Timespec {
            tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: after.subsec_nanos().into(),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(Self(timer))
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_waited_for() {
        for after in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(u64::MAX), Duration::MAX] {
            assert!(Timer::start(after).is_ok(), "{after:?}");
        }
    }
}
