//! Addresses of interfaces whose configuration names none.

use alloc::collections::BTreeSet;

use super::{ManagedId, Manager};
use crate::config::devices::{Equipment, Mac, Vif};

impl Manager {
    /// Gives each interface of a domain that is being made an address, if it has none, and writes that down.
    pub(super) fn address_all(&mut self, id: ManagedId) {
        let bare = |vif: &Vif| vif.mac.is_none();
        let needs =
            self.domains.get(id.0).is_some_and(|managed| managed.config.devices.vifs.iter().any(bare));
        if !needs {
            return;
        }
        let used = self.used();
        if let Some(managed) = self.domains.get_mut(id.0) {
            let uuid = managed.config.uuid;
            // Should it not fit, which it does, XenStore's nodes lack an address, and the guest's driver says so.
            let _ = managed.change(|settings| settings.devices.address_all(uuid, |mac| used.contains(&mac)));
        }
    }

    /// A device that a running domain is to get: an interface has an address now.
    pub(super) fn addressed(&self, id: ManagedId, device: Equipment) -> Equipment {
        match (device, self.domains.get(id.0)) {
            (Equipment::Vif(vif @ Vif { mac: None, .. }), Some(managed)) => {
                let used = self.used();
                let mac = Mac::free(managed.config.uuid, |mac| used.contains(&mac));
                Equipment::Vif(Vif { mac: Some(mac), ..vif })
            }
            (device, _) => device,
        }
    }

    /// All addresses that interfaces have or are configured to have.
    fn used(&self) -> BTreeSet<Mac> {
        let configured = self.domains.iter().flat_map(|(_, managed)| managed.config.devices.vifs.iter());
        configured.filter_map(|vif| vif.mac).chain(self.devices.addresses()).collect()
    }
}
