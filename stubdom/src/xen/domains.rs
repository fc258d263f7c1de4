//! The life of other domains.

use xendless_core::abi::domctl::life::{GetDomainInfo, MaxMem, MaxVcpus, PagingMempool, SetDomainHandle};
use xendless_core::abi::domctl::{
    DESTROYDOMAIN, GETDOMAININFO, MAX_MEM, MAX_VCPUS, PAUSEDOMAIN, RESUMEDOMAIN, SET_PAGING_MEMPOOL_SIZE,
    SETDOMAINHANDLE, UNPAUSEDOMAIN,
};
use xendless_core::abi::errno::Errno;
use xendless_core::abi::hvm::op::{HVMOP_GET_PARAM, HVMOP_SET_PARAM, HvmParam};
use xendless_core::abi::hypercall as number;
use xendless_core::abi::sysctl::GETDOMAININFOLIST;
use xendless_core::abi::sysctl::host::GetDomainInfoList;
use xendless_core::hyper::{
    Call, CreateDomain, DomId, DomainHandle, DomainInfo, Domains, HvError, Progress, Result,
};

use super::Xen;
use super::control::{do_domctl, do_sysctl};
use crate::hypercall::hypercall;

/// Domains that Xen lists in one call.
const BATCH: usize = 16;

impl Domains for Xen {
    fn create_domain(&self, request: &CreateDomain) -> Result<DomId> {
        let mut request = request.to_domctl(&self.interface);
        // SAFETY: the argument holds no address.
        unsafe { do_domctl(Call::DomainCreate, &mut request) }?;
        Ok(DomId(request.domain))
    }

    fn destroy_domain(&self, domid: DomId) -> Result<Progress> {
        self.domctl(Call::DomainDestroy, &DESTROYDOMAIN, domid, &())?;
        Ok(Progress::Done)
    }

    fn pause_domain(&self, domid: DomId) -> Result<()> {
        self.domctl(Call::DomainPause, &PAUSEDOMAIN, domid, &())
    }

    fn unpause_domain(&self, domid: DomId) -> Result<()> {
        self.domctl(Call::DomainUnpause, &UNPAUSEDOMAIN, domid, &())
    }

    fn resume_domain(&self, domid: DomId) -> Result<()> {
        self.domctl(Call::DomainResume, &RESUMEDOMAIN, domid, &())
    }

    fn domain_info(&self, domid: DomId) -> Result<DomainInfo> {
        let answer = self.domctl(Call::DomainInfo, &GETDOMAININFO, domid, &GetDomainInfo::ZERO)?;
        // Asked for a domain that is not there, some releases answer with the next one.
        if answer.domain != domid.0 {
            return Err(HvError::new(Call::DomainInfo, Errno::ESRCH));
        }
        Ok(DomainInfo::from(&answer))
    }

    fn list_domains(&self, first: DomId, out: &mut [Option<DomainInfo>]) -> Result<usize> {
        let mut batch = [GetDomainInfo::ZERO; BATCH];
        let mut filled = 0;
        let mut next = Some(first);
        for chunk in out.chunks_mut(BATCH) {
            let Some(first) = next else { break };
            let count = self.list_batch(first, chunk.len(), &mut batch)?;
            for (raw, out) in batch.iter().take(count).zip(chunk.iter_mut()) {
                *out = Some(DomainInfo::from(raw));
                next = raw.domain.checked_add(1).map(DomId);
            }
            filled += count;
            if count < chunk.len() {
                break;
            }
        }
        Ok(filled)
    }

    fn set_domain_handle(&self, domid: DomId, handle: &DomainHandle) -> Result<()> {
        let argument = SetDomainHandle { handle: *handle };
        self.domctl(Call::DomainSetHandle, &SETDOMAINHANDLE, domid, &argument).map(drop)
    }

    fn set_max_memory(&self, domid: DomId, kib: u64) -> Result<()> {
        self.domctl(Call::DomainMaxMem, &MAX_MEM, domid, &MaxMem { max_memkb: kib }).map(drop)
    }

    fn set_max_vcpus(&self, domid: DomId, vcpus: u32) -> Result<()> {
        self.domctl(Call::DomainMaxVcpus, &MAX_VCPUS, domid, &MaxVcpus { max: vcpus }).map(drop)
    }

    fn set_paging_pool(&self, domid: DomId, bytes: u64) -> Result<Progress> {
        let argument = PagingMempool { size: bytes };
        self.domctl(Call::DomainPagingPool, &SET_PAGING_MEMPOOL_SIZE, domid, &argument)?;
        Ok(Progress::Done)
    }

    fn hvm_param(&self, domid: DomId, index: u32) -> Result<u64> {
        let mut argument = HvmParam { domid: domid.0, index, ..HvmParam::ZERO };
        hvm_op(Call::HvmParamGet, HVMOP_GET_PARAM, &mut argument)?;
        Ok(argument.value)
    }

    fn set_hvm_param(&self, domid: DomId, index: u32, value: u64) -> Result<()> {
        let mut argument = HvmParam { domid: domid.0, index, value, ..HvmParam::ZERO };
        hvm_op(Call::HvmParamSet, HVMOP_SET_PARAM, &mut argument)
    }
}

impl Xen {
    /// Lists at most `wanted` domains from `first` on.
    fn list_batch(&self, first: DomId, wanted: usize, batch: &mut [GetDomainInfo; BATCH]) -> Result<usize> {
        let room = wanted.min(BATCH);
        let argument = GetDomainInfoList {
            first_domain: first.0,
            max_domains: u32::try_from(room).unwrap_or(0),
            buffer: batch.as_mut_ptr().expose_provenance() as u64,
            ..GetDomainInfoList::ZERO
        };
        let mut request = GETDOMAININFOLIST.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen fills at most `max_domains` entries of the batch, which has room for them.
        unsafe { do_sysctl(Call::DomainList, &mut request) }?;
        let count = GETDOMAININFOLIST.answer(&request).num_domains;
        Ok(room.min(usize::try_from(count).unwrap_or(usize::MAX)))
    }
}

fn hvm_op(call: Call, command: u32, argument: &mut HvmParam) -> Result<()> {
    let address = (&raw mut *argument).expose_provenance() as u64;
    // SAFETY: Xen stays within the argument, which holds no address.
    unsafe { hypercall(number::HVM_OP, call, [command.into(), address, 0, 0, 0]) }.map(drop)
}
