//! The loop: what came is moved on, then it sleeps until more comes.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;

use super::consoles::{Consoles, Files};
use super::definitions::{Definitions, Directory};
use super::mux::{ClientId, Mux, Peer, Settings};
use super::note::note;
use super::patience::Patience;
use super::uplink::{Uplink, none_now};
use super::{Access, Socket};
use crate::xen::RingState;

/// The most clients at a time; more have to wait to be let in.
const CLIENTS: usize = 128;

/// The most clients that may do nothing; more are cut off at once.
const STRANGERS: usize = 8;

/// Bytes read at once.
const READ: usize = 16 << 10;

/// Reads from the ring, and messages of clients, between two looks at everything else.
const TURNS: usize = 64;

/// What a daemon consists of.
pub struct Parts {
    /// Where local programs come in.
    pub socket: Socket,
    /// Which of them may ask.
    pub access: Access,
    /// The way to the control domain.
    pub uplink: Box<dyn Uplink>,
    /// What is kept.
    pub definitions: Definitions<Directory>,
    /// Where consoles are logged, if they are.
    pub consoles: Option<Consoles<Files>>,
    /// Readable when the daemon is to end.
    pub stop: UnixStream,
    /// What it was told when it was started.
    pub settings: Settings,
}

/// The daemon at work.
pub struct Daemon {
    parts: Parts,
    mux: Mux,
    clients: BTreeMap<ClientId, Local>,
    /// What needs the ring waits for it.
    patience: Patience,
    /// The last trouble with the ring that was noted; it is noted once.
    trouble: String,
}

struct Local {
    stream: UnixStream,
    peer: Peer,
}

/// Something that became ready.
enum Ready {
    Stop,
    Listener,
    Readable(ClientId),
    Gone(ClientId),
}

impl Daemon {
    /// Starts with nothing connected.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        let mux = Mux::new(std::mem::take(&mut parts.settings));
        let patience = Patience::begin(Instant::now());
        Self { parts, mux, clients: BTreeMap::new(), patience, trouble: String::new() }
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// When the machine fails; neither clients nor the control domain can cause that.
    pub fn run(&mut self) -> io::Result<()> {
        loop {
            let mut busy = self.ring();
            busy |= self.turns();
            self.own_requests();
            self.send_to_clients();
            busy |= self.send_to_ring();
            busy |= self.mux.can_go_on();
            for ready in self.wait(busy)? {
                match ready {
                    Ready::Stop => return Ok(()),
                    Ready::Listener => self.accept(),
                    Ready::Readable(id) => self.read_client(id),
                    Ready::Gone(id) => self.mux.drop_output(id),
                }
            }
        }
    }

    /// Looks after the ring and takes what came; returns whether there may be more.
    fn ring(&mut self) -> bool {
        let now = Instant::now();
        match self.parts.uplink.service(now) {
            RingState::Same => {}
            RingState::Up => {
                self.trouble.clear();
                note(format_args!("the connection to the control domain is there"));
                self.mux.ring_up();
            }
            RingState::Lost(why) => self.lost(&why),
            RingState::Trouble(why) => {
                if self.trouble != why {
                    note(format_args!("no connection to the control domain yet: {why}"));
                    self.trouble = why;
                }
            }
        }
        let mut buffer = [0; READ];
        for _ in 0..TURNS {
            match self.parts.uplink.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    if let Err(fault) = self.mux.ring_receive(buffer.get(..count).unwrap_or_default()) {
                        self.parts.uplink.give_up(now);
                        self.lost(&fault.to_string());
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return false,
                Err(error) => {
                    self.parts.uplink.give_up(now);
                    self.lost(&error.to_string());
                    return false;
                }
            }
        }
        true
    }

    fn lost(&mut self, why: &str) {
        self.mux.ring_down();
        self.patience = Patience::begin(Instant::now());
        if self.trouble != why {
            note(format_args!("the connection to the control domain is lost: {why}"));
            self.trouble = why.to_owned();
        }
    }

    fn patient_until(&self) -> Instant {
        self.patience.until(self.parts.uplink.is_coming())
    }

    fn turns(&mut self) -> bool {
        let patient = Instant::now() < self.patient_until();
        (0..TURNS).all(|_| self.mux.turn(&mut self.parts.definitions, patient))
    }

    fn own_requests(&mut self) {
        while let Some(event) = self.mux.take_own() {
            if let Some(consoles) = &mut self.parts.consoles {
                consoles.handle(&mut self.mux, event);
            }
        }
    }

