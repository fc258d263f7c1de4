//! Random sessions: several clients, few paths, all verbs, and some nonsense.
//!
//! Few paths make clients meet; nonsense is rare, so that most of a session has effects.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use xendless_core::store::wire::{Kind, PAYLOAD_MAX};

use super::choices::Choices;
use super::store::{Ask, Who};

/// Domains that may exist.
pub const DOMAINS: [u16; 3] = [1, 2, 3];
/// Tools that may be connected.
pub const TOOLS: [u8; 2] = [0, 1];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A client asks. The transaction is one of those it has open, counted from 1, or none with 0; one past the
    /// last names none that was ever open.
    Ask(Who, Ask),
    /// A domain appears.
    Create(u16),
    /// A domain shuts down.
    ShutDown(u16),
    /// A domain goes away.
    Destroy(u16),
    /// A tool closes its socket.
    HangUp(u8),
}

/// Where steps come from.
pub trait Source {
    /// The next step, unless the session is over.
    fn step(&mut self) -> Option<Step>;

    /// Whoever may have been told something now.
    fn clients(&self) -> Vec<Who>;

    /// Notes how many transactions a client has open.
    fn set_open(&mut self, who: Who, open: usize);
}

/// A list of steps.
pub struct Replay<'a> {
    steps: std::slice::Iter<'a, Step>,
    exist: BTreeSet<u16>,
}

impl<'a> Replay<'a> {
    /// Plays them in order.
    pub fn new(steps: &'a [Step]) -> Self {
        Self { steps: steps.iter(), exist: BTreeSet::new() }
    }
}

impl Source for Replay<'_> {
    fn step(&mut self) -> Option<Step> {
        let step = self.steps.next()?.clone();
        match step {
            Step::Create(domid) => drop(self.exist.insert(domid)),
            Step::Destroy(domid) => drop(self.exist.remove(&domid)),
            _ => {}
        }
        Some(step)
    }

    fn clients(&self) -> Vec<Who> {
        TOOLS.into_iter().map(Who::Tool).chain(self.exist.iter().copied().map(Who::Domain)).collect()
    }

    fn set_open(&mut self, _: Who, _: usize) {}
}

/// Makes up the steps of one session.
pub struct Session {
    choices: Choices,
    left: usize,
    /// Steps that are due before anything is made up.
    due: Vec<Step>,
    exist: Vec<u16>,
    open: BTreeMap<Who, u32>,
}

impl Session {
    /// The session of this number, with so many steps; the same every time.
    pub fn new(seed: u64, steps: usize) -> Self {
        Self::with(Choices::Random(Rng::with_seed(seed)), steps)
    }

    /// The session that these bytes choose, as long as they last.
    pub fn chosen(by: &[u8]) -> Self {
        Self::with(Choices::Given(by.iter().copied().collect()), by.len())
    }

    fn with(choices: Choices, steps: usize) -> Self {
        let (due, exist, open) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut session = Self { choices, left: steps, due, exist, open };
        DOMAINS.into_iter().for_each(|domid| session.begin(domid));
        session.due.reverse();
        session
    }

    /// Whoever may ask now.
    fn clients_now(&self) -> Vec<Who> {
        TOOLS.into_iter().map(Who::Tool).chain(self.exist.iter().copied().map(Who::Domain)).collect()
    }

    fn make_up(&mut self) -> Step {
        match self.choices.below(256) {
            0..3 => self.replace_domain(),
            3..5 => Step::ShutDown(self.domid()),
            5..7 => {
                let tool = self.pick(&TOOLS);
                self.open.remove(&Who::Tool(tool));
                Step::HangUp(tool)
            }
            _ => self.ask(),
        }
    }

    fn begin(&mut self, domid: u16) {
        let tool = |kind, payload: String| {
            Step::Ask(Who::Tool(0), Ask { kind, tx_id: 0, payload: payload.into_bytes() })
        };
        self.exist.push(domid);
        self.due.extend([
            // C xenstored tells the bearers of a number apart only if something was written in between.
            tool(Kind::WRITE, "/tick\0".into()),
            Step::Create(domid),
            tool(Kind::MKDIR, format!("/local/domain/{domid}\0")),
            tool(Kind::SET_PERMS, format!("/local/domain/{domid}\0n{domid}\0")),
            tool(Kind::INTRODUCE, format!("{domid}\x001\x001\0")),
        ]);
    }

