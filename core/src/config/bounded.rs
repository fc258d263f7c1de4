//! Text, lists and numbers that carry their limits in their types, also when they arrive encoded.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use postcard_schema::Schema;
use postcard_schema::schema::{DataModelType, NamedType};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Invalid, Problem};

/// At most `MAX` bytes of text without control characters; may be empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks `text`; `what` names the setting in the error.
    ///
    /// # Errors
    ///
    /// When it is longer than `MAX` bytes or has a control character.
    pub fn new(what: &'static str, text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.len() > MAX {
            return Err(Invalid::new(what, Problem::TooLong { max: MAX }));
        }
        match text.chars().find(|c| c.is_control()) {
            Some(c) => Err(Invalid::new(what, Problem::Character(c))),
            None => Ok(Self(text)),
        }
    }

    /// As [`Text::new`], but not empty.
    ///
    /// # Errors
    ///
    /// Those of [`Text::new`], and when nothing is given.
    pub fn filled(what: &'static str, text: impl Into<String>) -> Result<Self, Invalid> {
        let text = Self::new(what, text)?;
        if text.is_empty() { Err(Invalid::new(what, Problem::Empty)) } else { Ok(text) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::new("text", text)
    }
}

/// At most `MAX` entries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// Checks the length; `what` names the setting in the error.
    ///
    /// # Errors
    ///
    /// When there are more than `MAX` entries.
    pub fn new(what: &'static str, entries: Vec<T>) -> Result<Self, Invalid> {
        if entries.len() > MAX {
            return Err(Invalid::new(what, Problem::TooLong { max: MAX }));
        }
        Ok(Self(entries))
    }
}

impl<T: Schema, const MAX: usize> Schema for List<T, MAX> {
    const SCHEMA: &'static NamedType = &NamedType { name: "List", ty: &DataModelType::Seq(T::SCHEMA) };
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(decoder: D) -> Result<Self, D::Error> {
        decoder.deserialize_seq(ListVisitor::<T, MAX>(PhantomData))
    }
}

/// Reads entries one by one: the length that the sender claims reserves nothing.
struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = List<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::invalid_length(MAX, &self));
            }
            list.push(entry);
        }
        Ok(List(list))
    }
}

/// A number from `MIN` to `MAX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Ranged<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Ranged<MIN, MAX> {
    /// Checks `number`; `what` names the setting in the error.
    ///
    /// # Errors
    ///
    /// When it is below `MIN` or above `MAX`.
    pub const fn new(what: &'static str, number: u32) -> Result<Self, Invalid> {
        if number < MIN || number > MAX {
            return Err(Invalid::new(what, Problem::OutOfRange { min: MIN as u64, max: MAX as u64 }));
        }
        Ok(Self(number))
    }

    /// A number that is known to fit when the program is compiled.
    #[must_use]
    pub const fn constant<const N: u32>() -> Self {
        const { assert!(N >= MIN && N <= MAX) }
        Self(N)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<u32> for Ranged<MIN, MAX> {
    type Error = Invalid;

    fn try_from(number: u32) -> Result<Self, Invalid> {
        Self::new("number", number)
    }
}
