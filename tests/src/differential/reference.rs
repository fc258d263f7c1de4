//! C xenstored as a process of its own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::io::ioctl_fionread;
use tempfile::TempDir;
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::shared::PAGE_SIZE;
use xendless_core::store::client::WatchEvent;
use xendless_core::store::wire::Kind;
use xendless_hosttools::xenstored::Socket;

use super::page::SharedPage;
use super::store::{Ask, Gone, Line, Store, Told, Who};
use crate::qemu::artifacts;

/// The server's port for `VIRQ_DOM_EXC`, and its port to domain 0; as in `shim.c`.
const VIRQ_PORT: u32 = 1;
const FIRST_PORT: u32 = 1000;

/// A client of the harness itself.
const ONLOOKER: Who = Who::Tool(u8::MAX);

/// How long the server may be silent before it counts as gone.
const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// A running xenstored.
pub struct Reference {
    folder: TempDir,
    server: Child,
    to_server: File,
    to_guests: File,
    tools: BTreeMap<u8, (Line, Socket)>,
    domains: BTreeMap<u16, Line>,
}

impl Reference {
    /// Starts one with nothing in it, and domain 0 introduced.
    pub fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("ring.0"), [0; PAGE_SIZE])?;
        fs::write(at("port"), "1")?;
        let (to_server, to_guests) = (fifo(&at("to-server"))?, fifo(&at("to-guests"))?);
        let mut server = Command::new(xen_program("xenstored")?)
            .args(["--no-fork", "--output-pid"])
            .env("LD_PRELOAD", shim()?)
            .env("XENDLESS_SHIM", folder.path())
            .env("XENSTORED_RUNDIR", folder.path())
            .env("XENSTORED_PATH", at("socket"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting xenstored")?;
        // It prints its process id once it is ready.
        let printed = server.stdout.as_mut().context("no output")?.read(&mut [0])?;
        ensure!(printed == 1, "xenstored ended while it started: {}", server.wait()?);
        let (tools, domains) = (BTreeMap::new(), BTreeMap::new());
        let mut reference = Self { folder, server, to_server, to_guests, tools, domains };
        // It keeps a node of its own there.
        let tool = Ask { kind: Kind::RM, tx_id: 0, payload: b"/tool\0".to_vec() };
        let removed = reference.ask(ONLOOKER, &tool);
        ensure!(removed.is_ok_and(|told| told.kind == Kind::RM), "/tool is not there to be removed");
        Ok(reference)
    }

    /// A new socket to it.
    pub fn connect(&self) -> Result<UnixStream> {
        Ok(UnixStream::connect(self.folder.path().join("socket"))?)
    }

    fn file(&self, name: &str, domid: u16) -> PathBuf {
        self.folder.path().join(format!("{name}.{domid}"))
    }

    fn open_tool(&self) -> Result<(Line, Socket)> {
        let socket = Socket::new(self.connect()?)?;
        Ok((Line::new(socket.clone()), socket))
    }

    /// Has the server look at all domains. It takes events one by one, so they are let run out first.
    fn raise_virq(&mut self) {
        signal(&self.to_server, VIRQ_PORT);
        let nothing = Ask { kind: Kind::GET_DOMAIN_PATH, tx_id: 0, payload: b"0\0".to_vec() };
        while ioctl_fionread(&self.to_server).expect("the FIFO's fill") > 0 {
            if self.ask(ONLOOKER, &nothing).is_err() {
                return;
            }
        }
        let _done = self.ask(ONLOOKER, &nothing);
    }

    fn ask_as_domain(&mut self, domid: u16, ask: &Ask) -> Result<Told, Gone> {
        let line = self.domains.get_mut(&domid).ok_or(Gone)?;
        let (to_server, to_guests) = (&self.to_server, &self.to_guests);
        let answer = line.ask(ask, || {
            signal(to_server, FIRST_PORT + u32::from(domid));
            wait(to_guests)?;
            drain(to_guests);
            Ok(())
        });
        // What was read made room.
        signal(to_server, FIRST_PORT + u32::from(domid));
        answer
    }
}

