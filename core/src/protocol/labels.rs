//! What can be asked about security labels and the policy about them.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::hyper::Labelled;
use crate::rights::Rights;

/// The most bytes of a policy. Real ones have some ten thousand.
pub const POLICY: u32 = 1 << 20;

/// A request about labels. Where Xen has none, the answer is [`super::Failure::NoLabels`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Labels<'a> {
    /// About the policy: [`super::Answer::Policy`].
    Policy,
    /// The label with a number, as rows have it: [`super::Answer::Label`].
    Text {
        /// The number.
        number: u32,
    },
    /// Whether there is such a label: `Done`.
    Check {
        /// The label.
        label: &'a str,
    },
    /// Says whether the policy is enforced.
    Enforce {
        /// It is.
        enforcing: bool,
    },
    /// Puts a policy in force, whose bytes come as the stream upwards.
    Load {
        /// How many, at most [`POLICY`].
        size: u32,
    },
    /// Gives a domain that runs another label, for its next lives as well.
    Domain {
        /// Which.
        domain: &'a str,
        /// Which label; `None` for that of domains without any.
        label: Option<&'a str>,
    },
    /// Gives a part of the machine a label, or takes it away.
    Resource {
        /// What kind of part.
        what: Labelled,
        /// The first of its kind.
        first: u64,
        /// The last.
        last: u64,
        /// Which label; `None` for none.
        label: Option<&'a str>,
    },
}

impl Labels<'_> {
    pub(super) const fn needs(&self) -> Rights {
        match self {
            Self::Policy | Self::Text { .. } | Self::Check { .. } => Rights::Observe,
            Self::Enforce { .. } | Self::Load { .. } | Self::Domain { .. } | Self::Resource { .. } => {
                Rights::Everything
            }
        }
    }

    pub(super) const fn domain(&self) -> Option<&str> {
        match self {
            Self::Domain { domain, .. } => Some(domain),
            _ => None,
        }
    }
}

/// The policy that is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Policy {
    /// What it forbids is refused, and not only written down.
    pub enforcing: bool,
    /// The newest version of the format that Xen reads policies in.
    pub version: u32,
}
