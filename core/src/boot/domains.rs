//! The domains that the boot bundle starts.

use core::fmt;
use core::ops::Deref;

use crate::bundle::{BundleError, Domain, Role};
use crate::control::{Control, Event, Site};
use crate::hyper::Console;
use crate::life::{Bytes, CreateError, Files};
use crate::lines;
use crate::shared::Page;

/// Why a domain of the bundle is not started.
enum NotStarted {
    /// Its files are damaged.
    Damaged(BundleError),
    /// It cannot be made.
    Refused(CreateError),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

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
        let Err(reason) = create(control, domain) else { continue };
        if let Err(refusal) =
            lines::print(console, format_args!("xendless: domain '{name}' is not started: {reason}"))
        {
            site.log(Event::Refused(refusal));
        }
    }
}

fn create<P>(control: &mut Control<P>, domain: Domain<'static>) -> Result<(), NotStarted>
where
    P: Deref<Target = Page>,
{
    let kernel = domain.kernel.content().map_err(NotStarted::Damaged)?;
    let ramdisk = domain.ramdisk.map_or(Ok(&[][..]), |ramdisk| ramdisk.content());
    let ramdisk = ramdisk.map_err(NotStarted::Damaged)?;
    let files = Files { kernel: Bytes::Static(kernel), ramdisk: Bytes::Static(ramdisk) };
    let id = control.create(domain.config, domain.rights, files).map_err(NotStarted::Refused)?;
    if domain.role == Role::Admin {
        let console = control.managed().status(id).and_then(|status| status.console);
        control.consoles().join(console);
    }
    Ok(())
}
