//! The type of a message. Source: `enum xsd_sockmsg_type` of `xen/io/xs_wire.h`.

use core::fmt;

/// A message type. Unknown numbers survive, so that they can be answered and reported truthfully.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u32);

macro_rules! kinds {
    ($($name:ident = $value:literal;)*) => {
        impl Kind {
            $(#[doc = concat!("`XS_", stringify!($name), "`.")] pub const $name: Self = Self($value);)*

            /// Every type the protocol names.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

kinds! {
    CONTROL = 0;
    DIRECTORY = 1;
    READ = 2;
    GET_PERMS = 3;
    WATCH = 4;
    UNWATCH = 5;
    TRANSACTION_START = 6;
    TRANSACTION_END = 7;
    INTRODUCE = 8;
    RELEASE = 9;
    GET_DOMAIN_PATH = 10;
    WRITE = 11;
    MKDIR = 12;
    RM = 13;
    SET_PERMS = 14;
    WATCH_EVENT = 15;
    ERROR = 16;
    IS_DOMAIN_INTRODUCED = 17;
    RESUME = 18;
    SET_TARGET = 19;
    RESET_WATCHES = 21;
    DIRECTORY_PART = 22;
    GET_FEATURE = 23;
    SET_FEATURE = 24;
    GET_QUOTA = 25;
    SET_QUOTA = 26;
}

impl Kind {
    /// The name as in the C header without its prefix, or `None` for a number it does not list.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map(|(name, _)| *name)
    }

    /// Whether a client may send it: every named type except the two that only a server sends.
    #[must_use]
    pub fn is_request(self) -> bool {
        self.name().is_some() && self != Self::WATCH_EVENT && self != Self::ERROR
    }

    /// Whether only a privileged domain may ask for it, whatever the arguments.
    #[must_use]
    pub fn is_privileged(self) -> bool {
        matches!(
            self,
            Self::CONTROL
                | Self::INTRODUCE
                | Self::RELEASE
                | Self::IS_DOMAIN_INTRODUCED
                | Self::RESUME
                | Self::SET_TARGET
                | Self::SET_FEATURE
                | Self::GET_QUOTA
                | Self::SET_QUOTA
        )
    }

    /// Whether the transaction id of its header is ignored.
    #[must_use]
    pub fn ignores_transaction(self) -> bool {
        matches!(self, Self::WATCH | Self::UNWATCH)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn unknown_types_survive_and_are_no_requests() {
        assert_eq!(Kind(20).to_string(), "type 20");
        assert_eq!(Kind::READ.to_string(), "READ");
        for kind in [Kind(20), Kind(27), Kind(0xffff), Kind(u32::MAX), Kind::ERROR, Kind::WATCH_EVENT] {
            assert!(!kind.is_request(), "{kind}");
        }
        assert_eq!(Kind::ALL.iter().filter(|(_, kind)| kind.is_request()).count(), 24);
    }
}
