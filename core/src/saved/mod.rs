//! Saved domains: what a domain that was suspended is, as a stream of [`Piece`]s from which it is made again.
//!
//! ```text
//! Head   Frames...   Page...   what is particular to its kind...   End
//! ```
//!
//! `Head` says what comes; `Frames` say which frames there are, so that all of them have memory before the first `Page`.
//! Pages of zeros are left out. A PVH domain's frames are its own, and behind them come parameters and the records that
//! Xen has for its virtual CPUs and its platform. What of a PV domain comes from the machine, as the frames in its page
//! tables do, is in the stream as the domain counts, and behind the pages come its shared info page, where
//! it has its list of frames, and its virtual CPUs.
//!
//! Whoever gives the stream may have made it up. Xen checks what it is given of it, and the rest decides nothing but what
//! is in the new domain's memory.
#![forbid(unsafe_code)]

mod frames;
mod list;
pub(crate) mod machine;
mod piece;
mod pv;
mod pvh;
mod save;

pub use frames::{Frame, FrameError};
pub use piece::{BODY, HEADER, Piece, PieceError};
pub use save::{SaveError, Saver};
