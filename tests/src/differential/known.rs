//! The differences between C xenstored and this server that are known, and how they are told from others.

use std::collections::BTreeSet;

use xendless_core::store::client::WatchEvent;
use xendless_core::store::wire::Kind;

use super::session::Step;
use super::side::{Seen, Side, number};
use super::store::{Ask, Gone, Store, Who};

macro_rules! known {
    ($($name:ident, $parts:literal, $text:literal;)*) => {
        /// A difference that is known; `docs/xenstore-differences.md` explains each under its name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Known {
            $(#[doc = $text] $name,)*
        }

        impl Known {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Whether the stores may be in different states after it, so that a session ends with it.
            pub(super) const fn parts(self) -> bool {
                match self { $(Self::$name => $parts,)* }
            }
        }
    };
}

known! {
    TransactionView, true, "What a transaction sees of changes that others make meanwhile, and with which it collides.";
    SpecialPermissions, false, "Whether permissions of special events are shown.";
    DeadEntries, false, "Whether permissions of domains that are no more are shown.";
    UnwatchForm, false, "Whether a watch to remove is looked for when its path is malformed.";
    RefusalOrder, false, "Which of several reasons for a refusal is named.";
    TransactionEvents, false, "Which events tell of nodes that a transaction changed more than once.";
    PutOff, true, "Whether a guest's change waits for a privileged transaction that met its like before.";
    TargetLife, true, "How long a domain lives that is another's target.";
    NodeSize, true, "What counts as a node's size.";
    DoomedTransaction, true, "Whether a transaction can be committed in which something was refused for its size.";
}

/// What the steps so far say about what may differ.
#[derive(Default)]
pub(super) struct Judge {
    /// Clients whose open transactions began before somebody else changed something.
    overtaken: BTreeSet<Who>,
    /// Domains that were made another's target.
    targets: BTreeSet<u16>,
}

impl Judge {
    pub(super) fn note(&mut self, step: &Step, side: &Side<'_, impl Store>, succeeded: bool) {
        if let Step::Ask(_, Ask { kind: Kind::SET_TARGET, payload, .. }) = step
            && succeeded
        {
            let target = payload.split(|byte| *byte == 0).nth(1).and_then(number::<u16>);
            self.targets.extend(target);
        }
        let changes = match step {
            Step::Ask(_, Ask { kind, tx_id: 0, .. }) => {
                [Kind::WRITE, Kind::MKDIR, Kind::RM, Kind::SET_PERMS, Kind::RELEASE].contains(kind)
            }
            Step::Ask(_, Ask { kind, .. }) => [Kind::TRANSACTION_END, Kind::RELEASE].contains(kind),
            Step::Destroy(_) => true,
            _ => false,
        };
        let open = side.open.iter().filter(|(_, open)| !open.is_empty()).map(|(who, _)| *who);
        if changes && succeeded {
            self.overtaken.extend(open);
        } else {
            let open: BTreeSet<_> = open.collect();
            self.overtaken.retain(|who| open.contains(who));
        }
    }

    /// Whether C xenstored cannot be followed any further.
    pub(super) fn ends(&self, step: &Step) -> Option<Known> {
        let domid = match step {
            Step::Destroy(domid) => Some(*domid),
            Step::Ask(_, ask) if ask.kind == Kind::RELEASE => number(&ask.payload),
            _ => None,
        };
        domid.filter(|domid| self.targets.contains(domid)).map(|_| Known::TargetLife)
    }

    /// What is known of a difference; `only_events` if it is nothing but events that amount to the same.
    pub(super) fn known(&self, step: &Step, one: &Seen, other: &Seen, only_events: bool) -> Option<Known> {
        let Step::Ask(who, ask) = step else { return None };
        let on_special = ask.payload.starts_with(b"@");
        let both_refused = !one.succeeded() && !other.succeeded();
        match ask.kind {
            _ if ask.tx_id != 0 && self.overtaken.contains(who) => Some(Known::TransactionView),
            _ if matches!((who, other), (Who::Domain(_), Seen::Told(Err(Gone)))) && one.succeeded() => {
                Some(Known::PutOff)
            }
            Kind::GET_PERMS if on_special => Some(Known::SpecialPermissions),
            Kind::GET_PERMS if one.perms_include(other) => Some(Known::DeadEntries),
            Kind::SET_PERMS if both_refused && one.is(b"ENOSPC\0") => Some(Known::RefusalOrder),
            Kind::WRITE | Kind::MKDIR if one.is(b"ENOSPC\0") && other.succeeded() => Some(Known::NodeSize),
            Kind::UNWATCH if both_refused => Some(Known::UnwatchForm),
            Kind::TRANSACTION_END if only_events => Some(Known::TransactionEvents),
            Kind::TRANSACTION_END if one.is(b"ENOMEM\0") && other.succeeded() => {
                Some(Known::DoomedTransaction)
            }
            _ => None,
        }
    }
}

/// Whether the second store told a client no less that matters: what it left out is `gone`, which the removal of
/// something above tells, and what it told besides went to a guest, who was asked for permission.
pub(super) fn amount_to_the_same(
    who: Who,
    first: &[WatchEvent],
    second: &[WatchEvent],
    mut gone: impl FnMut(&[u8]) -> bool,
) -> bool {
    let no_more = second.iter().all(|event| first.contains(event));
    let no_less = first.iter().all(|event| second.contains(event) || gone(&event.path));
    no_less && (no_more || matches!(who, Who::Domain(_)))
}
