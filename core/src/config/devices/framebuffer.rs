//! Framebuffers and who may look at them.

use serde::{Deserialize, Serialize};

use crate::config::{Ranged, Text};

/// A VNC server for a framebuffer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Vnc {
    /// The address it listens on.
    pub listen: Option<Text<63>>,
    /// The display number, from which the port follows.
    pub display: Option<Ranged<0, 59_635>>,
    /// Take the first free display instead.
    pub unused: bool,
    /// The password it asks for.
    pub password: Option<Text<255>>,
}

/// A window on the host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sdl {
    /// The X display.
    pub display: Option<Text<255>>,
    /// The X cookie file.
    pub xauthority: Option<Text<4095>>,
    /// Drawn with OpenGL.
    pub opengl: bool,
}

/// One framebuffer with keyboard and pointer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Framebuffer {
    /// Shown by VNC.
    pub vnc: Option<Vnc>,
    /// Shown in a window.
    pub sdl: Option<Sdl>,
    /// The keyboard's layout.
    pub keymap: Option<Text<63>>,
    /// Its memory, in MiB.
    pub video_ram: Option<Ranged<1, 256>>,
}
