//! The side of the clients: what they send, and what goes to them.

use std::collections::BTreeMap;

use xendless_core::hyper::DomId;
use xendless_core::protocol::frame::{self, Assembler, FrameError};
use xendless_core::protocol::resources::Setting;
use xendless_core::protocol::{
    Answer, CHUNK, Definition, Down, Failure, Pools, Rejection, Request, RequestId, Up, Welcome,
};
use xendless_core::rights::Rights;

use super::super::note::noted;
use super::outbox::Outbox;
use super::ring::Owner;
use super::{ALL_CLIENTS, ClientId, Keeper, Kept, LOW, Mux, PER_CLIENT, Peer, RING_LOW};

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    peer: Peer,
    greeted: bool,
    /// What it sent and nobody looked at yet.
    input: Vec<u8>,
    assembler: Assembler,
    out: Outbox,
    /// What it asked, by its ids, with the ring's.
    open: BTreeMap<RequestId, RequestId>,
    /// It was not looked at when it was its turn, because too much was on its way to it or to the ring.
    held: bool,
    /// It is cut off as soon as it took what is on its way.
    closing: bool,
}

impl Client {
    fn listens(&self) -> bool {
        !self.closing && self.out.len() < LOW
    }

    /// Goes on with the message that is coming; returns whether it is whole.
    fn assemble(&mut self) -> Result<bool, FrameError> {
        let mut input = self.input.as_slice();
        let taken = self.assembler.take(&mut input);
        let used = self.input.len() - input.len();
        self.input.drain(..used);
        taken.map(|()| self.assembler.frame().is_some())
    }
}

/// What became of a message.
enum Outcome {
    /// It is done with.
    Done,
    /// It has to wait for the ring.
    Held,
}

impl Mux {
    /// A client connected.
    pub fn connect(&mut self, peer: Peer) -> ClientId {
        let id = ClientId(self.connected);
        self.connected += 1;
        let client = Client {
            peer,
            greeted: false,
            input: Vec::new(),
            assembler: Assembler::default(),
            out: Outbox::default(),
            open: BTreeMap::new(),
            held: false,
            closing: false,
        };
        self.clients.insert(id, client);
        id
    }

    /// A client is gone.
    pub fn disconnect(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else { return };
        for up in client.open.into_values() {
            self.ring.abandon(up);
        }
    }

    /// Whether bytes of the client can be taken now.
    #[must_use]
    pub fn listens(&self, id: ClientId) -> bool {
        let idle = |client: &Client| client.listens() && client.input.is_empty();
        self.clients.get(&id).is_some_and(idle) && self.ring.out.len() < RING_LOW
    }

