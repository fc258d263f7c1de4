//! What happens to a domain that has stopped, as its configuration says.

use core::fmt;

use crate::config::{Action, Actions};
use crate::hyper::ShutdownReason;

/// What is done with a domain that has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What happens to it.
    pub fate: Fate,
    /// Its memory should be dumped first.
    pub dump: bool,
    /// It was to be restarted, but lived too short a time for that.
    pub too_soon: bool,
}

/// What happens to a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes.
    Destroy,
    /// It goes and is made again.
    Restart,
    /// It stays, stopped.
    Keep,
    /// It stays, stopped, under another name, and is made again.
    RenameRestart,
}

impl From<Action> for Fate {
    fn from(action: Action) -> Self {
        match action {
            Action::Destroy => Self::Destroy,
            Action::Restart => Self::Restart,
            Action::Preserve => Self::Keep,
            Action::RenameRestart => Self::RenameRestart,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = match self.fate {
            Fate::Destroy => "destroyed",
            Fate::Restart => "restarted",
            Fate::Keep => "kept",
            Fate::RenameRestart => "kept under another name and restarted",
        };
        f.write_str(fate)?;
        if self.too_soon {
            f.write_str("; a restart would have come too soon after its start")?;
        }
        if self.dump {
            f.write_str("; a core dump was asked for, which this version cannot write")?;
        }
        Ok(())
    }
}

/// Decides about a domain that stopped for `reason` and had lived for so many nanoseconds. One that would be
/// restarted so soon that it would only be restarted for ever is destroyed instead.
#[must_use]
pub fn decide(actions: &Actions, reason: ShutdownReason, lived_ns: u64) -> Decision {
    let (fate, dump) = match reason {
        ShutdownReason::Poweroff => (actions.poweroff.into(), false),
        // A reset that keeps the memory cannot be done; one that does not is the next best.
        ShutdownReason::Reboot | ShutdownReason::SoftReset => (actions.reboot.into(), false),
        ShutdownReason::Crash => (actions.crash.action().into(), actions.crash.dumps_core()),
        ShutdownReason::Watchdog => (actions.watchdog.action().into(), actions.watchdog.dumps_core()),
        // Whoever suspended it decides.
        ShutdownReason::Suspend => (Fate::Keep, false),
        ShutdownReason::Other(_) => (Fate::Destroy, false),
    };
    let restarts = matches!(fate, Fate::Restart | Fate::RenameRestart);
    let too_soon = restarts && lived_ns < u64::from(actions.min_uptime.get()) * 1_000_000_000;
    Decision { fate: if too_soon { Fate::Destroy } else { fate }, dump, too_soon }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CrashAction, Seconds};

    const LONG: u64 = u64::MAX;

    fn all(action: Action) -> Actions {
        Actions {
            poweroff: action,
            reboot: action,
            crash: CrashAction::Plain(action),
            watchdog: CrashAction::Plain(action),
            min_uptime: Seconds::constant::<60>(),
        }
    }

    #[test]
    fn each_reason_has_its_own_action() {
        let actions = Actions {
            poweroff: Action::Preserve,
            reboot: Action::RenameRestart,
            crash: CrashAction::CoredumpRestart,
            watchdog: CrashAction::CoredumpDestroy,
            ..Actions::default()
        };
        for (reason, fate, dump) in [
            (ShutdownReason::Poweroff, Fate::Keep, false),
            (ShutdownReason::Reboot, Fate::RenameRestart, false),
            (ShutdownReason::SoftReset, Fate::RenameRestart, false),
            (ShutdownReason::Crash, Fate::Restart, true),
            (ShutdownReason::Watchdog, Fate::Destroy, true),
            (ShutdownReason::Suspend, Fate::Keep, false),
            (ShutdownReason::Other(77), Fate::Destroy, false),
        ] {
            assert_eq!(
                decide(&actions, reason, LONG),
                Decision { fate, dump, too_soon: false },
                "{reason:?}"
            );
        }
    }

    #[test]
    fn who_would_be_restarted_for_ever_is_destroyed() {
        let minute = 60_000_000_000;
        for action in [Action::Restart, Action::RenameRestart] {
            let early = decide(&all(action), ShutdownReason::Crash, minute - 1);
            assert_eq!((early.fate, early.too_soon), (Fate::Destroy, true));
            let late = decide(&all(action), ShutdownReason::Crash, minute);
            assert_eq!((late.fate, late.too_soon), (action.into(), false));
            let off = Actions { min_uptime: Seconds::constant::<0>(), ..all(action) };
            assert_eq!(decide(&off, ShutdownReason::Reboot, 0).fate, action.into());
        }
        for action in [Action::Destroy, Action::Preserve] {
            assert!(!decide(&all(action), ShutdownReason::Crash, 0).too_soon);
        }
    }
}
