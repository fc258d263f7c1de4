//! Requests and their answers.

mod line;
mod streams;

use std::collections::BTreeMap;
use std::sync::Mutex;

use xendless_core::config::{DomainConfig, List, Uuid};
use xendless_core::devices::Class;
use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::frame::{self, MAX_MESSAGE};
use xendless_core::protocol::resources::{Adjust, CpuRow, Machine, NodeRow, Page, Setting};
use xendless_core::protocol::{
    Answer, Created, Definition, DevicePage, Devices, Down, Failure, File, Happening, Host, Image, Labels,
    Pools, Request, RequestId, Row, Up, What,
};

use self::line::line;
use crate::server::{Connection, Seen};
use crate::world::{Fault, World, happening, host, row};

/// The id of a domain that is made.
pub(crate) const NEW: u16 = 42;

pub(crate) struct Serving<'a> {
    connection: Connection,
    world: &'a Mutex<World>,
    seen: &'a Seen,
    fault: Fault,
    open: BTreeMap<RequestId, Open>,
}

/// A request without its answer.
enum Open {
    /// A new domain's files are to come: these, the first of them next.
    Create {
        name: String,
        wanted: Vec<(File, Image)>,
        bytes: Vec<u8>,
        /// What was saved of it comes behind them.
        saved: bool,
    },
    /// What was saved of a new domain is to come.
    Restore {
        name: String,
        bytes: Vec<u8>,
    },
    /// What is saved of a domain, of which this is left, and the domain if it is to end then.
    Save {
        rest: Vec<u8>,
        ends: Option<u16>,
    },
    /// A text that is on its way down; behind that of a console more may come.
    Text {
        rest: Vec<u8>,
        console: bool,
    },
    Console,
    Wait,
    /// What happens, told when there is credit.
    Events(Vec<Happening>),
    /// A policy is to come, of so many bytes.
    Policy(Vec<u8>, usize),
}

impl<'a> Serving<'a> {
    pub(crate) fn new(connection: Connection, world: &'a Mutex<World>, seen: &'a Seen, fault: Fault) -> Self {
        Self { connection, world, seen, fault, open: BTreeMap::new() }
    }

    /// Takes one message. Whether the conversation goes on.
    pub(crate) fn turn(&mut self) -> bool {
        let Some(body) = self.connection.receive() else { return false };
        match frame::parse(&body).unwrap() {
            Up::Request { id, request } => {
                self.seen.note(line(&request));
                self.misbehaves(id);
                self.request(id, request)
            }
            Up::Data { id, bytes } => self.data(id, bytes),
            Up::Credit { id, bytes } => {
                self.credit(id, bytes);
                true
            }
            Up::Cancel { id } => {
                self.seen.note("cancel".to_owned());
                let late = self.world.lock().unwrap().too_late;
                let result =
                    if late { Ok(Answer::Created(Created { domid: NEW })) } else { Err(Failure::Cancelled) };
                if late {
                    self.world.lock().unwrap().rows.push(row(NEW, "late", DomainFlags::RUNNING));
                }
                if self.open.remove(&id).is_some() {
                    self.answer(id, result);
                }
                true
            }
            Up::Hello(_) => unreachable!("it came already"),
        }
    }

    /// Misbehaves instead of an answer, if it is to.
    fn misbehaves(&mut self, id: RequestId) {
        let whole = {
            let mut bytes = Vec::new();
            frame::append(&mut bytes, &Down::Answer { id, result: Ok(Answer::Done) }).unwrap();
            bytes
        };
        match self.fault {
            Fault::Garbage => self.connection.raw(&[5, 0, 0, 0, 99, 1, 2, 3, 4]),
            Fault::Endless => self.connection.raw(&u32::try_from(MAX_MESSAGE + 1).unwrap().to_le_bytes()),
            Fault::HalfAnswer => self.connection.raw(&whole[..whole.len() - 1]),
            Fault::WrongAnswer => self.answer(id, Ok(Answer::Definition(None))),
            _ => {}
        }
    }

    fn answer(&mut self, id: RequestId, result: Result<Answer<'_>, Failure>) {
        self.connection.send(&Down::Answer { id, result });
    }

