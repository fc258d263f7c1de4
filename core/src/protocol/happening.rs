//! What happens to domains, as the stream of [`super::Request::Events`] tells it: one frame for each.

use alloc::string::String;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::DeviceChange;
use crate::devices::Class;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Happening {
    /// Its number. The first since the control domain began has 1, and each next one 1 more.
    pub serial: u64,
    /// How long ago it was when it was sent, in nanoseconds.
    pub ago_ns: u64,
    /// To which domain, when that has an id.
    pub domid: Option<u16>,
    /// That domain's name.
    pub name: String,
    /// Its UUID, in the order in which it is printed.
    pub uuid: [u8; 16],
    /// What.
    pub what: What,
}

impl Happening {
    /// That what comes behind the one with this number is new.
    pub(crate) const fn now(serial: u64) -> Self {
        Self { serial, ago_ns: 0, domid: None, name: String::new(), uuid: [0; 16], what: What::Now }
    }
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum What {
    /// It was made, and can run. Again after each restart.
    Created,
    /// Its kernel spoke to XenStore for the first time.
    Booted,
    /// It was paused.
    Paused,
    /// It goes on.
    Unpaused,
    /// It stopped by itself.
    Stopped {
        /// Why, as Xen's number.
        reason: u8,
    },
    /// It had suspended itself and goes on.
    Resumed,
    /// It has another name now, which is the one beside this.
    Renamed {
        /// The one it had.
        from: String,
    },
    /// Something became of a device of it.
    Device {
        /// What device.
        class: Class,
        /// Its number.
        id: u32,
        /// What became of it.
        change: DeviceChange,
    },
    /// Nothing of it is left; its id may come again.
    Gone,
    /// It did not come to run, and nothing of it is left.
    Failed {
        /// Why.
        why: String,
    },
    /// Nothing happened: all that had happened when the request came is told now. What follows is new.
    Now,
    /// So many happenings were forgotten before they could be told, the last of them with this serial number.
    Missed {
        /// How many.
        count: u64,
    },
}
