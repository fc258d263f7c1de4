//! The control domain's work for other domains: their lives, and XenStore.

use alloc::format;
use core::fmt;
use core::ops::Deref;

use super::scan::ScanError;
use super::{Control, Event, RETRY_NS, Site, Timer};
use crate::channel::Desk;
use crate::chronicle::Chronicle;
use crate::config::{DomainConfig, DomainName};
use crate::hyper::{Console, DomId, Hypervisor, Launch, SharedOut};
use crate::images::Images;
use crate::life::{ChangeError, CreateError, ManagedId, Manager, News, Origin, Subject, Terms, Wish, World};
use crate::lines;
use crate::protocol::What;
use crate::shared::Page;
use crate::store::server::Server;
use crate::store::service::{At, Local, Notice, OnXen};

/// The place as XenStore sees it.
fn place<'a, H: Hypervisor>(hv: &'a H, site: &'a impl Site) -> OnXen<'a, H, impl Fn(Notice<'_>)> {
    let note = move |notice: Notice<'_>| match notice {
        Notice::Cut { domid, fault } => site.log(Event::StoreCut { domid, fault }),
        Notice::Spoke(domid) => site.log(Event::StoreSpoke(domid)),
        Notice::Reconnected(domid) => site.log(Event::StoreReconnected(domid)),
        Notice::Print(text) => {
            if let Err(refusal) = lines::print(hv, format_args!("xendless: {}", text.escape_ascii())) {
                site.log(Event::Refused(refusal));
            }
        }
    };
    OnXen { hypervisor: hv, note }
}

/// Writes news down. Returns the domain that was kept under another name, if that is the news: its name is to be had
/// from the manager.
fn write_down(
    chronicle: &mut Chronicle,
    now: u64,
    news: &News,
    subject: Subject<'_>,
) -> Option<(DomId, ManagedId)> {
    match *news {
        News::Started { domid, paused, .. } => {
            chronicle.created(now, domid, subject.config);
            if paused {
                chronicle.add(now, domid, What::Paused);
            }
        }
        News::Stopped { domid, reason, .. } => {
            chronicle.add(now, domid, What::Stopped { reason: reason.code() });
        }
        News::Renamed { kept, domid, .. } => return domid.map(|domid| (domid, kept)),
        News::Down { domid } => chronicle.gone(now, domid),
        News::Failed { why, .. } => chronicle.failed(now, subject.config, format!("{why}")),
        News::Device { name, outcome, .. } => {
            if let Some(what) = What::of_device(&name, outcome) {
                chronicle.add(now, name.front, what);
            }
        }
        News::Resumed { domid, .. } => chronicle.add(now, domid, What::Resumed),
        News::Takes { .. }
        | News::NotResumed { .. }
        | News::Ending { .. }
        | News::Gone(_)
        | News::Refused { .. } => {}
    }
    None
}

/// Logs news. What the boot bundle starts was asked for by nobody who could be answered, so its failures are said
/// on the machine's console.
fn tell(console: &impl Console, site: &impl Site, news: News, subject: Subject<'_>) {
    if matches!(news, News::Takes { .. }) {
        // As many as there are pieces; who sends them is told.
        return;
    }
    site.log(Event::Life(news));
    let News::Failed { why, .. } = news else { return };
    if subject.from_bundle {
        say_not_started(console, site, &subject.config.name, &why);
    }
}

/// Says on the machine's console why a domain of the boot bundle does not run.
pub(crate) fn say_not_started(
    console: &impl Console,
    site: &impl Site,
    name: &DomainName,
    reason: &dyn fmt::Display,
) {
    if let Err(refusal) =
        lines::print(console, format_args!("xendless: domain '{name}' is not started: {reason}"))
    {
        site.log(Event::Refused(refusal));
    }
}

impl<P: Deref<Target = Page>, O: SharedOut> Control<P, O> {
    /// The managed domains.
    pub fn managed(&self) -> &Manager {
        &self.managed
    }

