//! `suspend` and `resume`: where the file is, who runs, and what the other sub-commands make of it.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use xendless_core::hyper::DomainFlags;

use crate::saved::pieces;
use crate::server::Server;
use crate::world::{World, config, row};

const UUID: &str = "07070707-0707-0707-0707-070707070707";

/// A managed domain that runs, what comes of it when it is saved, and more lines of its definition.
fn world(more: &str) -> World {
    let guest = format!("name = 'guest'\nkernel = 'k'\nuuid = '{UUID}'\n{more}");
    let world =
        World { saved: pieces(), credit: 5000, configs: [(7, config(&guest))].into(), ..World::default() };
    world.with_definition(&guest)
}

fn server(world: World) -> Server {
    let server = Server::start(world);
    server.file("k", vec![1; 1000]);
    server
}

/// A server whose guest was suspended.
fn suspended(more: &str) -> Server {
    let server = server(world(more));
    quiet(&server, "suspend guest");
    server
}

fn quiet(server: &Server, line: &str) {
    assert_eq!(crate::parts(&server.xm(line)), (0, String::new(), String::new()), "{line}");
}

fn refused(server: &Server, line: &str, said: &str) {
    let (status, _, err) = crate::parts(&server.xm(line));
    assert_eq!((status, err), (1, format!("Error: {said}\n")), "{line}");
}

/// The files of suspended domains, without the domain's UUID.
fn files(server: &Server) -> Vec<String> {
    let folder = fs::read_dir(server.folder.path().join("suspended"));
    let names = folder.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.map(|name| name.strip_prefix(UUID).unwrap().to_owned()).collect();
    names.sort();
    names
}

fn saw(server: &Server, line: &str) -> bool {
    server.seen.all().iter().any(|seen| seen.starts_with(line))
}

#[test]
fn a_suspended_domain_is_resumed_once() {
    let server = suspended("");
    assert!(saw(&server, "save 7 keep=false") && saw(&server, "safe"));
    assert_eq!(files(&server), [".chk"]);
    let (_, out, _) = crate::parts(&server.xm("list --state=suspended"));
    assert!(out.lines().nth(1).is_some_and(|line| line.starts_with("guest ")), "{out}");
    let (_, out, _) = crate::parts(&server.xm("list --long guest"));
    assert!(out.contains("(status 3)"), "{out}");
    assert_eq!(crate::parts(&server.xm("domid guest")).1, "None\n");
    quiet(&server, "resume -p guest");
    assert!(saw(&server, "create guest paused=true ramdisk=false saved"));
    assert_eq!(files(&server), [""; 0]);
    refused(
        &server,
        "resume guest",
        "Error occurred when resuming: Cannot resume domain that is not suspended.",
    );
    let (_, out, _) = crate::parts(&server.xm("list --state=suspended"));
    assert_eq!(out.lines().count(), 1, "{out}");
}

#[test]
fn who_is_suspended_is_neither_started_nor_deleted_nor_defined_anew() {
    let server = suspended("");
    server.file("guest.cfg", "name = 'guest'\nkernel = 'k'");
    refused(&server, "start guest", "Domain is already running");
    refused(&server, "delete guest", "Domain is not halted.");
    let text = "Domain 'guest' is suspended: 'xm resume guest', or 'xm delete --force guest'.";
    refused(&server, "new -f guest.cfg", text);
    assert_eq!(files(&server), [".chk"]);
    quiet(&server, "delete --force guest");
    assert_eq!(files(&server), [""; 0]);
    quiet(&server, "new -q -f guest.cfg");
}

#[test]
fn it_goes_on_under_the_name_that_it_has_now() {
    let server = suspended("");
    quiet(&server, "rename guest web");
    quiet(&server, "resume web");
    assert!(saw(&server, "create web paused=false ramdisk=false saved"));
}

#[test]
fn who_has_no_definition_is_not_suspended() {
    let not_managed = "Domain is not managed by Xend lifecycle support.";
    let alone = server(World { saved: pieces(), ..World::default() });
    refused(&alone, "suspend guest", not_managed);
    let other = World::default().with_definition("name = 'guest'\nkernel = 'k'");
    let other = server(other);
    refused(&other, "suspend guest", not_managed);
    assert!(!saw(&alone, "save") && !saw(&other, "save"));
    let mut paused = world("");
    paused.rows = vec![row(7, "guest", DomainFlags::PAUSED)];
    refused(&server(paused), "suspend guest", "Domain is not running");
}

