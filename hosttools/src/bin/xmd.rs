//! `xmd`: passes what local programs ask on to the control domain.

use std::error::Error;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use xendless_core::hyper::DomId;
use xendless_hosttools::client::SOCKET;
use xendless_hosttools::xen::ControlRing;
use xendless_hosttools::xmd::consoles::{Consoles, Files};
use xendless_hosttools::xmd::definitions::{Definitions, Directory};
use xendless_hosttools::xmd::mux::Settings;
use xendless_hosttools::xmd::{Access, Daemon, Lock, Parts, Socket, ToSocket, Uplink};

/// Relay between local programs, such as xm, and the control domain.
///
/// It also keeps the definitions of domains that do not run, and logs the consoles of those that do. It stays in the
/// foreground, writes its own log to standard error, and ends cleanly on SIGTERM.
#[derive(Parser, Debug)]
#[command(name = "xmd", version)]
struct Options {
    /// Where local programs connect.
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    socket: PathBuf,

    /// The way to the control domain: vchan, or unix:PATH for a socket that one listens on (for tests).
    #[arg(long, value_name = "WAY", default_value = "vchan", value_parser = way)]
    ring: Way,

    /// The control domain's id.
    #[arg(long, value_name = "DOMID", default_value_t = 0)]
    control_domain: u16,

    /// The directory with Xen's devices.
    #[arg(long, value_name = "DIR", default_value = "/dev/xen")]
    devices: PathBuf,

    /// Where definitions are kept.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/xendless")]
    state_dir: PathBuf,

    /// Where consoles are logged.
    #[arg(long, value_name = "DIR", default_value = "/var/log/xendless")]
    log_dir: PathBuf,

    /// The id of a group whose members may ask what root may ask.
    #[arg(long, value_name = "GID")]
    group: Option<u32>,

    /// Consoles are not logged.
    #[arg(long)]
    no_console_log: bool,

    /// The size in bytes at which the log of a console is put aside and a new one begun.
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    console_log_size: u64,

    /// How many logs of a console that were put aside are kept.
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    console_log_keep: u32,

    /// Does nothing: xmd always stays in the foreground.
    #[arg(long, short)]
    foreground: bool,
}

/// A way to the control domain.
#[derive(Clone, Debug)]
enum Way {
    Vchan,
    Socket(PathBuf),
}

fn way(word: &str) -> Result<Way, String> {
    match word.split_once(':') {
        None if word == "vchan" => Ok(Way::Vchan),
        Some(("unix", path)) if !path.is_empty() => Ok(Way::Socket(path.into())),
        _ => Err("it is vchan or unix:PATH".into()),
    }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xmd: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// What `xm info -c` shows.
    fn shown(&self) -> Settings {
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
            ("group", self.group.map(|group| group.to_string())),
            ("console-log-size", Some(self.console_log_size.to_string())),
            ("console-log-keep", Some(self.console_log_keep.to_string())),
        ]
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let settings = options.shown();
    let stop = stop_signal()?;
    let of = |what: PathBuf| move |error: io::Error| format!("{}: {error}", what.display());
    let _state = Lock::take(&options.state_dir.join("lock")).map_err(of(options.state_dir.clone()))?;
    let mut lock = options.socket.clone().into_os_string();
    lock.push(".lock");
    let _socket = Lock::take(Path::new(&lock)).map_err(of(options.socket.clone()))?;
    let kept = options.state_dir.join("definitions");
    let opened = Directory::open(kept.clone()).and_then(Definitions::open);
    let (definitions, complaints) = opened.map_err(of(kept))?;
    for complaint in complaints {
        eprintln!("xmd: {complaint}");
    }
    let socket = Socket::bind(options.socket.clone(), options.group).map_err(of(options.socket))?;
    let uplink: Box<dyn Uplink> = match options.ring {
        Way::Vchan => Box::new(ControlRing::new(options.devices, DomId(options.control_domain))),
        Way::Socket(path) => Box::new(ToSocket::new(path)),
    };
    let files = Files::new(options.log_dir, options.console_log_size, options.console_log_keep);
    let consoles = (!options.no_console_log).then(|| Consoles::new(files));
    let access = Access { group: options.group };
    Daemon::new(Parts { socket, access, uplink, definitions, consoles, stop, settings }).run()?;
    Ok(())
}

/// Readable when the daemon is asked to end.
fn stop_signal() -> io::Result<UnixStream> {
    let (stop, asked) = UnixStream::pair()?;
    pipe::register(SIGTERM, asked.try_clone()?)?;
    pipe::register(SIGINT, asked)?;
    Ok(stop)
}
