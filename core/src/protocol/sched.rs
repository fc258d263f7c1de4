//! What can be asked about schedulers.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::hyper::{Promise, SchedulerKind};
use crate::rights::Rights;

/// A scheduler that gives domains shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Sharing {
    /// credit.
    Credit,
    /// credit2.
    Credit2,
}

impl From<Sharing> for SchedulerKind {
    fn from(sharing: Sharing) -> Self {
        match sharing {
            Sharing::Credit => Self::Credit,
            Sharing::Credit2 => Self::Credit2,
        }
    }
}

/// A request about what a scheduler gives a domain. The domain has to be in a CPU pool with that scheduler, else the
/// answer is [`super::Failure::OtherScheduler`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Sched<'a> {
    /// A domain's share: [`super::Answer::Share`].
    Share {
        /// Which.
        domain: &'a str,
        /// Under which scheduler.
        scheduler: Sharing,
    },
    /// Sets a domain's share, for its next lives as well.
    SetShare {
        /// Which.
        domain: &'a str,
        /// Under which scheduler.
        scheduler: Sharing,
        /// Its weight, when it changes.
        weight: Option<u16>,
        /// The most it may use, in percent of one physical CPU, when it changes; 0 is no limit.
        cap: Option<u16>,
    },
    /// What rtds promises to a domain's virtual CPUs, a page at a time: [`super::Answer::Promises`].
    Promises {
        /// Which.
        domain: &'a str,
        /// The first virtual CPU wanted.
        from: u32,
    },
    /// Sets what rtds promises to one virtual CPU.
    SetPromise {
        /// Which domain.
        domain: &'a str,
        /// Which virtual CPU.
        vcpu: u32,
        /// What it is promised.
        promise: Promise,
    },
}

impl Sched<'_> {
    pub(super) const fn needs(&self) -> Rights {
        match self {
            Self::Share { .. } | Self::Promises { .. } => Rights::Observe,
            Self::SetShare { .. } | Self::SetPromise { .. } => Rights::Children,
        }
    }

    pub(super) const fn domain(&self) -> &str {
        match self {
            Self::Share { domain, .. }
            | Self::SetShare { domain, .. }
            | Self::Promises { domain, .. }
            | Self::SetPromise { domain, .. } => domain,
        }
    }
}
