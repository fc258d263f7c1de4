//! `xm`: manages the domains of this machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    xendless_hosttools::xm::main(std::env::args_os().skip(1))
}
