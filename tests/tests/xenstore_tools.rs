//! The programs of Debian's `xenstore-utils` against this project's server on a socket.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use xendless_hosttools::xenstored::Hosted;
use xendless_tests::differential::reference::xen_program;

/// A served store of its own.
struct Served(TempDir);

impl Served {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Hosted::spawn(&folder.path().join("socket")).unwrap();
        Self(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join("socket")
    }

    fn command(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("XENSTORED_PATH", self.socket());
        command
    }

    fn output(&self, program: &str, args: &[&str]) -> Output {
        let output = self.command(program, args).output();
        output
            .unwrap_or_else(|error| panic!("{program}: {error}: run ci/setup, which installs xenstore-utils"))
    }

    /// What a program prints, when it succeeds.
    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self.output(program, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
        assert!(output.status.success(), "{program} {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }
}

#[test]
fn nodes_are_written_read_listed_and_removed() {
    let store = Served::new();
    store.run("xenstore-write", &["/a/b", "a value", "/a/c", "other"]);
    assert_eq!(store.run("xenstore-read", &["/a/b", "/a/c"]), "a value\nother\n");
    assert_eq!(store.run("xenstore-list", &["/a"]), "b\nc\n");
    store.run("xenstore-exists", &["/a/b"]);
    assert_eq!(store.run("xenstore-ls", &["-f"]), "/a = \"\"\n/a/b = \"a value\"\n/a/c = \"other\"\n");
    store.run("xenstore-rm", &["/a/b"]);
    assert!(!store.output("xenstore-exists", &["/a/b"]).status.success());
    let missing = store.output("xenstore-read", &["/a/b"]);
    assert_eq!(String::from_utf8_lossy(&missing.stderr), "xenstore-read: couldn't read path /a/b\n");
    store.run("xenstore-rm", &["-t", "/a/c"]);
    assert_eq!(store.run("xenstore-list", &["/"]), "", "-t removes the empty parent too");
}

#[test]
fn values_of_any_bytes_come_back() {
    let store = Served::new();
    store.run("xenstore-write", &["-R", "/a", "\u{e4}\t\\end"]);
    assert_eq!(store.run("xenstore-read", &["-R", "/a"]), "\u{e4}\t\\end");
    assert_eq!(store.run("xenstore-read", &["/a"]), "\\xc3\\xa4\\t\\\\end\n");
}

#[test]
fn permissions_are_set_shown_and_inherited() {
    let store = Served::new();
    store.run("xenstore-write", &["/a", ""]);
    store.run("xenstore-chmod", &["/a", "n0", "r5", "b6"]);
    store.run("xenstore-write", &["/a/b", "1"]);
    assert_eq!(store.run("xenstore-ls", &["-fp"]), "/a = \"\"   (n0,r5,b6)\n/a/b = \"1\"   (n0,r5,b6)\n");
    store.run("xenstore-chmod", &["-r", "/a", "b0"]);
    assert_eq!(store.run("xenstore-ls", &["-fp", "/a"]), "/a/b = \"1\"   (b0)\n");
}

#[test]
fn a_watch_tells_of_changes_made_by_others() {
    let store = Served::new();
    let mut watch =
        store.command("xenstore-watch", &["-n", "4", "/a"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "/a", "a watch reports once at first");
    store.run("xenstore-write", &["/a/b", "1"]);
    store.run("xenstore-write", &["/other", "1"]);
    store.run("xenstore-chmod", &["/a/b", "r0"]);
    store.run("xenstore-rm", &["/a"]);
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), ["/a/b", "/a/b", "/a"]);
    assert!(watch.wait().unwrap().success());
}

#[test]
fn a_directory_longer_than_a_message_is_listed_whole() {
    let store = Served::new();
    let names: Vec<_> = (0..2000).map(|number| format!("node-{number:04}")).collect();
    for some in names.chunks(200) {
        let args: Vec<_> = some.iter().flat_map(|name| [format!("/dir/{name}"), String::new()]).collect();
        store.run("xenstore-write", &args.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let mut listed: Vec<_> = store.run("xenstore-list", &["/dir"]).lines().map(str::to_string).collect();
    listed.sort();
    assert_eq!(listed, names);
}

#[test]
fn writers_at_the_same_time_all_succeed() {
    let store = Served::new();
    let writers: Vec<_> = (0..16)
        .map(|number| {
            store.command("xenstore-write", &[&format!("/dir/{number}"), "1", "/last", "1"]).spawn().unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(store.run("xenstore-list", &["/dir"]).lines().count(), 16);
}

#[test]
fn the_server_itself_is_checked_and_tuned() {
    let store = Served::new();
    let control = xen_program("xenstore-control").unwrap();
    let control = control.to_str().unwrap();
    assert_eq!(store.run(control, &["check"]), "OK\n");
    assert!(store.run(control, &["quota"]).contains("Watches per domain"));
    assert_eq!(store.run(control, &["quota", "set", "watches", "77"]), "OK\n");
    let quota = store.run(control, &["quota"]);
    let watches = quota.lines().find(|line| line.starts_with("watches")).unwrap();
    assert_eq!(watches.split_whitespace().nth(2), Some("77"), "{watches}");
    assert!(!store.output(control, &["nonsense"]).status.success());
}

#[test]
fn only_root_and_the_one_who_started_it_are_served() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can be somebody else.
    }
    let store = Served::new();
    // Everybody may knock: the folder and the socket are open, the server is not.
    for path in [store.0.path().to_path_buf(), store.socket()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let list = |uid| store.command("xenstore-list", &["/"]).uid(uid).output().unwrap().status.success();
    assert!(list(0));
    assert!(!list(65534), "somebody else was served");
}
