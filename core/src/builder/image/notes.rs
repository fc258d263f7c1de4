//! The Xen notes of a kernel. Source: `xen/elfnote.h`, `xen/features.h`.

use super::ImageError;
use crate::abi::elfnote as abi;

/// The interface version every PV kernel of today names.
const XEN_VERSION: &[u8] = b"xen-3.0";

/// What the notes say; absent notes are `None`. A note that comes twice counts the last time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes {
    /// The PV entry point.
    pub entry: Option<u64>,
    /// The page for hypercall stubs.
    pub hypercall_page: Option<u64>,
    /// Where a PV domain's memory is mapped.
    pub virt_base: Option<u64>,
    /// What has to be taken off the physical addresses in the file.
    pub paddr_offset: Option<u64>,
    /// Where a PV domain's frame list is mapped.
    pub init_p2m: Option<u64>,
    /// The PVH entry point.
    pub phys32_entry: Option<u32>,
    /// A PV domain's ramdisk may be given by frame number.
    pub mod_start_pfn: bool,
    /// The interface is `xen-3.0`; without this note there is no PV.
    pub is_xen_3: bool,
    /// What the kernel can and what it cannot do without.
    pub features: Features,
}

/// One thing a hypervisor may do differently, by Xen's bit number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature(pub u8);

const FEATURES: [(&[u8], Feature); 16] = [
    (b"writable_page_tables", Feature(0)),
    (b"writable_descriptor_tables", Feature(1)),
    (b"auto_translated_physmap", Feature(2)),
    (b"supervisor_mode_kernel", Feature(3)),
    (b"pae_pgdir_above_4gb", Feature(4)),
    (b"mmu_pt_update_preserve_ad", Feature(5)),
    (b"highmem_assist", Feature(6)),
    (b"gnttab_map_avail_bits", Feature(7)),
    (b"hvm_callback_vector", Feature(8)),
    (b"hvm_safe_pvclock", Feature(9)),
    (b"hvm_pirqs", Feature(10)),
    (b"dom0", Feature(11)),
    (b"grant_map_identity", Feature(12)),
    (b"memory_op_vnode_supported", Feature(13)),
    (b"ARM_SMCCC_supported", Feature(14)),
    (b"linux_rsdp_unrestricted", Feature(15)),
];

/// Two sets of [`Feature`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    supported: u64,
    required: u64,
}

impl Features {
    /// The kernel can live with it.
    #[must_use]
    pub const fn supports(self, feature: Feature) -> bool {
        self.supported & (1 << (feature.0 % 64)) != 0
    }

    /// The kernel cannot live without it.
    #[must_use]
    pub const fn requires(self, feature: Feature) -> bool {
        self.required & (1 << (feature.0 % 64)) != 0
    }

    /// Reads `a|!b|c`: the kernel supports all three and cannot do without `b`.
    fn parse(text: &[u8]) -> Result<Self, ImageError> {
        let mut features = Self::default();
        for name in text.split(|byte| *byte == b'|').filter(|name| !name.is_empty()) {
            let (name, required) = name.strip_prefix(b"!").map_or((name, false), |name| (name, true));
            match FEATURES.iter().find(|(known, _)| *known == name) {
                Some((_, Feature(bit))) => {
                    features.supported |= 1 << bit;
                    features.required |= u64::from(required) << bit;
                }
                // An optional feature of the future does not matter.
                None if required => return Err(ImageError::UnknownFeature),
                None => {}
            }
        }
        Ok(features)
    }
}

impl Notes {
    /// Takes note of one ELF note; those of other owners do not matter.
    pub(super) fn add(&mut self, owner: &[u8], kind: u64, contents: &[u8]) -> Result<(), ImageError> {
        if owner.strip_suffix(b"\0") != Some(abi::OWNER.as_bytes()) {
            return Ok(());
        }
        // Larger numbers are notes this project does not know.
        let Ok(kind) = u32::try_from(kind) else { return Ok(()) };
        let number = || number(contents).ok_or(ImageError::BadNote(kind));
        match kind {
            abi::ENTRY => self.entry = Some(number()?),
            abi::HYPERCALL_PAGE => self.hypercall_page = Some(number()?),
            abi::VIRT_BASE => self.virt_base = Some(number()?),
            abi::PADDR_OFFSET => self.paddr_offset = Some(number()?),
            abi::INIT_P2M => self.init_p2m = Some(number()?),
            abi::MOD_START_PFN => self.mod_start_pfn = number()? != 0,
            abi::SUPPORTED_FEATURES => self.features.supported |= number()?,
            abi::PHYS32_ENTRY => {
                let entry = u32::try_from(number()?).map_err(|_| ImageError::BadNote(kind))?;
                self.phys32_entry = Some(entry);
            }
            abi::FEATURES => {
                let Features { supported, required } = Features::parse(text(contents))?;
                self.features.supported |= supported;
                self.features.required |= required;
            }
            abi::XEN_VERSION if text(contents) == XEN_VERSION => self.is_xen_3 = true,
            abi::XEN_VERSION => return Err(ImageError::WrongXenVersion),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers take 4 or 8 bytes.
fn number(contents: &[u8]) -> Option<u64> {
    match contents {
        [a, b, c, d] => Some(u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => contents.try_into().map(u64::from_le_bytes).ok(),
    }
}

/// Up to the terminator.
fn text(contents: &[u8]) -> &[u8] {
    contents.split(|byte| *byte == 0).next().unwrap_or_default()
}
