//! `xm` through `xmd`, with the scripted server in the place of the control domain.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::server::Server;
use crate::world::World;

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn xmd(server: &Server) -> Daemon {
    let path = |name: &str| server.folder.path().join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xmd"));
    command.arg("--socket").arg(path("relay.sock")).arg("--state-dir").arg(path("state"));
    command.arg("--log-dir").arg(path("log"));
    command.arg("--ring").arg(format!("unix:{}", server.socket().display()));
    let daemon = Daemon(command.stderr(Stdio::null()).spawn().unwrap());
    while !path("relay.sock").exists() {
        sleep(Duration::from_millis(10));
    }
    daemon
}

#[test]
fn the_daemon_passes_all_of_it_on_and_keeps_definitions() {
    let server = Server::start(World::default());
    server.file("web", "name = 'web'\nkernel = 'vmlinuz'\nmemory = 64\n");
    server.file("vmlinuz", vec![1; 100_000]);
    let _daemon = xmd(&server);
    let xm = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let relay = server.folder.path().join("relay.sock");
        crate::parts(&server.command(&words).env("XM_SERVER", relay).output().unwrap())
    };
    let ready =
        |(status, _, err): &(i32, String, String)| *status == 0 || !err.contains("connection to the control");
    let mut found = xm("domid guest");
    while !ready(&found) {
        sleep(Duration::from_millis(10));
        found = xm("domid guest");
    }
    assert_eq!(found, (0, "7\n".into(), String::new()));
    assert_eq!(xm("new -q web"), (0, String::new(), String::new()));
    let (_, table, _) = xm("list");
    assert!(
        table.contains("\nweb                                               64     1     ---s--      0.0\n"),
        "{table}"
    );
    assert_eq!(xm("start web"), (0, String::new(), String::new()));
    assert!(server.seen.all().contains(&"got kernel: 100000 bytes, right".to_owned()));
    assert_eq!(xm("domid web").1, "42\n");
    assert_eq!(xm("dmesg").1, "(XEN) hello\n");
    assert_eq!(xm("pause nobody").0, 3);
}
