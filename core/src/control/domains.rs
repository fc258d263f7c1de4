//! The control domain's work for other domains: their lives, and XenStore.

use core::ops::Deref;

use super::scan::ScanError;
use super::{Control, Event, RETRY_NS, Site, Timer};
use crate::config::DomainConfig;
use crate::hyper::{Hypervisor, Launch};
use crate::life::{Bytes, CreateError, Files, ManagedId, Manager, ShutdownError, Wish, World};
use crate::lines;
use crate::shared::Page;
use crate::store::server::Server;
use crate::store::service::{At, Local, Notice, OnXen};

/// The place as XenStore sees it.
fn place<'a, H: Hypervisor>(hv: &'a H, site: &'a impl Site) -> OnXen<'a, H, impl Fn(Notice<'_>)> {
    let note = move |notice: Notice<'_>| match notice {
        Notice::Cut { domid, fault } => site.log(Event::StoreCut { domid, fault }),
        Notice::Reconnected(domid) => site.log(Event::StoreReconnected(domid)),
        Notice::Print(text) => {
            if let Err(refusal) = lines::print(hv, format_args!("xendless: {}", text.escape_ascii())) {
                site.log(Event::Refused(refusal));
            }
        }
    };
    OnXen { hypervisor: hv, note }
}

impl<P: Deref<Target = Page>> Control<P> {
    /// The managed domains.
    pub fn managed(&self) -> &Manager<Bytes> {
        &self.managed
    }

    /// XenStore, to see what it holds.
    pub fn store(&self) -> &Server {
        self.store.server()
    }

    /// Begins to make a domain.
    pub fn create(&mut self, config: DomainConfig, files: Files<Bytes>) -> Result<ManagedId, CreateError> {
        self.managed_due = Some(0);
        self.managed.create(&mut self.consoles, config, files)
    }

    /// Takes a managed domain down, whatever it does.
    pub fn destroy(&mut self, id: ManagedId) {
        self.managed_due = Some(0);
        self.managed.destroy(id);
    }

    /// Asks a managed domain to shut itself down.
    pub fn ask_shutdown<H>(
        &mut self,
        hv: &H,
        site: &impl Site,
        id: ManagedId,
        wish: Wish,
    ) -> Result<(), ShutdownError>
    where
        H: Hypervisor<Granted = P>,
    {
        self.store_busy = true;
        let mut store = At { service: &mut self.store, site: &place(hv, site) };
        self.managed.ask_shutdown(&mut store, id, wish)
    }

    /// One step for managed domains and one for XenStore, if they have something to do.
    pub(super) fn serve_domains<H>(&mut self, hv: &H, site: &impl Site, now: u64)
    where
        H: Hypervisor<Granted = P> + Launch,
    {
        let place = place(hv, site);
        if self.managed_due.is_some_and(|due| due <= now) {
            let mut store = At { service: &mut self.store, site: &place };
            let mut world = World { hv, consoles: &mut self.consoles, store: &mut store };
            self.managed_due = self.managed.step(&mut world, now, |news| site.log(Event::Life(news)));
            // A step may have given the others work, or have made room for it.
            self.store_busy = true;
            self.consoles_due = Some(0);
        }
        if self.store_busy {
            self.store_busy = self.store.step(&place);
        }
    }

    /// Looks at some domains. Those that are managed have to do with what became of them; of the others, XenStore
    /// keeps nothing.
    pub(super) fn scan_domains<H>(&mut self, hv: &H, site: &impl Site, now: u64)
    where
        H: Hypervisor<Granted = P>,
    {
        let place = place(hv, site);
        let (managed, store) = (&mut self.managed, &mut self.store);
        let mut changed = false;
        let outcome = self.scan.step(hv, |event| {
            site.log(event);
            changed = true;
            match event {
                Event::DomainShutdown { domid, reason } if !managed.stopped(domid, reason) => {
                    store.domain_shutdown(domid);
                }
                Event::DomainDying(domid) => drop(managed.lost(domid)),
                Event::DomainGone(domid) if !managed.lost(domid) => {
                    At { service: store, site: &place }.domain_died(domid);
                }
                _ => {}
            }
        });
        if changed {
            (self.managed_due, self.store_busy) = (Some(0), true);
        }
        let failure = match outcome {
            Ok(()) => return,
            Err(ScanError::Refused(refusal)) => Event::Refused(refusal),
            Err(ScanError::OutOfMemory) => Event::OutOfMemory,
        };
        site.log(failure);
        // When the queue is full, a rescan is waiting already.
        let _ = self.timers.insert(now.saturating_add(RETRY_NS), Timer::Rescan);
    }
}
