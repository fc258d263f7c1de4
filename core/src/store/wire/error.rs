//! The errors a server may answer with. Source: `xsd_errors` of `xen/io/xs_wire.h`.

use core::fmt;

macro_rules! errors {
    ($($name:ident, $text:literal;)*) => {
        /// Why a request was refused. The name itself is what travels, so that no number has to be agreed on.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum XsError {
            $(#[doc = $text] $name,)*
        }

        impl XsError {
            /// Every error the protocol names, in the header's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name that travels.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

errors! {
    EINVAL, "The request is malformed.";
    EACCES, "The caller lacks the permission.";
    EEXIST, "It is there already.";
    EISDIR, "Not used by XenStore itself.";
    ENOENT, "There is no such node, watch, transaction or domain.";
    ENOMEM, "The server has no memory for it.";
    ENOSPC, "The caller's quota is used up.";
    EIO, "The store failed.";
    ENOTEMPTY, "Not used by XenStore itself.";
    ENOSYS, "The server does not know this request.";
    EROFS, "Not used by XenStore itself.";
    EBUSY, "Not now: the state of the caller or of its object forbids it.";
    EAGAIN, "The transaction met a conflict; do it again.";
    EISCONN, "The domain is connected already.";
    E2BIG, "The answer would not fit, or the caller has too many of them.";
    EPERM, "Only the owner or a privileged domain may do that.";
}

impl XsError {
    /// The error of a received name (without its NUL).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.name().as_bytes() == name)
    }
}

impl fmt::Display for XsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for XsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_errors() {
        for error in XsError::ALL {
            assert_eq!(XsError::from_name(error.name().as_bytes()), Some(*error));
        }
        assert_eq!(XsError::from_name(b"ENOENT\0"), None);
        assert_eq!(XsError::from_name(b""), None);
    }
}
