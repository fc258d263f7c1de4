//! One of the two stores in a session, and what can be seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use xendless_core::store::client::WatchEvent;
use xendless_core::store::wire::Kind;

use super::session::Step;
use super::store::{Ask, Gone, Store, Told, Who};

/// A store in a session, with the domains that exist, those it serves, and the transactions that clients have open.
pub(super) struct Side<'a, S> {
    pub(super) store: &'a mut S,
    exist: BTreeSet<u16>,
    served: BTreeSet<u16>,
    pub(super) open: BTreeMap<Who, Vec<u32>>,
}

impl<'a, S: Store> Side<'a, S> {
    pub(super) fn new(store: &'a mut S) -> Self {
        Self { store, exist: BTreeSet::new(), served: BTreeSet::new(), open: BTreeMap::new() }
    }

    /// Does a step; returns what can be seen of it.
    pub(super) fn take(&mut self, step: &Step) -> Seen {
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

    /// Whether a node does not exist that a client calls so.
    pub(super) fn lacks(&mut self, who: Who, path: &[u8]) -> bool {
        let home = match who {
            Who::Domain(domid) if !path.starts_with(b"/") => format!("/local/domain/{domid}/"),
            _ => String::new(),
        };
        let payload = [home.as_bytes(), path, b"\0"].concat();
        let told = self.store.ask(Who::Tool(0), &Ask { kind: Kind::READ, tx_id: 0, payload });
        told.is_ok_and(|told| told.payload == b"ENOENT\0" && told.kind == Kind::ERROR)
    }

    /// The events that a client got. A request of no effect makes sure that all have come.
    pub(super) fn events(&mut self, who: Who) -> Vec<WatchEvent> {
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
pub(super) fn number<N: FromStr>(payload: &[u8]) -> Option<N> {
    let digits = payload.split(|byte| *byte == 0).next()?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// What can be seen of a step.
pub(super) enum Seen {
    Told(Result<Told, Gone>),
    Done,
}

impl Seen {
    pub(super) fn succeeded(&self) -> bool {
        match self {
            Self::Done => true,
            Self::Told(told) => told.as_ref().is_ok_and(|told| told.kind != Kind::ERROR),
        }
    }

    pub(super) fn is(&self, payload: &[u8]) -> bool {
        matches!(self, Self::Told(Ok(told)) if told.payload == payload)
    }

    /// Whether both are permissions, of the same owner, and all of `other` are in `self` in that order.
    pub(super) fn perms_include(&self, other: &Self) -> bool {
        let (Self::Told(Ok(told)), Self::Told(Ok(other))) = (self, other) else { return false };
        let entries =
            |told: &Told| told.payload.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (all, some) = (entries(told), entries(other));
        let mut rest = all.iter();
        all.first() == some.first() && some.iter().all(|entry| rest.any(|known| known == entry))
    }

    /// In a form in which equal means the same to a client: the order of children and the numbers of
    /// transactions and generations are the server's own.
    pub(super) fn normal(&self) -> String {
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
