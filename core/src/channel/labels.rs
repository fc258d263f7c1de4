//! Security labels, and the policy about them.

use super::desk::{CONTROL, Desk, Target, refused};
use super::open::{Open, Policy};
use super::verbs::First;
use crate::abi::errno::Errno;
use crate::hyper::{HvError, Hypervisor, LABEL, USUAL_LABEL};
use crate::protocol::{self, Answer, Failure, Labels};
use crate::store::service::Local;

/// Begins a request that is about no domain; the caller may ask it.
pub(super) fn begin<'a, H: Hypervisor, S: Local>(
    desk: &Desk<'_, H, S>,
    request: &Labels<'_>,
) -> Result<First<'a>, Failure> {
    let answer = match *request {
        Labels::Policy => Answer::Policy(protocol::Policy {
            enforcing: desk.hv.enforcing().map_err(failed)?,
            version: desk.hv.policy_version().map_err(failed)?,
        }),
        Labels::Text { number } => Answer::Label(desk.hv.label_text(number).map_err(failed)?),
        Labels::Check { label } => {
            number(desk, label)?;
            Answer::Done
        }
        Labels::Enforce { enforcing } => {
            desk.hv.set_enforcing(enforcing).map_err(failed)?;
            Answer::Done
        }
        Labels::Load { size } => {
            // Nobody sends a policy to where there can be none.
            desk.hv.policy_version().map_err(failed)?;
            return Ok(First::Open(Open::Policy(Policy::new(size)?)));
        }
        Labels::Resource { what, first, last, label } => {
            if first > last {
                return Err(Failure::Invalid("the end of a range comes before its start".into()));
            }
            let number = label.map(|label| number(desk, label)).transpose()?;
            desk.hv.label_resource(what, first, last, number).map_err(failed)?;
            Answer::Done
        }
        Labels::Domain { .. } => return Err(super::failures::not_found_anywhere()),
    };
    Ok(First::Answer(answer))
}

/// Gives a domain another label.
pub(super) fn relabel<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    target: &Target,
    label: Option<&str>,
) -> Result<(), Failure> {
    let (domid, _) = target.running()?;
    if domid == CONTROL {
        return Err(Failure::Invalid("Domain-0 is the control domain and keeps its label".into()));
    }
    let number = label.map_or(Ok(USUAL_LABEL), |label| number(desk, label))?;
    desk.hv.label_domain(domid, number).map_err(failed)?;
    if let Some(managed) = target.managed {
        desk.managed.note_label(managed, label);
    }
    Ok(())
}

/// The number of a label.
pub(super) fn number<H: Hypervisor, S>(desk: &Desk<'_, H, S>, label: &str) -> Result<u32, Failure> {
    if label.is_empty() || label.len() > LABEL || label.contains('\0') {
        return Err(Failure::NoSuchLabel);
    }
    desk.hv.label_number(label).map_err(|error| match error.errno {
        Errno::EINVAL => Failure::NoSuchLabel,
        _ => failed(error),
    })
}

/// What to say when Xen refuses.
pub(super) fn failed(error: HvError) -> Failure {
    if error.errno == Errno::ENOSYS { Failure::NoLabels } else { refused(&error) }
}
