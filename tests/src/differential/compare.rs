//! Two stores in lockstep: after each step, every client of both has been told the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use xendless_core::store::client::WatchEvent;
use xendless_core::store::wire::Kind;

use super::session::{Source, Step};
use super::store::{Ask, Gone, Store, Told, Who};

/// Where two stores part.
#[derive(Debug)]
pub struct Difference {
    /// What led there; the last step is the one that was answered differently.
    pub steps: Vec<Step>,
    /// What the first store did.
    pub first: String,
    /// What the second store did.
    pub second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "  {step:?}")?;
        }
        writeln!(f, "first:  {}", self.first)?;
        write!(f, "second: {}", self.second)
    }
}

/// A store in a session, with the domains that exist, those it serves, and the transactions that clients have open.
struct Side<'a, S> {
    store: &'a mut S,
    exist: BTreeSet<u16>,
    served: BTreeSet<u16>,
    open: BTreeMap<Who, Vec<u32>>,
}

impl<'a, S: Store> Side<'a, S> {
    fn new(store: &'a mut S) -> Self {
        Self { store, exist: BTreeSet::new(), served: BTreeSet::new(), open: BTreeMap::new() }
    }

    /// Does a step; returns what can be seen of it.
    fn take(&mut self, step: &Step) -> Seen {
        match step {
            Step::Ask(who, ask) => return Seen::Told(self.ask(*who, ask)),
            Step::Create(domid) if !self.exist.insert(*domid) => {}
            Step::Create(domid) => self.store.create(*domid),
            // C xenstored reports one that is not introduced at some later time, if it ever is.
            Step::ShutDown(domid) if self.served.contains(domid) => self.store.shut_down(*domid),
            Step::ShutDown(_) => {}
            Step::Destroy(domid) if !self.exist.remove(domid) => {}
            Step::Destroy(domid) => {
                self.store.destroy(*domid);
                self.lose(*domid);
            }
            Step::HangUp(tool) => {
                self.store.hang_up(*tool);
                self.open.remove(&Who::Tool(*tool));
            }
        }
        Seen::Done
    }

    fn ask(&mut self, who: Who, ask: &Ask) -> Result<Told, Gone> {
        let open = self.open.entry(who).or_default();
        let slot = usize::try_from(ask.tx_id).expect("a small number");
        let tx_id = match slot.checked_sub(1) {
            None => 0,
            Some(slot) => open.get(slot).copied().unwrap_or(0x7777_7777),
        };
        let told = self.tell(who, &Ask { tx_id, ..ask.clone() })?;
        let open = self.open.entry(who).or_default();
        match told.kind {
            Kind::TRANSACTION_START => open.extend(number::<u32>(&told.payload)),
            // An ended transaction is gone whatever came of it, unless the request was malformed.
            _ if ask.kind == Kind::TRANSACTION_END && told.payload != b"EINVAL\0" => {
                open.retain(|id| *id != tx_id)
            }
            Kind::RESET_WATCHES => open.clear(),
            Kind::INTRODUCE => number(&ask.payload).into_iter().for_each(|domid| self.gain(domid)),
            Kind::RESUME => number(&ask.payload).into_iter().for_each(|domid| self.store.resume(domid)),
            Kind::RELEASE => number(&ask.payload).into_iter().for_each(|domid| self.lose(domid)),
            _ => {}
        }
        Ok(told)
    }

    fn tell(&mut self, who: Who, ask: &Ask) -> Result<Told, Gone> {
        match who {
            Who::Domain(domid) if !self.served.contains(&domid) => Err(Gone),
            _ => self.store.ask(who, ask),
        }
    }

    /// The domain was introduced, once more perhaps: its ring starts afresh.
    fn gain(&mut self, domid: u16) {
        self.lose(domid);
        self.store.attach(domid);
        self.served.insert(domid);
    }

    fn lose(&mut self, domid: u16) {
        self.served.remove(&domid);
        self.open.remove(&Who::Domain(domid));
    }

    /// The events that a client got. A request of no effect makes sure that all have come.
    fn events(&mut self, who: Who) -> Vec<WatchEvent> {
        let nothing = Ask { kind: Kind::GET_DOMAIN_PATH, tx_id: 0, payload: b"0\0".to_vec() };
        // A client without a connection has no events either.
        let _told = self.tell(who, &nothing);
        let mut events = self.store.events(who);
        events.sort_by(|one, other| (&one.path, &one.token).cmp(&(&other.path, &other.token)));
        // Two watches with one token make equal events, of which C xenstored may leave one out.
        events.dedup();
        events
    }
}

