//! The setup header of a bzImage, as far as it says where the compressed kernel lies.
//! Source: Linux `Documentation/arch/x86/boot.rst`.

use core::ops::Range;

use super::UnpackError;

const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: Range<usize> = 0x202..0x206;
const PROTOCOL: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

const SECTOR: usize = 512;
/// What a zero in `setup_sects` means.
const DEFAULT_SETUP_SECTORS: u8 = 4;
/// The first protocol with the payload fields.
const PROTOCOL_2_08: u16 = 0x0208;

/// Where the payload is, or `None` when this is no bzImage.
pub(super) fn payload(file: &[u8]) -> Result<Option<Range<usize>>, UnpackError> {
    if file.get(MAGIC) != Some(b"HdrS") {
        return Ok(None);
    }
    let protocol = u16::from_le_bytes(field(file, PROTOCOL)?);
    if protocol < PROTOCOL_2_08 {
        return Err(UnpackError::OldProtocol(protocol));
    }
    let [sectors] = field(file, SETUP_SECTORS)?;
    let sectors = if sectors == 0 { DEFAULT_SETUP_SECTORS } else { sectors };
    let setup = (usize::from(sectors) + 1) * SECTOR;
    let offset = u32::from_le_bytes(field(file, PAYLOAD_OFFSET)?);
    let length = u32::from_le_bytes(field(file, PAYLOAD_LENGTH)?);
    range(setup, offset, length)
        .filter(|payload| payload.end <= file.len())
        .map(Some)
        .ok_or(UnpackError::Truncated("payload"))
}

fn range(setup: usize, offset: u32, length: u32) -> Option<Range<usize>> {
    let start = setup.checked_add(usize::try_from(offset).ok()?)?;
    Some(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn field<const N: usize>(file: &[u8], at: usize) -> Result<[u8; N], UnpackError> {
    file.get(at..).and_then(|rest| rest.first_chunk().copied()).ok_or(UnpackError::Truncated("setup header"))
}