    /// The images that domains are made from.
    pub fn images(&mut self) -> &mut Images {
        &mut self.images
    }

    /// XenStore, to see what it holds.
    pub fn store(&self) -> &Server {
        self.store.server()
    }

    /// Begins to make a domain.
    pub fn create(
        &mut self,
        config: DomainConfig,
        terms: impl Into<Terms>,
        origin: impl Into<Origin>,
    ) -> Result<ManagedId, CreateError> {
        self.managed_due = Some(0);
        self.managed.create(&mut self.consoles, config, terms, origin)
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
    ) -> Result<(), ChangeError>
    where
        H: Hypervisor<Granted = P, Offered = O>,
    {
        self.store_busy = true;
        let mut store = At { service: &mut self.store, site: &place(hv, site) };
        self.managed.ask_shutdown(&mut store, id, wish)
    }

    /// One step for managed domains and one for XenStore, if they have something to do.
    pub(super) fn serve_domains<H>(&mut self, hv: &H, site: &impl Site, now: u64)
    where
        H: Hypervisor<Granted = P, Offered = O> + Launch,
    {
        let place = place(hv, site);
        if self.managed_due.is_some_and(|due| due <= now) {
            let mut store = At { service: &mut self.store, site: &place };
            let (consoles, images) = (&mut self.consoles, &mut self.images);
            let mut world = World { hv, consoles, store: &mut store, pools: &self.pools, images };
            let (channels, chronicle, mut renamed) = (&mut self.channels, &self.chronicle, None);
            let scan = &mut self.scan;
            self.managed_due = self.managed.step(&mut world, now, |news, subject| {
                channels.note(&news);
                if let News::Resumed { domid, .. } = news {
                    scan.resumed(domid);
                }
                renamed = write_down(&mut chronicle.borrow_mut(), now, &news, subject).or(renamed);
                tell(hv, site, news, subject);
            });
            if let Some((domid, kept)) = renamed
                && let Some(config) = self.managed.config(kept)
            {
                self.chronicle.borrow_mut().renamed(now, domid, &config.name);
            }
            // A step may have given the others work, or have made room for it.
            self.store_busy = true;
            self.consoles_due = Some(0);
        }
        if self.pools.is_busy() {
            self.pools.step(hv, &mut At { service: &mut self.store, site: &place }, now);
            self.store_busy = true;
        }
        if self.store_busy {
            self.store_busy = self.store.step(&place);
        }
        if self.store.has_own_events() {
            self.managed_due = Some(0);
        }
    }

    /// One step for management domains, if they have something to do.
    pub(super) fn serve_channels<H>(&mut self, hv: &H, site: &impl Site, now: u64)
    where
        H: Hypervisor<Granted = P, Offered = O> + Launch,
    {
        self.channels.happened(self.chronicle.borrow().next());
        if !self.channels.is_busy() && !self.consoles.has_ready() {
            return;
        }
        let place = place(hv, site);
        let mut desk = Desk {
            hv,
            store: &mut At { service: &mut self.store, site: &place },
            consoles: &mut self.consoles,
            managed: &mut self.managed,
            pools: &mut self.pools,
            images: &mut self.images,
            journal: &self.journal,
            chronicle: &self.chronicle,
            heap: site.heap(),
            now,
            entered_at: self.entered_at,
        };
        self.channels.step(&mut desk, |news| site.log(Event::Channel(news)));
        self.channels.happened(self.chronicle.borrow().next());
        // What was asked may have given any of the others work.
        (self.managed_due, self.consoles_due, self.store_busy) = (Some(0), Some(0), true);
    }

    /// Looks at some domains. Those that are managed have to do with what became of them; of the others, XenStore
    /// keeps nothing.
    pub(super) fn scan_domains<H>(&mut self, hv: &H, site: &impl Site, now: u64)
    where
        H: Hypervisor<Granted = P, Offered = O>,
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
            self.channels.domains_changed();
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