/// The number that is the first string of a payload.
fn number<N: FromStr>(payload: &[u8]) -> Option<N> {
    let digits = payload.split(|byte| *byte == 0).next()?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// What can be seen of a step.
enum Seen {
    Told(Result<Told, Gone>),
    Done,
}

impl Seen {
    fn succeeded(&self) -> bool {
        match self {
            Self::Done => true,
            Self::Told(told) => told.as_ref().is_ok_and(|told| told.kind != Kind::ERROR),
        }
    }

    fn is(&self, payload: &[u8]) -> bool {
        matches!(self, Self::Told(Ok(told)) if told.payload == payload)
    }

    /// Whether both are permissions, of the same owner, and all of `other` are in `self` in that order.
    fn perms_include(&self, other: &Self) -> bool {
        let (Self::Told(Ok(told)), Self::Told(Ok(other))) = (self, other) else { return false };
        let entries =
            |told: &Told| told.payload.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (all, some) = (entries(told), entries(other));
        let mut rest = all.iter();
        all.first() == some.first() && some.iter().all(|entry| rest.any(|known| known == entry))
    }

    /// In a form in which equal means the same to a client: the order of children and the numbers of
    /// transactions and generations are the server's own.
    fn normal(&self) -> String {
        match self {
            Self::Done => "done".into(),
            Self::Told(Err(Gone)) => "gone".into(),
            Self::Told(Ok(told)) => match told.kind {
                Kind::TRANSACTION_START => "a transaction".into(),
                Kind::DIRECTORY => format!("{:?}", names(&told.payload)),
                Kind::DIRECTORY_PART => {
                    let generation = told.payload.iter().position(|byte| *byte == 0).map_or(0, |nul| nul + 1);
                    format!("part {:?}", names(&told.payload[generation..]))
                }
                _ => format!("{told:?}"),
            },
        }
    }
}

fn names(payload: &[u8]) -> Vec<String> {
    let mut names: Vec<_> =
        payload.split(|byte| *byte == 0).map(|name| name.escape_ascii().to_string()).collect();
    names.sort();
    names
}

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
            const fn parts(self) -> bool {
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

/// How a session went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Steps that were answered alike.
    pub steps: usize,
    /// What ended it early.
    pub ended: Option<Known>,
}

/// What the steps so far say about what may differ.
#[derive(Default)]
struct Judge {
    /// Clients whose open transactions began before somebody else changed something.
    overtaken: BTreeSet<Who>,
    /// Domains that were made another's target.
    targets: BTreeSet<u16>,
}

impl Judge {
    fn note(&mut self, step: &Step, side: &Side<'_, impl Store>, succeeded: bool) {
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
    fn ends(&self, step: &Step) -> Option<Known> {
        let domid = match step {
            Step::Destroy(domid) => Some(*domid),
            Step::Ask(_, ask) if ask.kind == Kind::RELEASE => number(&ask.payload),
            _ => None,
        };
        domid.filter(|domid| self.targets.contains(domid)).map(|_| Known::TargetLife)
    }

    /// What is known of a difference; `only_events` if it is nothing but events that amount to the same.
    fn known(&self, step: &Step, one: &Seen, other: &Seen, only_events: bool) -> Option<Known> {
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

/// Runs a session on both stores.
///
/// # Errors
/// The first difference that is not known.
pub fn compare(
    first: &mut impl Store,
    second: &mut impl Store,
    source: &mut impl Source,
) -> Result<Outcome, Box<Difference>> {
    let (mut first, mut second) = (Side::new(first), Side::new(second));
    let (mut taken, mut judge) = (Vec::new(), Judge::default());
    while let Some(step) = source.step() {
        if let ended @ Some(_) = judge.ends(&step) {
            return Ok(Outcome { steps: taken.len(), ended });
        }
        taken.push(step.clone());
        let (one, other) = (first.take(&step), second.take(&step));
        let succeeded = one.succeeded();
        let mut seen = vec![(one.normal(), other.normal())];
        let mut only_events = one.normal() == other.normal();
        if let Step::Ask(who, _) = step {
            source.set_open(who, first.open.get(&who).map_or(0, Vec::len));
        }
        for who in source.clients() {
            let (one, other) = (first.events(who), second.events(who));
            only_events &= amount_to_the_same(who, &one, &other);
            seen.push((show(who, &one), show(who, &other)));
        }
        if let Some((shown, shown_other)) = seen.into_iter().find(|(one, other)| one != other) {
            match judge.known(&step, &one, &other, only_events) {
                Some(known) if !known.parts() => {}
                Some(known) => return Ok(Outcome { steps: taken.len() - 1, ended: Some(known) }),
                None => return Err(Box::new(Difference { steps: taken, first: shown, second: shown_other })),
            }
        }
        judge.note(&step, &first, succeeded);
    }
    Ok(Outcome { steps: taken.len(), ended: None })
}

/// Whether the second store told a client no less that matters: what it left out lies below something it told of, and
/// what it told besides went to a guest, who was asked for permission.
fn amount_to_the_same(who: Who, first: &[WatchEvent], second: &[WatchEvent]) -> bool {
    let covered = |event: &WatchEvent| {
        let above = |known: &WatchEvent| {
            known.token == event.token
                && event.path.strip_prefix(known.path.as_slice()).is_some_and(|below| below.starts_with(b"/"))
        };
        second.contains(event) || second.iter().any(above)
    };
    let no_more = second.iter().all(|event| first.contains(event));
    first.iter().all(covered) && (no_more || matches!(who, Who::Domain(_)))
}

fn show(who: Who, events: &[WatchEvent]) -> String {
    let event = |event: &WatchEvent| format!("{}|{}", event.path.escape_ascii(), event.token.escape_ascii());
    format!("{who:?} is told {:?}", events.iter().map(event).collect::<Vec<_>>())
}

/// Runs a session on one store, and looks at it after every step.
pub fn run<S: Store>(store: &mut S, source: &mut impl Source, mut look: impl FnMut(&S, &Step)) {
    let mut side = Side::new(store);
    while let Some(step) = source.step() {
        side.take(&step);
        if let Step::Ask(who, _) = step {
            source.set_open(who, side.open.get(&who).map_or(0, Vec::len));
        }
        for who in source.clients() {
            side.events(who);
        }
        look(side.store, &step);
    }
}

/// Leaves steps out of a failing session as long as it fails.
pub fn shrink(steps: &[Step], mut fails: impl FnMut(&[Step]) -> bool) -> Vec<Step> {
    let mut steps = steps.to_vec();
    let mut chunk = steps.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + chunk).min(steps.len()));
            if fails(&fewer) { steps = fewer } else { at += chunk }
        }
        chunk /= 2;
    }
    steps
}
