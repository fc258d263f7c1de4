use std::fs;

use super::*;
use xendless_core::config::List;
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Answer, Down, Up};
use xendless_core::rights::Rights;

/// Remembers what was logged.
#[derive(Debug, Default)]
struct Memory(Vec<String>);

impl Sink for Memory {
    fn begin(&mut self, name: &str) {
        self.0.push(format!("begin {name}"));
    }

    fn write(&mut self, name: &str, bytes: &[u8]) {
        self.0.push(format!("{name}: {}", bytes.escape_ascii()));
    }

    fn complain(&mut self, what: &str) {
        self.0.push(what.into());
    }
}

struct World {
    mux: Mux,
    consoles: Consoles<Memory>,
    now: Instant,
}

fn row(domid: u16, name: &str, flags: DomainFlags) -> Row {
    Row {
        domid,
        uuid: [0; 16],
        name: name.into(),
        flags: flags.bits(),
        shutdown: None,
        memory_kib: 0,
        max_kib: 0,
        cpu_ns: 0,
        vcpus: 1,
        max_vcpus: 1,
        cpupool: 0,
        ssid: 0,
        age_ns: None,
        restarts: 0,
    }
}

impl World {
    fn new(rights: Rights) -> Self {
        let mut world =
            Self { mux: Mux::default(), consoles: Consoles::new(Memory::default()), now: Instant::now() };
        world.mux.ring_up();
        assert!(world.asked().remove(0).1.starts_with("Hello"));
        world.says(&Down::Welcome(Welcome { rights, domid: 1 }));
        world
    }

    /// The control domain says something, and it is seen to.
    fn says(&mut self, message: &Down<'_>) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message).unwrap();
        self.mux.ring_receive(&bytes).unwrap();
        while let Some(event) = self.mux.take_own() {
            self.consoles.handle(&mut self.mux, event, self.now);
        }
    }

    /// What the control domain was asked since: by id, in words.
    fn asked(&mut self) -> Vec<(RequestId, String)> {
        let sent = self.mux.ring_output().to_vec();
        self.mux.ring_wrote(sent.len());
        let (mut rest, mut assembler, mut asked) = (sent.as_slice(), Assembler::default(), Vec::new());
        while !rest.is_empty() {
            assembler.take(&mut rest).unwrap();
            asked.push(match frame::parse(assembler.frame().unwrap()).unwrap() {
                Up::Request { id, request: Request::List { from } } => (id, format!("list {from}")),
                Up::Request { id, request: Request::Console { domain } } => (id, format!("console {domain}")),
                Up::Credit { id, bytes } => (id, format!("credit {bytes}")),
                other => (RequestId(0), format!("{other:?}")),
            });
            assembler.clear();
        }
        asked
    }

    /// Answers the one request, which has to be a listing, with these domains.
    fn list(&mut self, rows: Vec<Row>) {
        let asked = self.asked();
        let [(id, what)] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(what, "list 0");
        let rows = List::new("rows", rows).unwrap();
        self.says(&Down::Answer { id: *id, result: Ok(Answer::Rows { rows, next: None }) });
    }

    fn logged(&mut self) -> Vec<String> {
        std::mem::take(&mut self.consoles.sink.0)
    }
}

#[test]
fn every_domain_that_runs_is_listened_to_but_this_and_the_control_domain() {
    let mut world = World::new(Rights::Everything);
    let none = DomainFlags::empty();
    world.list(vec![
        row(0, "Domain-0", none),
        row(1, "admin", none),
        row(2, "web", DomainFlags::BLOCKED),
        row(3, "dead", DomainFlags::SHUTDOWN),
        row(4, "going", DomainFlags::DYING),
        row(5, "", none),
    ]);
    let asked: Vec<String> = world.asked().into_iter().map(|(_, what)| what).collect();
    assert_eq!(asked, ["console web", "credit 32768", "console 5", "credit 32768"]);
    assert_eq!(world.logged(), ["begin web", "begin domid-5"]);
}