impl Store for Reference {
    fn ask(&mut self, who: Who, ask: &Ask) -> Result<Told, Gone> {
        match who {
            Who::Domain(domid) => self.ask_as_domain(domid, ask),
            Who::Tool(tool) => {
                if !self.tools.contains_key(&tool) {
                    let opened = self.open_tool().expect("xenstored takes connections");
                    self.tools.insert(tool, opened);
                }
                let (line, socket) = self.tools.get_mut(&tool).ok_or(Gone)?;
                line.ask(ask, || wait(socket))
            }
        }
    }

    fn events(&mut self, who: Who) -> Vec<WatchEvent> {
        let line = match who {
            Who::Tool(tool) => self.tools.get_mut(&tool).map(|(line, _)| line),
            Who::Domain(domid) => self.domains.get_mut(&domid),
        };
        line.map(Line::events).unwrap_or_default()
    }

    fn create(&mut self, domid: u16) {
        fs::write(self.file("ring", domid), [0; PAGE_SIZE]).expect("a ring page");
    }

    fn attach(&mut self, domid: u16) {
        let page = SharedPage::open(&self.file("ring", domid)).expect("the domain exists");
        self.domains.insert(domid, Line::new(GuestEnd::attach(page).expect("an empty ring")));
    }

    fn shut_down(&mut self, domid: u16) {
        fs::write(self.file("shutdown", domid), "").expect("a file");
        self.raise_virq();
    }

    fn resume(&mut self, domid: u16) {
        // It need not have shut down before.
        let _absent = fs::remove_file(self.file("shutdown", domid));
    }

    fn destroy(&mut self, domid: u16) {
        self.domains.remove(&domid);
        fs::remove_file(self.file("ring", domid)).expect("the domain exists");
        self.resume(domid);
        self.raise_virq();
    }

    fn hang_up(&mut self, tool: u8) {
        self.tools.remove(&tool);
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It may have ended by itself; that is for the test to judge.
        let _ended = self.server.kill();
        let _reaped = self.server.wait();
    }
}

/// One of the programs of Debian's `xen-utils`, unpacked by `ci/setup`.
pub fn xen_program(name: &str) -> Result<PathBuf> {
    let folder = artifacts::cache()?.join("xen-tools/usr/lib");
    let versions = fs::read_dir(&folder).with_context(|| format!("{}: run ci/setup", folder.display()))?;
    let mut programs = versions.flatten().map(|entry| entry.path().join("bin").join(name));
    let missing = || format!("no {name} below {}: run ci/setup", folder.display());
    programs.find(|path| path.exists()).with_context(missing)
}

/// The library that plays Xen, compiled once.
fn shim() -> Result<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = SHIM.get_or_init(|| build_shim().map_err(|error| eprintln!("{error:#}")).ok());
    built.as_deref().context("the library that plays Xen could not be built")
}

fn build_shim() -> Result<PathBuf> {
    let folder = artifacts::target().join("xenstored");
    fs::create_dir_all(&folder)?;
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    let fresh = folder.join(format!("shim.{}.so", std::process::id()));
    artifacts::replace_file(&source, include_bytes!("shim.c"))?;
    let compiler =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&fresh, &source]).status();
    let compiled = compiler.context("no C compiler: run ci/setup")?;
    ensure!(compiled.success(), "shim.c does not compile; ci/setup brings the headers it needs");
    fs::rename(&fresh, &library)?;
    Ok(library)
}

/// A FIFO with both ends open, so that neither side waits for the other to open it or meets an end of file.
fn fifo(path: &Path) -> Result<File> {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

fn signal(mut to_server: &File, port: u32) {
    to_server.write_all(&port.to_ne_bytes()).expect("the FIFO takes events");
}

fn wait(fd: &impl AsFd) -> Result<(), Gone> {
    let ready = poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&PATIENCE)).expect("poll");
    if ready > 0 { Ok(()) } else { Err(Gone) }
}

/// Takes the ports that wait in a FIFO.
fn drain(mut to_guests: &File) {
    let mut ports = [0; 4096];
    let _taken = to_guests.read(&mut ports).expect("the FIFO gives ports");
}
