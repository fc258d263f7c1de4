//! Errors and warnings about a configuration, as people see them.

use std::fmt;

use super::python::Pos;
use crate::shown::Shown;

/// One thing that is wrong, or worth knowing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do about it.
    pub help: Option<String>,
}

/// Where something is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The file cannot be read or run beyond this place.
    Program(Source),
    /// A value in the file.
    Value(Source),
    /// This word of the command line.
    CommandLine(String),
    /// The file as a whole.
    File(String),
}

/// How much of a line is shown, in characters.
const WIDEST: usize = 200;

/// A place in a file, with the text of its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The file.
    pub path: String,
    /// Line and column.
    pub at: Pos,
    /// The start of the line.
    pub line: String,
}

impl Source {
    /// The place `at` of a file with this text.
    #[must_use]
    pub fn new(path: &str, text: &str, at: Pos) -> Self {
        let index = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let line = text.lines().nth(index).unwrap_or("");
        Self { path: path.to_owned(), at, line: line.chars().take(WIDEST).collect() }
    }

    /// The line behind a tab, as `xm` showed it, and a mark under the column.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = usize::try_from(self.at.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let line: String =
            self.line.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
        writeln!(f, "\t{line}")?;
        if before < WIDEST {
            let indent: String = line.chars().chain(std::iter::repeat(' ')).take(before).map(blank).collect();
            writeln!(f, "\t{indent}^")?;
        }
        Ok(())
    }
}

/// What keeps the column of `c` and shows nothing.
fn blank(c: char) -> char {
    if c == '\t' { '\t' } else { ' ' }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = Shown(&self.message);
        match &self.place {
            Place::Program(source) => {
                let (line, path, at) = (source.at.line, Shown(&source.path), source.at);
                writeln!(f, "Errors were found at line {line} while processing {path}:")?;
                source.show(f)?;
                write!(f, "{path}:{at}: {message}")?;
            }
            Place::Value(source) => {
                writeln!(f, "{message}")?;
                source.show(f)?;
                write!(f, "at {}:{}", Shown(&source.path), source.at)?;
            }
            Place::CommandLine(word) => write!(f, "{message}\nat {} on the command line", Shown(word))?,
            Place::File(path) => write!(f, "{message}\nin {}", Shown(path))?,
        }
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", Shown(help)),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errors(pub Vec<Diagnostic>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, diagnostic) in self.0.iter().enumerate() {
            let separator = if n > 0 { "\n\n" } else { "" };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// What a part of the evaluation objects to, before it is known where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<xendless_core::config::Invalid> for Complaint {
    fn from(invalid: xendless_core::config::Invalid) -> Self {
        Self::new(invalid.to_string())
    }
}
