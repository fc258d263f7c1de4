//! The side of the ring: requests that are open there, and what comes from it.

use std::collections::BTreeMap;
use std::fmt;

use xendless_core::protocol::frame::{self, Assembler, FrameError};
use xendless_core::protocol::{
    Answer, Down, Failure, Hello, Rejection, Request, RequestId, Row, Up, Welcome,
};

use super::outbox::Outbox;
use super::{ClientId, Mux, Own, WINDOW};

/// Why the connection to the control domain cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingFault {
    /// It ended the connection.
    Rejected(Rejection),
    /// What it sent is no message.
    Frame(FrameError),
    /// It sent a message at a time when there is none such.
    Order,
    /// It sent more of a stream than there was credit for.
    Credit,
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) => why.fmt(f),
            Self::Frame(error) => write!(f, "the control domain sent {error}"),
            Self::Order => f.write_str("the control domain sent a message out of order"),
            Self::Credit => f.write_str("the control domain sent more than it was asked for"),
        }
    }
}

impl std::error::Error for RingFault {}

impl From<FrameError> for RingFault {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

/// Who asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// A client, by its own id.
    Client(ClientId, RequestId),
    /// This program.
    Us,
    /// A client that is gone.
    Nobody,
}

/// A request under way.
#[derive(Debug)]
struct Open {
    owner: Owner,
    /// Bytes that may still go up.
    upwards: u64,
    /// Bytes that its owner takes and that the control domain was not told of yet.
    granted: u64,
    /// Bytes that the control domain may still send.
    ahead: u32,
    cancelled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    #[default]
    Down,
    /// The hello is on its way.
    Greeting,
    Up,
}

/// The connection to the control domain.
#[derive(Debug, Default)]
pub(super) struct Ring {
    phase: Phase,
    /// What it said last.
    pub(super) welcome: Option<Welcome>,
    input: Assembler,
    pub(super) out: Outbox,
    open: BTreeMap<RequestId, Open>,
    last_id: u32,
}

impl Ring {
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    pub(super) fn owned_by(&self, whose: impl Fn(&Owner) -> bool) -> usize {
        self.open.values().filter(|open| whose(&open.owner)).count()
    }

    pub(super) fn begin(&mut self, owner: Owner, request: &Request<'_>) -> Result<RequestId, FrameError> {
        let id = self.free_id();
        self.out.push(&Up::Request { id, request: *request })?;
        let open = Open { owner, upwards: 0, granted: 0, ahead: 0, cancelled: false };
        self.open.insert(id, open);
        Ok(id)
    }

    /// Sends bytes of a stream upwards; `false` when there is no credit for them.
    pub(super) fn data(&mut self, id: RequestId, bytes: &[u8]) -> Result<bool, FrameError> {
        let Some(open) = self.open.get_mut(&id) else { return Ok(true) };
        let Some(rest) = open.upwards.checked_sub(bytes.len() as u64) else { return Ok(false) };
        open.upwards = rest;
        if !open.cancelled {
            self.out.push(&Up::Data { id, bytes })?;
        }
        Ok(true)
    }

    pub(super) fn grant(&mut self, id: RequestId, bytes: u32) {
        if let Some(open) = self.open.get_mut(&id) {
            open.granted = open.granted.saturating_add(bytes.into());
        }
    }

    /// Tells the control domain of as much credit as it may have.
    pub(super) fn refill(&mut self, id: RequestId) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let bytes = u32::try_from(open.granted).unwrap_or(u32::MAX).min(WINDOW.saturating_sub(open.ahead));
        // Not by drops: a message for each few bytes costs more than the bytes.
        if bytes == 0 || (u64::from(bytes) < open.granted && bytes < WINDOW / 4) {
            return;
        }
        if self.out.push(&Up::Credit { id, bytes }).is_ok() {
            open.granted -= u64::from(bytes);
            open.ahead += bytes;
        }
    }

    pub(super) fn cancel(&mut self, id: RequestId) {
        if let Some(open) = self.open.get_mut(&id)
            && !open.cancelled
        {
            open.cancelled = self.out.push(&Up::Cancel { id }).is_ok();
        }
    }

    /// Its owner is gone.
    pub(super) fn abandon(&mut self, id: RequestId) {
        self.cancel(id);
        if let Some(open) = self.open.get_mut(&id) {
            open.owner = Owner::Nobody;
        }
    }

    /// The next id that no open request has.
    fn free_id(&mut self) -> RequestId {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            let id = RequestId(self.last_id);
            if !self.open.contains_key(&id) {
                return id;
            }
        }
    }
}

