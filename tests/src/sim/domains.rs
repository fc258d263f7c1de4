//! The life of domains. Refusals follow `common/domctl.c`, `common/domain.c` and `arch/x86/hvm/hvm.c` of Xen.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    Call, CreateDomain, CreateFlags, DomId, DomainFlags, DomainHandle, DomainInfo, Domains, Port, Progress,
    Result, VcpuId, Virq,
};
use xendless_core::shared::PAGE_SIZE;

use super::machine::{Domain, Life, Machine};
use super::memory::Use;
use super::{Answer, SimDomain, SimHypervisor};

/// The most virtual CPUs of a domain (`MAX_VIRT_CPUS`, `HVM_MAX_VCPUS`).
const MAX_VCPUS_PV: u32 = 8192;
const MAX_VCPUS_HVM: u32 = 128;

/// Xen's limits unless its command line says otherwise (`opt_max_grant_frames`, `opt_max_maptrack_frames`).
const MAX_GRANT_FRAMES: u32 = 64;
const MAX_MAPTRACK_FRAMES: u32 = 1024;

/// `HVM_NR_PARAMS`.
const HVM_PARAMS: u32 = 39;

/// Parameters of `xen/hvm/params.h` that Xen no longer knows.
const DEPRECATED_PARAMS: [u32; 10] = [4, 13, 20, 21, 22, 23, 24, 25, 26, 30];
/// Those a domain may set for itself, `hvm_allow_set_param`.
const OWN_SET_PARAMS: [u32; 8] = [0, 2, 15, 18, 19, 34, 36, 37];
/// Those a domain may read for itself, `hvm_allow_get_param`.
const OWN_GET_PARAMS: [u32; 11] = [0, 1, 2, 15, 17, 18, 19, 34, 35, 36, 37];
/// Those that can be set once.
const ONCE_PARAMS: [u32; 7] = [5, 6, 9, 32, 33, 35, 38];

impl Machine {
    /// What every `domctl` checks first: the interface, the domain, the caller's rights.
    pub(super) fn domctl(&mut self, me: DomId, domid: DomId) -> Answer<&mut Domain> {
        self.require_interface()?;
        self.domain(domid)?;
        self.require_privilege(me)?;
        self.domain_mut(domid)
    }

    fn create(&mut self, me: DomId, request: &CreateDomain) -> Answer<DomId> {
        self.require_interface()?;
        self.require_privilege(me)?;
        let domid = self.choose_domid(request.domid)?;
        self.check(request)?;
        let ssid = self.label_of_new(request.ssid)?;
        let shared_info = self.private_frame(domid, Use::SharedInfo);
        let domain = Domain {
            handle: request.handle,
            flags: request.flags,
            max_vcpus: request.max_vcpus,
            max_port: request.max_port,
            max_grant_frames: request.max_grant_frames,
            max_maptrack_frames: request.max_maptrack_frames,
            cpupool: request.cpupool,
            ssid,
            ..Domain::new(shared_info, 0)
        };
        self.domains.insert(domid, domain);
        Ok(domid)
    }

    /// Xen gives ids out in rotation, so that an id that became free comes back late.
    fn choose_domid(&mut self, wanted: Option<DomId>) -> Answer<DomId> {
        if let Some(domid) = wanted.filter(|domid| domid.0 > 0 && domid.is_domain()) {
            return if self.domains.contains_key(&domid) { Err(Errno::EEXIST) } else { Ok(domid) };
        }
        let after = (self.rover + 1..DomId::FIRST_RESERVED).chain(1..self.rover);
        let free = after.map(DomId).find(|domid| !self.domains.contains_key(domid)).ok_or(Errno::ENOMEM)?;
        self.rover = free.0;
        Ok(free)
    }

    /// `sanitise_domain_config`, `arch_sanitise_domain_config`, `grant_table_init`, `cpupool_add_domain`.
    fn check(&self, request: &CreateDomain) -> Answer<()> {
        let hvm = request.flags.contains(CreateFlags::HVM);
        let needs_hvm = request.flags.intersects(CreateFlags::HAP | CreateFlags::LOCAL_APIC);
        let most = if hvm { MAX_VCPUS_HVM } else { MAX_VCPUS_PV };
        if (needs_hvm && !hvm) || (hvm && !self.config.hvm) || !(1..=most).contains(&request.max_vcpus) {
            return Err(Errno::EINVAL);
        }
        if !(1..=MAX_GRANT_FRAMES).contains(&request.max_grant_frames)
            || request.max_maptrack_frames > MAX_MAPTRACK_FRAMES
        {
            return Err(Errno::EINVAL);
        }
        let pool = self.pools.get(&request.cpupool).ok_or(Errno::ESRCH)?;
        if pool.cpus.is_empty() { Err(Errno::ENODEV) } else { Ok(()) }
    }