    /// Whether clients that were held up can go on, because what was on its way was taken meanwhile. What they sent before
    /// makes nothing ready that could be waited for.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        let free = |client: &Client| client.held && client.listens();
        self.ring.out.len() < RING_LOW && self.clients.values().any(free)
    }

    /// Takes bytes of a client.
    pub fn receive(&mut self, id: ClientId, bytes: &[u8]) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.input.extend_from_slice(bytes);
        }
    }

    /// Bytes for a client; [`Mux::wrote`] says how many it took.
    #[must_use]
    pub fn output(&self, id: ClientId) -> &[u8] {
        self.clients.get(&id).map(|client| client.out.pending()).unwrap_or_default()
    }

    /// Counts bytes of [`Mux::output`] as sent.
    pub fn wrote(&mut self, id: ClientId, count: usize) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.out.wrote(count);
            self.refill(id);
        }
    }

    /// The client takes nothing any more: what waits for it is dropped, so that what it sent before is listened to, to
    /// its end.
    pub fn drop_output(&mut self, id: ClientId) {
        let waiting = self.output(id).len();
        self.wrote(id, waiting);
    }

    /// Whether the client is to be cut off now.
    #[must_use]
    pub fn is_over(&self, id: ClientId) -> bool {
        self.clients.get(&id).is_none_or(|client| client.closing && client.out.len() == 0)
    }

    /// Sends a message to a client, if it is still there.
    pub(super) fn tell(&mut self, id: ClientId, message: &Down<'_>) -> Result<(), FrameError> {
        match self.clients.get_mut(&id) {
            Some(client) if !client.closing => client.out.push(message),
            _ => Ok(()),
        }
    }

    /// Ends a client's request.
    pub(super) fn answer(&mut self, client: ClientId, id: RequestId, result: Result<Answer<'_>, Failure>) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.open.remove(&id);
        }
        if self.tell(client, &Down::Answer { id, result }).is_err() {
            self.reject(client, Rejection::TooMany);
        }
    }

    /// Gives the ring what the client takes, unless it leaves too much unread.
    pub(super) fn refill(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(&id).filter(|client| client.out.len() < LOW) else { return };
        for up in client.open.values() {
            self.ring.refill(*up);
        }
    }

    /// Takes one message of a client, if there is a whole one that can be dealt with.
    pub(super) fn serve(&mut self, id: ClientId, keeper: &mut dyn Keeper, patient: bool) -> bool {
        let busy = self.ring.out.len() >= RING_LOW;
        let Some(client) = self.clients.get_mut(&id) else { return false };
        client.held = busy || !client.listens();
        if client.held {
            return false;
        }
        match client.assemble() {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => {
                self.reject(id, Rejection::Malformed);
                return true;
            }
        }
        let mut assembler = std::mem::take(&mut client.assembler);
        let message = assembler.frame().ok_or(FrameError::Length).and_then(frame::parse);
        let outcome = match message {
            Ok(message) => self.message(id, message, keeper, patient),
            Err(_) => Err(Rejection::Malformed),
        };
        let held = matches!(outcome, Ok(Outcome::Held));
        if !held {
            assembler.clear();
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.assembler = assembler;
        }
        if let Err(why) = outcome {
            self.reject(id, why);
        }
        !held
    }

    /// Ends a connection because of what its client did.
    fn reject(&mut self, id: ClientId, why: Rejection) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.closing = true;
        client.input = Vec::new();
        // Who cannot even be told is cut off just the same.
        let _ = client.out.push(&Down::Closed(why));
        for up in std::mem::take(&mut client.open).into_values() {
            self.ring.abandon(up);
        }
    }

    fn message(
        &mut self,
        from: ClientId,
        message: Up<'_>,
        keeper: &mut dyn Keeper,
        patient: bool,
    ) -> Result<Outcome, Rejection> {
        let Some(client) = self.clients.get_mut(&from) else { return Ok(Outcome::Done) };
        let up = |id: RequestId| client.open.get(&id).copied();
        match message {
            Up::Hello(_) if client.greeted => return Err(Rejection::Order),
            Up::Hello(hello) => {
                hello.check()?;
                if patient && !self.ring.is_up() {
                    return Ok(Outcome::Held);
                }
                self.welcome(from)?;
            }
            _ if !client.greeted => return Err(Rejection::Order),
            Up::Request { id, request } => return self.request(from, id, &request, keeper, patient),
            Up::Data { id, bytes } => {
                let sent = up(id).map_or(Ok(true), |up| self.ring.data(up, bytes));
                if bytes.len() > CHUNK || !sent.map_err(|_| Rejection::Malformed)? {
                    return Err(Rejection::Misuse);
                }
            }
            Up::Credit { id, bytes } => {
                if let Some(up) = up(id) {
                    self.ring.grant(up, bytes);
                    self.refill(from);
                }
            }
            Up::Cancel { id } => {
                if let Some(up) = up(id) {
                    self.ring.cancel(up);
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// While the control domain was never heard, nobody knows what may be asked; the answers will tell.
    fn welcome(&mut self, to: ClientId) -> Result<(), Rejection> {
        let unknown = Welcome { rights: Rights::Everything, domid: DomId::INVALID.0 };
        let mut welcome = self.ring.welcome.unwrap_or(unknown);
        if let Some(client) = self.clients.get_mut(&to) {
            client.greeted = true;
            if client.peer == Peer::Stranger {
                welcome.rights = Rights::Nothing;
            }
        }
        self.tell(to, &Down::Welcome(welcome)).map_err(|_| Rejection::TooMany)
    }

    fn request(
        &mut self,
        from: ClientId,
        id: RequestId,
        request: &Request<'_>,
        keeper: &mut dyn Keeper,
        patient: bool,
    ) -> Result<Outcome, Rejection> {
        let Some(client) = self.clients.get(&from) else { return Ok(Outcome::Done) };
        if client.open.contains_key(&id) {
            return Err(Rejection::Misuse);
        }
        let rights = match (client.peer, self.ring.welcome) {
            (Peer::Stranger, _) => Rights::Nothing,
            (Peer::Trusted, Some(welcome)) => welcome.rights,
            (Peer::Trusted, None) => Rights::Everything,
        };
        let needs = request.needs();
        if rights < needs {
            self.answer(from, id, Err(Failure::Forbidden { needs }));
        } else if request.is_local() {
            self.answer_here(from, id, request, keeper);
        } else if !self.ring.is_up() {
            if patient {
                return Ok(Outcome::Held);
            }
            self.answer(from, id, Err(Failure::Disconnected));
        } else if client.open.len() >= PER_CLIENT
            || self.ring.owned_by(|owner| *owner != Owner::Us) >= ALL_CLIENTS
        {
            self.answer(from, id, Err(Failure::Limit("requests".into())));
        } else {
            let begun = self.ring.begin(Owner::Client(from, id), request);
            let up = begun.map_err(|_| Rejection::Malformed)?;
            if let Some(client) = self.clients.get_mut(&from) {
                client.open.insert(id, up);
            }
        }
        Ok(Outcome::Done)
    }

    /// Answers what is kept here.
    fn answer_here(&mut self, to: ClientId, id: RequestId, request: &Request<'_>, keeper: &mut dyn Keeper) {
        let result = match *request {
            Request::RelayLog => return self.answer(to, id, Ok(Answer::Log(noted().as_bytes()))),
            Request::Define { config } => keeper.define(Kept::Domain, config),
            Request::Undefine { domain } => keeper.undefine(Kept::Domain, domain),
            Request::Pools(Pools::Define { config }) => keeper.define(Kept::Pool, config),
            Request::Pools(Pools::Undefine { pool }) => keeper.undefine(Kept::Pool, pool),
            Request::Definition { after } => {
                return self.definition(to, id, keeper.after(Kept::Domain, after));
            }
            Request::Setting { index } => {
                let found = usize::try_from(index).ok().and_then(|index| self.settings.get(index)).cloned();
                let setting = found.as_ref().map(|(name, value)| Setting { name, value: value.as_deref() });
                return self.answer(to, id, Ok(Answer::Setting(setting)));
            }
            Request::Pools(Pools::Definition { after }) => {
                return self.definition(to, id, keeper.after(Kept::Pool, after));
            }
            _ => Err(Failure::Unsupported("this request".into())),
        };
        self.answer(to, id, result.map(|()| Answer::Done));
    }

    fn definition(&mut self, to: ClientId, id: RequestId, found: Result<Option<(String, Vec<u8>)>, Failure>) {
        match found {
            Ok(found) => {
                let definition = found.as_ref().map(|(name, config)| Definition { name, config });
                self.answer(to, id, Ok(Answer::Definition(definition)));
            }
            Err(failure) => self.answer(to, id, Err(failure)),
        }
    }
}
