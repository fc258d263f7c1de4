//! Changes of domains that run: what is looked at before they begin.

use alloc::boxed::Box;
use alloc::format;

use super::desk::{CONTROL, Caller, Desk, Target, refused};
use super::open::{Ask, Keys, Open, Pin, Reset};
use super::records::kib;
use super::verbs::not_ours;
use crate::abi::hvm::op::HVM_PARAM_ACPI_S_STATE;
use crate::config::{CpuSet, DomainConfig, MemorySize};
use crate::hyper::{CpuMap, Hypervisor, VcpuId};
use crate::life::{ManagedId, limit_kib};
use crate::protocol::Failure;
use crate::protocol::resources::{self, Adjust};
use crate::store::service::Local;

/// Begins a change. What stays open of it, if it is not done.
pub(super) fn begin<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    target: &Target,
    what: &Adjust<'_>,
) -> Result<Option<Open>, Failure> {
    let ask = match *what {
        Adjust::Memory { kib } => memory(desk, target, kib)?,
        Adjust::MaxMemory { kib } => maximum(desk, target, kib)?,
        Adjust::Online { vcpus } => online(desk, target, vcpus)?,
        Adjust::SysRq { key } => {
            if !key.is_ascii_graphic() {
                return Err(Failure::Invalid("a SysRq key is one ASCII character".into()));
            }
            Ask::SysRq(ours(target)?, key)
        }
        Adjust::Pin { vcpu, cpus } => return pin(desk, target, vcpu, cpus).map(Some),
        Adjust::Reset => return reset(desk, caller, target).map(Some),
        Adjust::Trigger { trigger, vcpu } => {
            let (domid, _) = target.running()?;
            desk.hv.send_trigger(domid, VcpuId(vcpu), trigger).map_err(|error| refused(&error))?;
            return Ok(None);
        }
        Adjust::WakeUp => {
            let (domid, _) = target.running()?;
            desk.hv.set_hvm_param(domid, HVM_PARAM_ACPI_S_STATE, 0).map_err(|error| refused(&error))?;
            return Ok(None);
        }
    };
    Ok(Some(Open::Ask(ask)))
}

/// Debug keys to press.
pub(super) fn keys(keys: &str) -> Result<Open, Failure> {
    if !keys.is_ascii() || keys.len() > resources::KEYS {
        let most = resources::KEYS;
        return Err(Failure::Invalid(format!("debug keys are ASCII characters, at most {most} at a time")));
    }
    Ok(Open::Keys(Keys::new(keys)))
}

/// The managed domain, which has to have a domain of its own now.
fn ours(target: &Target) -> Result<ManagedId, Failure> {
    target.running()?;
    target.managed.ok_or_else(|| not_ours(target))
}

fn config<'a, H: Hypervisor, S>(
    desk: &'a Desk<'_, H, S>,
    managed: ManagedId,
) -> Result<&'a DomainConfig, Failure> {
    desk.managed.config(managed).ok_or(Failure::NoSuchDomain)
}

fn invalid(why: &str) -> Failure {
    Failure::Invalid(why.into())
}

fn size(kib: u64) -> Result<MemorySize, Failure> {
    if kib == 0 {
        return Err(invalid(resources::NO_MEMORY));
    }
    MemorySize::from_kib("memory", kib).map_err(|error| Failure::Invalid(format!("{error}")))
}

fn memory<H: Hypervisor, S>(desk: &Desk<'_, H, S>, target: &Target, wanted_kib: u64) -> Result<Ask, Failure> {
    let managed = ours(target)?;
    let wanted = size(wanted_kib)?;
    if wanted > config(desk, managed)?.memory.maximum() {
        return Err(invalid(resources::TOO_MUCH_MEMORY));
    }
    let has = target.info.as_ref().map_or(0, |info| info.pages);
    let more = wanted.pages().saturating_sub(has);
    let free = desk.hv.host_info().map_err(|error| refused(&error))?.free_pages;
    if more > free {
        return Err(Failure::HostMemory { wanted_kib: kib(more), free_kib: kib(free) });
    }
    Ok(Ask::Memory(managed, wanted))
}

fn maximum<H: Hypervisor, S>(desk: &Desk<'_, H, S>, target: &Target, kib: u64) -> Result<Ask, Failure> {
    let managed = ours(target)?;
    let wanted = size(kib)?;
    if wanted < config(desk, managed)?.memory.initial() {
        return Err(invalid(resources::TOO_MUCH_MEMORY));
    }
    let (domid, _) = target.running()?;
    desk.hv.set_max_memory(domid, limit_kib(wanted)).map_err(|error| refused(&error))?;
    Ok(Ask::Maximum(managed, wanted))
}

fn online<H: Hypervisor, S>(desk: &Desk<'_, H, S>, target: &Target, vcpus: u32) -> Result<Ask, Failure> {
    let managed = ours(target)?;
    if vcpus == 0 {
        return Err(invalid(resources::NO_VCPUS));
    }
    if vcpus > config(desk, managed)?.vcpus.max() {
        return Err(invalid(resources::TOO_MANY_VCPUS));
    }
    Ok(Ask::Online { managed, vcpus, from: 0 })
}

fn pin<H: Hypervisor, S>(
    desk: &Desk<'_, H, S>,
    target: &Target,
    vcpu: Option<u32>,
    cpus: &[u8],
) -> Result<Open, Failure> {
    let info = target.info.as_ref().ok_or(Failure::NotRunning)?;
    let host = desk.hv.host_info().map_err(|error| refused(&error))?;
    let map = CpuMap::from_bytes(cpus).ok_or_else(|| invalid("there are no CPUs with such numbers"))?;
    let all = CpuSet::new(0..host.cpu_ids).map_err(|_| Failure::ControlMemory)?;
    // Numbers that the machine does not have are no part of a record. Without any of its own, Xen refuses.
    let kept = CpuSet::new(map.iter().filter(|cpu| *cpu < host.cpu_ids)).ok();
    let last = info.max_vcpu.map_or(0, |last| last.0);
    let (from, last) = vcpu.map_or((0, last), |vcpu| (vcpu, vcpu));
    let managed = target.managed;
    let handle = info.handle;
    let pin = Pin { domid: info.domid, handle, managed, vcpu, from, last, map, kept, all };
    Ok(Open::Pin(Box::new(pin)))
}

fn reset<H: Hypervisor, S: Local>(
    desk: &mut Desk<'_, H, S>,
    caller: &Caller,
    target: &Target,
) -> Result<Open, Failure> {
    let domid = target.info.as_ref().map(|info| info.domid);
    if domid == Some(CONTROL) {
        return Err(invalid("Domain-0 is the control domain and cannot be reset"));
    }
    if domid == Some(caller.domid) {
        return Err(Failure::Invalid(format!("domain {} cannot reset itself: reboot it", caller.domid)));
    }
    let managed = target.managed.ok_or_else(|| not_ours(target))?;
    desk.managed.reset(managed).map_err(|_| Failure::NotRunning)?;
    Ok(Open::Reset(Reset::new(managed)))
}
