//! Text to expressions.

use std::fmt;

use super::Sxp;
use crate::config::python::{Pos, StringError, string};

/// How deeply lists may be nested.
const MAX_DEPTH: usize = 50;

/// Why text is no expression. Whoever wrote it is at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub at: Pos,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

impl std::error::Error for ReadError {}

/// Reads the first expression of `text`; `#` starts a comment.
///
/// # Errors
///
/// When there is none, or it is not written as one.
pub fn read(text: &str) -> Result<Sxp, ReadError> {
    let mut reader = Reader { rest: text, at: Pos { line: 1, column: 1 } };
    let mut open: Vec<Vec<Sxp>> = Vec::new();
    loop {
        reader.skip();
        let done = match reader.rest.chars().next() {
            None => return Err(reader.error("the expression ends early")),
            Some('(') if open.len() >= MAX_DEPTH => return Err(reader.error("lists are nested too deeply")),
            Some('(') => {
                reader.advance(1);
                open.push(Vec::new());
                continue;
            }
            Some(')') => {
                let list = open.pop().ok_or_else(|| reader.error("')' closes nothing"))?;
                reader.advance(1);
                Sxp::List(list)
            }
            Some(c) => reader.atom(c)?,
        };
        match open.last_mut() {
            Some(list) => list.push(done),
            None => return Ok(done),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    at: Pos,
}

impl Reader<'_> {
    fn error(&self, message: &str) -> ReadError {
        ReadError { message: message.to_owned(), at: self.at }
    }

    fn advance(&mut self, len: usize) {
        let (over, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        for c in over.chars() {
            self.at = match c {
                '\n' => Pos { line: self.at.line + 1, column: 1 },
                _ => Pos { column: self.at.column + 1, ..self.at },
            };
        }
        self.rest = rest;
    }

    /// Moves over blanks and comments.
    fn skip(&mut self) {
        loop {
            self.advance(self.rest.len() - self.rest.trim_start().len());
            if !self.rest.starts_with('#') {
                return;
            }
            self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    fn atom(&mut self, first: char) -> Result<Sxp, ReadError> {
        if matches!(first, '\'' | '"') {
            let (text, len) = string(self.rest, first, false).map_err(|error| match error {
                StringError::Unclosed => self.error("the text is not closed"),
                StringError::Escape => self.error("invalid escape in the text"),
            })?;
            self.advance(len);
            return Ok(Sxp::Atom(text));
        }
        let end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"' | '#');
        let len = self.rest.find(end).unwrap_or(self.rest.len());
        let text = self.rest.get(..len).unwrap_or("").to_owned();
        self.advance(len);
        Ok(Sxp::Atom(text))
    }
}
