//! The messages: a header (`struct ifinfomsg`, `linux/rtnetlink.h`) and attributes (`linux/if_link.h`). Of what the kernel
//! tells only the attributes that matter here are looked into, so what newer kernels say besides does no harm.

use netlink_packet_core::{
    DecodeError, DefaultNla, Emitable, NLA_F_NESTED, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable, NlasIterator, parse_u32,
};

const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;

const ADDRESS: u16 = 1;
const NAME: u16 = 3;
const MTU: u16 = 4;
const MASTER: u16 = 10;
const LINK_INFO: u16 = 18;
const KIND: u16 = 1;
const FAMILIES: u16 = 26;
const INET6: u16 = 10;
const INET6_ADDRESSES: u16 = 8;
const FILTER: u16 = 29;

/// Counters are left out.
const SKIP_STATISTICS: u32 = 1 << 3;
/// No address is made from the hardware's.
const NO_ADDRESSES: u8 = 1;
/// `IFF_UP`.
const UP: u32 = 1;

/// Bytes of `struct ifinfomsg`: family, padding, type (16 bits), index, flags, mask of flags (32 bits each).
const HEADER: usize = 16;

/// Bytes of the longest name.
const NAME_LENGTH: usize = 15;

/// Whether an interface may have this name. A `%` would have the kernel choose one.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let strange = |c: char| matches!(c, '/' | ':' | '%' | '\0') || c.is_whitespace();
    (1..=NAME_LENGTH).contains(&name.len()) && !matches!(name, "." | "..") && !name.contains(strange)
}

/// An interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Link {
    /// Its number, which stays when its name changes.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The longest packet that it takes.
    pub mtu: u32,
    /// The index of the bridge, or the like, that it is a port of.
    pub master: Option<u32>,
    /// It is a bridge.
    pub is_bridge: bool,
    /// It works.
    pub up: bool,
}

/// A question or an order.
#[derive(Clone, Debug)]
pub(super) struct Request {
    kind: u16,
    index: u32,
    flags: u32,
    mask: u32,
    attributes: Vec<DefaultNla>,
}

impl Request {
    pub(super) fn get() -> Self {
        Self::new(GET_LINK, 0).with(number(FILTER, SKIP_STATISTICS))
    }

    pub(super) fn make() -> Self {
        Self::new(NEW_LINK, 0)
    }

    pub(super) fn change(index: u32) -> Self {
        Self::new(NEW_LINK, index)
    }

    fn new(kind: u16, index: u32) -> Self {
        Self { kind, index, flags: 0, mask: 0, attributes: Vec::new() }
    }

    pub(super) fn with(mut self, attribute: DefaultNla) -> Self {
        self.attributes.push(attribute);
        self
    }

    pub(super) fn up(self, up: bool) -> Self {
        Self { flags: if up { UP } else { 0 }, mask: UP, ..self }
    }

    pub(super) fn bytes(&self, sequence: u32, flags: u16) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.sequence_number = sequence;
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(self));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }
}

impl NetlinkSerializable for &Request {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        HEADER + self.attributes.as_slice().buffer_len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let Some((header, attributes)) = buffer.split_at_mut_checked(HEADER) else { return };
        let words = [0, self.index, self.flags, self.mask].map(u32::to_ne_bytes);
        header.copy_from_slice(words.as_flattened());
        self.attributes.as_slice().emit(attributes);
    }
}

/// What the kernel tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Link(Link),
    Other,
}

impl NetlinkDeserializable for Told {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        if header.message_type != NEW_LINK {
            return Ok(Self::Other);
        }
        let (fixed, attributes) = payload
            .split_at_checked(HEADER)
            .ok_or_else(|| DecodeError::from("too short for an interface"))?;
        let word = |at: usize| parse_u32(fixed.get(at..at + 4).unwrap_or_default());
        let mut link = Link { index: word(4)?, up: word(8)? & UP != 0, ..Link::default() };
        for attribute in NlasIterator::new(attributes) {
            let attribute = attribute?;
            let value = attribute.value();
            match attribute.kind() {
                NAME => link.name = text(value),
                MTU => link.mtu = parse_u32(value)?,
                MASTER => link.master = Some(parse_u32(value)?),
                LINK_INFO => link.is_bridge = is_bridge(value)?,
                _ => {}
            }
        }
        Ok(Self::Link(link))
    }
}

fn is_bridge(info: &[u8]) -> Result<bool, DecodeError> {
    for attribute in NlasIterator::new(info) {
        let attribute = attribute?;
        if attribute.kind() == KIND {
            return Ok(text(attribute.value()) == "bridge");
        }
    }
    Ok(false)
}

/// A text that ends with a zero byte.
fn text(value: &[u8]) -> String {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

pub(super) fn name(name: &str) -> DefaultNla {
    word(NAME, name)
}

/// A hardware address, of which the bits matter that say that it is one's own and nobody else's.
pub(super) fn address([first, rest @ ..]: [u8; 6]) -> DefaultNla {
    DefaultNla::new(ADDRESS, [&[first & !1 | 2], &rest[..]].concat())
}

pub(super) fn mtu(bytes: u32) -> DefaultNla {
    number(MTU, bytes)
}

pub(super) fn master(index: u32) -> DefaultNla {
    number(MASTER, index)
}

/// A new interface of some kind.
pub(super) fn kind(name: &str) -> DefaultNla {
    nested(LINK_INFO, &[word(KIND, name)])
}

/// An interface without addresses that the kernel makes.
pub(super) fn no_address() -> DefaultNla {
    let mode = DefaultNla::new(INET6_ADDRESSES, vec![NO_ADDRESSES]);
    nested(FAMILIES, &[nested(INET6, &[mode])])
}

fn number(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_ne_bytes().to_vec())
}

fn word(kind: u16, value: &str) -> DefaultNla {
    DefaultNla::new(kind, [value.as_bytes(), &[0]].concat())
}

fn nested(kind: u16, inside: &[DefaultNla]) -> DefaultNla {
    let mut bytes = vec![0; inside.buffer_len()];
    inside.emit(&mut bytes);
    DefaultNla::new(kind | NLA_F_NESTED, bytes)
}
