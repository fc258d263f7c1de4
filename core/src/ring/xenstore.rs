//! The XenStore ring page. Sources: `struct xenstore_domain_interface` of `xen/io/xs_wire.h` and
//! `docs/misc/xenstore-ring.txt`.

use core::fmt;
use core::mem::offset_of;
use core::ops::Deref;

use super::stream::byte_stream;
use super::{BadIndex, Receiver, Sender};
use crate::abi::io::xs_wire::{
    self, XENSTORE_CONNECTED as CONNECTED, XENSTORE_RECONNECT as RECONNECT, XENSTORE_RING_SIZE as RING_SIZE,
    XenstoreDomainInterface as Layout,
};
use crate::shared::Page;
use bitflags::bitflags;

const REQ: usize = offset_of!(Layout, req);
const RSP: usize = offset_of!(Layout, rsp);
const REQ_CONS: usize = offset_of!(Layout, req_cons);
const REQ_PROD: usize = offset_of!(Layout, req_prod);
const RSP_CONS: usize = offset_of!(Layout, rsp_cons);
const RSP_PROD: usize = offset_of!(Layout, rsp_prod);
const SERVER_FEATURES: usize = offset_of!(Layout, server_features);
const CONNECTION: usize = offset_of!(Layout, connection);
const ERROR: usize = offset_of!(Layout, error);

bitflags! {
    /// What a server offers on a ring (`XENSTORE_SERVER_FEATURE_*`).
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Features: u32 {
        /// The guest may ask for a fresh start of the connection.
        const RECONNECTION = xs_wire::XENSTORE_SERVER_FEATURE_RECONNECTION;
        /// The page tells why the server gave up.
        const ERROR = xs_wire::XENSTORE_SERVER_FEATURE_ERROR;
        /// A watch may be limited in depth.
        const WATCH_DEPTH = xs_wire::XENSTORE_SERVER_FEATURE_WATCHDEPTH;
        /// Permissions may name every domain at once.
        const DOMID_ANY = xs_wire::XENSTORE_SERVER_FEATURE_DOMID_ANY;
        const _ = !0;
    }
}

/// Why a server gave a connection up (`XENSTORE_ERROR_*`). Unknown numbers survive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConnectionError(pub u32);

impl ConnectionError {
    /// It did not.
    pub const NONE: Self = Self(xs_wire::XENSTORE_ERROR_NONE);
    /// The event channel does not work.
    pub const COMM: Self = Self(xs_wire::XENSTORE_ERROR_COMM);
    /// An index was impossible.
    pub const RINGIDX: Self = Self(xs_wire::XENSTORE_ERROR_RINGIDX);
    /// A message was too long.
    pub const PROTO: Self = Self(xs_wire::XENSTORE_ERROR_PROTO);
}

impl fmt::Debug for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self::COMM => f.write_str("communication"),
            Self::RINGIDX => f.write_str("ring index"),
            Self::PROTO => f.write_str("protocol"),
            Self(other) => write!(f, "error {other}"),
        }
    }
}

/// The server's end: reads requests, writes replies and events.
#[derive(Debug)]
pub struct ServerEnd<P> {
    page: P,
    features: Features,
    input: Receiver<REQ, RING_SIZE, REQ_CONS, REQ_PROD>,
    output: Sender<RSP, RING_SIZE, RSP_CONS, RSP_PROD>,
}

impl<P: Deref<Target = Page>> ServerEnd<P> {
    /// Takes a new domain's page: empties both rings and states what the server offers. Bits that the guest
    /// knows may not go away again.
    pub fn introduce(page: P, features: Features) -> Self {
        page.store_u32::<SERVER_FEATURES>(features.bits());
        page.store_u32::<ERROR>(ConnectionError::NONE.0);
        Self { input: Receiver::reset(&page), output: Sender::reset(&page), page, features }
    }

    /// Goes on where an earlier server stopped that offered `features`.
    ///
    /// # Errors
    /// When the indices contradict each other.
    pub fn attach(page: P, features: Features) -> Result<Self, BadIndex> {
        Ok(Self { input: Receiver::attach(&page)?, output: Sender::attach(&page)?, page, features })
    }

    /// Whether the guest asks for a fresh start, if that was offered. All else in the page is void until it got
    /// one.
    pub fn wants_reconnect(&self) -> bool {
        self.features.contains(Features::RECONNECTION) && self.page.load_u32::<CONNECTION>() == RECONNECT
    }

    /// Gives the guest its fresh start; it has to be notified.
    pub fn reconnect(&mut self) {
        self.input = Receiver::reset(&self.page);
        self.output = Sender::reset(&self.page);
        self.page.store_u32::<ERROR>(ConnectionError::NONE.0);
        self.page.store_u32::<CONNECTION>(CONNECTED);
    }

    /// Tells the guest why its connection is given up, if that was offered.
    pub fn give_up(&self, error: ConnectionError) {
        if self.features.contains(Features::ERROR) {
            self.page.store_u32::<ERROR>(error.0);
        }
    }
}

/// The guest's end: writes requests, reads replies and events.
#[derive(Debug)]
pub struct GuestEnd<P> {
    page: P,
    input: Receiver<RSP, RING_SIZE, RSP_CONS, RSP_PROD>,
    output: Sender<REQ, RING_SIZE, REQ_CONS, REQ_PROD>,
}

