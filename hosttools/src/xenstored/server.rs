//! The event loop: sockets in, turns of the service, sleep.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::process::getuid;
use xendless_core::hyper::DomId;
use xendless_core::store::server::{ConnId, Server};
use xendless_core::store::service::{Interest, Service, Site};

use super::{NoXen, Socket};

/// Clients that are served at once; more have to wait to be let in.
const MAX_CLIENTS: usize = 500;

/// Turns between two looks at the sockets, so that the busy ones do not hide the others.
const TURNS: usize = 64;

/// A server on its socket.
pub struct Hosted {
    listener: UnixListener,
    service: Service<<NoXen as Site>::Page, Socket>,
    clients: BTreeMap<ConnId, Socket>,
}

impl Hosted {
    /// Serves an empty store on a new socket at `path`. A socket that an earlier server left there is replaced.
    ///
    /// # Errors
    /// When the socket cannot be made, or another server listens on it.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if is_socket(path) {
            if UnixStream::connect(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there"));
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, service: Service::new(Server::new(DomId(0))), clients: BTreeMap::new() })
    }

    /// Serves an empty store from a thread of its own, until the process ends. It listens when this returns.
    ///
    /// # Errors
    /// Those of [`Hosted::bind`].
    pub fn spawn(path: &Path) -> io::Result<()> {
        let (ready, bound) = mpsc::channel();
        let path = path.to_owned();
        // Its loop runs where it was made.
        thread::spawn(move || {
            let (served, hosted) = match Self::bind(&path) {
                Ok(hosted) => (Ok(()), Some(hosted)),
                Err(error) => (Err(error), None),
            };
            // Who waits does not go before.
            let _ = ready.send(served);
            hosted.map_or(Ok(()), |mut hosted| hosted.run())
        });
        bound.recv().map_err(io::Error::other)?
    }

    /// Serves without end.
    ///
    /// # Errors
    /// When the machine fails; clients cannot cause that.
    pub fn run(&mut self) -> io::Result<()> {
        loop {
            let busy = self.work();
            for conn in self.wait(busy)? {
                match conn {
                    Ready::Listener => self.accept()?,
                    Ready::Client(conn) => self.service.wake(conn),
                    Ready::Gone(conn) => self.service.hang_up(conn),
                }
            }
        }
    }

    /// Gives out some turns. Returns whether more are due.
    fn work(&mut self) -> bool {
        let busy = (0..TURNS).all(|_| self.service.step(&NoXen));
        let service = &self.service;
        self.clients.retain(|conn, _| service.is_connected(*conn));
        busy
    }

    /// Waits until there is something to do; only looks when there is already.
    fn wait(&self, busy: bool) -> io::Result<Vec<Ready>> {
        let mut sources = Vec::new();
        let mut fds = Vec::new();
        if self.clients.len() < MAX_CLIENTS {
            sources.push((Ready::Listener, PollFlags::IN));
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        for (conn, socket) in &self.clients {
            let wanted = flags(self.service.interest(*conn));
            sources.push((Ready::Client(*conn), wanted));
            fds.push(PollFd::new(socket, wanted));
        }
        match poll(&mut fds, busy.then(Timespec::default).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = fds.iter().zip(sources).filter(|(fd, _)| !fd.revents().is_empty());
        Ok(ready.map(|(fd, (source, wanted))| source.given(fd.revents().intersects(wanted))).collect())
    }

    fn accept(&mut self) -> io::Result<()> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            // Whoever knocked may be gone again; whoever finds no room may come again.
            Err(_) => return Ok(()),
        };
        let peer = socket_peercred(&stream)?.uid;
        if peer.is_root() || peer == getuid() {
            let socket = Socket::new(stream)?;
            self.clients.insert(self.service.connect(socket.clone()), socket);
        }
        Ok(())
    }
}

/// Something that can be served.
#[derive(Clone, Copy, Debug)]
enum Ready {
    Listener,
    Client(ConnId),
    Gone(ConnId),
}

impl Ready {
    /// A client that is ready for nothing that was asked has left.
    fn given(self, as_wanted: bool) -> Self {
        match self {
            Self::Client(conn) if !as_wanted => Self::Gone(conn),
            other => other,
        }
    }
}

fn flags(interest: Interest) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    flags
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}
