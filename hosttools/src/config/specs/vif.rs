//! Network interfaces: `mac=…,bridge=…`.

use xendless_core::config::Text;
use xendless_core::config::devices::{Mac, Vif, VifModel};

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
    let vif = interface(draft, &pairs(value)?)?;
    if let Some(mac) = vif.mac.filter(|_| draft.vifs.iter().any(|other| other.is(&vif))) {
        return Err(Complaint::new(format!("The mac \"{mac}\" is already defined")));
    }
    draft.vifs.push(vif);
    Ok(())
}

/// The interface that `xm network-attach` means, and warnings about it. The classic tool said of a wrong word no more
/// than that it is one.
pub(in crate::config) fn words(words: &[&str]) -> Result<(Vif, Vec<String>), String> {
    let mut pairs = Vec::new();
    for word in words {
        let pair = word.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let pair = pair.filter(|(key, _)| KEYS.contains(key));
        pairs.push(pair.ok_or_else(|| format!("Invalid argument: {word}"))?);
    }
    if pairs.iter().any(|(key, value)| *key == "mac" && value.parse::<Mac>().is_err()) {
        return Err("Cannot create a new virtual network interface - MAC address is not valid!".to_owned());
    }
    let mut draft = Draft::default();
    let vif = interface(&mut draft, &pairs).map_err(|complaint| complaint.message)?;
    Ok((vif, draft.take_warnings()))
}

fn interface(draft: &mut Draft, pairs: &[(&str, &str)]) -> Result<Vif, Complaint> {
    let mut vif = Vif::default();
    let (mut emulated, mut model) = (false, None);
    for (key, value) in pairs.iter().copied() {
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
            "type" => emulated = is_emulated(value)?,
            "devid" | "accel" => draft.warn(format!("{key} has no effect on an interface")),
            "policy" | "label" => {
                let why =
                    "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.";
                return Err(Complaint::new(why));
            }
            _ => return Err(unknown(format!("Invalid vif option: {key}"), key, KEYS)),
        }
    }
    if emulated || model.is_some() {
        draft.warn("there is no emulator of network cards; the interface is a paravirtual one".to_owned());
    }
    if emulated {
        vif.model = VifModel::Emulated(model.map_or_else(|| Text::new("model", "rtl8139"), Ok)?);
    }
    Ok(vif)
}

fn is_emulated(kind: &str) -> Result<bool, Complaint> {
    match kind {
        "ioemu" => Ok(true),
        "vif" | "netfront" | "paravirtualised" => Ok(false),
        _ => Err(unknown(format!("Invalid vif type: {kind}"), kind, &["netfront", "ioemu"])),
    }
}
