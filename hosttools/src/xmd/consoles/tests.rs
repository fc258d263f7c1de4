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
    events: RequestId,
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
        booted: true,
    }
}

impl World {
    fn new(rights: Rights) -> Self {
        let consoles = Consoles::new(Memory::default());
        let mut world = Self { mux: Mux::default(), consoles, events: RequestId(1) };
        world.mux.ring_up();
        assert!(world.asked().remove(0).1.starts_with("Hello"));
        world.says(&Down::Welcome(Welcome { rights, domid: 1 }));
        world
    }

    /// A world that listens to what happens, and has listed these domains.
    fn with(rights: Rights, rows: Vec<Row>) -> Self {
        let mut world = Self::new(rights);
        let asked = world.asked();
        let [(events, ref what), (credited, _), (list, _)] = asked[..] else { panic!("{asked:?}") };
        assert_eq!((what.as_str(), credited), ("events", events));
        world.events = events;
        world.listed(list, rows);
        world
    }

    /// Something happens to a domain, told in pieces.
    fn happens(&mut self, domid: u16, name: &str, what: What) {
        let (name, uuid) = (name.to_owned(), [0; 16]);
        let happening = Happening { serial: 1, ago_ns: 0, domid: Some(domid), name, uuid, what };
        let mut bytes = Vec::new();
        frame::append(&mut bytes, &happening).unwrap();
        let (id, (first, rest)) = (self.events, bytes.split_at(3));
        self.says(&Down::Data { id, bytes: first });
        self.says(&Down::Data { id, bytes: rest });
    }

    /// What was asked for but credit.
    fn wanted(&mut self) -> Vec<String> {
        let asked = self.asked().into_iter().map(|(_, what)| what);
        asked.filter(|what| !what.starts_with("credit")).collect()
    }

    /// The control domain says something, and it is seen to.
    fn says(&mut self, message: &Down<'_>) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message).unwrap();
        self.mux.ring_receive(&bytes).unwrap();
        while let Some(event) = self.mux.take_own() {
            self.consoles.handle(&mut self.mux, event);
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
                Up::Request { id, request: Request::Events { after: None } } => (id, "events".into()),
                Up::Request { id, request: Request::List { from } } => (id, format!("list {from}")),
                Up::Request { id, request: Request::Console { domain } } => (id, format!("console {domain}")),
                Up::Credit { id, bytes } => (id, format!("credit {bytes}")),
                other => (RequestId(0), format!("{other:?}")),
            });
            assembler.clear();
        }
        asked
    }

    /// A listing is answered with these domains.
    fn listed(&mut self, id: RequestId, rows: Vec<Row>) {
        let rows = List::new("rows", rows).unwrap();
        self.says(&Down::Answer { id, result: Ok(Answer::Rows { rows, next: None }) });
    }

    fn logged(&mut self) -> Vec<String> {
        std::mem::take(&mut self.consoles.sink.0)
    }
}

#[test]
fn every_domain_that_runs_is_listened_to_but_this_and_the_control_domain() {
    let none = DomainFlags::empty();
    let rows = vec![
        row(0, "Domain-0", none),
        row(1, "admin", none),
        row(2, "web", DomainFlags::BLOCKED),
        row(3, "dead", DomainFlags::SHUTDOWN),
        row(4, "going", DomainFlags::DYING),
        row(5, "", none),
    ];
    let mut world = World::with(Rights::Everything, rows);
    let asked: Vec<String> = world.asked().into_iter().map(|(_, what)| what).collect();
    assert_eq!(asked, ["console web", "credit 32768", "console 5", "credit 32768"]);
    assert_eq!(world.logged(), ["begin web", "begin domid-5"]);
}

#[test]
fn what_a_console_says_is_logged_and_room_for_more_is_given() {
    let mut world = World::with(Rights::Everything, vec![row(2, "web", DomainFlags::empty())]);
    let (id, _) = world.asked()[0];
    world.says(&Down::Data { id, bytes: &[b'x'; 10_000] });
    assert_eq!(world.asked(), [(id, "credit 10000".into())]);
    assert_eq!(world.logged()[1].len(), "web: ".len() + 10_000);
}