#[test]
fn what_a_console_says_is_logged_and_room_for_more_is_given() {
    let mut world = World::new(Rights::Everything);
    world.list(vec![row(2, "web", DomainFlags::empty())]);
    let (id, _) = world.asked()[0];
    world.says(&Down::Data { id, bytes: &[b'x'; 10_000] });
    assert_eq!(world.asked(), [(id, "credit 10000".into())]);
    assert_eq!(world.logged()[1].len(), "web: ".len() + 10_000);
}

#[test]
fn a_domain_is_found_again_after_its_reboot_and_under_its_new_name() {
    let mut world = World::new(Rights::Everything);
    world.list(vec![row(2, "web", DomainFlags::empty())]);
    let (old, _) = world.asked()[0];
    world.says(&Down::Answer { id: old, result: Ok(Answer::Done) });
    world.list(vec![row(2, "web", DomainFlags::DYING)]);
    assert_eq!(world.asked(), []);
    assert_eq!(world.consoles.due(), Some(world.now + SECOND_LOOK));
    world.consoles.tick(&mut world.mux, world.now);
    assert_eq!(world.asked(), []);
    world.consoles.tick(&mut world.mux, world.now + SECOND_LOOK);
    world.list(vec![row(3, "web", DomainFlags::empty())]);
    let (new, what) = world.asked()[0].clone();
    assert_eq!((what.as_str(), world.consoles.due()), ("console web", None));
    world.consoles.handle(&mut world.mux, Own::Changed, world.now);
    world.list(vec![row(3, "shop", DomainFlags::empty())]);
    assert_eq!(world.asked(), []);
    world.logged();
    world.says(&Down::Data { id: new, bytes: b"hi" });
    assert_eq!(world.logged(), ["shop: hi"]);
}

#[test]
fn changes_while_domains_are_listed_are_not_missed() {
    let mut world = World::new(Rights::Everything);
    world.consoles.handle(&mut world.mux, Own::Changed, world.now);
    world.consoles.handle(&mut world.mux, Own::Changed, world.now);
    world.list(vec![]);
    world.list(vec![row(7, "late", DomainFlags::empty())]);
    assert_eq!(world.asked()[0].1, "console late");
}

#[test]
fn a_refused_console_is_not_asked_for_again_and_again() {
    let mut world = World::new(Rights::Children);
    world.list(vec![row(2, "other", DomainFlags::empty())]);
    let (id, _) = world.asked()[0];
    let needs = Rights::Everything;
    world.says(&Down::Answer { id, result: Err(Failure::Forbidden { needs }) });
    assert_eq!((world.asked(), world.consoles.due()), (vec![], None));
    world.consoles.handle(&mut world.mux, Own::Changed, world.now);
    world.list(vec![row(2, "other", DomainFlags::empty())]);
    assert_eq!(world.asked(), []);
}

#[test]
fn a_domain_without_the_right_listens_to_nothing() {
    assert_eq!(World::new(Rights::Observe).asked(), []);
}

#[test]
fn a_log_is_cut_into_files_of_the_size_that_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("log");
    let mut files = Files::new(directory.clone(), 10, 2);
    for piece in ["aaaa", "bbbb", "cccc", "dddddddddddd", "e"] {
        files.write("web", piece.as_bytes());
    }
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    assert_eq!(read("console-web.log"), "e");
    assert_eq!(read("console-web.log.1"), "dddddddddddd");
    assert_eq!(read("console-web.log.2"), "cccc");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3);
    let mut files = Files::new(directory.clone(), 10, 2);
    files.write("web", b"fff");
    assert_eq!(read("console-web.log"), "efff", "another start goes on");
}

#[test]
fn a_log_that_cannot_be_written_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("file");
    fs::write(&directory, b"").unwrap();
    let mut files = Files::new(directory, 10, 2);
    files.begin("web");
    files.write("web", b"x");
}
