//! `xm`, the classic command line of Xen, as a client of `xmd`.
//!
//! `table` says what sub-commands there are, what they take and who carries them out; help, option parsing,
//! completions and man pages all come from it. What a sub-command does stands in `commands`. Output, error texts and
//! exit statuses are those that scripts know from the `xm` of Xen 4.1.
#![forbid(unsafe_code)]

mod commands;
mod complete;
mod dispatch;
mod durable;
mod error;
mod help;
pub mod inventory;
mod listener;
mod manual;
pub mod migration;
mod options;
mod out;
mod session;
mod shell;
mod signals;
mod suspended;
mod table;
mod terminal;
mod timer;

use std::ffi::OsString;
use std::process::ExitCode;

/// Carries out one command line, without the program's own name.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::from(dispatch::run(arguments))
}
