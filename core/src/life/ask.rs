//! What others ask about managed domains, and small changes of them.

use alloc::rc::Rc;

use super::managed::{Managed, Stage};
use super::nodes::naming;
use super::work::write;
use super::{ChangeError, ManagedId, Manager, Wish};
use crate::config::{Affinity, DomainConfig, DomainName, Reservation, Settings, Text, Weight};
use crate::hyper::{DomId, DomainHandle, Share};
use crate::rights::Rights;
use crate::store::service::Local;

/// What a person reads of a managed domain.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its name.
    pub name: &'a DomainName,
    /// When its domain began to run, in nanoseconds since Xen booted; `None` before that.
    pub started_at: Option<u64>,
    /// How often it was restarted.
    pub restarts: u32,
}

impl Manager {
    /// The domain of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ManagedId> {
        self.find_by(|managed| managed.config.name.as_str() == name)
    }

    /// The domain of this UUID.
    #[must_use]
    pub fn find_uuid(&self, uuid: &DomainHandle) -> Option<ManagedId> {
        self.find_by(|managed| managed.handle == *uuid)
    }

    pub(super) fn find_by(&self, mut is_it: impl FnMut(&Managed) -> bool) -> Option<ManagedId> {
        self.domains.iter().find(|(_, managed)| is_it(managed)).map(|(key, _)| ManagedId(key))
    }

    /// What a person reads of a domain.
    #[must_use]
    pub fn view(&self, id: ManagedId) -> Option<View<'_>> {
        let managed = self.domains.get(id.0)?;
        let runs = matches!(managed.stage, Stage::Running | Stage::Rename | Stage::Kept | Stage::Ending(..));
        let started_at = (runs && managed.domid.is_some()).then_some(managed.started_at);
        Some(View { name: &managed.config.name, started_at, restarts: managed.restarts })
    }

    /// A domain's configuration as it stands now.
    #[must_use]
    pub fn config(&self, id: ManagedId) -> Option<&DomainConfig> {
        self.domains.get(id.0).map(|managed| &*managed.config)
    }

    /// The domain that asked for this one, if one did.
    #[must_use]
    pub fn parent(&self, id: ManagedId) -> Option<ManagedId> {
        self.domains.get(id.0)?.terms.parent
    }

    /// What the domain of this number may ask; nothing when it is not managed.
    #[must_use]
    pub fn rights(&self, domid: DomId) -> Rights {
        let managed = self.find_by(|managed| managed.domid == Some(domid));
        managed.and_then(|id| self.domains.get(id.0)).map_or(Rights::Nothing, |managed| managed.terms.rights)
    }

    /// Asks a domain to shut itself down.
    ///
    /// # Errors
    /// When it does not run, or XenStore refuses or is busy.
    pub fn ask_shutdown(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        wish: Wish,
    ) -> Result<(), ChangeError> {
        self.wish(store, id, wish.word())
    }

    /// Writes what a domain is to do with itself.
    pub(super) fn wish(
        &self,
        store: &mut impl Local,
        id: ManagedId,
        value: &[u8],
    ) -> Result<(), ChangeError> {
        let managed = self.domains.get(id.0).ok_or(ChangeError::NoSuchDomain)?;
        let homes = managed.running_homes().ok_or(ChangeError::NotRunning)?;
        Ok(homes.wish(store, value)?)
    }

    /// Gives a domain another name. When XenStore is busy in the middle of it, asking again completes it.
    ///
    /// # Errors
    /// When another domain has the name, or XenStore refuses or is busy.
    pub fn set_name(
        &mut self,
        store: &mut impl Local,
        id: ManagedId,
        name: &DomainName,
    ) -> Result<(), ChangeError> {
        if let Some(other) = self.find(name.as_str()).filter(|other| *other != id) {
            return Err(ChangeError::NameTaken(self.status(other).and_then(|status| status.domid)));
        }
        let control = self.control;
        let managed = self.domains.get_mut(id.0).ok_or(ChangeError::NoSuchDomain)?;
        let settings =
            Settings { name: name.clone(), ..DomainConfig::clone(&managed.config).into_settings() };
        // A name changes nothing about what fits together.
        let config = DomainConfig::new(settings).map_err(|_| ChangeError::NotRunning)?;
        if let (Some(domid), Stage::Running | Stage::Kept) = (managed.domid, &managed.stage) {
            for node in naming(domid, &config) {
                write(store, &node, control, domid)?;
            }
        }
        managed.config = Rc::new(config);
        Ok(())
    }

    /// Notes what share a domain was given, for its next lives.
    pub fn note_share(&mut self, id: ManagedId, share: Share) {
        self.change(id, |settings| {
            settings.scheduling.weight = Weight::new("cpu_weight", share.weight.into()).ok();
            settings.scheduling.cap = Some(share.cap.into());
        });
    }

    /// Notes what all virtual CPUs of a domain were promised, for its next lives.
    pub fn note_reservation(&mut self, id: ManagedId, reservation: Reservation) {
        self.change(id, |settings| settings.scheduling.reservation = Some(reservation));
    }

    /// Notes to which CPU pool a domain was moved, for its next lives. It lost what it was pinned to, which may not be in
    /// that pool.
    pub fn note_pool(&mut self, id: ManagedId, pool: &str) {
        self.change(id, |settings| {
            settings.platform.pool = Text::new("pool", pool).ok();
            settings.affinity = Affinity::Any;
        });
    }

    /// Notes which security label a domain was given, for its next lives; `None` is the usual one.
    pub fn note_label(&mut self, id: ManagedId, label: Option<&str>) {
        self.change(id, |settings| {
            settings.platform.label = label.and_then(|label| Text::new("seclabel", label).ok());
        });
    }

    fn change(&mut self, id: ManagedId, change: impl FnOnce(&mut Settings)) {
        let Some(managed) = self.domains.get_mut(id.0) else { return };
        let mut settings = DomainConfig::clone(&managed.config).into_settings();
        change(&mut settings);
        // What is noted was checked when it was done; without that the old stays.
        if let Ok(config) = DomainConfig::new(settings) {
            managed.config = Rc::new(config);
        }
    }
}
