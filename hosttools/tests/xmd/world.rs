//! A running `xmd`, a control domain that follows a script, and clients.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use xendless_core::config::List;
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{
    Answer, CHUNK, Down, Failure, Hello, Rejection, Request, RequestId, Row, Up, Welcome,
};
use xendless_core::rights::Rights;

pub(super) const WELCOME: Welcome = Welcome { rights: Rights::Everything, domid: 1 };

/// A stream of frames.
pub(super) struct Wire {
    stream: UnixStream,
    assembler: Assembler,
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, assembler: Assembler::default() }
    }

    pub(super) fn send(&mut self, message: &impl serde::Serialize) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message).unwrap();
        // Whoever is gone takes nothing.
        let _ = self.stream.write_all(&bytes);
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next frame; `None` at the end of the stream.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        self.assembler.clear();
        while self.assembler.frame().is_none() {
            let mut bytes = vec![0; self.assembler.missing().unwrap().min(65536)];
            let count = self.stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
            self.assembler.take(&mut &bytes[..count]).unwrap();
        }
        self.assembler.frame().map(<[u8]>::to_vec)
    }
}

/// A local client that said hello.
pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) welcome: Welcome,
}

impl Client {
    pub(super) fn greet(stream: UnixStream) -> Self {
        let mut wire = Wire::new(stream);
        wire.send(&Up::Hello(Hello::OURS));
        let body = wire.next().unwrap();
        let Down::Welcome(welcome) = frame::parse(&body).unwrap() else { panic!("no welcome") };
        Self { wire, welcome }
    }

    pub(super) fn ask(&mut self, id: u32, request: Request<'_>) {
        self.wire.send(&Up::Request { id: RequestId(id), request });
    }

    /// Asks and waits; gives the name in the first row when there is one.
    pub(super) fn call(&mut self, id: u32, request: Request<'_>) -> Result<Option<String>, Failure> {
        self.ask(id, request);
        self.answer(id)
    }

    pub(super) fn answer(&mut self, wanted: u32) -> Result<Option<String>, Failure> {
        loop {
            let body = self.wire.next().unwrap();
            match frame::parse(&body).unwrap() {
                Down::Answer { id, result } if id == RequestId(wanted) => {
                    return result.map(|answer| match answer {
                        Answer::Rows { rows, .. } => rows.first().map(|row| row.name.clone()),
                        Answer::Definition(Some(definition)) => Some(definition.name.into()),
                        _ => None,
                    });
                }
                Down::Closed(why) => panic!("closed: {why}"),
                _ => {}
            }
        }
    }

    pub(super) fn find(&mut self, id: u32, name: &str) -> Result<Option<String>, Failure> {
        self.call(id, Request::Find { domain: name })
    }

    /// The rejection with which the connection ends.
    pub(super) fn rejection(&mut self) -> Rejection {
        loop {
            let body = self.wire.next().unwrap();
            if let Down::Closed(why) = frame::parse(&body).unwrap() {
                assert_eq!(self.wire.next(), None);
                return why;
            }
        }
    }
}

/// What the control domain saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    Connected,
    Cancelled(String),
}

/// A control domain on a unix socket. It knows every domain by name, has consoles that say what was typed, and waits
/// until it is told not to.
pub(super) struct Control {
    pub(super) seen: Receiver<Seen>,
    /// Ends the connection that there is.
    cut: Sender<()>,
}

impl Control {
    pub(super) fn listen(path: &Path, domains: &[&str]) -> Self {
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path).unwrap();
        let (seen, sees) = channel();
        let (cut, cuts) = channel();
        let domains: Vec<String> = domains.iter().map(ToString::to_string).collect();
        thread::spawn(move || {
            let (mut cuts, mut stream) = (cuts, listener.accept().unwrap().0);
            loop {
                let other = stream.try_clone().unwrap();
                let cutter = thread::spawn(move || {
                    let told: Result<(), _> = cuts.recv();
                    let _ = other.shutdown(std::net::Shutdown::Both);
                    told.is_ok().then_some(cuts)
                });
                let session = Session {
                    wire: Wire::new(stream),
                    seen: seen.clone(),
                    domains: domains.clone(),
                    open: Vec::new(),
                };
                thread::spawn(move || session.run());
                // The next connection while this one is cut, or gone.
                let Ok((next, _)) = listener.accept() else { return };
                let Ok(Some(back)) = cutter.join() else { return };
                (cuts, stream) = (back, next);
            }
        });
        Self { seen: sees, cut }
    }

    pub(super) fn cut(&self) {
        self.cut.send(()).unwrap();
    }

    pub(super) fn sees(&self, what: &Seen) {
        while self.seen.recv().unwrap() != *what {}
    }
}

