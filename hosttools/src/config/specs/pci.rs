//! PCI devices: `[dddd:]bb:ss.f[@vslot][,option=value…]`, where `f` may be a list or a range.

use xendless_core::config::Ranged;
use xendless_core::config::devices::{PciAddress, PciDevice};

use super::pairs::{flag, pairs};
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;
use crate::config::table::Taken;

/// Adds the functions of a device. Options that are not given are filled in when all variables are known.
pub(in crate::config) fn pci(draft: &mut Draft, text: &str) -> Taken {
    let failed = || Complaint::new(format!("Failed to parse pci device: {text}")).help("as in 0000:03:00.0");
    let (place, options) = text.split_once(',').unwrap_or((text, ""));
    let (place, slot) = match place.split_once('@') {
        Some((place, slot)) => (place, Some(virtual_slot(slot).ok_or_else(failed)?)),
        None => (place, None),
    };
    let (base, functions) = place.trim().rsplit_once('.').ok_or_else(failed)?;
    if functions == "*" {
        return Err(failed().help("name the functions, as in 03:00.0-3: the host may have others elsewhere"));
    }
    let options = Options::new(options)?;
    for function in expand(functions).ok_or_else(failed)? {
        let address: PciAddress = format!("{base}.{function:x}").parse().map_err(|_| failed())?;
        if draft.pci.iter().any(|(other, _)| other.address == address) {
            return Err(Complaint::new(format!("pci: device {address} is listed twice")));
        }
        let device = PciDevice {
            address,
            virtual_slot: slot,
            msi_translate: options.msi_translate.unwrap_or(false),
            power_management: options.power_management.unwrap_or(false),
            permissive: options.permissive.unwrap_or(false),
        };
        draft.pci.push((device, options));
    }
    Ok(())
}

/// What was said about a device.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::config) struct Options {
    pub(in crate::config) msi_translate: Option<bool>,
    pub(in crate::config) power_management: Option<bool>,
    pub(in crate::config) permissive: Option<bool>,
}

impl Options {
    fn new(text: &str) -> Result<Self, Complaint> {
        let mut options = Self::default();
        for (key, value) in pairs(text)? {
            let wrong = |_| Complaint::new(format!("Invalid pci option {key}={value}: ")).help("use 0 or 1");
            match key {
                "msitranslate" => options.msi_translate = Some(flag(key, value).map_err(wrong)?),
                "power_mgmt" => options.power_management = Some(flag(key, value).map_err(wrong)?),
                "permissive" => options.permissive = Some(flag(key, value).map_err(wrong)?),
                "seize" | "rdm_policy" | "name" => {}
                _ => {
                    let known = ["msitranslate", "power_mgmt", "permissive", "seize", "rdm_policy", "name"];
                    return Err(super::pairs::unknown(
                        format!("Invalid pci attach option: {key}"),
                        key,
                        &known,
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn virtual_slot(text: &str) -> Option<Ranged<0, 31>> {
    let number = u32::from_str_radix(text.trim(), 16).ok()?;
    Ranged::new("pci slot", number).ok()
}

/// The functions of `0`, `0-3` or `0,2`; the comma is written as in a list of options, so only ranges and
/// single functions arrive here.
fn expand(text: &str) -> Option<Vec<u32>> {
    let digit = |text: &str| text.chars().next().filter(|_| text.len() == 1).and_then(|c| c.to_digit(8));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (digit(first)?, digit(last)?);
    (first <= last).then(|| (first..=last).collect())
}
