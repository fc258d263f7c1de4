//! From words to a sub-command, and from its outcome to an exit status.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use super::complete;
use super::error::{Error, FAILED};
use super::help as texts;
use super::options::{self, Given};
use super::out::Out;
use super::session::{self, Session};
use super::suspended::Suspended;
use super::table::{ALIASES, Action, Command, EXTRA, Found, Outcome, classic, find};
use crate::client::SOCKET;
use crate::config::suggest::closest;
use crate::shown::Shown;

/// The variable that says where `xmd` listens.
pub(super) const SERVER: &str = "XM_SERVER";

/// Carries out one command line.
pub(super) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let socket = std::env::var_os(SERVER).filter(|path| !path.is_empty());
    let socket = socket.map_or_else(|| SOCKET.into(), PathBuf::from);
    let mut session = Session { socket, suspended: Suspended::from_environment(), out: Out::new() };
    let words: Result<Vec<String>, _> = arguments.map(OsString::into_string).collect();
    let outcome = match words {
        Ok(words) => start(&mut session, &words),
        Err(_) => Err((None, Error::Plain("Invalid argument.".to_owned()))),
    };
    let flushed = session.out.flush();
    match (outcome, flushed) {
        (Ok(status), Ok(())) => status,
        (Ok(_), Err(error)) => fail(&mut session, None, &error.into()),
        (Err((command, error)), _) => fail(&mut session, command, &error),
    }
}

/// What went wrong, and where, if in a sub-command.
type Failed = (Option<&'static Command>, Error);

/// Words before the sub-command, then that.
fn start(session: &mut Session, mut words: &[String]) -> Result<u8, Failed> {
    let outside = |error: Error| (None, error);
    loop {
        let (first, rest) = match words {
            [] => {
                session.out.write_all(texts::short().as_bytes()).map_err(|error| outside(error.into()))?;
                return Ok(FAILED);
            }
            [first, rest @ ..] => (first.as_str(), rest),
        };
        words = match first.split_once('=').unwrap_or((first, "")) {
            ("--socket", "") if first == "--socket" => match rest {
                [path, rest @ ..] => {
                    session.socket = path.into();
                    rest
                }
                [] => return Err(outside(Error::Plain("option --socket requires argument".to_owned()))),
            },
            ("--socket", path) => {
                session.socket = path.into();
                rest
            }
            ("--version" | "-V", _) => {
                let version = format_args!("xm {}", env!("CARGO_PKG_VERSION"));
                return session.out.line(version).map(|()| 0).map_err(|error| outside(error.into()));
            }
            // What the scripts of `xm completions` ask. It has no other use, so help does not name it.
            ("--complete", "") if first == "--complete" => {
                let line = rest.first().map_or("", String::as_str);
                return complete::print(session, line).map_err(outside);
            }
            ("-h" | "--help", _) => {
                let full = session.out.write_all(texts::full().as_bytes());
                return full.map(|()| 0).map_err(|error| outside(error.into()));
            }
            _ => return sub_command(session, first, rest),
        };
    }
}

fn sub_command(session: &mut Session, word: &str, rest: &[String]) -> Result<u8, Failed> {
    let command = match find(word) {
        Found::Command(command) => command,
        Found::Alias(command) => {
            eprintln!("Command {word} is deprecated.  Please use xm {} instead.", command.name);
            command
        }
        Found::Nothing => {
            let text = format!("Error: Subcommand {} not found!{}", Shown(word), hint(word));
            eprintln!("{text}");
            let help = session.out.write_all(texts::short().as_bytes());
            return help.map(|()| FAILED).map_err(|error| (None, error.into()));
        }
    };
    if rest.iter().any(|word| word == "-h" || word == "--help") {
        let usage = session.out.write_all(texts::usage(command).as_bytes());
        return usage.map(|()| 0).map_err(|error| (None, error.into()));
    }
    carry_out(session, command, rest).map_err(|error| (Some(command), error))
}

fn carry_out(session: &mut Session, command: &'static Command, rest: &[String]) -> Outcome {
    if let Action::Gone(instead) = command.action {
        return Err(Error::Plain(instead.to_owned()));
    }
    let given = options::parse(command, rest).map_err(|misused| {
        let text = Shown(&misused.message);
        if misused.count { Error::Usage(format!("{text}\n")) } else { Error::Option(text.to_string()) }
    })?;
    match command.action {
        Action::Run(run) => run(session, &given),
        _ => Err(Error::Plain(format!("'xm {}' is not part of this version yet.", command.name))),
    }
}

/// Prints what went wrong; gives the exit status.
fn fail(session: &mut Session, command: Option<&'static Command>, error: &Error) -> u8 {
    let report = error.report(session::is_root());
    if !report.text.is_empty() {
        // Standard error may be closed, too.
        let _ = writeln!(std::io::stderr(), "{}", report.text);
    }
    if let Some(command) = command.filter(|_| report.usage) {
        // Behind that of an option stood what the option itself had to say, which was nothing.
        let blank = if matches!(error, Error::Option(_)) { "\n" } else { "" };
        let usage = format!("{}{blank}", texts::usage(command));
        // Whoever does not read usage has seen the error.
        let _ = session.out.write_all(usage.as_bytes()).and_then(|()| session.out.flush());
    }
    report.status
}

/// What an unknown word was perhaps meant to be.
pub(super) fn hint(word: &str) -> String {
    let names = classic().chain(EXTRA).map(|command| command.name);
    let known = names.chain(ALIASES.iter().map(|(old, _)| *old));
    closest(word, known).map_or_else(String::new, |known| format!("\nDid you mean '{known}'?"))
}

/// `help`: all sub-commands, or one.
pub(super) fn help(session: &mut Session, given: &Given) -> Outcome {
    let text = match find(given.operand(0)) {
        Found::Command(command) | Found::Alias(command) => texts::usage(command),
        Found::Nothing => texts::full(),
    };
    session.out.write_all(text.as_bytes())?;
    Ok(0)
}
