//! What each sub-command does.

pub(super) mod console;
pub(super) mod control;
pub(super) mod create;
pub(super) mod dump;
pub(super) mod events;
pub(super) mod info;
mod json;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod managed;
pub(super) mod names;
pub(super) mod pool;
pub(super) mod sched;
pub(super) mod shutdown;
pub(super) mod uptime;
pub(super) mod wait;
