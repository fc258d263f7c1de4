//! The words of the command line: what the guest is to do, in this order.

use xendless_core::abi::sched;

/// How the domain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It switches itself off.
    PowerOff,
    /// It wants to be started again.
    Reboot,
    /// It is ready to be saved.
    Suspend,
    /// It cannot go on.
    Crash,
}

impl Ending {
    /// Xen's number for it.
    #[must_use]
    pub const fn reason(self) -> u8 {
        match self {
            Self::PowerOff => sched::SHUTDOWN_POWEROFF,
            Self::Reboot => sched::SHUTDOWN_REBOOT,
            Self::Suspend => sched::SHUTDOWN_SUSPEND,
            Self::Crash => sched::SHUTDOWN_CRASH,
        }
    }

    /// From its word, which is also what a control domain writes to `control/shutdown`.
    #[must_use]
    pub const fn from_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"poweroff" | b"halt" => Self::PowerOff,
            b"reboot" => Self::Reboot,
            b"suspend" => Self::Suspend,
            b"crash" => Self::Crash,
            _ => return None,
        })
    }
}

/// Something to do. Counts say how often; without a number there is no end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word<'a> {
    /// `say=TEXT`: prints a line.
    Say(&'a [u8]),
    /// `store`: writes and reads its own nodes.
    Store,
    /// `mark`: writes a node, which shows that it runs.
    Mark,
    /// `time-store=N`: times so many requests of each kind.
    TimeStore(u64),
    /// `tick[=N]`: prints a line every second.
    Tick(u64),
    /// `obey`: waits for a request to shut down, and does it.
    Obey,
    /// `hang`: uses its processor, for ever.
    Hang,
    /// `poweroff`, `reboot`, `suspend`, `crash`.
    End(Ending),
    /// `store-indices`: impossible indices on the XenStore ring.
    StoreIndices,
    /// `store-oversize`: a request that announces more than a message may have.
    StoreOversize,
    /// `store-half`: a request whose end never comes.
    StoreHalf,
    /// `store-wreck`: half a message and impossible indices at once, without waiting for what comes of it.
    StoreWreck,
    /// `store-flood[=N]`: legal requests as fast as they are taken.
    StoreFlood(u64),
    /// `store-never-read`: requests, and no look at the replies.
    StoreNeverRead,
    /// `garbage-states`: nonsense in every node that a control plane might read.
    GarbageStates,
    /// `garbage-disk`: nonsense in both directories of its first disk.
    GarbageDisk,
    /// `garbage-vif`: the same of its first interface.
    GarbageVif,
    /// `control-shutdown-ignore`: sees requests to shut down, and stays.
    IgnoreShutdown,
    /// `console-flood[=N]`: lines without end.
    ConsoleFlood(u64),
    /// `console-indices`: impossible indices on the console ring.
    ConsoleIndices,
    /// `evtchn-storm[=N]`: events for nothing.
    EventStorm(u64),
    /// `read-all-memory`: looks for what others left in our memory.
    ReadMemory,
    /// `grant-revoke`: takes back the grants of its rings.
    RevokeGrants,
}

impl<'a> Word<'a> {
    fn parse(word: &'a [u8]) -> Option<Self> {
        let mut parts = word.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next()?, parts.next());
        match name {
            b"say" => return value.map(Self::Say),
            b"time-store" => return value.and(count(value)).map(Self::TimeStore),
            b"tick" => return count(value).map(Self::Tick),
            b"store-flood" => return count(value).map(Self::StoreFlood),
            b"console-flood" => return count(value).map(Self::ConsoleFlood),
            b"evtchn-storm" => return count(value).map(Self::EventStorm),
            _ if value.is_some() => return None,
            _ => {}
        }
        Some(match name {
            b"store" => Self::Store,
            b"mark" => Self::Mark,
            b"obey" => Self::Obey,
            b"hang" => Self::Hang,
            b"store-indices" => Self::StoreIndices,
            b"store-oversize" => Self::StoreOversize,
            b"store-half" => Self::StoreHalf,
            b"store-wreck" => Self::StoreWreck,
            b"store-never-read" => Self::StoreNeverRead,
            b"garbage-states" => Self::GarbageStates,
            b"garbage-disk" => Self::GarbageDisk,
            b"garbage-vif" => Self::GarbageVif,
            b"control-shutdown-ignore" => Self::IgnoreShutdown,
            b"console-indices" => Self::ConsoleIndices,
            b"read-all-memory" => Self::ReadMemory,
            b"grant-revoke" => Self::RevokeGrants,
            _ => Self::End(Ending::from_word(name)?),
        })
    }
}

/// The words of a command line; `None` stands for one that is not known.
pub fn words(line: &[u8]) -> impl Iterator<Item = Option<Word<'_>>> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(Word::parse)
}

fn count(value: Option<&[u8]>) -> Option<u64> {
    let Some(digits) = value else { return Some(u64::MAX) };
    core::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn read(line: &[u8]) -> Option<Vec<Word<'_>>> {
        words(line).collect()
    }

    #[test]
    fn words_come_in_their_order() {
        let line = b" say=hello,=world  store tick=3 time-store=9 store-flood\tpoweroff ";
        let expected = [
            Word::Say(b"hello,=world"),
            Word::Store,
            Word::Tick(3),
            Word::TimeStore(9),
            Word::StoreFlood(u64::MAX),
            Word::End(Ending::PowerOff),
        ];
        assert_eq!(read(line).unwrap(), expected);
        assert_eq!(read(b"").unwrap(), []);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for line in [
            &b"stor"[..],
            b"say",
            b"store=1",
            b"tick=",
            b"time-store",
            b"tick=-1",
            b"poweroff=now",
            b"\xff",
            b"=",
        ] {
            assert_eq!(read(line), None, "{}", line.escape_ascii());
        }
        assert_eq!(words(b"store nonsense").collect::<Vec<_>>(), [Some(Word::Store), None]);
    }
}
