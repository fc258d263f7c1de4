//! `shell`: sub-commands, one a line, typed at a prompt or read from a script.
//!
//! Each runs as a process of its own, as in any shell: Ctrl-C ends that one alone, and whatever becomes of it the shell
//! goes on.

mod editor;
mod history;

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag;

use self::editor::{Editor, Typed};
use super::dispatch::{SERVER, hint};
use super::error::{Error, FAILED, reason};
use super::help as texts;
use super::options::Given;
use super::session::Session;
use super::table::{Found, Outcome, find};
use crate::shown::Shown;

const BANNER: &str = "The Xen Master. Type \"help\" for a list of functions.";
/// This program, whatever became of its file meanwhile.
const OURSELVES: &str = "/proc/self/exe";

/// `shell`.
pub(super) fn run(session: &mut Session, _: &Given) -> Outcome {
    if io::stdin().is_terminal() { converse(session) } else { script(session) }
}

/// Lines that a person types. It ends well when the person leaves.
fn converse(session: &mut Session) -> Outcome {
    for signal in [SIGINT, SIGQUIT] {
        // They are for the sub-command. A handler, unlike a signal that is ignored, is not handed on to it.
        flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let terminal = tcgetattr(io::stdin()).map_err(io::Error::from)?;
    let mut editor = Editor::new(session)?;
    session.out.line(BANNER)?;
    loop {
        session.out.flush()?;
        match editor.line()? {
            Typed::Line(line) => {
                carry_out(session, &line, Stdio::inherit())?;
                // A sub-command that was killed may have left it as it liked it.
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, &terminal);
            }
            Typed::Abandoned => {}
            Typed::End => {
                session.out.line("")?;
                return Ok(0);
            }
        }
    }
}

/// Lines from elsewhere. It ends as the last sub-command did.
fn script(session: &mut Session) -> Outcome {
    let mut last = 0;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| Error::Plain(format!("Cannot read: {}.", reason(&error))))?;
        // The script is for the shell alone.
        if let Some(status) = carry_out(session, &line, Stdio::null())? {
            last = status;
        }
    }
    Ok(last)
}

/// Carries out one line and gives its status, if anything stood in it.
fn carry_out(session: &mut Session, line: &str, input: Stdio) -> Result<Option<u8>, Error> {
    let Some(words) = shlex::split(line) else {
        eprintln!("Error: No closing quotation");
        return Ok(Some(FAILED));
    };
    let status = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => return Ok(None),
        ["help" | "?"] | ["xm"] | ["xm", "help"] => {
            session.out.write_all(texts::short().as_bytes())?;
            0
        }
        ["xm", words @ ..] => sub_command(session, words, input)?,
        ["?", words @ ..] => sub_command(session, &[&["help"], words].concat(), input)?,
        words => sub_command(session, words, input)?,
    };
    session.out.flush()?;
    Ok(Some(status))
}

fn sub_command(session: &mut Session, words: &[&str], input: Stdio) -> Outcome {
    let word = words.first().copied().unwrap_or_default();
    if matches!(find(word), Found::Nothing) {
        session.out.line(format_args!("*** Unknown command: {}{}", Shown(word), advice(word)))?;
        return Ok(FAILED);
    }
    session.out.flush()?;
    let mut command = Command::new(OURSELVES);
    let status = command.arg0("xm").args(words).env(SERVER, &session.socket).stdin(input).status();
    let status = status.map_err(|error| Error::Plain(format!("Cannot start xm: {}.", reason(&error))))?;
    let signal = status.signal().map(|signal| 128 | signal);
    let number = status.code().or(signal).and_then(|number| u8::try_from(number).ok());
    Ok(number.unwrap_or(FAILED))
}

fn advice(word: &str) -> String {
    match word {
        "exit" | "quit" | "logout" | "bye" => "\nCtrl-D leaves the shell.".to_owned(),
        _ => hint(word),
    }
}
