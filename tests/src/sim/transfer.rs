//! State of domains besides their memory. Refusals follow `arch/x86/domctl.c`, `arch/x86/domain.c` and
//! `arch/x86/hvm/save.c` of Xen.
//!
//! What was set is kept as it is and given out again. That the registers of an HVM domain and its records are two
//! views of the same is not modelled, nor most checks of single registers.

use std::collections::BTreeSet;

use xendless_core::abi::arch::{VGCF_ONLINE, VcpuGuestContext};
use xendless_core::abi::domctl::context::ExtVcpuContext;
use xendless_core::abi::errno::Errno;
use xendless_core::abi::hvm::save::{
    Descriptor, HVM_FILE_MAGIC, HVM_FILE_VERSION, HVM_SAVE_CODE_CPU, HVM_SAVE_CODE_END, HVM_SAVE_CODE_HEADER,
    HVM_SAVE_CODE_MTRR, HvmCpu, HvmMtrr, SaveHeader,
};
use xendless_core::hyper::{
    CONTEXT, Call, DomId, EXTENDED, FRAMES, FrameUse, Mfn, PvStart, PvhStart, Result, TableLevel, Transfer,
    VcpuId,
};
use xendless_core::shared::PAGE_SIZE;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::machine::{Domain, Life, Machine};
use super::memory::Use;
use super::{Answer, SimDomain};

/// `HVM_SAVE_CODE_MAX`.
const CODES: u16 = 20;

/// How much more room Xen asks for than the records then take.
const SLACK: usize = 512;

/// The XSAVE features of the simulated processor: FPU, SSE, AVX.
const FEATURES: u64 = 0b111;
const AVX: u64 = 0b100;
/// Bytes of the two masks before the area, of an area with FPU and SSE, and of what AVX adds.
const MASKS: usize = 16;
const AREA: usize = 512 + 64;
const AVX_AREA: usize = 256;

/// What was put into a virtual CPU.
#[derive(Clone)]
pub(super) struct VcpuState {
    registers: Option<Box<[u8; CONTEXT]>>,
    extended: [u8; EXTENDED],
    xsave: Vec<u8>,
}

impl VcpuState {
    fn new(vcpu: u32) -> Self {
        let size = u32::try_from(EXTENDED).unwrap();
        let extended = ExtVcpuContext { vcpu, size, ..ExtVcpuContext::ZERO };
        Self { registers: None, extended: zerocopy::transmute!(extended), xsave: Vec::new() }
    }

    pub(super) fn is_online(&self) -> bool {
        self.registers.as_ref().is_some_and(|registers| context(registers).flags & VGCF_ONLINE != 0)
    }
}

/// What was put into an HVM domain.
pub(super) struct Records {
    bytes: Vec<u8>,
    /// The virtual CPUs that have registers in it.
    pub(super) online: BTreeSet<u32>,
}

fn context(bytes: &[u8; CONTEXT]) -> VcpuGuestContext {
    VcpuGuestContext::read_from_bytes(bytes).unwrap()
}

/// `PV_XSAVE_SIZE`.
fn xsave_size(features: u64) -> usize {
    let area = if features == 0 { 0 } else { AREA };
    MASKS + area + if features & AVX == 0 { 0 } else { AVX_AREA }
}

impl Domain {
    /// The registers of a virtual CPU that has some.
    pub(super) fn registers(&self, vcpu: u32) -> Option<[u8; CONTEXT]> {
        let set = self.states.get(&vcpu).and_then(|state| state.registers.as_deref().copied());
        let pv = || self.start.as_ref().map(PvStart::to_context);
        let pvh = || self.pvh_start.as_ref().map(first_registers);
        set.or_else(|| {
            if vcpu == 0 { pv().or_else(pvh).map(|context| zerocopy::transmute!(context)) } else { None }
        })
    }