    /// Ends a domain; soon another gets its number.
    fn replace_domain(&mut self) -> Step {
        let domid = self.domid();
        self.exist.retain(|known| *known != domid);
        self.open.remove(&Who::Domain(domid));
        self.begin(domid);
        self.due.reverse();
        Step::Destroy(domid)
    }

    fn ask(&mut self) -> Step {
        let clients = self.clients_now();
        let mut who = self.pick(&clients);
        // Who has a transaction open is mostly let finish it.
        let busy = self.open.iter().find(|(_, open)| **open > 0).map(|(busy, _)| *busy);
        let focus = busy.filter(|_| self.choices.below(256) < 248);
        who = focus.unwrap_or(who);
        let open = self.open.get(&who).copied().unwrap_or_default();
        let tx_id = match self.choices.below(256) {
            0..2 => open + 1,
            2..20 => self.choices.below(open + 1),
            _ if focus.is_some() => 1 + self.choices.below(open),
            _ => 0,
        };
        let kind = self.kind(tx_id);
        // With a transaction, C xenstored of Debian's latest Xen 4.17 fails an assertion and ends.
        let tx_id = if kind == Kind::RESET_WATCHES { 0 } else { tx_id };
        let payload = self.payload(who, kind);
        Step::Ask(who, Ask { kind, tx_id, payload })
    }

    fn kind(&mut self, tx_id: u32) -> Kind {
        let usual = [
            (30, Kind::WRITE),
            (20, Kind::READ),
            (10, Kind::MKDIR),
            (10, Kind::DIRECTORY),
            (8, Kind::RM),
            (10, Kind::SET_PERMS),
            (8, Kind::GET_PERMS),
            (8, Kind::WATCH),
            (4, Kind::UNWATCH),
            (6, if tx_id == 0 { Kind::TRANSACTION_START } else { Kind::TRANSACTION_END }),
            (2, Kind::DIRECTORY_PART),
            (2, Kind::GET_DOMAIN_PATH),
            (1, Kind::IS_DOMAIN_INTRODUCED),
            (1, Kind::RESET_WATCHES),
            (1, Kind::RELEASE),
            (1, Kind::RESUME),
            (1, Kind::SET_TARGET),
            (1, Kind::INTRODUCE),
            (1, Kind::TRANSACTION_END),
        ];
        if self.choices.below(256) < 4 {
            // Those that C xenstored of Xen 4.17 knows, and a few that nobody knows.
            let kind = self.choices.below(33);
            return Kind(if kind < 23 { kind } else { kind + 7 });
        }
        let total = usual.iter().map(|(weight, _)| weight).sum();
        let mut at = self.choices.below(total);
        for (weight, kind) in usual {
            match at.checked_sub(weight) {
                Some(rest) => at = rest,
                None => return kind,
            }
        }
        Kind::READ
    }

    fn payload(&mut self, who: Who, kind: Kind) -> Vec<u8> {
        let mut payload = match kind {
            Kind::WRITE => [self.path(), b"\0".to_vec(), self.value()].concat(),
            Kind::SET_PERMS => {
                // C xenstored loses its root when a domain that owns it dies, and itself perhaps when it refuses to
                // set the permissions of an event.
                let may = matches!(who, Who::Tool(_));
                let avoided =
                    |path: &Vec<u8>| path == b"/" || path == b"@nothing" || (path.starts_with(b"@") && !may);
                let path =
                    Some(self.path()).filter(|path| !avoided(path)).unwrap_or_else(|| b"/shared".to_vec());
                [path, b"\0".to_vec(), self.perms()].concat()
            }
            Kind::WATCH | Kind::UNWATCH => [self.watched(), b"\0".to_vec(), self.token()].concat(),
            Kind::DIRECTORY_PART => {
                let offset = self.pick(&["0", "0", "9999", "x", ""]);
                [self.path(), format!("\0{offset}\0").into_bytes()].concat()
            }
            Kind::TRANSACTION_END => self.pick(&[&b"T\0"[..], b"T\0", b"T\0", b"F\0", b"x\0", b"T"]).to_vec(),
            Kind::TRANSACTION_START | Kind::RESET_WATCHES => b"\0".to_vec(),
            Kind::INTRODUCE => format!("{}\x001\x001\0", self.guest_domid()).into_bytes(),
            Kind::SET_TARGET => format!("{}\0{}\0", self.guest_domid(), self.guest_domid()).into_bytes(),
            Kind::RELEASE | Kind::RESUME | Kind::GET_DOMAIN_PATH | Kind::IS_DOMAIN_INTRODUCED => {
                format!("{}\0", self.any_domid()).into_bytes()
            }
            // Its commands are the server's own.
            Kind::CONTROL => b"check\0".to_vec(),
            // C xenstored answers these with whatever error came last when they are malformed, and ends itself when
            // there was none.
            _ => return [self.path(), b"\0".to_vec()].concat(),
        };
        match self.choices.below(256) {
            0 => drop(payload.pop()),
            // Newer servers take a third string with a watch.
            1 if kind != Kind::WATCH => payload.push(0),
            2 => payload.extend_from_slice(b"tail"),
            3 => payload.clear(),
            _ => {}
        }
        payload.truncate(PAYLOAD_MAX);
        payload
    }

