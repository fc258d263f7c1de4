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
use xendless_hosttools::xen::ControlRing;
use xendless_hosttools::xmd::consoles::{Consoles, Files};
use xendless_hosttools::xmd::definitions::{Definitions, Directory};
use xendless_hosttools::xmd::hotplug;
use xendless_hosttools::xmd::{Access, Daemon, Lock, Options, Parts, Socket, ToSocket, Uplink, Way};

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xmd: {error}");
            ExitCode::FAILURE
        }
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
    let devices = options.devices.clone();
    let uplink: Box<dyn Uplink> = match options.ring {
        Way::Vchan => Box::new(ControlRing::new(options.devices, DomId(options.control_domain))),
        Way::Socket(path) => Box::new(ToSocket::new(path)),
    };
    if !options.no_hotplug
        && let Err(error) = hotplug::start(&devices, options.scripts, &options.bridges)
    {
        eprintln!("xmd: no devices are served: {}: {error}", devices.join("xenbus").display());
    }
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
