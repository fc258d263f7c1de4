//! `migrate` and `migrate-receive`: a domain goes to another host over the pipes of a program, which is `ssh` as a rule.
//!
//! There is never a moment at which both hosts let it run, nor one at which neither has it. `docs/saved.md` says what the
//! two tell each other, and what becomes of the domain when one of them, or what is between them, ends.

mod link;
mod message;
mod program;
mod receive;
mod send;
mod wait;

pub(in crate::xm) use message::said;
pub(in crate::xm) use receive::receive;
pub(in crate::xm) use send::migrate;
