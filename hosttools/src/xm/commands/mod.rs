//! What each sub-command does.

pub(super) mod absent;
pub(super) mod block;
pub(super) mod console;
pub(super) mod control;
pub(super) mod create;
mod definition;
pub(super) mod dump;
pub(super) mod events;
pub(super) mod info;
mod json;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod managed;
pub(super) mod memory;
pub(super) mod names;
pub(super) mod pool;
pub(super) mod prod;
pub(super) mod sched;
pub(super) mod security;
pub(super) mod shutdown;
mod target;
pub(super) mod top;
mod topology;
pub(super) mod uptime;
pub(super) mod vcpu_list;
pub(super) mod vcpus;
pub(super) mod wait;
