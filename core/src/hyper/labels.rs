//! Security labels, and the policy that says what domains with them may do.
//! Sources: `xen/xsm/flask_op.h`; numbers of resources and of the first labels as in Xen's `xsm/flask`.
#![forbid(unsafe_code)]

use alloc::string::String;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::{DomId, Result};

/// What to say where there are none.
pub const NO_LABELS: &str = "Xen has no security labels: it was built or started without XSM/FLASK";

/// The most bytes of a label.
pub const LABEL: usize = 255;

/// The label that a domain has when nobody said which: `domU` of the labels that are in every policy.
pub const USUAL_LABEL: u32 = 12;

/// What of the machine can have a label. Each is a range, both ends in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Labelled {
    /// Interrupts.
    Irq,
    /// I/O ports.
    IoPort,
    /// Frames of device memory.
    IoMem,
    /// PCI devices: segment, bus, device and function in one number.
    Pci,
}

impl Labelled {
    /// Xen's number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Irq => 1,
            Self::IoPort => 2,
            Self::IoMem => 3,
            Self::Pci => 4,
        }
    }
}

/// Labels. All answer `ENOSYS` when Xen was built or started without FLASK.
pub trait Labels {
    /// Whether the policy is enforced. Otherwise Xen only writes down what it would have refused.
    fn enforcing(&self) -> Result<bool>;
    /// Says whether it is.
    fn set_enforcing(&self, enforcing: bool) -> Result<()>;
    /// The newest version of the format that Xen reads policies in.
    fn policy_version(&self) -> Result<u32>;
    /// Puts a policy in force.
    fn load_policy(&self, policy: &[u8]) -> Result<()>;
    /// The number of a label of at most [`LABEL`] bytes; `EINVAL` when the policy does not have it.
    fn label_number(&self, label: &str) -> Result<u32>;
    /// The label with this number.
    fn label_text(&self, number: u32) -> Result<String>;
    /// Gives a domain another label.
    fn label_domain(&self, domid: DomId, number: u32) -> Result<()>;
    /// Gives a part of the machine a label, or takes it away.
    fn label_resource(&self, what: Labelled, first: u64, last: u64, number: Option<u32>) -> Result<()>;
}
