//! A machine without Xen.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, HvError, Port};
use xendless_core::shared::Page;
use xendless_core::store::service::{Notice, Site};

/// A place with no rings and no channels. Every domain is said to exist, so that permissions can name any.
#[derive(Clone, Copy, Debug)]
pub struct NoXen;

impl Site for NoXen {
    type Page = &'static Page;

    fn map_ring(&self, _: DomId) -> Result<&'static Page, HvError> {
        Err(HvError::new(Call::GrantMap, Errno::ENOSYS))
    }

    fn bind(&self, _: DomId, _: Port) -> Result<Port, HvError> {
        Err(HvError::new(Call::EvtchnBindInterdomain, Errno::ENOSYS))
    }

    fn notify(&self, _: Port) -> Result<(), HvError> {
        Err(HvError::new(Call::EvtchnSend, Errno::ENOSYS))
    }

    fn close(&self, _: Port) {}

    fn domain_exists(&self, domid: DomId) -> bool {
        domid.is_domain()
    }

    fn note(&self, notice: Notice<'_>) {
        if let Notice::Print(text) = notice {
            println!("{}", text.escape_ascii());
        }
    }
}
