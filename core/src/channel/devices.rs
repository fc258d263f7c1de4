//! Devices of domains that run: what is looked at before they change, and the list of them.

use alloc::format;
use alloc::vec::Vec;

use super::desk::{Caller, Desk, Target};
use super::failures::not_changed;
use super::open::{DeviceWork, Open};
use super::verbs::not_ours;
use crate::config::devices::Equipment;
use crate::config::{Designator, DomainConfig, List};
use crate::devices::{Class, DeviceName, row};
use crate::hyper::{DomId, Hypervisor};
use crate::life::ManagedId;
use crate::protocol::{Answer, DEVICES, DevicePage, DeviceRow, Devices, Failure};
use crate::rights::Rights;
use crate::store::service::{Local, Refused};

/// Begins what was asked.
pub(super) fn begin<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    target: &Target,
    what: &Devices<'_>,
) -> Result<Open, Failure> {
    let managed = target.managed.ok_or_else(|| not_ours(target))?;
    let name = match *what {
        Devices::List { class, from, .. } => {
            let (front, _) = target.running()?;
            return Ok(Open::Devices(DeviceList { front, class, from }));
        }
        Devices::Attach { device, .. } => {
            let device = decode(device)?;
            if matches!(device, Equipment::Vtpm(_)) {
                return Err(Failure::Invalid("a domain gets its TPMs when it is made".into()));
            }
            may_use(desk, caller, device.backend(), Some(managed))?;
            desk.managed.attach(managed, device)
        }
        Devices::Change { device, .. } => {
            let Equipment::Disk(disk) = decode(device)? else {
                return Err(Failure::Invalid("only what is in a drive can be changed".into()));
            };
            may_use(desk, caller, disk.backend.as_ref(), Some(managed))?;
            desk.managed.change_disk(managed, disk)
        }
        Devices::Detach { class, id, force, .. } => desk.managed.detach(managed, class, id, force),
    };
    let takes = matches!(what, Devices::Detach { .. });
    Ok(Open::Device(DeviceWork::new(name.map_err(not_changed)?, takes)))
}

fn decode(device: &[u8]) -> Result<Equipment, Failure> {
    Equipment::decode(device).map_err(|error| Failure::Invalid(format!("{error}")))
}

/// Whether a caller may have these devices served. What is named in them is opened with the power of the domain that
/// serves them, so who may not do everything may have it served by its own domain only.
pub(super) fn may_have<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    caller: &Caller,
    config: &DomainConfig,
) -> Result<(), Failure> {
    config.devices.equipment().try_for_each(|device| may_use(desk, caller, device.backend(), None))
}

/// The same for a device of `managed`, or of a domain that is still to be made.
fn may_use<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    caller: &Caller,
    backend: Option<&Designator>,
    managed: Option<ManagedId>,
) -> Result<(), Failure> {
    // A new domain's usual backend is its caller.
    let found = match (managed, backend) {
        (None, None) => Some(caller.managed),
        (managed, backend) => desk.managed.backend(managed.unwrap_or(caller.managed), backend),
    };
    if caller.rights == Rights::Everything || found.is_none() || found == Some(caller.managed) {
        return Ok(());
    }
    Err(Failure::Forbidden { needs: Rights::Everything })
}

/// A list that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceList {
    front: DomId,
    class: Class,
    from: u32,
}

impl DeviceList {
    /// The page; `None` when XenStore is busy.
    pub(super) fn page<H: Hypervisor, S: Local>(
        &self,
        desk: &mut Desk<'_, H, S>,
    ) -> Option<Result<Answer<'static>, Failure>> {
        let devices = desk.managed.devices().of(self.front, self.class);
        let mut found: Vec<(DeviceName, DomId)> =
            devices.filter(|(name, _)| name.id >= self.from).take(DEVICES + 1).collect();
        let next = if found.len() > DEVICES { found.pop().map(|(name, _)| name.id) } else { None };
        let mut rows = Vec::new();
        for (name, back) in found {
            match row(desk.store, &name, back, desk.managed.devices().equipment(&name)) {
                Err(Refused::Later) => return None,
                Err(Refused::Error(_)) => {}
                Ok(nodes) => {
                    let nodes = List::new("nodes", nodes).unwrap_or_default();
                    rows.push(DeviceRow { id: name.id, nodes });
                }
            }
        }
        let rows = List::new("rows", rows).map_err(|_| Failure::ControlMemory);
        Some(rows.map(|rows| Answer::Devices(DevicePage { rows, next })))
    }
}