#[test]
fn what_cannot_be_resumed_stays_suspended() {
    let server = suspended("");
    let wrapped = |why: &str| format!("Error occurred when resuming: {why}");
    server.world.lock().unwrap().unrestorable = true;
    refused(&server, "resume guest", &wrapped("Restore failed: it does not fit"));
    assert_eq!(files(&server), [".chk"]);
    let path = server.folder.path().join(format!("suspended/{UUID}.chk"));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let why = format!("can't read guest state file {}: it ends too early", path.display());
    refused(&server, "resume guest", &wrapped(&why));
    assert_eq!(files(&server), [".chk"]);
    fs::remove_file(&path).unwrap();
    refused(&server, "resume guest", &wrapped("Cannot resume domain that is not suspended."));
    server.world.lock().unwrap().unrestorable = false;
    fs::write(&path, whole).unwrap();
    quiet(&server, "resume guest");
}

#[test]
fn who_does_not_suspend_itself_goes_on() {
    let server = server(World { stays_awake: true, ..world("") });
    let mut child = server.command(&["suspend", "guest"]).stderr(Stdio::null()).spawn().unwrap();
    server.seen.wait_for("save 7 keep=false");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    server.seen.wait_for("cancel");
    assert_eq!(files(&server), [""; 0]);
}

/// Nobody can tell whether the domain runs, so nobody but a person uses the file.
#[test]
fn attack_e05_a_file_of_a_domain_that_may_run_is_not_resumed() {
    let server = server(World { silent_when_safe: true, ..world("") });
    let (status, _, err) = crate::parts(&server.xm("suspend guest"));
    let path = server.folder.path().join(format!("suspended/{UUID}.between"));
    let hint = format!("If the domain does not run, 'xm restore {}' makes it go on.", path.display());
    assert_eq!(status, 1);
    assert_eq!(err.lines().next(), Some(hint.as_str()), "{err}");
    assert_eq!(files(&server), [".between"]);
    let why = "Error occurred when resuming: Cannot resume domain that is not suspended.";
    let known = format!("{why} {hint}");
    refused(&server, "resume guest", &known);
    server.world.lock().unwrap().silent_when_safe = false;
    quiet(&server, &format!("restore {}", path.display()));
}

/// The same when it was on its way back.
#[test]
fn attack_e05_a_file_whose_domain_may_have_come_back_is_not_resumed_again() {
    let server = suspended("");
    server.world.lock().unwrap().silent_when_safe = true;
    let (status, _, err) = crate::parts(&server.xm("resume guest"));
    assert_eq!(status, 1);
    assert!(err.starts_with("If the domain does not run, 'xm restore "), "{err}");
    assert_eq!(files(&server), [".between"]);
    let (_, _, err) = crate::parts(&server.xm("resume guest"));
    assert!(
        err.contains("Cannot resume domain that is not suspended. If the domain does not run, "),
        "{err}"
    );
    assert_eq!(files(&server), [".between"]);
}

#[test]
fn domains_are_suspended_with_the_control_plane_and_resumed_with_it() {
    let server = server(world("on_xend_stop = 'suspend'"));
    let (status, out, err) = crate::parts(&server.xm("shutdown -w --on-xend-stop"));
    assert_eq!((status, out.as_str(), err.as_str()), (0, "All domains terminated\n", ""));
    assert!(saw(&server, "safe") && !saw(&server, "shutdown"));
    assert_eq!(files(&server), [".chk"]);
    let started = crate::parts(&server.xm("start --on-xend-start"));
    assert_eq!(started, (0, "Resumed domain guest\n".to_owned(), String::new()));
    assert!(saw(&server, "got what was saved"));
    // One that was suspended by hand stays so.
    let server = suspended("on_xend_start = 'start'");
    quiet(&server, "start --on-xend-start");
    assert_eq!(files(&server), [".chk"]);
}

#[test]
fn who_cannot_be_suspended_is_shut_down() {
    let server = server(World { saved: vec![9; 5000], ..world("on_xend_stop = 'suspend'") });
    let (status, out, err) = crate::parts(&server.xm("shutdown -w --on-xend-stop"));
    assert_eq!((status, out.lines().next()), (0, Some("Domain guest terminated")));
    assert!(err.starts_with("guest: can't write guest state file "), "{err}");
    assert!(err.ends_with(": what came is no saved domain; it is shut down instead.\n"), "{err}");
    assert_eq!(files(&server), [""; 0]);
}