    fn path(&mut self) -> Vec<u8> {
        if self.choices.below(256) < 6 {
            return self.odd_path();
        }
        let domid = self.domid();
        let top = match self.choices.below(8) {
            0 => String::new(),
            1 => "/shared".into(),
            2 => "/local".into(),
            3 => "data/".into(),
            _ => format!("/local/domain/{domid}"),
        };
        let mut path = top;
        for _ in 0..self.choices.below(4) {
            if !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(self.pick(&["a", "b", "c"]));
        }
        match path.trim_end_matches('/') {
            "" => b"/".to_vec(),
            path => path.as_bytes().to_vec(),
        }
    }

    fn odd_path(&mut self) -> Vec<u8> {
        let long = 2030 + self.choices.size(40);
        let odd = [
            b"".to_vec(),
            b"//".to_vec(),
            b"/a/".to_vec(),
            b"/a//b".to_vec(),
            b"/a b".to_vec(),
            b"/a.b".to_vec(),
            b"/\xff".to_vec(),
            b"@releaseDomain".to_vec(),
            b"@introduceDomain".to_vec(),
            b"@nothing".to_vec(),
            [b"/".to_vec(), vec![b'p'; long]].concat(),
            vec![b'p'; long],
            [b"/local/domain/1/".to_vec(), vec![b'p'; long]].concat(),
        ];
        odd[self.choices.size(odd.len())].clone()
    }

    fn watched(&mut self) -> Vec<u8> {
        match self.choices.below(8) {
            0 => b"@releaseDomain".to_vec(),
            1 => b"@introduceDomain".to_vec(),
            _ => self.path(),
        }
    }

    fn token(&mut self) -> Vec<u8> {
        self.pick(&[&b"t\0"[..], b"u\0", b"t\0", b"\0"]).to_vec()
    }

    fn value(&mut self) -> Vec<u8> {
        let len = match self.choices.below(256) {
            0..2 => 2200 + self.choices.size(400),
            2..10 => self.choices.size(1000),
            _ => self.choices.size(6),
        };
        (0..len).map(|_| self.choices.byte()).collect()
    }

    fn perms(&mut self) -> Vec<u8> {
        let mut perms = Vec::new();
        let count = if self.choices.below(256) < 8 { 6 } else { 1 + self.choices.below(3) };
        for _ in 0..count {
            let (letter, domid) = (self.pick(b"nrwb"), self.domid());
            let domid = match self.choices.below(256) {
                0..40 => "0".to_string(),
                40..44 => format!("0x{domid:x}"),
                44..46 => "9".to_string(),
                46..48 => "x".to_string(),
                _ => domid.to_string(),
            };
            perms.push(letter);
            perms.extend_from_slice(domid.as_bytes());
            perms.push(0);
        }
        perms
    }

    fn domid(&mut self) -> u16 {
        self.pick(&DOMAINS)
    }

    fn any_domid(&mut self) -> String {
        if self.choices.below(256) < 16 { "0".into() } else { self.guest_domid() }
    }

    fn guest_domid(&mut self) -> String {
        if self.choices.below(256) < 16 { "9".into() } else { self.domid().to_string() }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.choices.size(from.len())]
    }
}

impl Source for Session {
    fn step(&mut self) -> Option<Step> {
        self.left = self.left.checked_sub(1).filter(|_| !self.choices.are_over())?;
        Some(self.due.pop().unwrap_or_else(|| self.make_up()))
    }

    fn clients(&self) -> Vec<Who> {
        self.clients_now()
    }

    fn set_open(&mut self, who: Who, open: usize) {
        self.open.insert(who, u32::try_from(open).unwrap_or(u32::MAX));
    }
}