#[test]
fn a_domain_is_found_again_after_its_reboot_and_under_its_new_name() {
    let mut world = World::with(Rights::Everything, vec![row(2, "web", DomainFlags::empty())]);
    let (old, _) = world.asked()[0];
    world.says(&Down::Answer { id: old, result: Ok(Answer::Done) });
    world.happens(2, "web", What::Gone);
    assert_eq!(world.wanted(), [""; 0], "not before it is there again");
    world.happens(3, "web", What::Created);
    let asked = world.asked();
    let (new, _) = asked.iter().find(|(_, what)| what == "console web").unwrap();
    world.happens(3, "shop", What::Renamed { from: "web".into() });
    assert_eq!(world.wanted(), [""; 0]);
    world.logged();
    world.says(&Down::Data { id: *new, bytes: b"hi" });
    assert_eq!(world.logged(), ["shop: hi"]);
}

#[test]
fn a_domain_keeps_its_console_in_its_next_life() {
    let mut world = World::with(Rights::Everything, vec![row(2, "web", DomainFlags::empty())]);
    let (id, _) = world.asked()[0];
    world.happens(2, "web", What::Gone);
    world.happens(3, "web", What::Created);
    assert_eq!(world.wanted(), [""; 0], "all would be logged twice");
    world.logged();
    world.says(&Down::Data { id, bytes: b"hi" });
    assert_eq!(world.logged(), ["web: hi"]);
    // The end of a console that was another domain's is heard of late: there may be one of that name now.
    world.says(&Down::Answer { id, result: Ok(Answer::Done) });
    let (list, _) = world.asked().into_iter().find(|(_, what)| what == "list 0").unwrap();
    world.listed(list, vec![row(3, "web", DomainFlags::empty())]);
    assert_eq!(world.wanted(), ["console web"]);
}

#[test]
fn what_was_missed_is_looked_up() {
    let mut world = World::with(Rights::Everything, vec![]);
    world.asked();
    world.happens(0, "", What::Missed { count: 3 });
    world.happens(0, "", What::Missed { count: 3 });
    let asked = world.asked();
    let lists: Vec<_> = asked.iter().filter(|(_, what)| what == "list 0").collect();
    let [(first, _)] = lists[..] else { panic!("{asked:?}") };
    world.listed(*first, vec![]);
    let (second, what) = world.asked().remove(0);
    assert_eq!(what, "list 0", "there was more when it was under way");
    world.listed(second, vec![row(7, "late", DomainFlags::empty())]);
    assert_eq!(world.wanted(), ["console late"]);
}

#[test]
fn a_refused_console_is_not_asked_for_again_while_its_domain_is_there() {
    let mut world = World::with(Rights::Children, vec![row(2, "other", DomainFlags::empty())]);
    let (id, _) = world.asked()[0];
    let needs = Rights::Everything;
    world.says(&Down::Answer { id, result: Err(Failure::Forbidden { needs }) });
    assert_eq!(world.logged().len(), 2, "it is said once");
    world.happens(2, "another", What::Renamed { from: "other".into() });
    assert_eq!((world.wanted(), world.logged()), (vec![], vec![]));
    world.happens(2, "another", What::Gone);
    world.happens(2, "mine", What::Created);
    assert_eq!(world.wanted(), ["console mine"]);
}

#[test]
fn nonsense_about_what_happens_ends_that_alone() {
    let mut world = World::with(Rights::Everything, vec![row(2, "web", DomainFlags::empty())]);
    let (console, _) = world.asked()[0];
    let id = world.events;
    world.says(&Down::Data { id, bytes: &[0; 4] });
    assert!(world.asked()[0].1.contains("Cancel"));
    world.says(&Down::Data { id: console, bytes: b"hi" });
    assert_eq!(world.logged().last().unwrap(), "web: hi");
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
