//! What the server keeps for a connection: its watches, its transactions, and the events it has not read.
//!
//! Events wait in a bounded queue. When it is full, nothing is buffered and nothing is forgotten either: a watch
//! that misses an event is marked, and once there is room one event on the watch's own path stands for all that
//! it missed. The protocol allows events without cause, and clients look again at whatever lies below.
#![forbid(unsafe_code)]

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::path::PathBuf;
use super::perms::Incarnation;
use super::server::{Hold, Open};
use super::state::bytes;
use super::verbs::Answer;
use super::watch::{Subject, Watch};
use super::wire::{Header, Message};
use crate::hyper::DomId;

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) domid: DomId,
    /// Whose rights it has besides its own.
    pub(crate) target: Option<Incarnation>,
    pub(crate) watches: BTreeMap<(Subject, Rc<[u8]>), Rc<Watch>>,
    pub(crate) transactions: BTreeMap<u32, Open>,
    pub(crate) last_transaction: u32,
    /// What its commits last failed at: see [`super::verbs`] on starvation.
    pub(crate) contested: Vec<PathBuf>,
    /// What its request, which was put off, waits for.
    pub(crate) waits: Option<Hold>,
    /// The answer to it, when it was a commit that took its time.
    pub(crate) finished: Option<Answer>,
    /// Whether it stands among those to be named to the transport.
    pub(crate) notified: bool,
    pub(crate) events: Events,
}

impl Connection {
    pub(crate) fn new(domid: DomId) -> Self {
        Self {
            domid,
            target: None,
            watches: BTreeMap::new(),
            transactions: BTreeMap::new(),
            last_transaction: 0,
            contested: Vec::new(),
            waits: None,
            finished: None,
            notified: false,
            events: Events::default(),
        }
    }
}

/// Events that wait to be read.
#[derive(Default, Debug)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    bytes: u32,
    lost: VecDeque<Rc<Watch>>,
}

#[derive(Debug)]
struct Event {
    path: Rc<[u8]>,
    watch: Rc<Watch>,
}

impl Event {
    fn bytes(&self) -> u32 {
        bytes(Header::SIZE + self.shown().len() + self.watch.token.len() + 2)
    }

    fn shown(&self) -> &[u8] {
        self.path.get(self.watch.prefix..).unwrap_or_default()
    }

    fn is(&self, path: &[u8], watch: &Rc<Watch>) -> bool {
        Rc::ptr_eq(&self.watch, watch) && *self.path == *path
    }
}

impl Events {
    /// How many of the newest events are compared with a new one.
    const LOOK_BACK: usize = 32;

    /// Adds an event unless one like it waits already. At most `items` may wait, with `most` bytes.
    pub(crate) fn push(&mut self, path: &Rc<[u8]>, watch: &Rc<Watch>, items: u32, most: u32) {
        let waits = |event: &Event| event.is(path, watch);
        if watch.lost.get() || self.queue.iter().rev().take(Self::LOOK_BACK).any(waits) {
            return;
        }
        let event = Event { path: Rc::clone(path), watch: Rc::clone(watch) };
        if self.is_full(items, most) {
            self.lose(watch);
        } else {
            self.bytes = self.bytes.saturating_add(event.bytes());
            self.queue.push_back(event);
        }
    }

    /// Lets one event stand for all that this watch misses.
    pub(crate) fn lose(&mut self, watch: &Rc<Watch>) {
        watch.lost.set(true);
        self.lost.push_back(Rc::clone(watch));
    }

    pub(crate) fn is_full(&self, items: u32, most: u32) -> bool {
        bytes(self.queue.len()) >= items || self.bytes >= most
    }

    /// The next event to send.
    pub(crate) fn pop(&mut self) -> Option<Message> {
        loop {
            let event = match self.queue.pop_front() {
                Some(event) => {
                    self.bytes = self.bytes.saturating_sub(event.bytes());
                    event
                }
                None => {
                    let watch = self.lost.pop_front()?;
                    watch.lost.set(false);
                    Event { path: watch.subject.as_bytes().into(), watch }
                }
            };
            // WATCH takes no token that could make an event too long.
            if let Ok(message) = Message::event(event.shown(), &event.watch.token) {
                return Some(message);
            }
        }
    }

    /// Whether anything waits for this watch.
    pub(crate) fn has(&self, watch: &Rc<Watch>) -> bool {
        watch.lost.get() || self.queue.iter().any(|event| Rc::ptr_eq(&event.watch, watch))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.lost.is_empty()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets the events of a watch that is no more.
    pub(crate) fn forget(&mut self, watch: &Rc<Watch>) {
        self.lost.retain(|lost| !Rc::ptr_eq(lost, watch));
        self.queue.retain(|event| !Rc::ptr_eq(&event.watch, watch));
        self.bytes = self.queue.iter().map(Event::bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::path::Path;
    use crate::store::server::ConnId;
    use core::cell::Cell;

    fn watch(path: &str, prefix: usize) -> Rc<Watch> {
        let subject = Subject::Path(Path::new(path.as_bytes()).unwrap().to_buf());
        let token = b"t"[..].into();
        Rc::new(Watch {
            conn: ConnId(0),
            number: 0,
            subject,
            token,
            prefix,
            depth: None,
            lost: Cell::new(false),
            gone: Cell::new(false),
        })
    }

    #[test]
    fn equal_events_wait_once_and_relative_watches_get_relative_paths() {
        let mut events = Events::default();
        let (absolute, relative) = (watch("/local/domain/1/a", 0), watch("/local/domain/1/a", 16));
        let path: Rc<[u8]> = b"/local/domain/1/a/b"[..].into();
        for watch in [&absolute, &relative, &absolute] {
            events.push(&path, watch, 10, 1000);
        }
        assert_eq!(events.pop().unwrap().payload(), b"/local/domain/1/a/b\0t\0");
        assert_eq!(events.pop().unwrap().payload(), b"a/b\0t\0");
        assert_eq!(events.pop(), None);
        assert_eq!(events.bytes, 0);
    }

    #[test]
    fn attack_a10_a_full_queue_drops_nothing_but_detail() {
        let mut events = Events::default();
        let watch = watch("/a", 0);
        for name in 0..100u8 {
            events.push(&[b"/a/", &[b'0' + name][..]].concat().into(), &watch, 2, 1000);
        }
        assert_eq!((events.queue.len(), events.lost.len()), (2, 1));
        let seen: Vec<_> =
            core::iter::from_fn(|| events.pop()).map(|event| event.payload().to_vec()).collect();
        assert_eq!(seen, [&b"/a/0\0t\0"[..], b"/a/1\0t\0", b"/a\0t\0"]);
        events.push(&b"/a"[..].into(), &watch, 2, 1000);
        assert_eq!(events.queue.len(), 1);
        events.forget(&watch);
        assert!(events.is_empty());
    }
}
