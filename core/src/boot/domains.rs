//! The domains that the boot bundle starts.

use core::ops::Deref;

use crate::bundle::{Domain, Role};
use crate::control::{Control, Site, say_not_started};
use crate::hyper::Console;
use crate::life::{CreateError, Origin};
use crate::shared::Page;

/// Begins to make all domains, in order. One that cannot be made stops none of the others: a line says why.
pub(super) fn create_all<P>(
    console: &impl Console,
    site: &impl Site,
    control: &mut Control<P>,
    domains: impl IntoIterator<Item = Domain<'static>>,
) where
    P: Deref<Target = Page>,
{
    for domain in domains {
        let name = domain.config.name.clone();
        if let Err(reason) = create(control, domain) {
            say_not_started(console, site, &name, &reason);
        }
    }
}

fn create<P>(control: &mut Control<P>, domain: Domain<'static>) -> Result<(), CreateError>
where
    P: Deref<Target = Page>,
{
    let origin = Origin::Bundle { kernel: domain.kernel, ramdisk: domain.ramdisk };
    let id = control.create(domain.config, domain.rights, origin)?;
    if domain.role == Role::Admin {
        let console = control.managed().status(id).and_then(|status| status.console);
        control.consoles().join(console);
    }
    Ok(())
}
