//! The ACPI tables of a PVH domain: which processors it has, and that there is nothing else.
//! Source: the ACPI specification 6.5, chapter 5.

use alloc::vec::Vec;
use core::fmt::Write;

use acpi_tables::{
    Aml,
    aml::{Device, Name, Path, Scope},
    facs::FACS,
    fadt::{FADTBuilder, Flags},
    madt::{EnabledStatus, LocalInterruptController, MADT, ProcessorLocalApic},
    rsdp::Rsdp,
    sdt::Sdt,
    xsdt::XSDT,
};

/// Who made these tables.
const OEM: [u8; 6] = *b"XENDLS";
const TABLE: [u8; 8] = *b"PVH\0\0\0\0\0";
const REVISION: u32 = 1;

/// Where every processor sees its local APIC.
const LOCAL_APIC: u32 = 0xfee0_0000;

/// The header that all but two tables begin with.
const SDT_HEADER: u32 = 36;
/// The revision of ACPI's language whose integers have 64 bits.
const DSDT_REVISION: u8 = 2;

/// The interrupt of power management events, and their registers: reading them does no harm, and kernels that
/// find none consider the tables broken.
const SCI: u16 = 9;
const PM1_EVENT: u32 = 0xb000;
const PM1_EVENT_LEN: u8 = 4;
const PM1_CONTROL: u32 = 0xb004;
const PM1_CONTROL_LEN: u8 = 2;
/// Latencies that mean "there is no such state".
const NO_C2: u16 = 0x0fff;
const NO_C3: u16 = 0x0fff;
/// Boot flags: no VGA, no CMOS clock.
const NO_VGA: u16 = 1 << 2;
const NO_CMOS_RTC: u16 = 1 << 5;

/// Tables begin at multiples of this; one of them has to.
const ALIGN: usize = 64;

/// The tables as they have to lie at `base`: the root pointer first.
pub(super) fn tables(base: u64, vcpus: u32) -> Vec<u8> {
    let mut block = Block { base, bytes: Vec::new() };
    // The root pointer names the table that is made last, and has a fixed size.
    block.bytes.resize(Rsdp::len(), 0);
    let facs = block.add(&FACS::new());
    let dsdt = block.add(&dsdt(vcpus));
    let fadt = block.add(&fadt(facs, dsdt).finalize());
    let madt = block.add(&madt(vcpus));
    let mut root = XSDT::new(OEM, TABLE, REVISION);
    root.add_entry(fadt);
    root.add_entry(madt);
    let root = block.add(&root);
    let mut pointer = Vec::new();
    Rsdp::new(OEM, root).to_aml_bytes(&mut pointer);
    for (byte, value) in block.bytes.iter_mut().zip(pointer) {
        *byte = value;
    }
    block.bytes
}

struct Block {
    base: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// Appends a table; returns its address.
    fn add(&mut self, table: &dyn Aml) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN), 0);
        let at = self.base + self.bytes.len() as u64;
        table.to_aml_bytes(&mut self.bytes);
        at
    }
}

fn fadt(facs: u64, dsdt: u64) -> FADTBuilder {
    let mut fadt = FADTBuilder::new(OEM, TABLE, REVISION)
        .flag(Flags::Wbinvd)
        .flag(Flags::ProcC1)
        .flag(Flags::PwrButton)
        .flag(Flags::SlpButton)
        .flag(Flags::FixRtc)
        .flag(Flags::UsePlatformClock)
        .firmware_ctrl_64(facs)
        .dsdt_64(dsdt);
    fadt.sci_int = SCI.into();
    fadt.pm1a_evt_blk = PM1_EVENT.into();
    fadt.pm1_evt_len = PM1_EVENT_LEN;
    fadt.pm1a_cnt_blk = PM1_CONTROL.into();
    fadt.pm1_cnt_len = PM1_CONTROL_LEN;
    fadt.p_lvl2_lat = NO_C2.into();
    fadt.p_lvl3_lat = NO_C3.into();
    fadt.iapc_boot_arch = (NO_VGA | NO_CMOS_RTC).into();
    fadt
}

fn madt(vcpus: u32) -> MADT {
    let mut madt = MADT::new(OEM, TABLE, REVISION, LocalInterruptController::Address(LOCAL_APIC));
    for uid in (0..=u8::MAX).zip(0..vcpus).map(|(uid, _)| uid) {
        // Xen gives its virtual CPUs every other number.
        madt.add_structure(ProcessorLocalApic::new(uid, uid.saturating_mul(2), EnabledStatus::Enabled));
    }
    madt
}

fn dsdt(vcpus: u32) -> Sdt {
    let mut processors = Vec::new();
    for uid in 0..vcpus {
        // Three digits are enough for any number of virtual CPUs, so this cannot run out of room.
        let mut name = heapless::String::<4>::new();
        let _ = write!(name, "C{uid:03X}");
        let hardware_id = Name::new(Path::new("_HID"), &"ACPI0007");
        let uid = Name::new(Path::new("_UID"), &uid);
        Device::new(Path::new(&name), [&hardware_id as &dyn Aml, &uid].to_vec())
            .to_aml_bytes(&mut processors);
    }
    let mut dsdt = Sdt::new(*b"DSDT", SDT_HEADER, DSDT_REVISION, OEM, TABLE, REVISION);
    dsdt.append_slice(&Scope::raw(Path::new("\\_SB_"), processors));
    dsdt
}
