//! The server: a thread on a unix socket in a folder of its own.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use tempfile::TempDir;
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Down, Hello, Rejection, Up, Welcome};
use xendless_core::rights::Rights;

use crate::serve::Serving;
use crate::world::{Fault, World};

/// What the server was asked, one line each.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Seen {
    pub(crate) fn note(&self, line: String) {
        self.0.0.lock().unwrap().push(line);
        self.0.1.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits until a line with this start was seen.
    pub(crate) fn wait_for(&self, start: &str) {
        let lines = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(lines, |lines| !lines.iter().any(|line| line.starts_with(start))).unwrap());
    }
}

/// A server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) seen: Seen,
    pub(crate) world: Arc<Mutex<World>>,
}

impl Server {
    pub(crate) fn start(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let server = Self { folder: tempfile::tempdir().unwrap(), seen: Seen::default(), world };
        let listener = UnixListener::bind(server.socket()).unwrap();
        let (world, seen) = (Arc::clone(&server.world), server.seen.clone());
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                let (world, seen) = (Arc::clone(&world), seen.clone());
                std::thread::spawn(move || converse(Connection::new(socket), &world, &seen));
            }
        });
        server
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("xmd.sock")
    }

    /// A file in the server's folder, which is also that in which `xm` runs.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xm"));
        command.args(words).env("XM_SERVER", self.socket()).env("TZ", "UTC").current_dir(self.folder.path());
        command.env("XM_SUSPENDED", self.folder.path().join("suspended"));
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn xm(&self, line: &str) -> Output {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        self.command(&words).output().unwrap()
    }
}

/// Runs `xm` against a server that knows `world`. Gives exit status, standard output and standard error.
pub(crate) fn run(world: World, line: &str) -> (i32, String, String) {
    crate::parts(&Server::start(world).xm(line))
}

/// One client, as the server sees it.
pub(crate) struct Connection {
    socket: UnixStream,
    assembler: Assembler,
    rest: Vec<u8>,
}

impl Connection {
    fn new(socket: UnixStream) -> Self {
        Self { socket, assembler: Assembler::default(), rest: Vec::new() }
    }

    pub(crate) fn send(&mut self, message: &Down<'_>) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message).unwrap();
        self.raw(&bytes);
    }

    /// A client that left does not matter.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    /// The next message's bytes, until the client leaves.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        self.assembler.clear();
        loop {
            let mut input = self.rest.as_slice();
            self.assembler.take(&mut input).unwrap();
            self.rest = input.to_vec();
            if let Some(body) = self.assembler.frame() {
                return Some(body.to_vec());
            }
            let mut bytes = [0; 4096];
            let count = self.socket.read(&mut bytes).ok().filter(|count| *count > 0)?;
            self.rest.extend_from_slice(&bytes[..count]);
        }
    }
}

fn converse(mut connection: Connection, world: &Mutex<World>, seen: &Seen) {
    let fault = world.lock().unwrap().fault;
    let hello = connection.receive().unwrap();
    assert_eq!(frame::parse::<Up<'_>>(&hello), Ok(Up::Hello(Hello::OURS)));
    match fault {
        Fault::NoWelcome => return,
        Fault::OtherVersion => {
            let other = Hello { version: 9, fingerprint: 1 };
            return connection.send(&Down::Closed(Rejection::Version(other)));
        }
        _ => connection.send(&Down::Welcome(Welcome { rights: Rights::Everything, domid: 1 })),
    }
    let mut serving = Serving::new(connection, world, seen, fault);
    while serving.turn() {}
    seen.note("left".to_owned());
}