impl<P: Deref<Target = Page>> GuestEnd<P> {
    /// Goes on from the indices in the page, which need not be zero.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn attach(page: P) -> Result<Self, BadIndex> {
        Ok(Self { input: Receiver::attach(&page)?, output: Sender::attach(&page)?, page })
    }

    /// What the server offers.
    pub fn features(&self) -> Features {
        Features::from_bits_retain(self.page.load_u32::<SERVER_FEATURES>())
    }

    /// Why the server gave up, if it did and says so.
    pub fn error(&self) -> ConnectionError {
        ConnectionError(self.page.load_u32::<ERROR>())
    }

    /// Asks for a fresh start of the connection; the server has to be notified. Nothing else may be done with the
    /// ring until [`GuestEnd::reconnected`]. Only where the server offers [`Features::RECONNECTION`].
    pub fn ask_reconnect(&self) {
        self.page.store_u32::<CONNECTION>(RECONNECT);
    }

    /// Whether the server granted the fresh start; if so, the ring is in use again.
    ///
    /// # Errors
    /// When the new indices contradict each other.
    pub fn reconnected(&mut self) -> Result<bool, BadIndex> {
        if self.page.load_u32::<CONNECTION>() != CONNECTED {
            return Ok(false);
        }
        self.input = Receiver::attach(&self.page)?;
        self.output = Sender::attach(&self.page)?;
        Ok(true)
    }
}

byte_stream!(ServerEnd);
byte_stream!(GuestEnd);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::RingError;
    use embedded_io::{Read, ReadReady, Write, WriteReady};

    fn word(page: &Page, at: usize) -> u32 {
        let mut bytes = [0; 4];
        page.read(at, &mut bytes);
        u32::from_ne_bytes(bytes)
    }

    #[test]
    fn the_page_is_laid_out_as_documented() {
        let page = Page::new();
        let mut server = ServerEnd::introduce(&page, Features::RECONNECTION | Features::ERROR);
        let mut guest = GuestEnd::attach(&page).unwrap();
        guest.write(b"ask").unwrap();
        server.read(&mut [0; 2]).unwrap();
        server.write(b"reply").unwrap();
        guest.read(&mut [0; 4]).unwrap();
        server.give_up(ConnectionError::PROTO);
        guest.ask_reconnect();
        let mut bytes = [0; 5];
        page.read(0, &mut bytes[..3]);
        assert_eq!(&bytes[..3], b"ask");
        page.read(1024, &mut bytes);
        assert_eq!(&bytes, b"reply");
        let words = [2048, 2052, 2056, 2060, 2064, 2068, 2072].map(|at| word(&page, at));
        assert_eq!(words, [2, 3, 4, 5, 3, 1, 3]);
    }

    #[test]
    fn both_ends_talk_through_a_full_turn_of_the_ring() {
        let page = Page::new();
        let mut server = ServerEnd::introduce(&page, Features::empty());
        let mut guest = GuestEnd::attach(&page).unwrap();
        for turn in 0..5u8 {
            assert!(guest.write_ready().unwrap() && !server.read_ready().unwrap());
            assert_eq!(guest.write(&[turn; 700]), Ok(700));
            assert_eq!(guest.write(&[turn; 700]), Ok(324));
            assert!(!guest.write_ready().unwrap());
            assert_eq!(guest.write(&[turn]), Err(RingError::NotReady));
            let mut out = [0xff; 2000];
            assert_eq!(server.read(&mut out), Ok(1024));
            assert_eq!(out[..1024], [turn; 1024]);
        }
    }

    #[test]
    fn a_fresh_start_empties_both_directions() {
        let page = Page::new();
        let mut server = ServerEnd::introduce(&page, Features::RECONNECTION | Features::ERROR);
        let mut guest = GuestEnd::attach(&page).unwrap();
        guest.write(b"half a mess").unwrap();
        server.write(b"unread").unwrap();
        server.give_up(ConnectionError::RINGIDX);
        assert!(!server.wants_reconnect());
        guest.ask_reconnect();
        assert!(server.wants_reconnect() && !guest.reconnected().unwrap());
        server.reconnect();
        assert!(guest.reconnected().unwrap() && !server.wants_reconnect());
        assert!(!guest.read_ready().unwrap() && !server.read_ready().unwrap());
        assert_eq!(guest.error(), ConnectionError::NONE);
        assert_eq!(guest.features(), Features::RECONNECTION | Features::ERROR);
    }

    #[test]
    fn what_is_not_offered_has_no_effect() {
        let page = Page::new();
        let server = ServerEnd::introduce(&page, Features::empty());
        server.give_up(ConnectionError::PROTO);
        let guest = GuestEnd::attach(&page).unwrap();
        guest.ask_reconnect();
        assert!(!server.wants_reconnect());
        assert_eq!(guest.error(), ConnectionError::NONE);
    }

    #[test]
    fn ends_go_on_where_the_indices_stand() {
        let page = Page::new();
        for at in [2048, 2052, 2056, 2060] {
            page.write(at, &(u32::MAX - 1).to_ne_bytes());
        }
        let (mut guest, mut server) =
            (GuestEnd::attach(&page).unwrap(), ServerEnd::attach(&page, Features::empty()).unwrap());
        guest.write(b"over the wrap").unwrap();
        let mut out = [0; 13];
        server.read(&mut out).unwrap();
        assert_eq!(&out, b"over the wrap");
        page.store_u32::<REQ_PROD>(5000);
        assert_eq!(ServerEnd::attach(&page, Features::empty()).err().unwrap().is, 5000);
    }
}