    fn request(&mut self, id: RequestId, request: Request<'_>) -> bool {
        let hostile =
            [Fault::Garbage, Fault::Endless, Fault::HalfAnswer, Fault::WrongAnswer, Fault::NoAnswer];
        if hostile.contains(&self.fault) {
            return false;
        }
        let refused = (self.world.lock().unwrap().refuse)(&request);
        if let Some(failure) = refused {
            self.answer(id, Err(failure));
            return true;
        }
        if let Request::Console { domain } = request
            && self.find(domain).is_none()
        {
            self.answer(id, Err(Failure::NoSuchDomain));
            return true;
        }
        match request {
            Request::Create { config, kernel, ramdisk, saved, .. } => {
                self.create(id, config, (kernel, ramdisk), saved);
            }
            Request::Save { domain, keep } => {
                let ends = self.find(domain).map(|row| row.domid).filter(|_| !keep);
                let world = self.world.lock().unwrap();
                let rest = world.saved.clone();
                let open = if world.stays_awake { Open::Wait } else { Open::Save { rest, ends } };
                drop(world);
                self.open.insert(id, open);
            }
            Request::Console { .. } | Request::Dmesg { .. } | Request::Log | Request::Dump { .. } => {
                self.stream(id, &request);
            }
            Request::Wait { domain, .. } => {
                if self.world.lock().unwrap().stubborn {
                    self.open.insert(id, Open::Wait);
                } else {
                    let gone = domain.to_owned();
                    self.world.lock().unwrap().rows.retain(|row| row.domid.to_string() != gone);
                    self.answer(id, Ok(Answer::Done));
                }
            }
            Request::List { from } => self.list(id, from),
            Request::Events { after } => self.events(id, after),
            Request::Definition { after } => {
                let world = self.world.lock().unwrap();
                let mut behind = world.definitions.range(after.to_owned()..);
                let found = behind.find(|(n, _)| *n != after).map(|(n, c)| {
                    let foreign = world.foreign.contains(&n.as_str());
                    (n.clone(), if foreign { vec![0xff] } else { c.encode().unwrap() })
                });
                drop(world);
                let found = found.as_ref().map(|(name, config)| Definition { name, config });
                self.answer(id, Ok(Answer::Definition(found)));
            }
            Request::Config { domain } => {
                let bytes = self.find(domain).and_then(|row| {
                    Some(self.world.lock().unwrap().configs.get(&row.domid)?.encode().unwrap())
                });
                self.answer(
                    id,
                    bytes.as_ref().map(|bytes| Answer::Config(bytes)).ok_or(Failure::NoSuchDomain),
                );
            }
            Request::RelayLog => self.answer(id, Ok(Answer::Log(b"xmd: is \x1b there\n"))),
            Request::Host => {
                let scheduler = self.world.lock().unwrap().scheduler.to_owned();
                self.answer(id, Ok(Answer::Host(Box::new(Host { scheduler, ..host() }))));
            }
            Request::Pools(Pools::Definition { after }) => {
                let found = self
                    .world
                    .lock()
                    .unwrap()
                    .kept_pools
                    .range(after.to_owned()..)
                    .find(|(n, _)| *n != after)
                    .map(|(n, c)| (n.clone(), c.encode().unwrap()));
                let found = found.as_ref().map(|(name, config)| Definition { name, config });
                self.answer(id, Ok(Answer::Definition(found)));
            }
            Request::Pools(request) => {
                let answer = crate::pool::answer(&mut self.world.lock().unwrap(), &request);
                self.answer(id, answer);
            }
            Request::Labels(Labels::Load { size }) if self.world.lock().unwrap().labels.is_some() => {
                self.open.insert(id, Open::Policy(Vec::new(), usize::try_from(size).unwrap()));
                self.connection.send(&Down::Credit { id, bytes: 100 });
            }
            Request::Labels(request) => {
                let answer = crate::security::answer(&mut self.world.lock().unwrap(), &request);
                self.answer(id, answer);
            }
            Request::Sched(request) => {
                let found = Request::Sched(request).domain().and_then(|domain| self.find(domain));
                let answer = found.ok_or(Failure::NoSuchDomain);
                let answer = answer
                    .and_then(|row| crate::sched::answer(&mut self.world.lock().unwrap(), &row, &request));
                self.answer(id, answer);
            }
            Request::Define { config } => {
                let config = DomainConfig::decode(config).unwrap();
                self.world.lock().unwrap().definitions.insert(config.name.to_string(), config);
                self.answer(id, Ok(Answer::Done));
            }
            Request::Undefine { domain } => {
                let removed = self.world.lock().unwrap().definitions.remove(domain);
                self.answer(id, removed.map(|_| Answer::Done).ok_or(Failure::NoSuchDomain));
            }
            Request::Vcpus { domain, from } => self.vcpus(id, domain, from),
            Request::Machine(what) => self.machine(id, &what),
            Request::Setting { index } => {
                let settings = [("socket", Some("/run/x")), ("group", None)];
                let found = settings.get(usize::try_from(index).unwrap());
                let setting = found.map(|(name, value)| Setting { name, value: *value });
                self.answer(id, Ok(Answer::Setting(setting)));
            }
            Request::Devices(Devices::List { domain, class, from }) => self.devices(id, domain, class, from),
            Request::Adjust { domain, what } => self.adjust(id, domain, what),
            Request::Find { domain } => {
                let found = self
                    .find(domain)
                    .map(|row| Answer::Rows { rows: List::new("rows", vec![row]).unwrap(), next: None });
                self.answer(id, found.ok_or(Failure::NoSuchDomain));
            }
            other => {
                let known = other.domain().and_then(|domain| self.find(domain)).is_some();
                self.answer(id, if known { Ok(Answer::Done) } else { Err(Failure::NoSuchDomain) });
            }
        }
        true
    }