    fn state(&mut self, vcpu: VcpuId) -> Answer<&mut VcpuState> {
        let known = vcpu.0 < self.vcpus;
        if !known {
            return Err(Errno::ESRCH);
        }
        Ok(self.states.entry(vcpu.0).or_insert_with(|| VcpuState::new(vcpu.0)))
    }

    /// What Xen would hand out: what was put in, or else what a domain begins with.
    fn platform(&self) -> Vec<u8> {
        if let Some(records) = &self.records {
            return records.bytes.clone();
        }
        let header = SaveHeader { magic: HVM_FILE_MAGIC, version: HVM_FILE_VERSION, ..SaveHeader::ZERO };
        let mut fresh = record(HVM_SAVE_CODE_HEADER, header.as_bytes());
        fresh.extend(record(HVM_SAVE_CODE_MTRR, HvmMtrr::ZERO.as_bytes()));
        fresh.extend(record(HVM_SAVE_CODE_END, &[]));
        self.pvh_start.and_then(|start| start.to_records(&fresh)).unwrap_or(fresh)
    }
}

fn first_registers(start: &PvhStart) -> VcpuGuestContext {
    let mut context = VcpuGuestContext { flags: VGCF_ONLINE, ..VcpuGuestContext::ZERO };
    context.user_regs.rip = start.entry.into();
    context.user_regs.rbx = start.start_info;
    context
}

fn record(typecode: u16, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let descriptor = Descriptor { typecode, instance: 0, length };
    [descriptor.as_bytes(), bytes].concat()
}

/// `hvm_load`: which virtual CPUs have registers in records that are sound.
fn check(records: &[u8], vcpus: u32) -> Answer<BTreeSet<u32>> {
    let mut online = BTreeSet::new();
    let first = split(records).filter(|(kind, ..)| kind.typecode == HVM_SAVE_CODE_HEADER);
    let (_, header, mut rest) = first.ok_or(Errno::ENODATA)?;
    let header = SaveHeader::read_from_bytes(header).map_err(|_| Errno::ENODATA)?;
    if (header.magic, header.version) != (HVM_FILE_MAGIC, HVM_FILE_VERSION) {
        return Err(Errno::EINVAL);
    }
    loop {
        if rest.len() < size_of::<Descriptor>() {
            return Err(Errno::ENODATA);
        }
        let (kind, record, behind) = split(rest).ok_or(Errno::EINVAL)?;
        match kind.typecode {
            HVM_SAVE_CODE_END => return Ok(online),
            HVM_SAVE_CODE_CPU => {
                if u32::from(kind.instance) >= vcpus || record.len() > size_of::<HvmCpu>() {
                    return Err(Errno::EINVAL);
                }
                online.insert(kind.instance.into());
            }
            HVM_SAVE_CODE_HEADER => return Err(Errno::EINVAL),
            code if code > CODES => return Err(Errno::EINVAL),
            _ => {}
        }
        rest = behind;
    }
}

/// The first record with its descriptor, and what is behind it.
fn split(records: &[u8]) -> Option<(Descriptor, &[u8], &[u8])> {
    let (descriptor, behind) = Descriptor::read_from_prefix(records).ok()?;
    let (record, behind) = behind.split_at_checked(descriptor.length as usize)?;
    Some((descriptor, record, behind))
}

impl Machine {
    /// What `gethvmcontext` and `sethvmcontext` check first.
    fn hvm_domain(&mut self, me: DomId, domid: DomId) -> Answer<&mut Domain> {
        let domain = self.domctl(me, domid)?;
        if domid == me || !domain.is_hvm() { Err(Errno::EINVAL) } else { Ok(domain) }
    }

    fn platform(&mut self, me: DomId, domid: DomId, out: &mut [u8]) -> Answer<usize> {
        let records = self.hvm_domain(me, domid)?.platform();
        if out.len() < records.len() + SLACK {
            return Err(Errno::ENOSPC);
        }
        out[..records.len()].copy_from_slice(&records);
        Ok(records.len())
    }

