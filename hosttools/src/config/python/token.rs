//! Tokens of a configuration file, each with its place.

use std::fmt;
use std::rc::Rc;

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Pos {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(Rc<str>),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// An operator or a bracket.
    Op(&'static str),
    /// The end of a logical line.
    Newline,
    /// A line starts further right than the one before.
    Indent,
    /// A line starts further left.
    Dedent,
    End,
}

impl fmt::Display for Token {
    /// As it is named in messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "'{name}'"),
            Self::Int(n) => write!(f, "the number {n}"),
            Self::Float(n) => write!(f, "the number {n}"),
            Self::Str(_) => f.write_str("a string"),
            Self::Op(op) => write!(f, "'{op}'"),
            Self::Newline => f.write_str("the end of the line"),
            Self::Indent => f.write_str("an indented line"),
            Self::Dedent => f.write_str("the end of the block"),
            Self::End => f.write_str("the end of the file"),
        }
    }
}

/// Operators and brackets; where one is the start of another, the longer stands first.
pub(super) const OPERATORS: &[&str] = &[
    "**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "<>", "+=", "-=",
    "*=", "/=", "%=", "&=", "|=", "^=", "->", ":=", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "@",
    "=", "+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "`",
];

/// Words that cannot be names of variables.
pub(super) const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except", "exec",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "not", "or", "pass", "print",
    "raise", "return", "try", "while", "with", "yield",
];
