//! `save` and `restore`; `suspend` and `resume`, which do the same to managed domains; and `migrate`, which does both on
//! two hosts. See `docs/saved.md` for what happens and for the file.

mod file;
mod leave;
mod migrate;
mod pieces;
mod read;
mod restore;
mod save;
mod stream;
mod suspend;

pub(in crate::xm) use migrate::{migrate, receive, said};
pub(in crate::xm) use restore::restore;
pub(super) use restore::{Saved, undeletable};
pub(in crate::xm) use save::save;
pub(in crate::xm) use suspend::{resume, suspend};
pub(super) use suspend::{resume_one, suspend_one};

/// What was said when there were too few or too many operands.
const WRONG_NUMBER: &str = "Wrong number of parameters";

/// What a file of a saved domain begins with.
const SIGNATURE: [u8; 16] = *b"xendless saved\n\0";

/// The version of what follows the signature.
const VERSION: u32 = 1;

/// The most bytes of a configuration.
const CONFIG: usize = 1 << 20;

/// Bytes of the digest behind everything.
const DIGEST: usize = blake3::OUT_LEN;
