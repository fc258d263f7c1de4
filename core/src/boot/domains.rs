//! The domains that the boot bundle starts.

use core::ops::Deref;

use crate::bundle::{Domain, Role};
use crate::control::{Control, Site, say_not_started};
use crate::hyper::{Console, SharedOut};
use crate::life::{CreateError, Origin};
use crate::shared::Page;

/// Begins to make all domains, in order. One that cannot be made stops none of the others: a line says why.
pub(super) fn create_all<P, O>(
    console: &impl Console,
    site: &impl Site,
    control: &mut Control<P, O>,
    domains: impl IntoIterator<Item = Domain<'static>>,
) where
    P: Deref<Target = Page>,
    O: SharedOut,
{
    for domain in domains {
        let name = domain.config.name.clone();
        if let Err(reason) = create(control, domain) {
            say_not_started(console, site, &name, &reason);
        }
    }
}

fn create<P, O>(control: &mut Control<P, O>, domain: Domain<'static>) -> Result<(), CreateError>
where
    P: Deref<Target = Page>,
    O: SharedOut,
{
    let origin = Origin::Bundle { kernel: domain.kernel, ramdisk: domain.ramdisk };
    let id = control.create(domain.config, domain.rights, origin)?;
    if domain.role == Role::Admin {
        let console = control.managed().status(id).and_then(|status| status.console);
        control.consoles().join(console);
    }
    Ok(())
}
