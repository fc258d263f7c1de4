//! Framebuffers: `vnc=1,vnclisten=…`, and the older `type=vnc`.

use xendless_core::config::devices::{Framebuffer, Sdl, Vnc};

use super::pairs::{flag, number, pairs, text, unknown};
use crate::config::draft::Draft;
use crate::config::table::Taken;

const KEYS: &[&str] = &[
    "vnclisten",
    "vncunused",
    "vncdisplay",
    "display",
    "videoram",
    "xauthority",
    "sdl",
    "vnc",
    "vncpasswd",
    "opengl",
    "keymap",
    "serial",
    "monitor",
    "type",
];

/// Adds a framebuffer.
pub(in crate::config) fn vfb(draft: &mut Draft, value: &str) -> Taken {
    let mut framebuffer = Framebuffer::default();
    let (mut vnc, mut sdl) = (Vnc { unused: true, ..Vnc::default() }, Sdl::default());
    let (mut use_vnc, mut use_sdl) = (None, false);
    for (key, value) in pairs(value)? {
        match key {
            "type" => match value {
                "vnc" => use_vnc = Some(true),
                "sdl" => use_sdl = true,
                _ => return Err(unknown(format!("Invalid vfb type: {value}"), value, &["vnc", "sdl"])),
            },
            "vnc" => use_vnc = Some(flag("vnc", value)?),
            "vnclisten" => vnc.listen = text("vnclisten", value)?,
            "vncunused" => vnc.unused = flag("vncunused", value)?,
            "vncdisplay" => {
                vnc.display = Some(number("vncdisplay", value)?);
                vnc.unused = false;
            }
            "vncpasswd" => vnc.password = text("vncpasswd", value)?,
            "sdl" => use_sdl = flag("sdl", value)?,
            "opengl" => sdl.opengl = flag("opengl", value)?,
            "display" => sdl.display = text("display", value)?,
            "xauthority" => sdl.xauthority = text("xauthority", value)?,
            "keymap" => framebuffer.keymap = text("keymap", value)?,
            "videoram" => framebuffer.video_ram = Some(number("videoram", value)?),
            "serial" | "monitor" => draft.warn(format!("{key} has no effect on a framebuffer")),
            _ => return Err(unknown(format!("configuration option {key} unknown to vfbs"), key, KEYS)),
        }
    }
    // A framebuffer that nothing is said about is shown by VNC.
    framebuffer.vnc = use_vnc.unwrap_or(!use_sdl).then_some(vnc);
    framebuffer.sdl = use_sdl.then_some(sdl);
    draft.warn("there is no display server; the domain's console is its text console".to_owned());
    draft.framebuffers.push(framebuffer);
    Ok(())
}
