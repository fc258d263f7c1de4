//! The value of a variable after evaluation: plain data with places.

pub use super::python::Pos;

/// A value. What configurations have no use for is only named.
#[derive(Clone, PartialEq, Debug)]
pub enum Datum {
    /// No value.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Located>),
    /// A value of this type, which cannot be used here.
    Other(&'static str),
}

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Located {
    /// The value.
    pub datum: Datum,
    /// Where it was written.
    pub at: Pos,
}

impl Datum {
    /// The value in the words of a message.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Float(n) => n.to_string(),
            Self::Text(text) => super::python::quoted(text),
            Self::List(_) => "a list".to_owned(),
            Self::Other(name) => format!("a {name}"),
        }
    }
}
