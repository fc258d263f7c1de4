//! How a setting is wrong, in words a person can act on.

use core::fmt;

/// One setting that cannot be accepted. Whoever wrote or sent it is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The setting, as the configuration language names it.
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// Nothing was given where something must be.
    Empty,
    /// More bytes or entries than are ever kept.
    TooLong {
        /// The most that is accepted.
        max: usize,
    },
    /// A character that the setting cannot hold.
    Character(char),
    /// A number outside what makes sense.
    OutOfRange {
        /// The smallest accepted.
        min: u64,
        /// The largest accepted.
        max: u64,
    },
    /// Not of the form that the setting has; the text describes the form.
    Form(&'static str),
    /// At odds with another setting; the text says with which, and how.
    Conflict(&'static str),
}

impl Invalid {
    /// `what` has `problem`.
    #[must_use]
    pub const fn new(what: &'static str, problem: Problem) -> Self {
        Self { what, problem }
    }

    /// `what` is not of the form described.
    #[must_use]
    pub const fn form(what: &'static str, form: &'static str) -> Self {
        Self::new(what, Problem::Form(form))
    }

    /// `what` is at odds with another setting.
    #[must_use]
    pub const fn conflict(what: &'static str, why: &'static str) -> Self {
        Self::new(what, Problem::Conflict(why))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.problem)
    }
}

impl core::error::Error for Invalid {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("must not be empty"),
            Self::TooLong { max } => write!(f, "is too long, at most {max} are accepted"),
            Self::Character(c) => write!(f, "cannot contain {c:?}"),
            Self::OutOfRange { min, max } => write!(f, "must be from {min} to {max}"),
            Self::Form(form) => write!(f, "must be {form}"),
            Self::Conflict(why) => f.write_str(why),
        }
    }
}
