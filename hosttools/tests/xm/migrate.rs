//! `migrate`: two servers and all that can end between them.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Failure, Request};

use crate::saved::pieces;
use crate::server::Server;
use crate::world::{Fault, World, config, row};

const GREETING: &[u8] = b"xendless migration 1\n";
const GUEST: &str = "name = 'guest'\nkernel = 'k'\nuuid = '07070707-0707-0707-0707-070707070707'";

/// What is said, as it is sent.
fn message(tag: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    [&[tag], &length.to_le_bytes()[..], text.as_bytes()].concat()
}

/// The same in the words of a shell.
fn printed(bytes: &[u8]) -> String {
    format!("printf '{}'", bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>())
}

const BEGIN: u8 = 2;
const WANT: u8 = 3;
const READY: u8 = 4;
const COMMITTING: u8 = 5;
const COMMITTED: u8 = 6;
const ABORT: u8 = 7;
const GO: u8 = 8;
const DONE: u8 = 9;
const FAILED: u8 = 10;

/// The host that a domain leaves.
fn source() -> Server {
    source_of(World { saved: pieces(), configs: [(7, config(GUEST))].into(), ..World::default() })
}

fn source_of(world: World) -> Server {
    let server = Server::start(world);
    server.file("k", vec![1; 1000]);
    server
}

/// One that it comes to.
fn target() -> Server {
    let mut world = World { saved: pieces(), credit: 5000, ..World::default() };
    world.rows.retain(|row| row.domid == 0);
    world.configs.clear();
    let server = Server::start(world);
    server.file("k", vec![1; 1000]);
    server
}

/// `xm migrate` at `source`, where `script` is what brings its command to the other host.
fn migrate(source: &Server, script: &str, words: &[&str]) -> Command {
    source.file("rsh", script);
    let mut command = source.command(words);
    command.env("XM_RSH", " sh  ./rsh ");
    command
}

/// A script that carries the command out beside `target`.
fn carried(target: &Server) -> String {
    format!(
        "test $# = 3 && shift && test $1 = xm || exit 9\nshift\nexec env XM_SERVER={} {} \"$@\"",
        target.socket().display(),
        env!("CARGO_BIN_EXE_xm")
    )
}

fn moved(source: &Server, script: &str, line: &str) -> (i32, String, String) {
    let words: Vec<&str> = line.split(' ').collect();
    crate::parts(&migrate(source, script, &words).output().unwrap())
}

fn saw(server: &Server, line: &str) -> bool {
    server.seen.all().iter().any(|seen| seen == line)
}

/// The only line of an error.
fn error(text: &str) -> (i32, String, String) {
    (1, String::new(), format!("Error: {text}\n"))
}

/// The domain is where it came from.
fn returned(source: &Server, target: &Server) {
    source.world.lock().unwrap().rows.push(row(7, "guest", DomainFlags::BLOCKED));
    target.world.lock().unwrap().rows.retain(|row| row.domid == 0);
}

#[test]
fn a_domain_moves_and_is_in_one_place_at_a_time() {
    let (source, target) = (source(), target());
    assert_eq!(
        moved(&source, &carried(&target), "migrate -l -r 100 guest b"),
        (0, String::new(), String::new())
    );
    let seen = source.seen.all();
    assert_eq!(seen[seen.len() - 3..], ["save 7 keep=false", "safe", "left"]);
    let seen = target.seen.all();
    let made = seen.iter().position(|line| line == "create guest paused=true ramdisk=false saved").unwrap();
    let got = format!("got what was saved: {} bytes", pieces().len());
    assert!(seen[made..].contains(&got), "{seen:?}");
    assert_eq!(seen[seen.len() - 2..], ["unpause 42", "left"]);
}

