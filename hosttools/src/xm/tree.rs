//! The whole tree of sub-commands as clap knows it, for completions and manual pages. Running one never builds it.

use std::io::Write;
use std::path::Path;

use clap_complete::{Shell, generate};

use super::error::{Error, reason};
use super::options::{self, Given};
use super::session::Session;
use super::table::{EXTRA, Outcome, classic};
use crate::shown::Shown;

/// All of `xm`.
fn tree() -> clap::Command {
    let own = clap::Command::new("xm")
        .about("Manages the domains of this machine")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .arg(
            clap::Arg::new("socket")
                .long("socket")
                .env("XM_SERVER")
                .value_name("PATH")
                .value_hint(clap::ValueHint::FilePath)
                .help("Where xmd listens"),
        );
    own.subcommands(classic().chain(EXTRA).map(|command| options::clap(command).no_binary_name(false)))
}

/// `completions`: the script for a shell.
pub(super) fn completions(session: &mut Session, given: &Given) -> Outcome {
    let shell = match given.operand(0) {
        "bash" => Shell::Bash,
        "fish" => Shell::Fish,
        "zsh" => Shell::Zsh,
        other => {
            return Err(Error::Usage(format!("'{}' is none of bash, fish and zsh", Shown(other))));
        }
    };
    let mut script = Vec::new();
    generate(shell, &mut tree(), "xm", &mut script);
    session.out.write_all(&script)?;
    Ok(0)
}

/// `man`: a manual page for `xm` and for each sub-command.
pub(super) fn man(_: &mut Session, given: &Given) -> Outcome {
    let folder = Path::new(given.operand(0));
    clap_mangen::generate_to(tree(), folder).map(|()| 0).map_err(|error| {
        Error::Plain(format!("Cannot write to {}: {}", Shown(given.operand(0)), reason(&error)))
    })
}
