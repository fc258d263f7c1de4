//! Network interfaces: `mac=…,bridge=…`.

use xendless_core::config::Text;
use xendless_core::config::devices::{Vif, VifModel};

use super::pairs::{flag, number, pairs, text, unknown};
use crate::config::diagnostic::Complaint;
use crate::config::draft::Draft;
use crate::config::table::Taken;

const KEYS: &[&str] = &[
    "backend",
    "bridge",
    "ip",
    "mac",
    "script",
    "type",
    "vifname",
    "rate",
    "model",
    "accel",
    "policy",
    "label",
    "gatewaydev",
    "mtu",
    "trusted",
    "devid",
];

/// Adds an interface.
pub(in crate::config) fn vif(draft: &mut Draft, value: &str) -> Taken {
    let mut vif = Vif::default();
    let (mut emulated, mut model) = (false, None);
    for (key, value) in pairs(value)? {
        match key {
            "mac" => vif.mac = Some(value.parse()?),
            "bridge" => vif.bridge = text("bridge", value)?,
            "gatewaydev" => vif.gateway_dev = text("gatewaydev", value)?,
            "ip" => vif.ip = text("ip", value)?,
            "script" => vif.script = text("script", value)?,
            "vifname" => vif.vifname = text("vifname", value)?,
            "rate" => vif.rate = Some(value.parse()?),
            "backend" => vif.backend = Some(value.parse()?),
            "mtu" => vif.mtu = Some(number("mtu", value)?),
            "trusted" => vif.untrusted_backend = !flag("trusted", value)?,
            "model" => model = text("model", value)?,
            "type" => {
                emulated = match value {
                    "ioemu" => true,
                    "vif" | "netfront" | "paravirtualised" => false,
                    _ => {
                        return Err(unknown(
                            format!("Invalid vif type: {value}"),
                            value,
                            &["netfront", "ioemu"],
                        ));
                    }
                }
            }
            "devid" | "accel" => draft.warn(format!("{key} has no effect on an interface")),
            "policy" | "label" => {
                let why =
                    "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.";
                return Err(Complaint::new(why));
            }
            _ => return Err(unknown(format!("Invalid vif option: {key}"), key, KEYS)),
        }
    }
    if emulated {
        vif.model = VifModel::Emulated(model.map_or_else(|| Text::new("model", "rtl8139"), Ok)?);
    }
    if vif.mac.is_some() && draft.vifs.iter().any(|other| other.mac == vif.mac) {
        let mac = vif.mac.map(|mac| mac.to_string()).unwrap_or_default();
        return Err(Complaint::new(format!("The mac \"{mac}\" is already defined")));
    }
    draft.vifs.push(vif);
    Ok(())
}