#[test]
fn a_definition_moves_only_when_that_is_wanted() {
    let world = World { saved: pieces(), configs: [(7, config(GUEST))].into(), ..World::default() };
    let (source, target) = (source_of(world.with_definition(GUEST)), target());
    assert_eq!(moved(&source, &carried(&target), "migrate guest b").0, 0);
    assert!(source.world.lock().unwrap().definitions.contains_key("guest"));
    assert!(target.world.lock().unwrap().definitions.is_empty());
    returned(&source, &target);
    assert_eq!(moved(&source, &carried(&target), "migrate -c guest b"), (0, String::new(), String::new()));
    assert!(source.world.lock().unwrap().definitions.is_empty());
    assert!(target.world.lock().unwrap().definitions.contains_key("guest"));
    returned(&source, &target);
    let said = moved(&source, &carried(&target), "migrate -c guest b");
    assert_eq!((said.0, said.2.as_str()), (1, "Error: Domain is not a managed domain\n"));

    // Who cannot keep it says so, and then it is not lost.
    let world = World { saved: pieces(), configs: [(7, config(GUEST))].into(), ..World::default() };
    let source = source_of(world.with_definition(GUEST));
    target.world.lock().unwrap().rows.retain(|row| row.domid == 0);
    let said = moved(&source, &carried(&target), "migrate -c guest b");
    assert_eq!(said, error("VM name 'guest' already exists (from b)"));
    assert!(!saw(&source, "save 7 keep=false"));
    target.world.lock().unwrap().definitions.clear();
    target.world.lock().unwrap().refuse =
        |request| matches!(request, Request::Define { .. }).then_some(Failure::Disconnected);
    let said = moved(&source, &carried(&target), "migrate -c guest b");
    assert_eq!(said.0, 1);
    assert!(said.2.starts_with("Error: The domain has moved, and its definition has not: "), "{said:?}");
    assert!(source.world.lock().unwrap().definitions.contains_key("guest"));
    assert!(saw(&target, "unpause 42"));
}

