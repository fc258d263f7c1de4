//! The type of a message. Source: `enum xsd_sockmsg_type` of `xen/io/xs_wire.h`.

use core::fmt;

use crate::abi::io::xs_wire;

/// A message type. Unknown numbers survive, so that they can be answered and reported truthfully.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u32);

macro_rules! kinds {
    ($($name:ident = $value:expr;)*) => {
        impl Kind {
            $(#[doc = concat!("`XS_", stringify!($name), "`.")] pub const $name: Self = Self($value);)*

            /// Every type the protocol names.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

kinds! {
    CONTROL = xs_wire::XS_CONTROL;
    DIRECTORY = xs_wire::XS_DIRECTORY;
    READ = xs_wire::XS_READ;
    GET_PERMS = xs_wire::XS_GET_PERMS;
    WATCH = xs_wire::XS_WATCH;
    UNWATCH = xs_wire::XS_UNWATCH;
    TRANSACTION_START = xs_wire::XS_TRANSACTION_START;
    TRANSACTION_END = xs_wire::XS_TRANSACTION_END;
    INTRODUCE = xs_wire::XS_INTRODUCE;
    RELEASE = xs_wire::XS_RELEASE;
    GET_DOMAIN_PATH = xs_wire::XS_GET_DOMAIN_PATH;
    WRITE = xs_wire::XS_WRITE;
    MKDIR = xs_wire::XS_MKDIR;
    RM = xs_wire::XS_RM;
    SET_PERMS = xs_wire::XS_SET_PERMS;
    WATCH_EVENT = xs_wire::XS_WATCH_EVENT;
    ERROR = xs_wire::XS_ERROR;
    IS_DOMAIN_INTRODUCED = xs_wire::XS_IS_DOMAIN_INTRODUCED;
    RESUME = xs_wire::XS_RESUME;
    SET_TARGET = xs_wire::XS_SET_TARGET;
    RESET_WATCHES = xs_wire::XS_RESET_WATCHES;
    DIRECTORY_PART = xs_wire::XS_DIRECTORY_PART;
    GET_FEATURE = xs_wire::XS_GET_FEATURE;
    SET_FEATURE = xs_wire::XS_SET_FEATURE;
    GET_QUOTA = xs_wire::XS_GET_QUOTA;
    SET_QUOTA = xs_wire::XS_SET_QUOTA;
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

    /// Whether it may change something that others watch.
    #[must_use]
    pub fn has_news(self) -> bool {
        matches!(
            self,
            Self::WRITE
                | Self::MKDIR
                | Self::RM
                | Self::SET_PERMS
                | Self::TRANSACTION_END
                | Self::INTRODUCE
                | Self::RELEASE
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
