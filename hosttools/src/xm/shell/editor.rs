//! The prompt: a line that can be edited, with history and completion.

use std::borrow::Cow;
use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};

use super::history;
use crate::xm::complete::candidates;
use crate::xm::error::{Error, reason};
use crate::xm::out::Out;
use crate::xm::session::Session;

const PROMPT: &str = "xm> ";
/// Lines that are remembered.
const REMEMBERED: usize = 1000;

/// What a person typed.
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Abandoned,
    /// Ctrl-D, or nobody is there any more.
    End,
}

/// The prompt.
pub(super) struct Editor {
    editor: rustyline::Editor<Words, FileHistory>,
    /// Where lines are remembered, where that is possible.
    history: Option<PathBuf>,
}

impl Editor {
    pub(super) fn new(session: &Session) -> Result<Self, Error> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .auto_add_history(true)
            .history_ignore_space(true)
            .max_history_size(REMEMBERED)
            .map_err(failed)?
            .build();
        let mut editor = rustyline::Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Words(Session {
            socket: session.socket.clone(),
            suspended: session.suspended.clone(),
            out: Out::new(),
        })));
        let history = history::file();
        if let Some(path) = &history {
            // A history that cannot be read is begun anew.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// The next line.
    pub(super) fn line(&mut self) -> Result<Typed, Error> {
        let line = match self.editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => return Ok(Typed::Abandoned),
            Err(ReadlineError::Eof) => return Ok(Typed::End),
            Err(error) => return Err(failed(error)),
        };
        if let Some(path) = &self.history {
            // At once, so that whatever ends the shell takes nothing away; but nobody's work depends on it.
            let _ = self.editor.append_history(path);
        }
        Ok(Typed::Line(line))
    }
}

fn failed(error: ReadlineError) -> Error {
    match error {
        ReadlineError::Io(error) => Error::Plain(format!("Cannot read: {}.", reason(&error))),
        other => Error::Plain(format!("Cannot read: {other}.")),
    }
}

/// Completes words.
struct Words(Session);

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = line.get(..at).unwrap_or(line);
        let start = line.rfind(' ').map_or(0, |blank| blank + 1);
        let pairs = candidates(&self.0, line).into_iter().map(|candidate| {
            let display = candidate.word;
            let blank = if display.ends_with(['=', '/']) { "" } else { " " };
            Pair { replacement: format!("{display}{blank}"), display }
        });
        Ok((start, pairs.collect()))
    }
}

impl Highlighter for Words {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Validator for Words {}
impl Helper for Words {}