    fn set_platform(&mut self, me: DomId, domid: DomId, records: &[u8]) -> Answer<()> {
        let domain = self.hvm_domain(me, domid)?;
        if domain.life != Life::Alive {
            return Err(Errno::EINVAL);
        }
        let online = check(records, domain.vcpus)?;
        domain.records = Some(Records { bytes: records.to_vec(), online });
        Ok(())
    }

    /// `arch_set_info_guest`.
    fn set_registers(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, new: &[u8; CONTEXT]) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        if domid == me || vcpu.0 >= domain.vcpus {
            return Err(Errno::EINVAL);
        }
        if !domain.is_hvm() {
            let old = domain.registers(vcpu.0);
            self.check_registers(domid, old.as_ref().map(context), &context(new))?;
        }
        let state = self.domain_mut(domid)?.state(vcpu)?;
        state.registers = Some(Box::new(*new));
        // `vcpu_setup_fpu` leaves FPU and SSE only.
        if let Some(avx) = state.xsave.get_mut(MASKS + AREA..) {
            avx.zero();
        }
        Ok(())
    }

    /// The frames in the registers of a PV virtual CPU: of the domain, and fit for what they are used for. Once they
    /// were set, they stay.
    fn check_registers(
        &mut self,
        domid: DomId,
        old: Option<VcpuGuestContext>,
        new: &VcpuGuestContext,
    ) -> Answer<()> {
        let frames = |context: &VcpuGuestContext| {
            let roots = [context.ctrlreg[3], context.ctrlreg[1]];
            (roots, [context.gdt_ents, context.ldt_ents, context.ldt_base], context.gdt_frames)
        };
        if let Some(old) = old {
            return if frames(&old) == frames(new) { Ok(()) } else { Err(Errno::EOPNOTSUPP) };
        }
        let gdt_pages = usize::try_from(new.gdt_ents.div_ceil(512)).unwrap_or(usize::MAX);
        for mfn in new.gdt_frames.get(..gdt_pages).ok_or(Errno::EINVAL)? {
            let frame = self.frames.get(mfn).filter(|frame| frame.owner == domid && frame.table.is_none());
            frame.ok_or(Errno::EINVAL)?;
        }
        let roots = [Some(new.ctrlreg[3]), Some(new.ctrlreg[1]).filter(|root| *root != 0)];
        for root in roots.into_iter().flatten() {
            self.validate(domid, root / PAGE_SIZE as u64, 4)?;
        }
        Ok(())
    }

    fn set_extended(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, new: &[u8; EXTENDED]) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        let hvm = domain.is_hvm();
        let size = u32::try_from(EXTENDED).unwrap();
        let state = domain.state(vcpu)?;
        if domid == me {
            return Err(Errno::ESRCH);
        }
        let new = ExtVcpuContext::read_from_bytes(new).map_err(|_| Errno::EFAULT)?;
        let callbacks = [new.sysenter_callback_eip, new.syscall32_callback_eip];
        let canonical = |address: &u64| matches!(address >> 47, 0 | 0x1_ffff);
        if !callbacks.iter().all(canonical) || (hvm && callbacks != [0, 0]) {
            return Err(Errno::EINVAL);
        }
        state.extended = zerocopy::transmute!(ExtVcpuContext { vcpu: vcpu.0, size, ..new });
        Ok(())
    }

    fn xsave(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, out: &mut [u8]) -> Answer<usize> {
        let state = &self.domctl(me, domid)?.state(vcpu)?.xsave;
        if domid == me || out.len() < state.len().max(MASKS) {
            return Err(Errno::EINVAL);
        }
        out[..state.len()].copy_from_slice(state);
        Ok(state.len())
    }

    fn set_xsave(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, new: &[u8]) -> Answer<()> {
        let state = self.domctl(me, domid)?.state(vcpu)?;
        let mask = |at: usize| new.get(at..at + 8).and_then(|bytes| u64::read_from_bytes(bytes).ok());
        let (Some(used), Some(ever)) = (mask(0), mask(8)) else { return Err(Errno::EINVAL) };
        let known = ever & !FEATURES == 0 && used & !ever == 0;
        if domid == me || !known || new.len() != xsave_size(ever) {
            return Err(Errno::EINVAL);
        }
        state.xsave = new.to_vec();
        Ok(())
    }

    fn frame_uses(&mut self, me: DomId, domid: DomId, frames: &[u64], uses: &mut [FrameUse]) -> Answer<()> {
        self.domctl(me, domid)?;
        if frames.len() > FRAMES || frames.len() != uses.len() {
            return Err(Errno::E2BIG);
        }
        let domain = self.domain(domid)?;
        for (frame, what) in frames.iter().zip(uses) {
            let frame = domain.frame(*frame).and_then(|mfn| self.frames.get(&mfn));
            let own = frame
                .filter(|frame| frame.owner == domid && !frame.released && frame.purpose == Use::Ordinary);
            *what = own.map_or(FrameUse::Absent, |frame| match frame.table.and_then(level) {
                Some(level) => FrameUse::Table { level, pinned: frame.pinned },
                None => FrameUse::Plain,
            });
        }
        Ok(())
    }
}

