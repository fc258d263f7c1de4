//! Security labels and the policy about them. Source: `xen/xsm/flask_op.h`.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::command::{Command, Union, abi_commands};
use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header =
    Header { path: "xen/xsm/flask_op.h", structs: STRUCTS, constants: CONSTANTS };

pub(super) const VERSION: Header =
    Header { path: "xen/xsm/flask_op.h", structs: &[], constants: version::NUMBERS };

abi_structs! {
    /// The argument of the `xsm_op` hypercall.
    struct FlaskOp = "struct xen_flask_op", 40 {
        @0 cmd: u32,
        /// [`INTERFACE_VERSION`].
        @4 interface_version: u32,
        @8 u: Union<4>,
    }

    /// A policy.
    struct Load = "struct xen_flask_load", 16 {
        /// The address of its bytes.
        @0 buffer: u64,
        @8 size: u32,
        @12 _pad: [u8; 4],
    }

    /// Whether the policy is enforced.
    struct SetEnforce = "struct xen_flask_setenforce", 4 {
        @0 enforcing: u32,
    }

    /// A label, and its number.
    struct SidContext = "struct xen_flask_sid_context", 16 {
        @0 sid: u32,
        /// Bytes of the text, or of the memory for it.
        @4 size: u32,
        /// The address of the text.
        @8 context: u64,
    }

    /// What of the machine has a label.
    struct Ocontext = "struct xen_flask_ocontext", 24 {
        /// What kind.
        @0 ocon: u32,
        @4 sid: u32,
        @8 low: u64,
        @16 high: u64,
    }

    /// A domain's new label.
    struct Relabel = "struct xen_flask_relabel", 8 {
        @0 domid: u32,
        @4 sid: u32,
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Command<FlaskOp, T> {
    /// The hypercall's argument that asks for this command.
    #[must_use]
    pub fn ask(&self, argument: &T) -> FlaskOp {
        FlaskOp { cmd: self.number(), interface_version: INTERFACE_VERSION, u: Union::of(argument) }
    }

    /// The command's argument after Xen filled in its answer.
    #[must_use]
    pub fn answer(&self, call: &FlaskOp) -> T {
        call.u.read()
    }
}

abi_commands! { FlaskOp {
    LOAD: Load = 1 => "FLASK_LOAD";
    GETENFORCE: () = 2 => "FLASK_GETENFORCE";
    SETENFORCE: SetEnforce = 3 => "FLASK_SETENFORCE";
    CONTEXT_TO_SID: SidContext = 4 => "FLASK_CONTEXT_TO_SID";
    SID_TO_CONTEXT: SidContext = 5 => "FLASK_SID_TO_CONTEXT";
    POLICYVERS: () = 10 => "FLASK_POLICYVERS";
    ADD_OCONTEXT: Ocontext = 21 => "FLASK_ADD_OCONTEXT";
    DEL_OCONTEXT: Ocontext = 22 => "FLASK_DEL_OCONTEXT";
    RELABEL_DOMAIN: Relabel = 24 => "FLASK_RELABEL_DOMAIN";
} }

mod version {
    use super::abi_constants;

    abi_constants! {
        const INTERFACE_VERSION: u32 = 1 => "XEN_FLASK_INTERFACE_VERSION";
    }

    pub(in crate::abi) const NUMBERS: &[crate::abi::table::Constant] = CONSTANTS;
}

pub use version::INTERFACE_VERSION;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_its_header_and_its_argument() {
        let call = RELABEL_DOMAIN.ask(&Relabel { domid: 7, sid: 12 });
        let bytes = call.as_bytes();
        assert_eq!(bytes[..16], [24, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 12, 0, 0, 0]);
        assert!(bytes[16..].iter().all(|byte| *byte == 0));
        assert_eq!(RELABEL_DOMAIN.answer(&call).sid, 12);
    }
}
