//! Security labels.

use alloc::string::String;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::flask::{
    ADD_OCONTEXT, CONTEXT_TO_SID, DEL_OCONTEXT, FlaskOp, GETENFORCE, LOAD, Load, Ocontext, POLICYVERS,
    RELABEL_DOMAIN, Relabel, SETENFORCE, SID_TO_CONTEXT, SetEnforce, SidContext,
};
use xendless_core::abi::hypercall as number;
use xendless_core::hyper::{Call, DomId, HvError, LABEL, Labelled, Labels, Result};

use super::Xen;
use crate::hypercall::hypercall;

impl Labels for Xen {
    fn enforcing(&self) -> Result<bool> {
        plain(Call::PolicyEnforceGet, GETENFORCE.ask(&())).map(|answer| answer != 0)
    }

    fn set_enforcing(&self, enforcing: bool) -> Result<()> {
        let argument = SetEnforce { enforcing: enforcing.into() };
        plain(Call::PolicyEnforceSet, SETENFORCE.ask(&argument)).map(drop)
    }

    fn policy_version(&self) -> Result<u32> {
        let answer = plain(Call::PolicyVersion, POLICYVERS.ask(&()))?;
        Ok(u32::try_from(answer).unwrap_or(u32::MAX))
    }

    fn load_policy(&self, policy: &[u8]) -> Result<()> {
        let size = u32::try_from(policy.len()).map_err(|_| HvError::new(Call::PolicyLoad, Errno::E2BIG))?;
        let buffer = policy.as_ptr().expose_provenance() as u64;
        let mut request = LOAD.ask(&Load { buffer, size, ..Load::ZERO });
        // SAFETY: Xen reads `size` bytes of the policy.
        unsafe { xsm_op(Call::PolicyLoad, &mut request) }.map(drop)
    }

    fn label_number(&self, label: &str) -> Result<u32> {
        let size = u32::try_from(label.len()).map_err(|_| HvError::new(Call::LabelNumber, Errno::E2BIG))?;
        let context = label.as_ptr().expose_provenance() as u64;
        let mut request = CONTEXT_TO_SID.ask(&SidContext { size, context, ..SidContext::ZERO });
        // SAFETY: Xen reads `size` bytes of the label, and writes to the request.
        unsafe { xsm_op(Call::LabelNumber, &mut request) }?;
        Ok(CONTEXT_TO_SID.answer(&request).sid)
    }

    fn label_text(&self, number: u32) -> Result<String> {
        // A terminator stands behind it.
        let mut text = [0_u8; LABEL + 1];
        let context = text.as_mut_ptr().expose_provenance() as u64;
        let size = u32::try_from(text.len()).unwrap_or(0);
        let mut request = SID_TO_CONTEXT.ask(&SidContext { sid: number, size, context });
        // SAFETY: Xen writes at most `size` bytes of text, and to the request.
        unsafe { xsm_op(Call::LabelText, &mut request) }?;
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn label_domain(&self, domid: DomId, number: u32) -> Result<()> {
        let argument = Relabel { domid: domid.0.into(), sid: number };
        plain(Call::LabelDomain, RELABEL_DOMAIN.ask(&argument)).map(drop)
    }

    fn label_resource(&self, what: Labelled, first: u64, last: u64, number: Option<u32>) -> Result<()> {
        let argument = Ocontext { ocon: what.code(), sid: number.unwrap_or(0), low: first, high: last };
        let command = if number.is_some() { ADD_OCONTEXT } else { DEL_OCONTEXT };
        plain(Call::LabelResource, command.ask(&argument)).map(drop)
    }
}

/// Makes a call whose argument holds no address.
fn plain(call: Call, mut request: FlaskOp) -> Result<u64> {
    // SAFETY: the commands that this is used for hold numbers only, so Xen stays within the request.
    unsafe { xsm_op(call, &mut request) }
}

/// # Safety
/// Addresses in the request lead to memory that Xen may use as the command says.
unsafe fn xsm_op(call: Call, request: &mut FlaskOp) -> Result<u64> {
    let address = (&raw mut *request).expose_provenance() as u64;
    // SAFETY: Xen reads and writes the request; the rest is the caller's promise.
    unsafe { hypercall(number::XSM_OP, call, [address, 0, 0, 0, 0]) }
}