    fn destroy(&mut self, me: DomId, domid: DomId) -> Answer<Progress> {
        let domain = self.domctl(me, domid)?;
        if domid == me {
            return Err(Errno::EINVAL);
        }
        if domain.life == Life::Dead {
            return Ok(Progress::Done);
        }
        domain.life = Life::Dying;
        let ports: Vec<u32> = domain.ports.keys().copied().collect();
        for port in ports {
            self.close_port(domid, Port(port))?;
        }
        let mine = self.mappings.iter().filter(|(_, mapping)| mapping.mapper == domid);
        let mine: Vec<u64> = mine.map(|(id, _)| *id).collect();
        for id in mine {
            self.unmap(id);
        }
        // Xen takes a pause when other work waits; when that is, the caller cannot know.
        let step = self.rng.usize(1..=self.config.destroy_step);
        let held = self.frames.iter().filter(|(_, frame)| frame.owner == domid && !frame.released);
        let held: Vec<u64> = held.map(|(mfn, _)| *mfn).take(step + 1).collect();
        for mfn in held.iter().take(step) {
            self.let_go(*mfn);
        }
        if held.len() > step {
            return Ok(Progress::Again);
        }
        self.finish(domid)?;
        Ok(Progress::Done)
    }

    /// The end of `domain_kill`.
    fn finish(&mut self, domid: DomId) -> Answer<()> {
        let domain = self.domain_mut(domid)?;
        domain.life = Life::Dead;
        domain.timer = None;
        let paging = std::mem::take(&mut domain.paging_pages);
        self.give_back(paging);
        self.raise_virq(SimHypervisor::INITIAL, Virq::DomainException);
        self.reap(domid);
        Ok(())
    }

    /// `hap_set_allocation`: the pool's pages come from free memory.
    fn set_pool(&mut self, me: DomId, domid: DomId, bytes: u64) -> Answer<Progress> {
        let domain = self.domctl(me, domid)?;
        if !domain.is_hvm() {
            return Err(Errno::EOPNOTSUPP);
        }
        if !bytes.is_multiple_of(PAGE_SIZE as u64) {
            return Err(Errno::EINVAL);
        }
        let wanted = bytes / PAGE_SIZE as u64;
        let had = std::mem::replace(&mut domain.paging_pages, wanted);
        if wanted <= had {
            self.give_back(had - wanted);
            return Ok(Progress::Done);
        }
        let more = usize::try_from(wanted - had).unwrap_or(usize::MAX);
        if more > self.free.len() {
            self.domain_mut(domid)?.paging_pages = had;
            return Err(Errno::ENOMEM);
        }
        let keep = self.free.len() - more;
        let taken = self.free.split_off(keep);
        self.pool_frames.extend(taken);
        Ok(Progress::Done)
    }

    fn give_back(&mut self, pages: u64) {
        for _ in 0..pages {
            self.free.extend(self.pool_frames.pop());
        }
    }

    fn param(&mut self, me: DomId, domid: DomId, index: u32, own: &[u32]) -> Answer<&mut u64> {
        if index >= HVM_PARAMS {
            return Err(Errno::EINVAL);
        }
        let domid = self.resolve(me, domid)?;
        if !self.domain(domid)?.is_hvm() {
            return Err(Errno::EINVAL);
        }
        self.require_rights_over(me, domid)?;
        if DEPRECATED_PARAMS.contains(&index) {
            return Err(Errno::EINVAL);
        }
        if domid == me && !own.contains(&index) {
            return Err(Errno::EPERM);
        }
        Ok(self.domain_mut(domid)?.params.entry(index).or_default())
    }
}

