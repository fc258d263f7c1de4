//! Random sessions of several domains, compared with a model that is too simple to be wrong.
//!
//! The model is a sorted list of paths; a transaction of it is a copy. Every answer and every event of the server
//! has to be the model's. A commit has to be one that makes sense: when it succeeds, the whole transaction done
//! again at that moment gives the answers that it gave before; when it fails, somebody else changed something.

use super::*;
use alloc::collections::BTreeMap;
use alloc::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Letter, domain, and whether the domain it was written for is still alive.
type Entry = (char, u16, bool);

#[derive(Clone, PartialEq, Debug)]
struct Node {
    value: String,
    perms: Vec<Entry>,
}

#[derive(Clone, Default, PartialEq, Debug)]
struct Nodes(BTreeMap<String, Node>);

#[derive(Clone, Debug)]
enum Op {
    Read(String),
    Directory(String),
    GetPerms(String),
    Write(String, String),
    Mkdir(String),
    Rm(String),
    SetPerms(String, Vec<(char, u16)>),
}

#[derive(Clone, Debug)]
enum Step {
    /// In the open transaction of this domain, if it has one and the flag says so.
    Op(u16, bool, Op),
    Watch(u16, String),
    Start(u16),
    End(u16, bool),
    /// Dies, and its number is used again at once.
    Die(u16),
    /// The server is saved and another goes on.
    Restart,
}

/// What changed: the path, permissions it had before, and what was removed.
struct Change {
    path: String,
    old: Vec<Vec<Entry>>,
    removed: Nodes,
}

fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".into(),
        Some((above, _)) => above.into(),
    }
}

