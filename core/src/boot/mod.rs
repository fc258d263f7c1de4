//! From Xen's hand-over to a control domain at work, or to one line that says why not.
//!
//! [`start`] checks what the control domain stands on, binds its event channels, says that it is ready and begins to
//! make the domains of the boot bundle. When anything is wrong it takes back what it bound, prints nothing and
//! returns the reason. The caller prints that as the one fatal line and powers off. Powering off, not crashing: Xen
//! restarts the machine when its initial domain crashes, and the next boot would fail the same way, for ever. A
//! domain that cannot be made is no such reason: a line says why, and the others are started.
#![forbid(unsafe_code)]

mod domains;
mod error;
mod options;
#[cfg(test)]
mod tests;

use core::ops::Deref;

use crate::abi::errno::Errno;
use crate::abi::interface::NoInterface;
use crate::bundle::Bundle;
use crate::control::{Control, Event, Site};
use crate::hyper::{Console, EventChannels, Host, HvError, SharedOut, Virq};
use crate::lines::{self, Ready};
use crate::shared::{PAGE_SIZE, Page};

pub use error::BootError;
pub use options::{Build, Options, OptionsError, PrintLog, Trial};

/// The least memory, in pages, without the boot bundle: 1 MiB image, 1 MiB for page tables, stack and the pages
/// Xen passes at boot, 6 MiB for the log and for a heap that can hold a few dozen domains.
pub const LEAST_PAGES: u64 = 8 << 20 >> 12;

/// The virtual interrupts of the control domain.
const VIRQS: [Virq; 4] = [Virq::Debug, Virq::DomainException, Virq::Console, Virq::Timer];

/// What Xen said about us when it handed over.
#[derive(Clone, Copy, Debug)]
pub struct BootFacts {
    /// We are the domain Xen made first (`SIF_INITDOMAIN`).
    pub initial_domain: bool,
    /// We may control other domains (`SIF_PRIVILEGED`).
    pub privileged: bool,
    /// Pages of memory we have.
    pub pages: u64,
    /// The boot bundle, if Xen loaded a second module. It stays where it is.
    pub bundle: Option<&'static [u8]>,
    /// When our first instruction ran, in nanoseconds since Xen booted.
    pub entered_at: u64,
    /// Bytes of kernels and ramdisks that are kept; `None` is half of the heap that is free.
    pub images: Option<usize>,
}

impl BootFacts {
    /// Whether we may do our work at all. A caller that has to ask Xen for something before [`start`] checks it
    /// first, so that a domain without the right is told so, and not what Xen refused it.
    pub fn check_rights(&self) -> Result<(), BootError> {
        if !self.initial_domain {
            return Err(BootError::NotInitialDomain);
        }
        if !self.privileged {
            return Err(BootError::NotPrivileged);
        }
        Ok(())
    }
}

/// Boots: all or nothing. `P` will be the mapped pages of other domains. The caller has stopped the periodic timer
/// that Xen gives a new PV domain.
pub fn start<P, O, H>(hv: &H, site: &impl Site, facts: &BootFacts) -> Result<Control<P, O>, BootError>
where
    P: Deref<Target = Page>,
    O: SharedOut,
    H: Console + EventChannels + Host,
{
    facts.check_rights()?;
    check_hypervisor(hv)?;
    check_memory(facts)?;
    let bundle = facts.bundle.ok_or(BootError::NoBundle)?;
    let bundle = Bundle::open(bundle).map_err(BootError::BadBundle)?;

    let mut control =
        Control::new(facts.entered_at, images_budget(facts, site)).map_err(|_| BootError::OutOfMemory)?;
    match bind_virqs(hv, &mut control).and_then(|()| announce(hv, site, facts)) {
        Ok(()) => {
            domains::create_all(hv, site, &mut control, bundle.into_domains());
            Ok(control)
        }
        Err(error) => {
            control.release(hv);
            Err(error)
        }
    }
}

/// One sysctl shows that we and Xen speak the same control interface.
fn check_hypervisor(host: &impl Host) -> Result<(), BootError> {
    match host.host_info() {
        Ok(_) => Ok(()),
        Err(HvError { errno: Errno::EACCES, .. }) => {
            Err(BootError::NoInterface(NoInterface { running: host.xen_version()? }))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn check_memory(facts: &BootFacts) -> Result<(), BootError> {
    let bundle = facts.bundle.map_or(0, <[u8]>::len).div_ceil(PAGE_SIZE) as u64;
    let needed = LEAST_PAGES.saturating_add(bundle);
    if facts.pages < needed {
        return Err(BootError::TooLittleMemory { pages: facts.pages, needed });
    }
    Ok(())
}

fn images_budget(facts: &BootFacts, site: &impl Site) -> usize {
    let heap = site.heap();
    let half = heap.limit_kib.saturating_sub(heap.used_kib).saturating_mul(1024) / 2;
    facts.images.unwrap_or_else(|| usize::try_from(half).unwrap_or(usize::MAX))
}

fn bind_virqs<P, O>(hv: &impl EventChannels, control: &mut Control<P, O>) -> Result<(), BootError>
where
    P: Deref<Target = Page>,
    O: SharedOut,
{
    for virq in VIRQS {
        let port = hv.bind_virq(virq)?;
        if let Err(reason) = control.bind(port, virq) {
            // Control does not know this one, so `release` would miss it.
            let _ = hv.close(port);
            return Err(BootError::BadPort { port, reason });
        }
    }
    Ok(())
}

fn announce(console: &impl Console, site: &impl Site, facts: &BootFacts) -> Result<(), BootError> {
    let after_ns = site.now().saturating_sub(facts.entered_at);
    let ready = Ready { version: lines::VERSION, after_us: after_ns / 1000, heap: site.heap() };
    lines::print(console, ready)?;
    site.log(Event::Ready { after_ns });
    Ok(())
}