#[test]
fn within_one_machine_it_takes_another_name() {
    let (source, target) = (source(), target());
    let script = carried(&target) + " --name other";
    assert_eq!(moved(&source, &script, "migrate guest b"), (0, String::new(), String::new()));
    assert!(saw(&target, "create other paused=true ramdisk=false saved"));
    returned(&source, &target);
    let said = moved(&source, &(carried(&target) + " --name a/b"), "migrate guest b");
    assert_eq!(said.0, 1, "{said:?}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_tried() {
    let never = "echo tried >tried";
    for (line, text) in [
        ("migrate -p 1 guest b", "-p/-s need the removed relocation server; migration runs over ssh."),
        ("migrate -s guest b", "-p/-s need the removed relocation server; migration runs over ssh."),
        (
            "migrate -n 0 guest b",
            "-n needs the removed relocation server; the other host decides where the domain's memory is.",
        ),
        ("migrate guest -- -oProxyCommand", "'-oProxyCommand' is no name of a host."),
    ] {
        let source = source();
        assert_eq!(moved(&source, never, line), error(text), "{line}");
        assert!(!source.folder.path().join("tried").exists());
    }
    for (more, text) in [
        ("nomigrate = 1", "cannot migrate non-migratable domain"),
        ("vtpm = ['backend=other']", "Device of type 'vtpm' refuses migration."),
    ] {
        let guest = config(&format!("{GUEST}\n{more}"));
        let source = source_of(World { configs: [(7, guest)].into(), ..World::default() });
        assert_eq!(moved(&source, never, "migrate guest b"), error(text));
        assert!(!source.folder.path().join("tried").exists());
    }
    let mut world = World::default();
    world.rows.push(row(8, "still", DomainFlags::PAUSED));
    let source = source_of(world);
    let said = moved(&source, never, "migrate still b");
    assert_eq!((said.0, said.2.as_str()), (1, "Error: Domain is not running\n"));
    let said = moved(&source, never, "migrate 0 b");
    assert_eq!((said.0, said.2.as_str()), (1, "Error: Cannot migrate privileged domain 0\n"));
}

#[test]
fn who_cannot_be_reached_is_told_in_one_line() {
    let source = source();
    let can_t = |text: &str| error(&format!("can't connect: {text}"));
    assert_eq!(moved(&source, "exit 255", "migrate guest b"), can_t("sh ended with status 255"));
    assert_eq!(moved(&source, "exit 127", "migrate guest b"), can_t("there is no program sh, or no xm at b"));
    let said = moved(&source, "echo 'Welcome to b\x1b[2J!'", "migrate guest b");
    assert_eq!(said, can_t("'Welcome to b\\u{1b}[2J!' came in place of a greeting"));
    let said = moved(&source, "echo hello; cat", "migrate guest b");
    assert_eq!(said, can_t("'hello' came in place of a greeting"));
    let mut command = source.command(&["migrate", "guest", "b"]);
    let said = crate::parts(&command.env("XM_RSH", "no-such-program -x").output().unwrap());
    assert_eq!(said, can_t("there is no program no-such-program, or no xm at b"));
    assert!(!saw(&source, "save 7 keep=false"), "the domain is left alone");
}

#[test]
fn what_the_other_host_refuses_is_said_with_its_name() {
    let (source, target) = (source(), target());
    target.world.lock().unwrap().rows.push(row(5, "guest", DomainFlags::RUNNING));
    let said = moved(&source, &carried(&target), "migrate guest b");
    assert_eq!(said, error("Domain 'guest' already exists with ID '5' (from b)"));
    target.world.lock().unwrap().rows.retain(|row| row.domid == 0);
    target.world.lock().unwrap().refuse =
        |request| matches!(request, Request::Create { .. }).then_some(Failure::ControlMemory);
    let said = moved(&source, &carried(&target), "migrate guest b");
    assert!(said.0 == 1 && said.2.ends_with(" (from b)\n"), "{said:?}");
    assert!(!saw(&source, "save 7 keep=false"), "the domain is left alone");
    let said = moved(&source, "exec env XM_SERVER=/none xm", "migrate guest b");
    assert_eq!(said.0, 1);
}

/// A script that plays the other host up to a point: it says some things, each after it read so many bytes.
fn played(steps: &[(usize, Vec<u8>)]) -> String {
    let mut script = printed(GREETING);
    for (bytes, said) in steps {
        script += &format!("\nhead -c {bytes} >/dev/null\n{}", printed(said));
    }
    script
}

/// How many bytes come before the pieces are wanted, and then.
fn sizes() -> (usize, usize) {
    let config = config(GUEST).encode().unwrap().len();
    (5 + 16 + 8 + config, pieces().len() + 32)
}

#[test]
fn attack_d03_whenever_the_other_host_ends_the_domain_is_somewhere() {
    let (before, behind) = sizes();
    let steps = [
        (before, message(WANT, "")),
        (behind, message(READY, "")),
        (5, message(COMMITTED, "")),
        (5, message(DONE, "")),
    ];
    for count in 0..=steps.len() {
        let source = source();
        let said = moved(&source, &played(&steps[..count]), "migrate guest b");
        let safe = saw(&source, "safe");
        match count {
            0 => assert_eq!(said, error("The connection to b ended: the domain goes on here.")),
            // All of it may fit on the way.
            1 => assert!(said.2.starts_with("Error: The connection to b ended: the domain goes on here")),
            2 => assert_eq!(
                said,
                error("The connection to b ended: the domain goes on here; b may have it as well, paused.")
            ),
            3 => assert_eq!(
                said,
                error("The domain is at b; when it is paused there, 'xm unpause guest' lets it go on.")
            ),
            _ => assert_eq!(said, (0, String::new(), String::new())),
        }
        assert_eq!(safe, count > 2, "{count}");
        assert_eq!(saw(&source, "save 7 keep=false"), count > 0);
        assert_eq!(saw(&source, "cancel"), count == 1 || count == 2, "{count}: {:?}", source.seen.all());
    }
}

#[test]
fn attack_d03_what_the_other_host_says_out_of_turn_stops_it() {
    let (before, behind) = sizes();
    let bad = error("What b says is no part of a migration: the domain goes on here.");
    let failed = error("no room \\u{1b}[2J (from b)");
    let no_room = message(FAILED, "no room \x1b[2J");
    for (steps, wanted) in [
        (vec![(before, no_room.clone())], &failed),
        (vec![(before, vec![99; 5])], &bad),
        (vec![(before, vec![FAILED, 255, 255, 255, 255])], &bad),
        (vec![(before, message(READY, ""))], &bad),
        (vec![(before, message(WANT, "")), (0, no_room.clone()), (behind, Vec::new())], &failed),
        (vec![(before, message(WANT, "")), (behind, no_room.clone())], &failed),
        (vec![(before, message(WANT, "")), (behind, message(READY, "")), (5, no_room.clone())], &failed),
        (vec![(before, message(WANT, "")), (behind, message(READY, "")), (5, message(GO, ""))], &bad),
    ] {
        let source = source();
        assert_eq!(&moved(&source, &played(&steps), "migrate guest b"), wanted, "{steps:?}");
        assert!(!saw(&source, "safe"), "{steps:?}");
    }
}

#[test]
fn when_it_is_not_known_whether_the_domain_is_gone_it_stays_paused_there() {
    let world =
        |fault| World { saved: pieces(), configs: [(7, config(GUEST))].into(), fault, ..World::default() };
    let (source, target) = (source_of(world(Fault::NotGone)), target());
    let (status, _, err) = moved(&source, &carried(&target), "migrate guest b");
    assert_eq!(status, 1);
    assert!(err.contains("If domain 'guest' is gone here, it is at b, paused.\n"), "{err}");
    assert!(err.contains(": domain 'guest' stays here, paused, as it may be nowhere else.\n"), "{err}");
    assert!(!saw(&target, "destroy 42") && !saw(&target, "unpause 42"));

    // It was let go on, or destroyed, by somebody else: then it is not to be there, either.
    let (source, target) = (source_of(world(Fault::GoesOn)), self::target());
    let (status, _, err) = moved(&source, &carried(&target), "migrate guest b");
    assert_eq!((status, err.as_str()), (1, "Error: Domain is not running\n"));
    target.seen.wait_for("left");
    assert!(saw(&target, "destroy 42") && !saw(&target, "unpause 42"));
}

#[test]
fn ctrl_c_lets_the_domain_go_on() {
    let (source, target) = (source(), target());
    source.world.lock().unwrap().stays_awake = true;
    let mut child = migrate(&source, &carried(&target), &["migrate", "guest", "b"]);
    let child = child.stderr(Stdio::piped()).spawn().unwrap();
    source.seen.wait_for("save 7 keep=false");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    source.seen.wait_for("cancel");
    // What was begun there goes away with it.
    target.seen.wait_for("left");
    assert!(!saw(&target, "unpause 42"));

    // Nor is one waited for for ever that stands still.
    let (before, behind) = sizes();
    let stalls = played(&[(before, message(WANT, "")), (behind, message(READY, ""))]);
    for script in [
        "sleep 60".to_owned(),
        played(&[]) + "\nsleep 60",
        stalls + "\nhead -c 5 >/dev/null\ntouch now\nsleep 60",
    ] {
        let source = self::source();
        let child = migrate(&source, &script, &["migrate", "guest", "b"]).spawn().unwrap();
        let committing = script.contains("touch");
        while committing && !source.folder.path().join("now").exists() {
            std::thread::yield_now();
        }
        if !committing {
            source.seen.wait_for("config 7");
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143), "{script}");
        assert!(!saw(&source, "safe"));
    }
}

