//! The command line of `xmd`.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::hotplug::Bridge;
use super::mux::Settings;
use crate::client::SOCKET;

/// Relay between local programs, such as xm, and the control domain.
///
/// It also keeps the definitions of domains that do not run, and logs the consoles of those that do. It stays in the
/// foreground, writes its own log to standard error, and ends cleanly on SIGTERM.
#[derive(Parser, Debug)]
#[command(name = "xmd", version)]
pub struct Options {
    /// Where local programs connect.
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    pub socket: PathBuf,

    /// The way to the control domain: vchan, or unix:PATH for a socket that one listens on (for tests).
    #[arg(long, value_name = "WAY", default_value = "vchan", value_parser = way)]
    pub ring: Way,

    /// The control domain's id.
    #[arg(long, value_name = "DOMID", default_value_t = 0)]
    pub control_domain: u16,

    /// The directory with Xen's devices.
    #[arg(long, value_name = "DIR", default_value = "/dev/xen")]
    pub devices: PathBuf,

    /// Where definitions are kept.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/xendless")]
    pub state_dir: PathBuf,

    /// Where consoles are logged.
    #[arg(long, value_name = "DIR", default_value = "/var/log/xendless")]
    pub log_dir: PathBuf,

    /// Where hotplug scripts are, for disks and network interfaces that name one.
    #[arg(long, value_name = "DIR", default_value = "/etc/xen/scripts")]
    pub scripts: PathBuf,

    /// A bridge that is made if it is not there, and interfaces that become its ports. The first one is for guests' interfaces
    /// that name no bridge. May be given several times.
    #[arg(long = "bridge", value_name = "NAME[=INTERFACE,...]", conflicts_with = "no_hotplug")]
    pub bridges: Vec<Bridge>,

    /// What is behind the devices that this domain serves is somebody else's business.
    #[arg(long)]
    pub no_hotplug: bool,

    /// The id of a group whose members may ask what root may ask.
    #[arg(long, value_name = "GID")]
    pub group: Option<u32>,

    /// Consoles are not logged.
    #[arg(long)]
    pub no_console_log: bool,

    /// The size in bytes at which the log of a console is put aside and a new one begun.
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    pub console_log_size: u64,

    /// How many logs of a console that were put aside are kept.
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    pub console_log_keep: u32,

    /// Does nothing: xmd always stays in the foreground.
    #[arg(long, short)]
    pub foreground: bool,
}

impl Options {
    /// What `xm info -c` shows.
    #[must_use]
    pub fn shown(&self) -> Settings {
        let path = |path: &Path| Some(path.display().to_string());
        let ring = match &self.ring {
            Way::Vchan => "vchan".to_owned(),
            Way::Socket(path) => format!("unix:{}", path.display()),
        };
        vec![
            ("socket", path(&self.socket)),
            ("ring", Some(ring)),
            ("control-domain", Some(self.control_domain.to_string())),
            ("devices", path(&self.devices)),
            ("state-dir", path(&self.state_dir)),
            ("log-dir", if self.no_console_log { None } else { path(&self.log_dir) }),
            ("scripts", if self.no_hotplug { None } else { path(&self.scripts) }),
            ("bridges", self.shown_bridges()),
            ("group", self.group.map(|group| group.to_string())),
            ("console-log-size", Some(self.console_log_size.to_string())),
            ("console-log-keep", Some(self.console_log_keep.to_string())),
        ]
    }

    fn shown_bridges(&self) -> Option<String> {
        let bridges: Vec<String> = self.bridges.iter().map(Bridge::to_string).collect();
        Some(bridges.join(" ")).filter(|bridges| !bridges.is_empty())
    }
}

/// A way to the control domain.
#[derive(Clone, Debug)]
pub enum Way {
    /// The control ring.
    Vchan,
    /// A socket that somebody listens on.
    Socket(PathBuf),
}

fn way(word: &str) -> Result<Way, String> {
    match word.split_once(':') {
        None if word == "vchan" => Ok(Way::Vchan),
        Some(("unix", path)) if !path.is_empty() => Ok(Way::Socket(path.into())),
        _ => Err("it is vchan or unix:PATH".into()),
    }
}
