//! What happens when a domain stops, and when the control plane starts and stops.

use serde::{Deserialize, Serialize};

use super::Ranged;

/// What to do with a domain that has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Free everything it had.
    Destroy,
    /// Free everything, then create it again from its configuration.
    Restart,
    /// Keep it, stopped, until it is destroyed by hand.
    Preserve,
    /// Keep it under a new name and UUID, and create it again.
    RenameRestart,
}

impl Action {
    /// The actions under the names that configurations use.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("destroy", Self::Destroy),
        ("restart", Self::Restart),
        ("preserve", Self::Preserve),
        ("rename-restart", Self::RenameRestart),
    ];

    /// The name that configurations use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Restart => "restart",
            Self::Preserve => "preserve",
            Self::RenameRestart => "rename-restart",
        }
    }
}

/// What to do with a domain that has crashed, or whose watchdog fired.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CrashAction {
    /// Nothing special.
    Plain(Action),
    /// Write its memory to a file, then destroy it.
    CoredumpDestroy,
    /// Write its memory to a file, then restart it.
    CoredumpRestart,
}

impl CrashAction {
    /// What follows the core dump, if there is one.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Plain(action) => action,
            Self::CoredumpDestroy => Action::Destroy,
            Self::CoredumpRestart => Action::Restart,
        }
    }

    /// Whether the memory is dumped first.
    #[must_use]
    pub const fn dumps_core(self) -> bool {
        matches!(self, Self::CoredumpDestroy | Self::CoredumpRestart)
    }

    /// The name that configurations use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain(action) => action.name(),
            Self::CoredumpDestroy => "coredump-destroy",
            Self::CoredumpRestart => "coredump-restart",
        }
    }
}

/// What happens on each kind of end, and what holds back a domain that keeps ending.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actions {
    /// It powered off.
    pub poweroff: Action,
    /// It asked for a restart.
    pub reboot: Action,
    /// It crashed.
    pub crash: CrashAction,
    /// Its watchdog fired.
    pub watchdog: CrashAction,
    /// A restart is refused, and the domain destroyed, when it lived for less than this many seconds.
    pub min_uptime: Seconds,
}

/// A time of up to a day.
pub type Seconds = Ranged<0, 86_400>;

impl Actions {
    /// The shortest life after which xend restarted a domain, in seconds.
    pub const DEFAULT_MIN_UPTIME: u32 = 60;
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            poweroff: Action::Destroy,
            reboot: Action::Restart,
            crash: CrashAction::Plain(Action::Restart),
            watchdog: CrashAction::Plain(Action::Destroy),
            min_uptime: Seconds::constant::<{ Self::DEFAULT_MIN_UPTIME }>(),
        }
    }
}

/// Whether a managed domain starts together with the control plane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum OnStart {
    /// It stays as it is.
    #[default]
    Ignore,
    /// It is started.
    Start,
}

/// What happens to a managed domain when the control plane stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum OnStop {
    /// Nothing.
    #[default]
    Ignore,
    /// It is shut down.
    Shutdown,
    /// It is suspended to a file.
    Suspend,
}
