use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::config::host::Host;
use crate::config::{Limits, Request, evaluate};

/// An encoded configuration of that name.
fn config(name: &str, memory: u32) -> Vec<u8> {
    let text = format!("name = '{name}'\nmemory = {memory}\nkernel = '/k'\n");
    let uuid = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11".parse().unwrap();
    let host = Host::unknown(uuid);
    let request = Request { path: "x", text: &text, arguments: &[], host: &host, limits: Limits::default() };
    evaluate(&request).unwrap().config.encode().unwrap()
}

/// A file: what programs see of it, and what of that is on the disk.
#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    synced: Option<Vec<u8>>,
}

type Files = BTreeMap<String, Rc<RefCell<Content>>>;

/// What happened to names since they were brought to the disk.
#[derive(Clone)]
enum Change {
    Create(String, Rc<RefCell<Content>>),
    Rename(String, String),
    Remove(String),
}

fn apply(files: &mut Files, change: Change) {
    match change {
        Change::Create(name, content) => {
            files.insert(name, content);
        }
        Change::Rename(from, to) => {
            if let Some(content) = files.remove(&from) {
                files.insert(to, content);
            }
        }
        Change::Remove(name) => {
            files.remove(&name);
        }
    }
}

/// What is left of a file's content that was not brought to the disk.
#[derive(Clone, Copy, Debug)]
enum Left {
    Nothing,
    Half,
    All,
}

/// A disk that fails at a step, and from then on if it is to die.
#[derive(Clone, Default)]
struct Frail {
    files: Files,
    on_disk: Files,
    changes: Vec<Change>,
    /// Steps until it fails.
    fuse: Rc<Cell<Option<usize>>>,
    dies: bool,
}

