//! Devices with short forms: TPM, SCSI, USB, ports, memory, interrupts.

use xendless_core::config::devices::{ScsiDevice, UsbController, UsbVersion, Vtpm};
use xendless_core::config::{List, Ranged, Text};

use super::pairs::{number, pairs, unknown};
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;
use crate::config::table::Taken;

/// Adds a TPM.
pub(in crate::config) fn vtpm(draft: &mut Draft, text: &str) -> Taken {
    let invalid = || Complaint::new(format!("Invalid vtpm specifier: {text}"));
    let (mut backend, mut uuid) = (None, None);
    for (key, value) in pairs(text).map_err(|_| invalid())? {
        match key {
            "backend" => backend = Some(value.parse()?),
            "uuid" => uuid = Some(value.parse()?),
            "instance" => {
                return Err(Complaint::new("vtpm instance= is obsolete; give backend=<vtpm domain>."));
            }
            _ => return Err(invalid().help("the options are backend and uuid")),
        }
    }
    let backend = backend.ok_or_else(|| invalid().help("give backend=<vtpm domain>"))?;
    draft.vtpms.push(Vtpm { backend, uuid });
    Ok(())
}

/// Adds a SCSI device.
pub(in crate::config) fn vscsi(draft: &mut Draft, text: &str) -> Taken {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let (physical, place, backend) = match *fields.as_slice() {
        [physical, place] => (physical, place, None),
        [physical, place, backend] => (physical, place, Some(backend.parse()?)),
        _ => {
            return Err(
                Complaint::new(format!("vscsi syntax error \"{text}\"")).help("as in /dev/sdb,0:0:0:0")
            );
        }
    };
    let (physical, place) = (Text::filled("vscsi", physical)?, Text::filled("vscsi", place)?);
    draft.scsi.push(ScsiDevice { physical, place, backend });
    Ok(())
}

/// Adds a USB controller and what is plugged into it, as `xm` writes them.
pub(in crate::config) fn vusb(draft: &mut Draft, text: &str) -> Taken {
    let invalid = |what: &str| Complaint::new(format!("Invalid vusb option: {what}"));
    let (mut version, mut ports, mut plugged) = (UsbVersion::V2, Ranged::constant::<8>(), Vec::new());
    for (key, value) in pairs(text)? {
        match (key, key.strip_prefix("port_")) {
            ("usbver", _) => {
                version = match value {
                    "1" => UsbVersion::V1,
                    "2" => UsbVersion::V2,
                    _ => return Err(invalid("usbver").help("use 1 or 2")),
                }
            }
            ("numports", _) => {
                ports = number("numports", value).map_err(|_| invalid("numports").help("use 1 to 16"))?
            }
            (_, Some(port)) => {
                let port = number("port", port).map_err(|_| invalid(key).help("ports are 1 to 16"))?;
                if !value.is_empty() {
                    plugged.push((port, Text::filled("vusb", value)?));
                }
            }
            _ => {
                return Err(unknown(
                    format!("Invalid vusb option: {key}"),
                    key,
                    &["usbver", "numports", "port_1"],
                ));
            }
        }
    }
    if let Some((port, _)) = plugged.iter().find(|(port, _)| *port > ports) {
        return Err(invalid(&format!("port_{}", port.get())).help(format!("there are {} ports", ports.get())));
    }
    draft.warn(NO_USB.to_owned());
    draft.usb.push(UsbController { version, ports, plugged: List::new("vusb", plugged)? });
    Ok(())
}

const NO_USB: &str = "there is no backend for USB; the domain has no such controller";

/// Adds a USB controller, as `xl` writes it.
pub(in crate::config) fn usbctrl(draft: &mut Draft, text: &str) -> Taken {
    let (mut version, mut ports) = (UsbVersion::V2, Ranged::constant::<8>());
    for (key, value) in pairs(text)? {
        match key {
            "version" => {
                version = match value {
                    "1" => UsbVersion::V1,
                    "2" => UsbVersion::V2,
                    "3" => UsbVersion::V3,
                    _ => return Err(Complaint::new("Invalid usbctrl option: version").help("use 1, 2 or 3")),
                }
            }
            "ports" => ports = number("ports", value)?,
            "type" => {}
            _ => {
                return Err(unknown(
                    format!("Invalid usbctrl option: {key}"),
                    key,
                    &["version", "ports", "type"],
                ));
            }
        }
    }
    draft.warn(NO_USB.to_owned());
    draft.usb.push(UsbController { version, ports, plugged: List::default() });
    Ok(())
}

/// Adds a range of ports.
pub(in crate::config) fn ioports(draft: &mut Draft, text: &str) -> Taken {
    let range = text.trim().parse();
    draft.ioports.push(range.map_err(|_| {
        Complaint::new(format!("Invalid i/o port range specifier: {text}")).help("as in 2f8-2ff, hexadecimal")
    })?);
    Ok(())
}

/// Adds a range of memory.
pub(in crate::config) fn iomem(draft: &mut Draft, text: &str) -> Taken {
    draft.iomem.push(text.trim().parse()?);
    Ok(())
}

/// Adds an interrupt.
pub(in crate::config) fn irq(draft: &mut Draft, text: &str) -> Taken {
    let number = text.trim().parse();
    draft.irqs.push(
        number.map_err(|_| Complaint::new(format!("irq: must be a number from 0 to 255, not {text:?}")))?,
    );
    Ok(())
}

/// Keeps where serial ports would go.
pub(in crate::config) fn serial(draft: &mut Draft, values: &[&str], _list: bool) -> Taken {
    for value in values.iter().filter(|value| !value.is_empty() && **value != "none") {
        draft.serial.push(Text::new("serial", *value)?);
    }
    Ok(())
}