    /// Two virtual CPUs a page, so that there are several.
    fn vcpus(&mut self, id: RequestId, domain: &str, from: u32) {
        let known = self.find(domain).is_some();
        let mut rows = self.world.lock().unwrap().vcpus.clone();
        rows.retain(|row| row.vcpu >= from);
        let next = (rows.len() > 2).then_some(from + 2);
        rows.truncate(2);
        let page = Page { rows: List::new("rows", rows).unwrap(), next };
        self.answer(id, if known { Ok(Answer::Vcpus(page)) } else { Err(Failure::NoSuchDomain) });
    }

    /// Two devices a page, so that there are several.
    fn devices(&mut self, id: RequestId, domain: &str, class: Class, from: u32) {
        let known = self.find(domain).is_some();
        let world = self.world.lock().unwrap();
        let mut rows = if class == Class::Vbd { world.disks.clone() } else { world.vifs.clone() };
        drop(world);
        rows.retain(|row| row.id >= from);
        let next = rows.get(2).map(|row| row.id);
        rows.truncate(2);
        let page = DevicePage { rows: List::new("rows", rows).unwrap(), next };
        self.answer(id, if known { Ok(Answer::Devices(page)) } else { Err(Failure::NoSuchDomain) });
    }

    fn machine(&mut self, id: RequestId, what: &Machine<'_>) {
        let answer = match *what {
            Machine::Cpus { from } => {
                let rows = vec![CpuRow {
                    cpu: from,
                    core: Some(from / 2),
                    socket: (from < 3).then_some(0),
                    node: Some(0),
                }];
                let next = (from < 3).then_some(from + 1);
                Answer::Cpus(Page { rows: List::new("rows", rows).unwrap(), next })
            }
            Machine::Nodes { from } => {
                let distances = vec![Some(if from == 0 { 10 } else { 20 }), None];
                let row = NodeRow {
                    node: from,
                    total_kib: 2 << 20,
                    free_kib: 1 << 20,
                    low_kib: 512 << 10,
                    distances: List::new("distances", distances).unwrap(),
                };
                let next = (from == 0).then_some(1);
                Answer::Nodes(Page { rows: List::new("rows", vec![row]).unwrap(), next })
            }
            Machine::Keys { .. } => Answer::Done,
        };
        self.answer(id, Ok(answer));
    }

    fn adjust(&mut self, id: RequestId, domain: &str, what: Adjust<'_>) {
        let Some(found) = self.find(domain) else { return self.answer(id, Err(Failure::NoSuchDomain)) };
        let mut world = self.world.lock().unwrap();
        let balloons = world.balloons;
        let row = world.rows.iter_mut().find(|row| row.domid == found.domid).unwrap();
        match what {
            Adjust::Memory { kib } if balloons => row.memory_kib = kib,
            Adjust::Reset => row.domid = NEW,
            _ => {}
        }
        drop(world);
        let done = if what == Adjust::Reset { Answer::Created(Created { domid: NEW }) } else { Answer::Done };
        self.answer(id, Ok(done));
    }

    fn find(&self, domain: &str) -> Option<Row> {
        let world = self.world.lock().unwrap();
        let uuid = domain.parse().ok().map(|uuid: Uuid| uuid.handle());
        let is = |row: &&Row| row.name == domain || row.domid.to_string() == domain || Some(row.uuid) == uuid;
        world.rows.iter().find(is).cloned()
    }

    /// Two domains a page, so that there are several.
    fn list(&mut self, id: RequestId, from: u16) {
        let mut rows: Vec<Row> = self.world.lock().unwrap().rows.clone();
        rows.retain(|row| row.domid >= from);
        rows.truncate(2);
        let next = rows.last().filter(|_| rows.len() == 2).map(|row| row.domid + 1);
        let next = if self.fault == Fault::Circle { Some(0) } else { next };
        self.answer(id, Ok(Answer::Rows { rows: List::new("rows", rows).unwrap(), next }));
    }

    /// What comes down waits for credit.
    fn stream(&mut self, id: RequestId, request: &Request<'_>) {
        let world = self.world.lock().unwrap();
        let dump = matches!(request, Request::Dump { .. });
        let rest = if dump { world.dump.clone() } else { world.text.clone() };
        drop(world);
        let console = matches!(request, Request::Console { .. });
        self.open.insert(id, Open::Text { rest, console });
    }

    /// What the test has happen, in the past or just now.
    fn events(&mut self, id: RequestId, after: Option<u64>) {
        let mut told = self.world.lock().unwrap().happenings.clone();
        let now = happening(0, "", What::Now);
        told.insert(if after.is_some() { told.len() } else { 0 }, now);
        self.open.insert(id, Open::Events(told));
    }
}