fn is_below(path: &str, above: &str) -> bool {
    above == "/" || path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the domain may read, write, own.
fn rights(perms: &[Entry], who: u16) -> [bool; 3] {
    let (owner, more) = perms.split_first().unwrap();
    if who == 0 || (owner.1 == who && owner.2) {
        return [true; 3];
    }
    let letter = more.iter().find(|entry| entry.1 == who && entry.2).unwrap_or(owner).0;
    [matches!(letter, 'r' | 'b'), matches!(letter, 'w' | 'b'), false]
}

impl Nodes {
    fn find(&self, path: &str, who: u16, need: [bool; 3]) -> Result<&Node, String> {
        let mut at = path.to_string();
        while !self.0.contains_key(&at) {
            at = parent(&at);
        }
        let node = &self.0[&at];
        let has = rights(&node.perms, who);
        let wanted = || has.iter().zip(need).filter(|(_, need)| *need).map(|(has, _)| *has);
        match (at == path, wanted().all(|has| has), wanted().any(|has| has)) {
            (true, true, _) => Ok(node),
            (false, _, true) => Err("ENOENT".into()),
            _ => Err("EACCES".into()),
        }
    }

    fn create(&mut self, path: &str, who: u16, value: &str) {
        if !self.0.contains_key(&parent(path)) {
            self.create(&parent(path), who, "");
        }
        let above = &self.0[&parent(path)].perms;
        let mut perms = above.clone();
        if who != 0 && !rights(above, who)[2] {
            perms = above[1..].iter().copied().filter(|entry| entry.2).collect();
            perms.insert(0, (above[0].0, who, true));
        }
        self.0.insert(path.into(), Node { value: value.into(), perms });
    }

    /// The answer, and what changed.
    fn apply(&mut self, op: &Op, who: u16) -> (Result<String, String>, Option<Change>) {
        let changed = |path: &str, old| Some(Change { path: path.into(), old, removed: Nodes::default() });
        let ok = || Ok("OK|".to_string());
        match op {
            Op::Read(path) => {
                (self.find(path, who, [true, false, false]).map(|node| node.value.clone()), None)
            }
            Op::Directory(path) => {
                let found = self.find(path, who, [true, false, false]).map(|_| ());
                let inside = if path == "/" { "/".into() } else { format!("{path}/") };
                let names = self.0.keys().filter_map(|other| other.strip_prefix(&inside));
                let names = names.filter(|name| !name.is_empty() && !name.contains('/'));
                (found.map(|()| names.map(|name| format!("{name}|")).collect()), None)
            }
            Op::GetPerms(path) => {
                let text = |node: &Node| {
                    let shown = node.perms.iter().enumerate().filter(|(index, entry)| *index == 0 || entry.2);
                    shown.map(|(_, entry)| format!("{}{}|", entry.0, entry.1)).collect()
                };
                (self.find(path, who, [true, false, false]).map(text), None)
            }
            Op::Write(path, value) => match self.find(path, who, [false, true, false]).map(|_| ()) {
                Ok(()) => {
                    self.0.get_mut(path).unwrap().value = value.clone();
                    (ok(), changed(path, vec![]))
                }
                Err(error) if error == "ENOENT" => {
                    self.create(path, who, value);
                    (ok(), changed(path, vec![]))
                }
                Err(error) => (Err(error), None),
            },
            Op::Mkdir(path) => match self.find(path, who, [false, true, false]).map(|_| ()) {
                Ok(()) => (ok(), None),
                Err(error) if error == "ENOENT" => {
                    self.create(path, who, "");
                    (ok(), changed(path, vec![]))
                }
                Err(error) => (Err(error), None),
            },
            Op::Rm(path) => self.rm(path, who),
            Op::SetPerms(path, entries) => {
                let perms: Vec<_> = entries.iter().map(|entry| (entry.0, entry.1, true)).collect();
                match self.find(path, who, [false, true, true]).map(|node| node.perms.clone()) {
                    Ok(old) if who != 0 && old[0].1 != perms[0].1 => (Err("EPERM".into()), None),
                    Ok(old) => {
                        self.0.get_mut(path).unwrap().perms = perms;
                        (ok(), changed(path, vec![old]))
                    }
                    Err(error) => (Err(error), None),
                }
            }
        }
    }

    fn rm(&mut self, path: &str, who: u16) -> (Result<String, String>, Option<Change>) {
        match self.find(path, who, [false, true, false]).map(|node| node.perms.clone()) {
            Ok(_) if path == "/" => (Err("EINVAL".into()), None),
            Ok(old) => {
                let removed = self.remove(path);
                (Ok("OK|".into()), Some(Change { path: path.into(), old: vec![old], removed }))
            }
            Err(error) if error == "ENOENT" && self.0.contains_key(&parent(path)) => (Ok("OK|".into()), None),
            Err(error) if path == "/" => (Err(error), None),
            Err(error) => (Err(error), None),
        }
    }

    fn remove(&mut self, path: &str) -> Nodes {
        let gone: Vec<_> = self.0.keys().filter(|other| is_below(other, path)).cloned().collect();
        Nodes(
            gone.into_iter()
                .map(|path| {
                    let node = self.0.remove(&path).unwrap();
                    (path, node)
                })
                .collect(),
        )
    }

    fn bury(&mut self, who: u16, remove: bool) {
        let root = &mut self.0.get_mut("/").unwrap().perms;
        if remove && root[0].1 == who {
            *root = vec![('n', 0, true)];
        }
        let owned = |node: &Node| node.perms[0].1 == who && node.perms[0].2;
        while let Some(path) =
            self.0.iter().find(|(_, node)| remove && owned(node)).map(|(path, _)| path.clone())
        {
            self.remove(&path);
        }
        for entry in self.0.values_mut().flat_map(|node| &mut node.perms) {
            entry.2 &= entry.1 != who;
        }
    }
}

/// An open transaction.
struct Open {
    id: u32,
    nodes: Nodes,
    done: Vec<(Op, Result<String, String>)>,
    /// The changes of the store when it began.
    since: u32,
}

#[derive(Default)]
struct Model {
    nodes: Nodes,
    watches: Vec<(u16, String)>,
    open: BTreeMap<u16, Open>,
    changes: u32,
}

impl Model {
    /// The events a change has to cause.
    fn events(&self, change: &Change) -> Vec<(u16, String)> {
        let now = |path: &str| self.nodes.0.get(path).map(|node| node.perms.clone());
        let gone = |path: &str| change.removed.0.get(path).map(|node| node.perms.clone());
        let mut events = Vec::new();
        for (who, watched) in &self.watches {
            let (path, known) = if is_below(&change.path, watched) {
                let known = [now(&change.path), now(&parent(&change.path))].into_iter().flatten();
                (&change.path, known.chain(change.old.iter().cloned()).collect::<Vec<_>>())
            } else if change.removed.0.contains_key(watched) {
                (watched, [gone(watched), gone(&parent(watched))].into_iter().flatten().collect())
            } else {
                continue;
            };
            if known.iter().any(|perms| rights(perms, *who)[0]) {
                events.push((*who, format!("{path} t")));
            }
        }
        events.sort();
        events
    }
}

const GUESTS: [u16; 3] = [1, 2, 3];

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => proptest::collection::vec(select(vec!["a", "b"]), 0..4).prop_map(|names| {
            names.iter().fold("/s".to_string(), |path, name| format!("{path}/{name}"))
        }),
        2 => (select(GUESTS.to_vec()), select(vec!["", "/x", "/x/y"])).prop_map(|(domid, rest)| format!("/local/domain/{domid}{rest}")),
        1 => Just("/".to_string()),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let entry = || (select(vec!['n', 'r', 'w', 'b']), 0u16..4);
    prop_oneof![
        2 => path().prop_map(Op::Read),
        2 => path().prop_map(Op::Directory),
        1 => path().prop_map(Op::GetPerms),
        4 => (path(), "[0-9]{0,2}").prop_map(|(path, value)| Op::Write(path, value)),
        2 => path().prop_map(Op::Mkdir),
        2 => path().prop_map(Op::Rm),
        2 => (path(), proptest::collection::vec(entry(), 1..4)).prop_map(|(path, entries)| Op::SetPerms(path, entries)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0u16..4;
    prop_oneof![
        24 => (who(), any::<bool>(), op()).prop_map(|(who, inside, op)| Step::Op(who, inside, op)),
        3 => (who(), path()).prop_map(|(who, path)| Step::Watch(who, path)),
        3 => who().prop_map(Step::Start),
        4 => (who(), any::<bool>()).prop_map(|(who, commit)| Step::End(who, commit)),
        1 => select(GUESTS.to_vec()).prop_map(Step::Die),
        1 => Just(Step::Restart),
    ]
}

/// A server and its model, side by side.
struct Pair {
    scene: Scene,
    model: Model,
    conns: [ConnId; 4],
}

impl Pair {
    fn new() -> Self {
        let (mut scene, [one, two, three]) = Scene::with_guests(GUESTS);
        scene.write(scene.root, "/s", "");
        scene.perms("/s", "b0");
        let conns = [scene.root, one, two, three];
        let mut model = Model::default();
        for (path, letter, owner) in
            [("/", 'n', 0), ("/local", 'n', 0), ("/local/domain", 'n', 0), ("/s", 'b', 0)]
        {
            model
                .nodes
                .0
                .insert(path.into(), Node { value: String::new(), perms: vec![(letter, owner, true)] });
        }
        for domid in GUESTS {
            let perms = vec![('n', domid, true)];
            model.nodes.0.insert(format!("/local/domain/{domid}"), Node { value: String::new(), perms });
        }
        Self { scene, model, conns }
    }

    fn conn(&self, who: u16) -> ConnId {
        self.conns[usize::from(who)]
    }

    fn events(&mut self) -> Vec<(u16, String)> {
        let mut all = Vec::new();
        for who in 0..4 {
            all.extend(self.scene.events(self.conn(who)).into_iter().map(|event| (who, event)));
        }
        all.sort();
        all
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Op(who, inside, op) => self.op(who, inside, &op),
            Step::Watch(who, path) => {
                let known = self.model.watches.contains(&(who, path.clone()));
                let answer = self.scene.ask(self.conn(who), Kind::WATCH, &format!("{path}|t|"));
                assert_eq!(answer.is_err(), known);
                if !known {
                    assert_eq!(self.events(), [(who, format!("{path} t"))]);
                    self.model.watches.push((who, path));
                }
            }
            Step::Start(who) => {
                if !self.model.open.contains_key(&who) {
                    let tx = self.scene.start(self.conn(who));
                    let model = &mut self.model;
                    let (nodes, since) = (model.nodes.clone(), model.changes);
                    model.open.insert(who, Open { id: tx, nodes, done: vec![], since });
                }
            }
            Step::End(who, commit) => self.end(who, commit),
            Step::Die(who) => self.die(who),
            Step::Restart => {
                let saved = self.scene.server.save();
                self.scene.server = Server::load(&saved).unwrap();
                assert_eq!(self.scene.server.save(), saved);
                self.model.open.clear();
            }
        }
    }

    fn op(&mut self, who: u16, inside: bool, op: &Op) {
        let (kind, text) = match op {
            Op::Read(path) => (Kind::READ, format!("{path}|")),
            Op::Directory(path) => (Kind::DIRECTORY, format!("{path}|")),
            Op::GetPerms(path) => (Kind::GET_PERMS, format!("{path}|")),
            Op::Write(path, value) => (Kind::WRITE, format!("{path}|{value}")),
            Op::Mkdir(path) => (Kind::MKDIR, format!("{path}|")),
            Op::Rm(path) => (Kind::RM, format!("{path}|")),
            Op::SetPerms(path, entries) => {
                let entries: String =
                    entries.iter().map(|(letter, domid)| format!("{letter}{domid}|")).collect();
                (Kind::SET_PERMS, format!("{path}|{entries}"))
            }
        };
        let conn = self.conn(who);
        if inside && let Some(open) = self.model.open.get_mut(&who) {
            let (expected, _) = open.nodes.apply(op, who);
            assert_eq!(
                self.scene.in_tx(conn, kind, open.id, &text),
                expected,
                "{op:?} by {who} in a transaction"
            );
            open.done.push((op.clone(), expected));
            assert_eq!(self.events(), []);
        } else {
            let answer = self.scene.ask(conn, kind, &text);
            if answer == Err("wait".into()) {
                assert!(
                    who != 0 && self.model.open.contains_key(&0),
                    "only a privileged transaction is waited for"
                );
                return;
            }
            let (expected, change) = self.model.nodes.apply(op, who);
            assert_eq!(answer, expected, "{op:?} by {who}");
            self.model.changes += u32::from(change.is_some());
            let expected = change.map(|change| self.model.events(&change)).unwrap_or_default();
            assert_eq!(self.events(), expected, "{op:?} by {who}");
        }
    }

    fn end(&mut self, who: u16, commit: bool) {
        let conn = self.conn(who);
        let Some(open) = self.model.open.get(&who) else { return };
        let answer = self.scene.end(conn, open.id, commit);
        if answer == Err("wait".into()) {
            assert!(who != 0);
            return;
        }
        let Some(Open { done, since, .. }) = self.model.open.remove(&who) else { return };
        match answer.as_ref().map(String::as_str) {
            Ok("OK|") if commit => {
                for (op, before) in done {
                    assert_eq!(self.model.nodes.apply(&op, who).0, before, "{op:?} by {who}, committed");
                }
                self.model.changes += 1;
            }
            Ok("OK|") => assert!(!commit),
            Err(error) if error == "EAGAIN" => assert!(self.model.changes > since, "nobody was in the way"),
            _ => panic!("{answer:?}"),
        }
        self.events();
    }

    fn die(&mut self, who: u16) {
        self.scene.server.domain_died(&mut self.scene.machine, DomId(who));
        self.model.watches.retain(|watch| watch.0 != who);
        self.model.open.remove(&who);
        self.model.nodes.bury(who, true);
        self.model.open.values_mut().for_each(|open| open.nodes.bury(who, false));
        self.model.changes += 1;
        self.scene.server.check().unwrap();
        self.conns[usize::from(who)] = self.scene.introduce(who);
        let home = format!("/local/domain/{who}");
        if !self.model.nodes.0.contains_key(&home) {
            self.model.nodes.create(&home, 0, "");
        }
        self.model.nodes.0.get_mut(&home).unwrap().perms = vec![('n', who, true)];
        self.events();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_server_behaves_as_the_model(steps in proptest::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step);
        }
    }
}