fn level(number: u8) -> Option<TableLevel> {
    let levels = [TableLevel::L1, TableLevel::L2, TableLevel::L3, TableLevel::L4];
    levels.get(usize::from(number).checked_sub(1)?).copied()
}

impl Transfer for SimDomain {
    fn platform_size(&self, domid: DomId) -> Result<usize> {
        self.call(Call::HvmContextGet, |machine, me| {
            Ok(machine.hvm_domain(me, domid)?.platform().len() + SLACK)
        })
    }

    fn platform(&self, domid: DomId, out: &mut [u8]) -> Result<usize> {
        self.call(Call::HvmContextGet, |machine, me| machine.platform(me, domid, out))
    }

    fn set_platform(&self, domid: DomId, records: &[u8]) -> Result<()> {
        self.call(Call::HvmContextSet, |machine, me| machine.set_platform(me, domid, records))
    }

    fn set_registers(&self, domid: DomId, vcpu: VcpuId, context: &[u8; CONTEXT]) -> Result<()> {
        self.call(Call::VcpuContextSet, |machine, me| machine.set_registers(me, domid, vcpu, context))
    }

    fn extended(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; EXTENDED]) -> Result<()> {
        self.call(Call::VcpuExtendedGet, |machine, me| {
            let state = machine.domctl(me, domid)?.state(vcpu)?;
            *out = state.extended;
            Ok(())
        })
    }

    fn set_extended(&self, domid: DomId, vcpu: VcpuId, context: &[u8; EXTENDED]) -> Result<()> {
        self.call(Call::VcpuExtendedSet, |machine, me| machine.set_extended(me, domid, vcpu, context))
    }

    fn xsave_size(&self, domid: DomId, vcpu: VcpuId) -> Result<usize> {
        self.call(Call::VcpuXsaveGet, |machine, me| {
            machine.domctl(me, domid)?.state(vcpu)?;
            Ok(xsave_size(FEATURES))
        })
    }

    fn xsave(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8]) -> Result<usize> {
        self.call(Call::VcpuXsaveGet, |machine, me| machine.xsave(me, domid, vcpu, out))
    }

    fn set_xsave(&self, domid: DomId, vcpu: VcpuId, state: &[u8]) -> Result<()> {
        if state.is_empty() {
            return Ok(());
        }
        self.call(Call::VcpuXsaveSet, |machine, me| machine.set_xsave(me, domid, vcpu, state))
    }

    fn frame_uses(&self, domid: DomId, frames: &[u64], uses: &mut [FrameUse]) -> Result<()> {
        self.call(Call::FrameUses, |machine, me| machine.frame_uses(me, domid, frames, uses))
    }

    fn pin_table(&self, domid: DomId, level: TableLevel, mfn: Mfn) -> Result<()> {
        self.call(Call::PinTable, |machine, me| machine.pin(me, domid, mfn.0, level as u8 + 1))
    }
}
