//! What those who manage domains and the control domain say to each other.
//!
//! Any ordered, reliable byte stream carries it: the control ring between a management domain and the control
//! domain, and the unix socket between `xm` and `xmd`, which relays. Frames ([`frame`]) hold one postcard message
//! each: [`Up`] from the client, [`Down`] from the server.
//!
//! - First the client says [`Hello`]; the server answers with [`Down::Welcome`], or says what is wrong and closes.
//!   Both sides have to know the same messages exactly, which the [`FINGERPRINT`] of their types shows.
//! - A request has an id that its client chooses, and gets exactly one [`Down::Answer`], whatever happens to it.
//!   Requests run side by side. Messages for an id that has its answer are ignored: they crossed it on the way.
//! - A request may have a stream in each direction: files and typed bytes up, console and logs down. A stream's bytes
//!   need credit that its receiver gave, so one that is not read fills nothing up.
//!
//! Who breaks these rules is cut off; no other connection notices.
#![forbid(unsafe_code)]

mod answer;
mod device;
pub mod dump;
mod failure;
pub mod frame;
mod happening;
mod hello;
mod labels;
mod message;
mod pool;
mod request;
pub mod resources;
mod sched;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Created, Definition, Host, PAGE, Row};
pub use device::{DEVICES, DeviceChange, DevicePage, DeviceRow, Devices};
pub use failure::{Failure, File};
pub use happening::{Happening, What};
pub use hello::{FINGERPRINT, Hello, Rejection, VERSION, Welcome};
pub use labels::{Labels, POLICY, Policy};
pub use message::{Down, RequestId, Up};
pub use pool::{Pool, PoolFailure, Pools};
pub use request::{Image, Request, Until};
pub use sched::{Sched, Sharing};

/// The most bytes of a stream in one message.
pub const CHUNK: usize = 16 << 10;