    fn send_to_clients(&mut self) {
        let mut over = Vec::new();
        for (id, Local { stream, .. }) in &mut self.clients {
            while let bytes = self.mux.output(*id)
                && !bytes.is_empty()
            {
                match none_now(stream.write(bytes)) {
                    Ok(0) => break,
                    Ok(count) => self.mux.wrote(*id, count),
                    // It may have sent something before, which is still to be read.
                    Err(_) => self.mux.drop_output(*id),
                }
            }
            if self.mux.is_over(*id) {
                over.push(*id);
            }
        }
        for id in over {
            self.forget(id);
        }
    }

    /// Sends what waits and prepares for sleep; returns whether there is something to do instead.
    fn send_to_ring(&mut self) -> bool {
        match self.push_to_ring() {
            Ok(busy) => busy,
            Err(error) => {
                self.parts.uplink.give_up(Instant::now());
                self.lost(&error.to_string());
                true
            }
        }
    }

    fn push_to_ring(&mut self) -> io::Result<bool> {
        while !self.mux.ring_output().is_empty() {
            match self.parts.uplink.write(self.mux.ring_output())? {
                0 => break,
                count => self.mux.ring_wrote(count),
            }
        }
        self.parts.uplink.settle(!self.mux.ring_output().is_empty())
    }

    /// Waits until there is something to do; only looks when there is already.
    fn wait(&self, busy: bool) -> io::Result<Vec<Ready>> {
        let mut fds = vec![PollFd::new(&self.parts.stop, PollFlags::IN)];
        let accepts = if self.clients.len() < CLIENTS { PollFlags::IN } else { PollFlags::empty() };
        fds.push(PollFd::new(&self.parts.socket, accepts));
        let mut watched = Vec::new();
        for (id, client) in &self.clients {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, self.mux.listens(*id));
            flags.set(PollFlags::OUT, !self.mux.output(*id).is_empty());
            // One that waits for the ring is not looked at: that it has gone would be told again and again.
            if !flags.is_empty() {
                fds.push(PollFd::new(&client.stream, flags));
                watched.push(*id);
            }
        }
        fds.extend(self.parts.uplink.watch(!self.mux.ring_output().is_empty()));
        let timeout = if busy { Some(Duration::ZERO) } else { self.timeout() };
        let timeout = timeout.map(|left| Timespec::try_from(left).unwrap_or_default());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let fixed = [Ready::Stop, Ready::Listener].into_iter();
        let mut found = fds.iter().map(PollFd::revents);
        let mut ready: Vec<Ready> = fixed
            .zip(found.by_ref())
            .filter(|(_, came)| !came.is_empty())
            .map(|(source, _)| source)
            .collect();
        for (id, came) in watched.into_iter().zip(found) {
            if came.contains(PollFlags::IN) {
                ready.push(Ready::Readable(id));
            } else if came.intersects(PollFlags::HUP | PollFlags::ERR) {
                ready.push(Ready::Gone(id));
            }
        }
        Ok(ready)
    }

    /// How long there is nothing to do at most.
    fn timeout(&self) -> Option<Duration> {
        let now = Instant::now();
        let patience = Some(self.patient_until()).filter(|until| *until > now && !self.mux.ring_is_up());
        let due = [patience, self.parts.uplink.due()].into_iter().flatten().min()?;
        // A moment more, so that what is due then is not found too early.
        Some(due.saturating_duration_since(now) + Duration::from_millis(1))
    }

    fn accept(&mut self) {
        // Whoever knocked may be gone again; whoever finds no room may come again.
        let Ok(stream) = self.parts.socket.accept() else { return };
        let Ok(credentials) = socket_peercred(&stream) else { return };
        let peer = self.parts.access.of(&credentials);
        if peer == Peer::Stranger {
            let (uid, pid) = (credentials.uid.as_raw(), credentials.pid.as_raw_nonzero());
            note(format_args!("user {uid} (process {pid}) may not ask anything"));
            if self.clients.values().filter(|client| client.peer == Peer::Stranger).count() >= STRANGERS {
                return;
            }
        }
        self.clients.insert(self.mux.connect(peer), Local { stream, peer });
    }

    fn read_client(&mut self, id: ClientId) {
        let Some(Local { stream, .. }) = self.clients.get_mut(&id) else { return };
        let mut buffer = [0; READ];
        match stream.read(&mut buffer) {
            Ok(0) => self.forget(id),
            Ok(count) => self.mux.receive(id, buffer.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.forget(id),
        }
    }

    fn forget(&mut self, id: ClientId) {
        self.clients.remove(&id);
        self.mux.disconnect(id);
    }
}