struct Session {
    wire: Wire,
    seen: Sender<Seen>,
    domains: Vec<String>,
    /// Waits and consoles, by what they are about.
    open: Vec<(RequestId, String)>,
}

impl Session {
    fn run(mut self) {
        let _ = self.seen.send(Seen::Connected);
        while let Some(body) = self.wire.next() {
            let message = frame::parse(&body).unwrap();
            match message {
                Up::Hello(_) => self.wire.send(&Down::Welcome(WELCOME)),
                Up::Request { id, request } => self.request(id, &request),
                Up::Data { id, bytes } => {
                    self.wire.send(&Down::Data { id, bytes });
                    self.wire.send(&Down::Credit { id, bytes: u32::try_from(bytes.len()).unwrap() });
                }
                Up::Credit { id, bytes } => self.credit(id, bytes),
                Up::Cancel { id } => {
                    let at = self.open.iter().position(|(open, _)| *open == id).unwrap();
                    let (_, domain) = self.open.remove(at);
                    self.wire.send(&Down::Answer { id, result: Err(Failure::Cancelled) });
                    let _ = self.seen.send(Seen::Cancelled(domain));
                }
            }
        }
    }

    fn request(&mut self, id: RequestId, request: &Request<'_>) {
        match request {
            Request::List { .. } => self.rows(id, &self.domains.clone()),
            Request::Find { domain } => self.rows(id, &[domain.to_string()]),
            Request::Wait { domain, .. } => self.open.push((id, domain.to_string())),
            Request::Console { domain } => {
                self.open.push((id, domain.to_string()));
                self.wire.send(&Down::Credit { id, bytes: 100 });
            }
            _ => self.wire.send(&Down::Answer { id, result: Ok(Answer::Done) }),
        }
    }

    /// A flood uses all the credit that it gets; others say one line with the first that they get.
    fn credit(&mut self, id: RequestId, credit: u32) {
        let Some((_, domain)) = self.open.iter_mut().find(|(open, _)| *open == id) else { return };
        if domain == "flood" {
            let mut left = credit as usize;
            while left > 0 {
                let now = left.min(CHUNK);
                self.wire.send(&Down::Data { id, bytes: &vec![b'x'; now] });
                left -= now;
            }
        } else if !domain.ends_with(" spoke") {
            let line = format!("{domain} says hello\r\n");
            domain.push_str(" spoke");
            self.wire.send(&Down::Data { id, bytes: line.as_bytes() });
        }
    }

    fn rows(&mut self, id: RequestId, names: &[String]) {
        let rows = names.iter().enumerate().map(|(at, name)| Row {
            domid: u16::try_from(at + 2).unwrap(),
            uuid: [0; 16],
            name: name.clone(),
            flags: 0,
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
        });
        let rows = List::new("rows", rows.collect()).unwrap();
        self.wire.send(&Down::Answer { id, result: Ok(Answer::Rows { rows, next: None }) });
    }
}

/// Where a test has its files.
pub(super) struct World {
    pub(super) folder: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn control(&self, domains: &[&str]) -> Control {
        Control::listen(&self.path("ring"), domains)
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xmd"));
        command.arg("--ring").arg(format!("unix:{}", self.path("ring").display()));
        command.arg("--socket").arg(self.path("xmd.sock"));
        command.arg("--state-dir").arg(self.path("state")).arg("--log-dir").arg(self.path("log"));
        command.stderr(fs::File::options().append(true).create(true).open(self.path("stderr")).unwrap());
        command.stdin(Stdio::null());
        command
    }

    /// Starts `xmd`; it listens when this returns.
    pub(super) fn xmd(&self) -> Xmd {
        let mut xmd = Xmd { child: self.command().spawn().unwrap(), socket: self.path("xmd.sock") };
        while UnixStream::connect(&xmd.socket).is_err() {
            assert_eq!(xmd.child.try_wait().unwrap(), None, "{}", self.stderr());
            thread::sleep(Duration::from_millis(2));
        }
        xmd
    }

    pub(super) fn stderr(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap()
    }
}

/// A running daemon, killed with its test.
pub(super) struct Xmd {
    pub(super) child: Child,
    pub(super) socket: PathBuf,
}

impl Xmd {
    pub(super) fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).unwrap()
    }

    pub(super) fn client(&self) -> Client {
        Client::greet(self.connect())
    }

    pub(super) fn signal(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Xmd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}