impl Frail {
    /// Whether this step is done.
    fn step(&self) -> io::Result<()> {
        match self.fuse.get() {
            Some(0) => {
                self.fuse.set(self.dies.then_some(0));
                Err(io::Error::other("the disk failed"))
            }
            Some(left) => {
                self.fuse.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        self.changes.push(change.clone());
        apply(&mut self.files, change);
    }

    /// What the next start finds when the machine stops now: so many of the changes of names that were not brought to
    /// the disk are there all the same, and so much of unsynced contents.
    fn after_crash(&self, changes: usize, left: Left) -> Self {
        let mut files = self.on_disk.clone();
        for change in self.changes.iter().take(changes).cloned() {
            apply(&mut files, change);
        }
        let survive = |content: &Rc<RefCell<Content>>| {
            let Content { now, synced } = content.borrow().clone();
            let now = match (synced, left) {
                (Some(synced), _) => synced,
                (None, Left::Nothing) => Vec::new(),
                (None, Left::Half) => now[..now.len() / 2].to_vec(),
                (None, Left::All) => now,
            };
            Rc::new(RefCell::new(Content { synced: Some(now.clone()), now }))
        };
        let files: Files = files.iter().map(|(name, content)| (name.clone(), survive(content))).collect();
        Self { on_disk: files.clone(), files, ..Self::default() }
    }

    fn get(&self, name: &str) -> io::Result<&Rc<RefCell<Content>>> {
        self.files.get(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Frail {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Ok(self.get(name)?.borrow().now.clone())
    }

    fn write(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let done = self.step();
        if let Ok(there) = self.get(name) {
            // As truncating does: what was on the disk is no longer sure.
            *there.borrow_mut() = Content::default();
        } else {
            self.change(Change::Create(name.into(), Rc::default()));
        }
        let count = if done.is_ok() { content.len() } else { content.len() / 2 };
        self.get(name)?.borrow_mut().now = content[..count].to_vec();
        done
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.step()?;
        let mut content = self.get(name)?.borrow_mut();
        content.synced = Some(content.now.clone());
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        self.get(from)?;
        self.change(Change::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.step()?;
        self.get(name)?;
        self.change(Change::Remove(name.into()));
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.step()?;
        self.on_disk = self.files.clone();
        self.changes.clear();
        Ok(())
    }
}

/// Keeps, changes and forgets definitions.
const SCRIPT: [(&str, Option<u32>); 6] =
    [("a", Some(64)), ("b", Some(65)), ("a", Some(66)), ("b", None), ("c", Some(67)), ("a", None)];

/// What may be kept of each name: what was acknowledged, and what was asked when the disk failed.
type Allowed = BTreeMap<&'static str, Vec<Option<u32>>>;

fn ask(definitions: &mut Definitions<Frail>, name: &str, memory: Option<u32>) -> Result<(), Failure> {
    match memory {
        Some(memory) => definitions.define(Kept::Domain, &config(name, memory)),
        None => definitions.undefine(Kept::Domain, name),
    }
}

/// Runs the script until the disk fails; returns what may be found then, and whether it failed.
fn run(definitions: &mut Definitions<Frail>) -> (Allowed, bool) {
    let mut allowed: Allowed = ["a", "b", "c"].map(|name| (name, vec![None])).into();
    for (name, memory) in SCRIPT {
        let asked = ask(definitions, name, memory);
        let of_name = allowed.get_mut(name).unwrap();
        if asked.is_err() {
            of_name.push(memory);
            return (allowed, true);
        }
        *of_name = vec![memory];
    }
    (allowed, false)
}

fn all(definitions: &mut Definitions<impl Disk>) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut last) = (BTreeMap::new(), String::new());
    while let Some((name, config)) = definitions.after(Kept::Domain, &last).unwrap() {
        last.clone_from(&name);
        found.insert(name, config);
    }
    found
}

fn check(definitions: &mut Definitions<Frail>, allowed: &Allowed) {
    let mut found = all(definitions);
    for (name, memories) in allowed {
        let kept = found.remove(*name);
        let right = memories.iter().any(|memory| kept == memory.map(|memory| config(name, memory)));
        assert!(right, "{name} is none of {memories:?}");
    }
    assert!(found.is_empty());
}

fn open(disk: Frail) -> Definitions<Frail> {
    let (definitions, complaints) = Definitions::open(disk).unwrap();
    assert_eq!(complaints, Vec::<String>::new());
    definitions
}

/// At every step, and whatever the disk made of what it was not told to keep.
#[test]
fn attack_e05_what_was_acknowledged_is_there_whenever_the_machine_stops() {
    for fuse in 0.. {
        let disk = Frail { fuse: Rc::new(Cell::new(Some(fuse))), dies: true, ..Frail::default() };
        let mut definitions = open(disk);
        let (allowed, died) = run(&mut definitions);
        for changes in 0..=definitions.disk.changes.len() {
            for left in [Left::Nothing, Left::Half, Left::All] {
                let mut next = open(definitions.disk.after_crash(changes, left));
                check(&mut next, &allowed);
                assert!(
                    next.disk.files.keys().all(|name| name.ends_with(".domain")),
                    "something is left behind"
                );
            }
        }
        // A process that is killed loses nothing that it wrote.
        check(&mut open(Frail { fuse: Rc::default(), ..definitions.disk.clone() }), &allowed);
        if !died {
            assert!(fuse > 15, "the script takes {fuse} steps");
            return;
        }
    }
}

#[test]
fn attack_e05_a_step_that_fails_spoils_nothing_and_is_told() {
    for fuse in 0.. {
        let disk = Frail { fuse: Rc::new(Cell::new(Some(fuse))), dies: false, ..Frail::default() };
        let mut definitions = open(disk);
        let (allowed, failed) = run(&mut definitions);
        check(&mut definitions, &allowed);
        check(&mut open(definitions.disk.clone()), &allowed);
        if !failed {
            return;
        }
    }
}

#[test]
fn a_damaged_file_is_set_aside_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("definitions");
    let open = || Definitions::open(Directory::open(path.clone()).unwrap()).unwrap();
    let (mut definitions, _) = open();
    for name in ["a", "b", "c", "d", "e"] {
        definitions.define(Kept::Domain, &config(name, 64)).unwrap();
    }
    let damage = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let file = path.join(format!("{name}.domain"));
        let mut content = std::fs::read(&file).unwrap();
        change(&mut content);
        std::fs::write(&file, content).unwrap();
    };
    damage("a", &|content| content[40] ^= 1);
    damage("b", &|content| content.truncate(30));
    damage("c", &|content| content.clear());
    damage("d", &|content| content[7] = 9);
    let (mut definitions, complaints) = open();
    assert_eq!(all(&mut definitions).into_keys().collect::<Vec<_>>(), ["e"]);
    assert_eq!(complaints.len(), 4, "{complaints:?}");
    for name in ["a", "b", "c"] {
        assert!(path.join(format!("{name}.domain.damaged")).exists());
        assert_eq!(definitions.define(Kept::Domain, &config(name, 64)), Ok(()));
    }
    assert!(matches!(definitions.define(Kept::Domain, &config("d", 64)), Err(Failure::Storage(_))));
    assert!(path.join("d.domain").exists());
    assert_eq!(open().1.len(), 1, "only the one of another version is still worth a line");
}

#[test]
fn a_file_under_another_name_is_not_that_domain() {
    let (from, to) = ("a.domain", "b.domain");
    let mut definitions = open(Frail::default());
    definitions.define(Kept::Domain, &config("a", 64)).unwrap();
    definitions.disk.rename(from, to).unwrap();
    let (mut definitions, complaints) = Definitions::open(definitions.disk).unwrap();
    assert_eq!((all(&mut definitions).len(), complaints.len()), (0, 1));
}

#[test]
fn what_makes_no_sense_is_not_kept() {
    let mut definitions = open(Frail::default());
    assert!(matches!(definitions.define(Kept::Domain, b"nonsense"), Err(Failure::Invalid(_))));
    assert!(matches!(
        definitions.define(Kept::Domain, &config(&"n".repeat(241), 64)),
        Err(Failure::Invalid(_))
    ));
    assert_eq!(definitions.define(Kept::Domain, &config(&"n".repeat(240), 64)), Ok(()));
    assert_eq!(definitions.undefine(Kept::Domain, "n"), Err(Failure::NoSuchDomain));
    assert_eq!(definitions.undefine(Kept::Domain, "../n"), Err(Failure::NoSuchDomain));
}

#[test]
fn a_pool_and_a_domain_may_have_the_same_name() {
    use xendless_core::config::{List, PoolConfig, PoolName, Ranged, Text, Uuid};
    use xendless_core::protocol::PoolFailure;
    let pool = |name: &str| {
        let config = PoolConfig {
            name: PoolName::new(name).unwrap(),
            uuid: Uuid::from_bytes([1; 16]).unwrap(),
            scheduler: Text::new("sched", "credit").unwrap(),
            count: Ranged::new("cpus", 1).unwrap(),
            wanted: List::default(),
            remarks: List::default(),
        };
        config.encode().unwrap()
    };
    let mut definitions = open(Frail::default());
    definitions.define(Kept::Domain, &config("a", 64)).unwrap();
    for name in ["a", "x/y"] {
        definitions.define(Kept::Pool, &pool(name)).unwrap();
    }
    assert!(matches!(definitions.define(Kept::Pool, &config("b", 64)), Err(Failure::Invalid(_))));
    let mut definitions = open(definitions.disk.after_crash(usize::MAX, Left::Nothing));
    assert_eq!(all(&mut definitions).into_keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(definitions.after(Kept::Pool, "").unwrap(), Some(("a".into(), pool("a"))));
    assert_eq!(definitions.after(Kept::Pool, "a").unwrap(), Some(("x/y".into(), pool("x/y"))));
    assert_eq!(definitions.after(Kept::Pool, "x/y").unwrap(), None);
    assert_eq!(definitions.undefine(Kept::Pool, "x/y"), Ok(()));
    assert_eq!(definitions.undefine(Kept::Pool, "x/y"), Err(Failure::Pool(PoolFailure::Unknown)));
    assert_eq!(all(&mut definitions).len(), 1);
}
