//! What a domain may use, and what it does use.
//!
//! One table names every limit. Names and defaults are those of Xen's C xenstored where it has the limit; the
//! rest is this server's own. Privileged domains are exempt from all but the limit of the whole store.
#![forbid(unsafe_code)]

macro_rules! quotas {
    ($($variant:ident = $name:literal, $default:expr, $text:literal;)*) => {
        /// A limit.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Quota {
            $(#[doc = $text] $variant,)*
        }

        impl Quota {
            /// All of them, in the order in which they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name by which CONTROL and `SET_QUOTA` know it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it limits.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            const fn default(self) -> u32 {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

quotas! {
    Nodes = "nodes", 1000, "Nodes per domain";
    Watches = "watches", 128, "Watches per domain";
    Transactions = "transactions", 10, "Open transactions per connection";
    Outstanding = "outstanding", 20, "Answers a domain may leave unread; here it is never more than one";
    Memory = "memory", 5 * 512 * 1024, "Bytes of nodes, watches and transactions per domain";
    TransactionNodes = "transaction-nodes", 1024, "Nodes touched by one transaction";
    TransactionAge = "transaction-age", 16_384, "Changes of the store that an open transaction may outlive";
    Permissions = "node-permissions", 5, "Permission entries of a node";
    PathMax = "path-max", 2048, "Bytes of a path, without the domain's home";
    NodeSize = "node-size", 2048, "Bytes of a node's value and permissions";
    Events = "queued-events", 1024, "Watch events waiting to be read";
    EventBytes = "queued-event-bytes", 64 * 1024, "Bytes of watch events waiting to be read";
    Total = "total-memory", 24 * 1024 * 1024, "Bytes of the whole store";
}

impl Quota {
    /// The limit of this name. `permissions` is the older name of one.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        if name == b"permissions" {
            return Some(Self::Permissions);
        }
        Self::ALL.iter().copied().find(|quota| quota.name().as_bytes() == name)
    }
}

/// Limits that were set; the others are to be found elsewhere.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Limits([Option<u32>; Quota::ALL.len()]);

impl Limits {
    /// The limit, if it was set; 0 is none.
    #[must_use]
    pub fn get(&self, quota: Quota) -> Option<u32> {
        self.0.get(quota as usize).copied().flatten()
    }

    /// The limit, which is the default unless it was set.
    #[must_use]
    pub fn or_default(&self, quota: Quota) -> u32 {
        self.get(quota).unwrap_or(quota.default())
    }

    /// Sets a limit; 0 is none.
    pub fn set(&mut self, quota: Quota, value: u32) {
        if let Some(slot) = self.0.get_mut(quota as usize) {
            *slot = Some(value);
        }
    }
}

/// What a domain has in use.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Nodes it owns.
    pub nodes: u32,
    /// Bytes of those nodes, of its watches and of its transactions.
    pub memory: u32,
    /// Watches of its connection.
    pub watches: u32,
    /// Open transactions of its connection.
    pub transactions: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_by_name_and_kept() {
        for quota in Quota::ALL {
            assert_eq!(Quota::from_name(quota.name().as_bytes()), Some(*quota));
        }
        assert_eq!(Quota::from_name(b"permissions"), Some(Quota::Permissions));
        assert_eq!(Quota::from_name(b"node"), None);
        let mut limits = Limits::default();
        limits.set(Quota::Watches, 0);
        assert_eq!((limits.get(Quota::Watches), limits.get(Quota::Nodes)), (Some(0), None));
        assert_eq!((limits.or_default(Quota::Watches), limits.or_default(Quota::Nodes)), (0, 1000));
    }
}
