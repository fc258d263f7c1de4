//! What a domain may ask of the control domain.
#![forbid(unsafe_code)]

use core::fmt;
use core::str::FromStr;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// How far a domain's say goes. Each step includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, Schema)]
pub enum Rights {
    /// It may ask for nothing.
    #[default]
    Nothing,
    /// It may see all domains.
    Observe,
    /// It may create domains and do with these what it wants.
    Children,
    /// It may do everything.
    Everything,
}

impl Rights {
    /// All of them, from least to most.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Observe, Self::Children, Self::Everything];

    /// The word for it, on command lines and in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Observe => "observe",
            Self::Children => "children",
            Self::Everything => "everything",
        }
    }
}

/// A word that names no rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownRights;

impl fmt::Display for UnknownRights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rights are nothing, observe, children or everything")
    }
}

impl core::error::Error for UnknownRights {}

impl FromStr for Rights {
    type Err = UnknownRights;

    fn from_str(word: &str) -> Result<Self, UnknownRights> {
        Self::ALL.into_iter().find(|rights| rights.name() == word).ok_or(UnknownRights)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_steps_rise() {
        for rights in Rights::ALL {
            assert_eq!(rights.name().parse(), Ok(rights));
        }
        assert_eq!("all".parse::<Rights>(), Err(UnknownRights));
        assert!(Rights::ALL.is_sorted());
        assert_eq!(Rights::default(), Rights::Nothing);
    }
}
