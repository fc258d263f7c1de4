//! The state of a domain as `xm` shows it.

use xendless_core::hyper::{DomainFlags, ShutdownReason};
use xendless_core::protocol::Row;

/// What a domain does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::xm) struct State {
    flags: DomainFlags,
    crashed: bool,
    suspended: bool,
}

impl State {
    /// That of a domain that is only defined.
    pub(in crate::xm) const DORMANT: Self =
        Self { flags: DomainFlags::SHUTDOWN, crashed: false, suspended: false };

    /// That of one that was suspended.
    pub(in crate::xm) const SUSPENDED: Self = Self { suspended: true, ..Self::DORMANT };

    /// That of a domain that is there.
    pub(in crate::xm) fn of(row: &Row) -> Self {
        let flags = row.flags();
        let reason = row.shutdown.map(ShutdownReason::from_code);
        let crashed = flags.contains(DomainFlags::SHUTDOWN) && reason == Some(ShutdownReason::Crash);
        Self { flags, crashed, suspended: false }
    }

    fn has(self, flag: DomainFlags) -> bool {
        self.flags.contains(flag)
    }

    /// A letter for each position: running, blocked, paused, shut down, crashed, dying.
    pub(in crate::xm) fn letters(self) -> String {
        let stopped = self.has(DomainFlags::SHUTDOWN) && !self.crashed;
        let letters = [
            ('r', self.has(DomainFlags::RUNNING)),
            ('b', self.has(DomainFlags::BLOCKED)),
            ('p', self.has(DomainFlags::PAUSED)),
            ('s', stopped),
            ('c', self.crashed),
            ('d', self.has(DomainFlags::DYING)),
        ];
        letters.into_iter().map(|(letter, set)| if set { letter } else { '-' }).collect()
    }

    /// The word that `list --state` takes.
    pub(in crate::xm) fn power(self) -> &'static str {
        match self {
            Self { crashed: true, .. } => "crashed",
            Self { suspended: true, .. } => "suspended",
            _ if self.has(DomainFlags::SHUTDOWN) => "halted",
            _ if self.has(DomainFlags::PAUSED) => "paused",
            _ => "running",
        }
    }

    /// The number of that word in s-expressions.
    pub(in crate::xm) fn code(self) -> u8 {
        match self.power() {
            "halted" => 0,
            "paused" => 1,
            "suspended" => 3,
            "crashed" => 5,
            _ => 2,
        }
    }

    /// Whether a person means this by a word.
    pub(in crate::xm) fn is(self, word: &str) -> bool {
        word.eq_ignore_ascii_case("all") || word.eq_ignore_ascii_case(self.power())
    }

    /// The word that `domstate` prints.
    pub(in crate::xm) fn word(self) -> &'static str {
        match self {
            Self { crashed: true, .. } => "crashed",
            _ if self.has(DomainFlags::SHUTDOWN) => "shutoff",
            _ if self.has(DomainFlags::DYING) => "shutdown",
            _ if self.has(DomainFlags::PAUSED) => "paused by admin",
            _ if self.has(DomainFlags::BLOCKED) => "idle",
            _ => "running",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    fn shown(flags: DomainFlags, reason: Option<u8>) -> (String, &'static str, &'static str) {
        let state = State::of(&Row { shutdown: reason, ..row(1, "a", flags) });
        (state.letters(), state.power(), state.word())
    }

    #[test]
    fn every_state_has_its_letters_and_words() {
        let (running, blocked) = (DomainFlags::RUNNING, DomainFlags::BLOCKED);
        let (paused, dying) = (DomainFlags::PAUSED, DomainFlags::DYING);
        let shutdown = DomainFlags::SHUTDOWN;
        assert_eq!(shown(running, None), ("r-----".into(), "running", "running"));
        assert_eq!(shown(DomainFlags::empty(), None), ("------".into(), "running", "running"));
        assert_eq!(shown(blocked, None), ("-b----".into(), "running", "idle"));
        assert_eq!(shown(blocked | paused, None), ("-bp---".into(), "paused", "paused by admin"));
        assert_eq!(shown(shutdown, Some(0)), ("---s--".into(), "halted", "shutoff"));
        assert_eq!(shown(shutdown, Some(3)), ("----c-".into(), "crashed", "crashed"));
        assert_eq!(shown(dying | shutdown | paused, Some(1)), ("--ps-d".into(), "halted", "shutoff"));
        assert_eq!(shown(dying, None), ("-----d".into(), "running", "shutdown"));
        assert_eq!((State::DORMANT.letters().as_str(), State::DORMANT.code()), ("---s--", 0));
        assert_eq!((State::SUSPENDED.letters().as_str(), State::SUSPENDED.code()), ("---s--", 3));
    }

    #[test]
    fn words_of_states_are_compared_without_case() {
        assert!(State::DORMANT.is("HALTED") && State::DORMANT.is("all") && !State::DORMANT.is("running"));
        assert!(!State::DORMANT.is("nonsense"));
        assert!(State::SUSPENDED.is("Suspended") && !State::SUSPENDED.is("halted"));
    }
}
