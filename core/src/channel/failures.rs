//! What went wrong with a domain, in the words of the protocol.

use alloc::format;
use alloc::string::ToString;

use super::desk::Desk;
use super::records::kib;
use crate::builder::Cause;
use crate::config::DomainConfig;
use crate::hyper::Hypervisor;
use crate::life::{self, ChangeError, CreateError};
use crate::protocol::{Failure, File};
use crate::store::service::Refused;

/// A domain that is not made at all.
pub(super) fn not_made<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    error: &CreateError,
    config: &DomainConfig,
) -> Failure {
    match error {
        CreateError::NameTaken => {
            let other = desk.managed.find(config.name.as_str()).and_then(|id| desk.managed.status(id));
            Failure::NameTaken { domid: other.and_then(|status| status.domid).map(|domid| domid.0) }
        }
        CreateError::UuidTaken => Failure::UuidTaken,
        CreateError::Unsupported(what) => Failure::Unsupported((*what).into()),
        CreateError::Full => Failure::Limit("domains".into()),
        CreateError::OutOfMemory => Failure::ControlMemory,
    }
}

/// A domain that was begun and did not come to run.
pub(super) fn not_created(why: &life::Failure) -> Failure {
    let kernel = |why| Failure::Image { file: File::Kernel, why };
    match why {
        life::Failure::Device(error) => Failure::Device(error.to_string()),
        life::Failure::Unpack(error) => kernel(error.to_string()),
        life::Failure::Image(error) => kernel(error.to_string()),
        life::Failure::Build(error) => match error.cause {
            Cause::HostMemory { wanted, given } => {
                Failure::HostMemory { wanted_kib: kib(wanted), free_kib: kib(given) }
            }
            Cause::ControlMemory => Failure::ControlMemory,
            Cause::Cancelled => Failure::Cancelled,
            Cause::Image(_) | Cause::Plan(_) => kernel(error.to_string()),
            Cause::Saved(wrong) => Failure::Image { file: File::Saved, why: wrong.to_string() },
            Cause::Hypervisor(_) => Failure::Create(error.to_string()),
        },
        other => Failure::Create(format!("{other}")),
    }
}

/// A domain that could not be changed.
pub(super) fn not_changed(error: ChangeError) -> Failure {
    match error {
        ChangeError::NoSuchDomain => Failure::NoSuchDomain,
        ChangeError::NotRunning => Failure::NotRunning,
        ChangeError::DoesNotFit => Failure::Invalid("its configuration changed meanwhile".into()),
        ChangeError::NameTaken(domid) => Failure::NameTaken { domid: domid.map(|domid| domid.0) },
        ChangeError::Device(error) => Failure::Device(error.to_string()),
        ChangeError::Store(Refused::Later) => Failure::Hypervisor("XenStore is busy".into()),
        ChangeError::Store(Refused::Error(error)) => {
            Failure::Hypervisor(format!("XenStore answered {}", error.name()))
        }
    }
}

/// A request that some other side answers.
pub(super) fn not_found_anywhere() -> Failure {
    Failure::Unsupported("keeping definitions in the control domain".into())
}
