//! Serves XenStore on a unix socket, so that the programs of `xenstore-utils` work on a machine without Xen.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use xendless_hosttools::xenstored::Hosted;

/// XenStore for a machine without Xen.
///
/// Point the usual programs at it by the same variable: `XENSTORED_PATH=/tmp/xs xenstore-ls -f`. They are all
/// privileged; the store starts empty and ends with the server.
#[derive(Parser, Debug)]
#[command(version)]
struct Options {
    /// Where to make the socket.
    #[arg(long, env = "XENSTORED_PATH", default_value = "/run/xenstored/socket")]
    socket: PathBuf,
}

fn main() -> ExitCode {
    let Options { socket } = Options::parse();
    let served = Hosted::bind(&socket).and_then(|mut hosted| {
        println!("listening on {}", socket.display());
        hosted.run()
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xendless-xenstored: {}: {error}", socket.display());
            ExitCode::FAILURE
        }
    }
}
