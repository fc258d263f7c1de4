//! The one table of configuration variables. Parsing, checks, help and `docs/config.md` all come from it.

mod devices;
mod domain;
mod hvm;
mod kernel;
mod obsolete;
mod resources;

use super::diagnostic::Complaint;
use super::draft::Draft;

/// What taking a value can come to.
pub(super) type Taken = Result<(), Complaint>;

/// A configuration variable.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it can hold, and what happens with it.
    pub kind: Kind,
    /// What holds when it is not set, in words.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Who knows it.
    pub origin: Origin,
    /// What this project does with it.
    pub status: Status,
}

/// Which tools know a variable under this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// `xm` and `xl`.
    Both,
    /// `xm` only.
    Xm,
    /// `xl` only.
    Xl,
    /// This project only.
    Own,
}

/// What this project does with a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It sets this field of the domain's configuration.
    Sets(&'static str),
    /// It concerns emulated hardware, which guests of this control plane do not have; `xm` ignored it for
    /// them, too.
    Emulation,
    /// It is accepted with a warning.
    Ignored(&'static str),
    /// It is an error.
    Refused(&'static str),
}

/// What a variable can hold. Each kind carries what to do with the value.
pub enum Kind {
    /// Text; a number is taken as its digits.
    Text(fn(&mut Draft, &str) -> Taken),
    /// A whole number, also as text.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// Takes it.
        set: fn(&mut Draft, i64),
    },
    /// True or false, also as 1 and 0.
    Flag(fn(&mut Draft, bool)),
    /// One of these words.
    Choice {
        /// The words.
        words: &'static [&'static str],
        /// What `xm` says about any other word, instead of the usual.
        classic: Option<&'static str>,
        /// Takes it.
        set: fn(&mut Draft, &str) -> Taken,
    },
    /// One of these words, or its number, from 0.
    Numbered {
        /// The words in the order of their numbers.
        words: &'static [&'static str],
        /// Takes the number.
        set: fn(&mut Draft, usize),
    },
    /// A list of texts or numbers, taken one by one.
    List(fn(&mut Draft, &str) -> Taken),
    /// One text for all, or a list. The flag says that it is a list.
    TextOrList(fn(&mut Draft, &[&str], bool) -> Taken),
}

impl Kind {
    /// What stands for the value in help.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Text(_) => "TEXT",
            Self::Int { .. } => "NUMBER",
            Self::Flag(_) => "0|1",
            Self::Choice { .. } => "WORD",
            Self::Numbered { .. } => "NUMBER|WORD",
            Self::List(_) | Self::TextOrList(_) => "ELEMENT",
        }
    }

    /// The kind in words, with its limits.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Text(_) => "text".to_owned(),
            Self::Int { min, max, .. } if *max == i64::from(i32::MAX) => format!("number from {min}"),
            Self::Int { min, max, .. } => format!("number from {min} to {max}"),
            Self::Flag(_) => "flag (0 or 1)".to_owned(),
            Self::Choice { words, .. } => format!("one of {}", words.join(", ")),
            Self::Numbered { words, .. } => {
                let numbered: Vec<String> =
                    words.iter().enumerate().map(|(n, word)| format!("{n} {word}")).collect();
                format!("number or name: {}", numbered.join(", "))
            }
            Self::List(_) => "list".to_owned(),
            Self::TextOrList(_) => "text or list".to_owned(),
        }
    }
}

impl Variable {
    const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        meaning: &'static str,
        field: &'static str,
    ) -> Self {
        Self { name, kind, default, meaning, origin: Origin::Both, status: Status::Sets(field) }
    }

    /// A variable about emulated hardware.
    const fn emulation(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, default: "", meaning, origin: Origin::Both, status: Status::Emulation }
    }

    /// A variable without effect, for this reason.
    const fn ignored(name: &'static str, kind: Kind, meaning: &'static str, why: &'static str) -> Self {
        Self { name, kind, default: "", meaning, origin: Origin::Both, status: Status::Ignored(why) }
    }

    /// A variable that cannot be used, for this reason.
    const fn refused(name: &'static str, kind: Kind, meaning: &'static str, why: &'static str) -> Self {
        Self { name, kind, default: "", meaning, origin: Origin::Both, status: Status::Refused(why) }
    }

    const fn xm(mut self) -> Self {
        self.origin = Origin::Xm;
        self
    }

    const fn xl(mut self) -> Self {
        self.origin = Origin::Xl;
        self
    }

    const fn own(mut self) -> Self {
        self.origin = Origin::Own;
        self
    }
}

/// A number of any size that goes nowhere.
const INT: Kind = Kind::Int { min: 0, max: i32::MAX as i64, set: |_, _| {} };
/// A flag that goes nowhere.
const FLAG: Kind = Kind::Flag(|_, _| {});
/// Text that goes nowhere.
const TEXT: Kind = Kind::Text(|_, _| Ok(()));
/// A list that goes nowhere.
const LIST: Kind = Kind::List(|_, _| Ok(()));
/// A text or a list that goes nowhere.
const TEXT_OR_LIST: Kind = Kind::TextOrList(|_, _, _| Ok(()));

/// A part of the table.
pub struct Group {
    /// Its title.
    pub title: &'static str,
    /// Its variables.
    pub variables: &'static [Variable],
}

/// The table.
pub static GROUPS: &[Group] = &[
    Group { title: "The domain", variables: domain::VARIABLES },
    Group { title: "Kernel and command line", variables: kernel::VARIABLES },
    Group { title: "Memory, CPUs and limits", variables: resources::VARIABLES },
    Group { title: "Devices", variables: devices::VARIABLES },
    Group { title: "Emulated hardware", variables: hvm::VARIABLES },
    Group { title: "Obsolete", variables: obsolete::VARIABLES },
];

/// All variables, in the order of the table.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    GROUPS.iter().flat_map(|group| group.variables)
}

/// The variable with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Variable> {
    variables().find(|variable| variable.name == name)
}