/// `getdomaininfo`.
fn info(domid: DomId, domain: &Domain) -> DomainInfo {
    let mut flags = DomainFlags::empty();
    let online = domain.online();
    flags.set(DomainFlags::DYING, domain.life == Life::Dead);
    flags.set(DomainFlags::HVM, domain.is_hvm());
    flags.set(DomainFlags::HAP, domain.flags.contains(CreateFlags::HAP));
    flags.set(DomainFlags::XENSTORE, domain.flags.contains(CreateFlags::XENSTORE));
    flags.set(DomainFlags::SHUTDOWN, domain.shutdown.is_some());
    flags.set(DomainFlags::PAUSED, domain.pauses > 0);
    flags.set(DomainFlags::BLOCKED, domain.blocked && online > 0);
    DomainInfo {
        domid,
        handle: domain.handle,
        flags,
        shutdown: domain.shutdown,
        pages: domain.pages,
        max_pages: domain.max_pages,
        shared_info: domain.shared_info,
        cpu_time: 0,
        online_vcpus: online,
        max_vcpu: domain.vcpus.checked_sub(1).map(VcpuId),
        cpupool: domain.cpupool,
        ssid: domain.ssid,
    }
}

impl Domains for SimDomain {
    fn create_domain(&self, request: &CreateDomain) -> Result<DomId> {
        self.call(Call::DomainCreate, |machine, me| machine.create(me, request))
    }

    fn destroy_domain(&self, domid: DomId) -> Result<Progress> {
        self.call(Call::DomainDestroy, |machine, me| machine.destroy(me, domid))
    }

    fn pause_domain(&self, domid: DomId) -> Result<()> {
        self.call(Call::DomainPause, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            if domid == me {
                return Err(Errno::EINVAL);
            }
            // `_domain_pause_by_systemcontroller`.
            if domain.pauses == 255 {
                return Err(Errno::EOVERFLOW);
            }
            domain.pauses += 1;
            Ok(())
        })
    }

    fn unpause_domain(&self, domid: DomId) -> Result<()> {
        self.call(Call::DomainUnpause, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            domain.pauses = domain.pauses.checked_sub(1).ok_or(Errno::EINVAL)?;
            domain.started |= domain.pauses == 0;
            Ok(())
        })
    }

    fn resume_domain(&self, domid: DomId) -> Result<()> {
        self.call(Call::DomainResume, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            if domid == me {
                return Err(Errno::EINVAL);
            }
            domain.shutdown = None;
            Ok(())
        })
    }

    fn domain_info(&self, domid: DomId) -> Result<DomainInfo> {
        self.call(Call::DomainInfo, |machine, me| {
            let found = machine.domctl(me, domid)?;
            Ok(info(domid, found))
        })
    }

    fn list_domains(&self, first: DomId, out: &mut [Option<DomainInfo>]) -> Result<usize> {
        self.call(Call::DomainList, |machine, me| {
            machine.sysctl(me)?;
            let mut count = 0;
            for (slot, (domid, domain)) in out.iter_mut().zip(machine.domains.range(first..)) {
                *slot = Some(info(*domid, domain));
                count += 1;
            }
            Ok(count)
        })
    }

    fn set_domain_handle(&self, domid: DomId, handle: &DomainHandle) -> Result<()> {
        self.call(Call::DomainSetHandle, |machine, me| {
            machine.domctl(me, domid)?.handle = *handle;
            Ok(())
        })
    }

    fn set_max_memory(&self, domid: DomId, kib: u64) -> Result<()> {
        self.call(Call::DomainMaxMem, |machine, me| {
            machine.domctl(me, domid)?.max_pages = kib / 4;
            Ok(())
        })
    }

    fn set_max_vcpus(&self, domid: DomId, vcpus: u32) -> Result<()> {
        self.call(Call::DomainMaxVcpus, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            if domid == me || vcpus != domain.max_vcpus {
                return Err(Errno::EINVAL);
            }
            domain.vcpus = vcpus;
            Ok(())
        })
    }

    fn set_paging_pool(&self, domid: DomId, bytes: u64) -> Result<Progress> {
        self.call(Call::DomainPagingPool, |machine, me| machine.set_pool(me, domid, bytes))
    }

    fn hvm_param(&self, domid: DomId, index: u32) -> Result<u64> {
        self.call(Call::HvmParamGet, |machine, me| machine.param(me, domid, index, &OWN_GET_PARAMS).copied())
    }

    fn set_hvm_param(&self, domid: DomId, index: u32, value: u64) -> Result<()> {
        self.call(Call::HvmParamSet, |machine, me| {
            let param = machine.param(me, domid, index, &OWN_SET_PARAMS)?;
            if ONCE_PARAMS.contains(&index) && *param != 0 && *param != value {
                return Err(Errno::EEXIST);
            }
            *param = value;
            Ok(())
        })
    }
}
