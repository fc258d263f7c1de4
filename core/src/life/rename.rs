//! Keeping a stopped domain under another name, so that a new one can have its own.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::hash::Hasher;

use twox_hash::XxHash64;

use super::managed::{Managed, Stage, Then};
use super::nodes::{Homes, Node, Rights, naming};
use super::suspend::Still;
use super::work::{Later, Turn, remove, write};
use super::{Files, ManagedId, Manager, News, World};
use crate::builder::BuildHypervisor;
use crate::config::{DomainConfig, DomainName, Settings, Uuid};
use crate::hyper::{DomId, DomainHandle};
use crate::store::service::{Local, Refused};

impl Manager {
    /// Splits a stopped domain from its name: the domain stays with a record of its own, the name begins anew. A
    /// domain that cannot be renamed is destroyed, so that its name comes back at least.
    pub(super) fn rename<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        let Some(kept) = self.split(id) else { return self.give_up_renaming(id) };
        let control = self.control;
        let [managed, other] = [id, kept].map(|id| self.domains.get(id.0));
        let Some((managed, other)) = managed.zip(other) else { return Turn::Rest };
        let Ok(handle) = rename(world, managed, other, control) else {
            self.domains.remove(kept.0);
            return self.domains.get_mut(id.0).map_or(Turn::Rest, |managed| managed.again(Stage::Rename));
        };
        let domid = managed.domid;
        if let Some(other) = self.domains.get_mut(kept.0) {
            (other.domid, other.handle) = (domid, handle);
        }
        if let Some(managed) = self.domains.get_mut(id.0) {
            managed.domid = None;
            managed.restarts = managed.restarts.saturating_add(1);
            managed.stage = Stage::Open;
            if let Some(Err(refusal)) =
                managed.console.map(|console| world.consoles.detach(world.hv, console))
            {
                report(News::Refused { id, refusal });
            }
        }
        report(News::Renamed { id, kept, domid });
        Turn::More
    }

    /// Makes the record for the domain that is kept.
    fn split(&mut self, id: ManagedId) -> Option<ManagedId> {
        self.reserve().ok()?;
        let managed = self.domains.get(id.0)?;
        let kept = managed.under_another_name()?;
        self.domains.insert(kept).ok().map(ManagedId)
    }

    fn give_up_renaming(&mut self, id: ManagedId) -> Turn {
        if let Some(managed) = self.domains.get_mut(id.0) {
            managed.end(Then::Restart);
        }
        Turn::More
    }
}

impl Managed {
    /// The record of the domain that is kept.
    fn under_another_name(&self) -> Option<Self> {
        let config = DomainConfig::clone(&self.config);
        let name = DomainName::new(format!("Domain-{}", config.uuid)).ok()?;
        let uuid = another(config.uuid, self.restarts)?;
        let settings = Settings { name, uuid, ..config.into_settings() };
        Some(Self {
            config: Rc::new(DomainConfig::new(settings).ok()?),
            terms: self.terms,
            from_bundle: self.from_bundle,
            saved: false,
            // It never starts again.
            files: Files::default(),
            console: None,
            domid: None,
            handle: self.handle,
            cpupool: self.cpupool,
            label: self.label,
            stage: Stage::Kept,
            started_at: self.started_at,
            restarts: self.restarts,
            stopped: None,
            lost: false,
            still: Still::Wanted,
            unequipped: None,
        })
    }
}

/// A UUID that follows from another one and a number. There is no randomness here, and none is needed: it only has
/// to differ.
fn another(uuid: Uuid, number: u32) -> Option<Uuid> {
    let half = |seed| {
        let mut hash = XxHash64::with_seed(seed);
        hash.write(&uuid.handle());
        hash.write(&number.to_le_bytes());
        hash.finish()
    };
    let mut bytes = (u128::from(half(0)) << 64 | u128::from(half(1))).to_be_bytes();
    // Version 8 of RFC 9562: bytes of one's own making.
    if let Some(version) = bytes.get_mut(6) {
        *version = *version & 0x0f | 0x80;
    }
    if let Some(variant) = bytes.get_mut(8) {
        *variant = *variant & 0x3f | 0x80;
    }
    Uuid::from_bytes(bytes).ok()
}

/// Gives the domain of `managed` the name of `kept`; returns the handle it has then. May be repeated.
fn rename<H, S>(
    world: &mut World<'_, H, S>,
    managed: &Managed,
    kept: &Managed,
    control: DomId,
) -> Result<DomainHandle, Later>
where
    H: BuildHypervisor,
    S: Local,
{
    let Some(domid) = managed.domid else { return Ok(managed.handle) };
    let (old, new) = (Homes::new(domid, &managed.config), Homes::new(domid, &kept.config));
    let top = Node { path: new.vm, value: String::new(), rights: Rights::Readable };
    for node in [top].into_iter().chain(naming(domid, &kept.config)) {
        if write(world.store, &node, control, domid) == Err(Refused::Later) {
            return Err(Later);
        }
    }
    remove(world.store, &old.vm)?;
    // A refused handle leaves a domain that the hypervisor knows under its old UUID, which hurts nobody.
    let handle = kept.config.uuid.handle();
    Ok(world.hv.set_domain_handle(domid, &handle).map_or(managed.handle, |()| handle))
}