/// The receiving side, with the test in place of the other host.
struct Receiver {
    child: Child,
    target: Server,
}

impl Receiver {
    /// After its greeting.
    fn start() -> Self {
        let target = target();
        let mut command = target.command(&["migrate-receive"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut receiver = Self { child: command.spawn().unwrap(), target };
        receiver.hears(GREETING);
        receiver
    }

    /// After it was sent all of the domain.
    fn ready() -> Self {
        let mut receiver = Self::start();
        let stream = stream();
        let start = stream.len() - pieces().len() - 32;
        receiver.says(&message(BEGIN, ""));
        receiver.says(&stream[..start]);
        receiver.hears(&message(WANT, ""));
        receiver.says(&stream[start..]);
        receiver.hears(&message(READY, ""));
        receiver
    }

    fn committed() -> Self {
        let mut receiver = Self::ready();
        receiver.says(&message(COMMITTING, ""));
        receiver.hears(&message(COMMITTED, ""));
        receiver
    }

    fn says(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn hears(&mut self, wanted: &[u8]) {
        let mut bytes = vec![0; wanted.len()];
        self.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, wanted);
    }

    /// Nothing more comes. Gives what it says then, its status and what it prints.
    fn end(mut self) -> (Vec<u8>, i32, String, Server) {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().unwrap();
        (output.stdout, output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap(), self.target)
    }
}

/// A saved domain.
fn stream() -> Vec<u8> {
    let source = source();
    assert_eq!(crate::parts(&source.xm("save guest file")).0, 0);
    std::fs::read(source.folder.path().join("file")).unwrap()
}

#[test]
fn attack_d03_whenever_the_sending_host_ends_the_domain_is_somewhere() {
    let ended = "the other side ended the migration";
    let (said, status, printed, target) = Receiver::start().end();
    assert_eq!((said, status, printed.as_str()), (message(FAILED, ended), 1, ""));
    assert!(!target.seen.all().iter().any(|line| line.starts_with("create")));

    let stream = stream();
    for count in [0, 20, stream.len() - pieces().len() - 32, stream.len() - 40, stream.len() - 1] {
        let mut receiver = Receiver::start();
        receiver.says(&message(BEGIN, ""));
        receiver.says(&stream[..count]);
        let (said, status, _, target) = receiver.end();
        assert!(said.ends_with(b"read") || said.ends_with(b"it ends too early"), "{count}: {said:?}");
        assert_eq!(status, 1);
        assert!(
            !saw(&target, "unpause 42") && !target.seen.all().iter().any(|line| line.starts_with("got what"))
        );
    }

    // All of it is there, but it was not to stay.
    let (said, status, printed, target) = Receiver::ready().end();
    assert_eq!((said, status, printed.as_str()), (message(FAILED, ended), 1, ""));
    assert!(saw(&target, "destroy 42") && !saw(&target, "unpause 42"));

    // It was, and may be nowhere else.
    let (said, status, printed, target) = Receiver::committed().end();
    let kept = format!("{ended}: domain 'guest' stays here, paused, as it may be nowhere else.");
    assert_eq!((said, status, printed), (message(FAILED, &kept), 1, kept + "\n"));
    assert!(!saw(&target, "destroy 42") && !saw(&target, "unpause 42"));

    // The other side says that it has it.
    let mut receiver = Receiver::committed();
    receiver.says(&message(ABORT, ""));
    let (said, status, printed, target) = receiver.end();
    assert_eq!((said, status, printed.as_str()), (message(FAILED, ended), 1, ""));
    assert!(saw(&target, "destroy 42") && !saw(&target, "unpause 42"));

    let mut receiver = Receiver::committed();
    receiver.says(&message(GO, ""));
    let (said, status, printed, target) = receiver.end();
    assert_eq!((said, status, printed.as_str()), (message(DONE, ""), 0, ""));
    assert!(!saw(&target, "destroy 42") && saw(&target, "unpause 42"));
}

#[test]
fn attack_d03_damaged_streams_make_no_domain() {
    let stream = stream();
    for at in [3, 17, 25, stream.len() - 5000, stream.len() - 1] {
        let mut bad = stream.clone();
        bad[at] ^= 0x55;
        let mut receiver = Receiver::start();
        receiver.says(&message(BEGIN, ""));
        receiver.says(&bad);
        let (_, status, _, target) = receiver.end();
        assert_eq!(status, 1, "{at}");
        assert!(!target.seen.all().iter().any(|line| line.starts_with("got what")), "{at}");
    }
    for bad in [vec![0; 5], vec![1, 255, 255, 255, 255], message(GO, ""), message(BEGIN, "x"), vec![200; 900]]
    {
        let mut receiver = Receiver::start();
        receiver.says(&bad);
        let (said, status, printed, _) = receiver.end();
        assert_eq!((said, status), (message(FAILED, "what came is no part of a migration"), 1));
        assert_eq!(printed, "");
    }
    // Where something is made already, it goes away, or stays if that was agreed.
    for (mut receiver, destroyed) in [(Receiver::ready(), true), (Receiver::committed(), false)] {
        receiver.says(&message(READY, ""));
        let (_, status, _, target) = receiver.end();
        assert_eq!((status, saw(&target, "destroy 42")), (1, destroyed));
        assert!(!saw(&target, "unpause 42"));
    }
    let mut receiver = Receiver::ready();
    receiver.says(&message(GO, ""));
    assert!(saw(&receiver.end().3, "destroy 42"), "it was not said that it is safe");
}

#[test]
fn signals_at_the_receiving_side_are_like_an_end() {
    for (receiver, destroyed) in [(Receiver::ready(), true), (Receiver::committed(), false)] {
        kill_process(Pid::from_child(&receiver.child), Signal::TERM).unwrap();
        receiver.target.seen.wait_for("left");
        let (said, status, _, target) = receiver.end();
        assert!(said.starts_with(&[FAILED]) && String::from_utf8_lossy(&said).contains("signal 15"));
        assert_eq!((status, saw(&target, "destroy 42")), (1, destroyed));
    }
}
