//! The control page: offsets, and what it says about where the rings lie.

use alloc::vec::Vec;
use core::fmt;
use core::mem::offset_of;

use crate::abi::io::vchan::{GRANTS_OFFSET, RingShared, VchanInterface as Layout};
use crate::hyper::GrantRef;
use crate::shared::{PAGE_SIZE, Page};

const LEFT: usize = offset_of!(Layout, left);
const RIGHT: usize = offset_of!(Layout, right);

pub(super) const LEFT_CONS: usize = LEFT + offset_of!(RingShared, cons);
pub(super) const LEFT_PROD: usize = LEFT + offset_of!(RingShared, prod);
pub(super) const RIGHT_CONS: usize = RIGHT + offset_of!(RingShared, cons);
pub(super) const RIGHT_PROD: usize = RIGHT + offset_of!(RingShared, prod);
pub(super) const LEFT_ORDER: usize = offset_of!(Layout, left_order);
pub(super) const RIGHT_ORDER: usize = offset_of!(Layout, right_order);
pub(super) const CLI_LIVE: usize = offset_of!(Layout, cli_live);
pub(super) const SRV_LIVE: usize = offset_of!(Layout, srv_live);
pub(super) const CLI_NOTIFY: usize = offset_of!(Layout, cli_notify);
pub(super) const SRV_NOTIFY: usize = offset_of!(Layout, srv_notify);
pub(super) const GRANTS: usize = GRANTS_OFFSET;

/// The client or the server has gone.
pub(super) const GONE: u8 = 0;
/// The client or the server is there.
pub(super) const LIVE: u8 = 1;
/// The client has not come yet.
pub(super) const AWAITED: u8 = 2;

/// Bytes of a page, as a power of two.
pub(super) const PAGE_ORDER: u16 = 12;

/// The largest ring, as a power of two in bytes.
pub const MAX_ORDER: u16 = 20;

/// Where the bytes of one ring lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// 1024 bytes in the control page.
    Small,
    /// 2048 bytes in the control page.
    Large,
    /// So many pages of their own, a power of two.
    Pages(usize),
}

impl Place {
    /// The place of a ring in so many pages of its own; `None` when rings do not have as many.
    pub(super) const fn of_pages(count: usize) -> Option<Self> {
        if count.is_power_of_two() && count <= 1 << (MAX_ORDER - PAGE_ORDER) {
            Some(Self::Pages(count))
        } else {
            None
        }
    }

    pub(super) const fn of_order(order: u16) -> Option<Self> {
        match order {
            10 => Some(Self::Small),
            11 => Some(Self::Large),
            PAGE_ORDER..=MAX_ORDER => Some(Self::Pages(1 << (order - PAGE_ORDER))),
            _ => None,
        }
    }

    pub(super) fn order(self) -> u16 {
        match self {
            Self::Small => 10,
            Self::Large => 11,
            // A power of two up to 256, see above.
            Self::Pages(count) => (0..MAX_ORDER).find(|order| count >> order == 1).unwrap_or(0) + PAGE_ORDER,
        }
    }

    pub(super) const fn pages(self) -> usize {
        match self {
            Self::Small | Self::Large => 0,
            Self::Pages(count) => count,
        }
    }

    /// Where in the control page it starts; its end for a ring that lies elsewhere.
    pub(super) const fn offset(self) -> usize {
        match self {
            Self::Small => 1024,
            Self::Large => 2048,
            Self::Pages(_) => PAGE_SIZE,
        }
    }
}

/// Whether two rings and their grants have places that do not overlap.
pub(super) fn fits(left: Place, right: Place) -> bool {
    let grants_end = GRANTS + (left.pages() + right.pages()) * size_of::<u32>();
    let apart = left.pages() + right.pages() > 0 || left != right;
    apart && grants_end <= left.offset().min(right.offset())
}

/// Why a control page is none that a client could use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferError {
    /// Rings of such sizes, as powers of two, do not exist or do not go together.
    Orders {
        /// The client's to write.
        left: u16,
        /// The client's to read.
        right: u16,
    },
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Orders { left, right } = self;
        write!(f, "the server offers rings of 2^{left} and 2^{right} bytes, which is no vchan")
    }
}

impl core::error::Error for OfferError {}

/// What a server offers in its control page: a copy, which does not change any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub(super) left: Place,
    pub(super) right: Place,
    grants: Vec<GrantRef>,
}

impl Offer {
    /// Reads it.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn read(control: &Page) -> Result<Self, OfferError> {
        let mut orders = [0; 4];
        control.read(LEFT_ORDER, &mut orders);
        let [left @ .., a, b] = orders;
        let (left, right) = (u16::from_ne_bytes(left), u16::from_ne_bytes([a, b]));
        let bad = OfferError::Orders { left, right };
        let places = Place::of_order(left).zip(Place::of_order(right));
        let (left, right) = places.filter(|(left, right)| fits(*left, *right)).ok_or(bad)?;
        let grants = (0..left.pages() + right.pages()).map(|index| {
            let mut word = [0; 4];
            control.read(GRANTS + index * size_of::<u32>(), &mut word);
            GrantRef(u32::from_ne_bytes(word))
        });
        Ok(Self { left, right, grants: grants.collect() })
    }

    /// The pages that the client writes, in order; none for a ring in the control page.
    #[must_use]
    pub fn left(&self) -> &[GrantRef] {
        self.grants.get(..self.left.pages()).unwrap_or_default()
    }

    /// The pages that the client reads, in order; none for a ring in the control page.
    #[must_use]
    pub fn right(&self) -> &[GrantRef] {
        self.grants.get(self.left.pages()..).unwrap_or_default()
    }
}