/// The end of a request, for this program.
fn own_end(id: RequestId, result: Result<Answer<'_>, Failure>) -> Own {
    match result {
        Ok(Answer::Rows { rows, next }) => Own::Rows(id, rows.iter().cloned().collect::<Vec<Row>>(), next),
        Ok(_) => Own::Ended(id, Ok(())),
        Err(failure) => Own::Ended(id, Err(failure)),
    }
}

impl Mux {
    /// There is a connection to the control domain.
    pub fn ring_up(&mut self) {
        self.ring_down();
        self.ring.phase = Phase::Greeting;
        // An empty outbox has room for a hello.
        let _ = self.ring.out.push(&Up::Hello(Hello::OURS));
    }

    /// The connection is lost: all that was asked is answered with that.
    pub fn ring_down(&mut self) {
        self.ring.phase = Phase::Down;
        (self.ring.input, self.ring.out) = (Assembler::default(), Outbox::default());
        for (up, open) in std::mem::take(&mut self.ring.open) {
            match open.owner {
                Owner::Client(client, id) => self.answer(client, id, Err(Failure::Disconnected)),
                Owner::Us => self.own.push_back(Own::Ended(up, Err(Failure::Disconnected))),
                Owner::Nobody => {}
            }
        }
    }

    /// Whether the control domain can be asked.
    #[must_use]
    pub fn ring_is_up(&self) -> bool {
        self.ring.is_up()
    }

    /// Bytes for the ring; [`Mux::ring_wrote`] says how many it took.
    #[must_use]
    pub fn ring_output(&self) -> &[u8] {
        self.ring.out.pending()
    }

    /// Counts bytes of [`Mux::ring_output`] as sent.
    pub fn ring_wrote(&mut self, count: usize) {
        self.ring.out.wrote(count);
    }

    /// Takes bytes from the ring.
    ///
    /// # Errors
    /// When the connection cannot go on; [`Mux::ring_down`] has to follow.
    pub fn ring_receive(&mut self, bytes: &[u8]) -> Result<(), RingFault> {
        let mut input = std::mem::take(&mut self.ring.input);
        input.take_all(bytes, |body| self.ring_message(frame::parse(body)?))?;
        self.ring.input = input;
        Ok(())
    }

    fn ring_message(&mut self, message: Down<'_>) -> Result<(), RingFault> {
        match (self.ring.phase, message) {
            (_, Down::Closed(why)) => return Err(RingFault::Rejected(why)),
            (Phase::Greeting, Down::Welcome(welcome)) => {
                self.ring.phase = Phase::Up;
                self.ring.welcome = Some(welcome);
                self.own.push_back(Own::Up(welcome));
            }
            (Phase::Down | Phase::Greeting, _) | (_, Down::Welcome(_)) => return Err(RingFault::Order),
            (_, Down::Want { id, file }) => self.pass_on(id, |id| Down::Want { id, file })?,
            (_, Down::Data { id, bytes }) => self.data_came(id, bytes)?,
            (_, Down::Credit { id, bytes }) => {
                if let Some(open) = self.ring.open.get_mut(&id) {
                    open.upwards = open.upwards.saturating_add(bytes.into());
                }
                self.pass_on(id, |id| Down::Credit { id, bytes })?;
            }
            (_, Down::Answer { id, result }) => self.answer_came(id, result)?,
        }
        Ok(())
    }

    fn data_came(&mut self, id: RequestId, bytes: &[u8]) -> Result<(), RingFault> {
        let Some(open) = self.ring.open.get_mut(&id) else { return Ok(()) };
        let rest = u32::try_from(bytes.len()).ok().and_then(|count| open.ahead.checked_sub(count));
        open.ahead = rest.ok_or(RingFault::Credit)?;
        match open.owner {
            Owner::Us => self.own.push_back(Own::Data(id, bytes.to_vec())),
            Owner::Client(client, _) => {
                self.pass_on(id, |id| Down::Data { id, bytes })?;
                self.refill(client);
            }
            Owner::Nobody => {}
        }
        Ok(())
    }

    fn answer_came(&mut self, id: RequestId, result: Result<Answer<'_>, Failure>) -> Result<(), RingFault> {
        let Some(open) = self.ring.open.remove(&id) else { return Ok(()) };
        match open.owner {
            Owner::Us => self.own.push_back(own_end(id, result)),
            Owner::Client(client, id) => self.answer(client, id, result),
            Owner::Nobody => {}
        }
        Ok(())
    }

    /// Sends what came for a request to the client that asked, with its own id.
    fn pass_on<'a>(
        &mut self,
        id: RequestId,
        message: impl FnOnce(RequestId) -> Down<'a>,
    ) -> Result<(), FrameError> {
        match self.ring.open.get(&id).map(|open| open.owner) {
            Some(Owner::Client(client, id)) => self.tell(client, &message(id)),
            _ => Ok(()),
        }
    }
}
