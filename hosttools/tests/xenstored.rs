//! The program `xendless-xenstored` and its socket.
#![expect(clippy::unwrap_used, reason = "a test states its expectations")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running server, ended with its test.
struct Running(Child);

impl Running {
    fn start(socket: &Path) -> Self {
        let mut child = command(socket).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, format!("listening on {}\n", socket.display()));
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn command(socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xendless-xenstored"));
    command.arg("--socket").arg(socket);
    command
}

#[test]
fn the_socket_is_private_and_a_left_over_one_is_replaced() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    drop(Running::start(&socket));
    assert!(socket.exists(), "a killed server leaves its socket");
    let _running = Running::start(&socket);
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    UnixStream::connect(&socket).unwrap();
}

#[test]
fn a_second_server_and_a_bad_place_are_refused_in_one_line() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let _running = Running::start(&socket);
    let missing = folder.path().join("none/socket");
    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    for (socket, reason) in [
        (&socket, "another server listens there"),
        (&missing, "No such file"),
        (&file, "Address already in use"),
    ] {
        let output = command(socket).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr.starts_with(&format!("xendless-xenstored: {}: {reason}", socket.display())),
            "{stderr}"
        );
        assert_eq!(stderr.lines().count(), 1);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn nonsense_on_the_socket_ends_that_client_only() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("socket");
    let _running = Running::start(&socket);
    let mut bad = UnixStream::connect(&socket).unwrap();
    let mut good = UnixStream::connect(&socket).unwrap();
    std::io::Write::write_all(&mut bad, &[0xff; 64]).unwrap();
    assert_eq!(bad.read(&mut [0; 16]).unwrap_or(0), 0, "cut off");
    std::io::Write::write_all(&mut good, b"\x01\0\0\0\x05\0\0\0\0\0\0\0\x02\0\0\0/\0").unwrap();
    let mut answer = [0; 16];
    good.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\x01\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0");
}
