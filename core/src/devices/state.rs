//! The states of either end of a device, as they stand in XenStore. Source: `xen/io/xenbus.h`, `enum xenbus_state`.

/// Where one end of a device stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XenbusState {
    /// No state that there is. What makes no sense is this, too, and nothing follows from it.
    Unknown,
    /// The driver has not looked at it.
    Initialising,
    /// The backend waits for what it needs.
    InitWait,
    /// The frontend waits for the backend.
    Initialised,
    /// It works.
    Connected,
    /// It is about to end.
    Closing,
    /// It has ended.
    Closed,
    /// It changes while it works.
    Reconfiguring,
    /// It has changed.
    Reconfigured,
}

impl XenbusState {
    /// Reads a node: one decimal digit and nothing else.
    #[must_use]
    pub const fn parse(value: &[u8]) -> Self {
        match value {
            b"1" => Self::Initialising,
            b"2" => Self::InitWait,
            b"3" => Self::Initialised,
            b"4" => Self::Connected,
            b"5" => Self::Closing,
            b"6" => Self::Closed,
            b"7" => Self::Reconfiguring,
            b"8" => Self::Reconfigured,
            _ => Self::Unknown,
        }
    }

    /// Whether a driver at this end has connected and not let go.
    pub(super) const fn is_in_use(self) -> bool {
        !matches!(self, Self::Unknown | Self::Initialising | Self::InitWait | Self::Closed)
    }

    /// Whether a backend in this state has taken the device on.
    pub(super) const fn serves(self) -> bool {
        matches!(
            self,
            Self::InitWait | Self::Initialised | Self::Connected | Self::Reconfiguring | Self::Reconfigured
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_c02_a_state_is_one_digit_or_unknown() {
        let all = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"].map(|digit| XenbusState::parse(digit));
        assert!(all.iter().all(|state| *state != XenbusState::Unknown), "{all:?}");
        let long = [b'6'; 4000];
        for odd in
            [&b""[..], b"0", b"9", b"99", b"06", b"6\0", b" 6", b"6 ", b"+6", b"closed", b"\xff", &long]
        {
            assert_eq!(XenbusState::parse(odd), XenbusState::Unknown, "{odd:?}");
        }
    }
}
