//! What goes wrong while a configuration file is read or run.

use super::token::Pos;

/// The kinds of exception that the language knows, as Python names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Exception,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EnvironmentError,
    IOError,
    ImportError,
    IndexError,
    KeyError,
    LookupError,
    NameError,
    OSError,
    OverflowError,
    RuntimeError,
    SystemExit,
    TypeError,
    ValueError,
    ZeroDivisionError,
    /// The file cannot be read as the language; no `except` sees this.
    Syntax,
    /// A limit was hit; no `except` sees this.
    Limit,
}

impl Kind {
    /// Those that a file can name.
    pub(super) const NAMED: &[(&'static str, Self)] = &[
        ("ArithmeticError", Self::ArithmeticError),
        ("AssertionError", Self::AssertionError),
        ("AttributeError", Self::AttributeError),
        ("EnvironmentError", Self::EnvironmentError),
        ("Exception", Self::Exception),
        ("IOError", Self::IOError),
        ("ImportError", Self::ImportError),
        ("IndexError", Self::IndexError),
        ("KeyError", Self::KeyError),
        ("LookupError", Self::LookupError),
        ("NameError", Self::NameError),
        ("OSError", Self::OSError),
        ("OverflowError", Self::OverflowError),
        ("RuntimeError", Self::RuntimeError),
        ("StandardError", Self::Exception),
        ("SystemExit", Self::SystemExit),
        ("TypeError", Self::TypeError),
        ("ValueError", Self::ValueError),
        ("ZeroDivisionError", Self::ZeroDivisionError),
    ];

    /// The name a file uses.
    pub(super) fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, kind)| *kind == self).map_or("error", |(name, _)| name)
    }

    /// Whether `except self:` handles an exception of `other` kind.
    pub(super) fn catches(self, other: Self) -> bool {
        match self {
            _ if !other.can_be_caught() => false,
            Self::Exception => other != Self::SystemExit,
            Self::ArithmeticError => {
                matches!(other, Self::OverflowError | Self::ZeroDivisionError) || self == other
            }
            Self::LookupError => matches!(other, Self::IndexError | Self::KeyError) || self == other,
            Self::EnvironmentError => matches!(other, Self::IOError | Self::OSError) || self == other,
            _ => self == other,
        }
    }

    /// Whether a bare `except:` handles it.
    pub(super) fn can_be_caught(self) -> bool {
        !matches!(self, Self::Syntax | Self::Limit)
    }
}

/// An exception on its way out, or a mistake in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) message: String,
    pub(super) at: Pos,
    pub(super) help: Option<String>,
}

/// The outcome of anything that can fail.
pub(super) type Result<T> = std::result::Result<T, Box<Fault>>;

/// An exception of `kind` at `at`.
pub(super) fn fault(kind: Kind, at: Pos, message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault { kind, message: message.into(), at, help: None })
}

/// A mistake in the text.
pub(super) fn syntax(at: Pos, message: impl Into<String>) -> Box<Fault> {
    fault(Kind::Syntax, at, message)
}

impl Fault {
    /// The same, with advice.
    pub(super) fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }
}
