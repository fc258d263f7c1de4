//! S-expressions, the form in which `xm` shows and stores domains: `(vm (name web) (memory 64))`.

mod read;
mod record;

use std::fmt;

pub use self::read::{ReadError, read};
pub use self::record::record;
use super::python::quoted;

/// An expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sxp {
    /// A word or a text.
    Atom(String),
    /// Expressions in parentheses.
    List(Vec<Sxp>),
}

/// How wide a line may be.
const WIDTH: usize = 80;
/// How much further right the elements of a list stand that does not fit in a line.
const INDENT: usize = 4;

impl Sxp {
    /// A word or a text.
    pub fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// `(name value)`.
    pub fn pair(name: &str, value: impl Into<String>) -> Self {
        Self::List(vec![Self::atom(name), Self::atom(value)])
    }

    /// `(name …)`.
    #[must_use]
    pub fn named(name: &str, rest: impl IntoIterator<Item = Self>) -> Self {
        Self::List(std::iter::once(Self::atom(name)).chain(rest).collect())
    }

    /// The value of `(name value)` in this list.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::List(elements) = self else { return None };
        elements.iter().find_map(|element| match element {
            Self::List(pair) => match pair.as_slice() {
                [Self::Atom(found), value, ..] if found == name => Some(value),
                _ => None,
            },
            Self::Atom(_) => None,
        })
    }

    /// On several lines where one is not wide enough, with a newline at the end.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.pretty_into(&mut out, 0);
        out.push('\n');
        out
    }

    fn pretty_into(&self, out: &mut String, column: usize) {
        let line = self.to_string();
        let Self::List(elements) = self else {
            out.push_str(&line);
            return;
        };
        if column + line.chars().count() <= WIDTH {
            out.push_str(&line);
            return;
        }
        out.push('(');
        let mut rest = elements.as_slice();
        if let [head @ Self::Atom(_), after @ ..] = rest {
            out.push_str(&head.to_string());
            rest = after;
        }
        for element in rest {
            out.push('\n');
            out.push_str(&" ".repeat(column + INDENT));
            element.pretty_into(out, column + INDENT);
        }
        out.push('\n');
        out.push_str(&" ".repeat(column));
        out.push(')');
    }
}

impl fmt::Display for Sxp {
    /// On one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(text) if is_bare(text) => f.write_str(text),
            Self::Atom(text) => f.write_str(&quoted(text)),
            Self::List(elements) => {
                f.write_str("(")?;
                for (n, element) in elements.iter().enumerate() {
                    let separator = if n > 0 { " " } else { "" };
                    write!(f, "{separator}{element}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Whether text can stand without quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:/~".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair_of(a: Sxp, b: Sxp) -> Sxp {
        Sxp::List(vec![a, b])
    }

    #[test]
    fn atoms_are_quoted_when_they_must_be() {
        let shown = ["web-1", "/dev/hda1", "/dev/hda1 ro", "", "it's", "a\nb", "k=v", "ü"]
            .map(|a| Sxp::atom(a).to_string());
        assert_eq!(
            shown,
            ["web-1", "/dev/hda1", "'/dev/hda1 ro'", "''", "\"it's\"", "'a\\nb'", "'k=v'", "'ü'"]
        );
    }

    #[test]
    fn what_does_not_fit_is_broken_and_indented() {
        let long = Sxp::atom("x".repeat(40));
        let list = Sxp::named("vm", [Sxp::pair("name", "web"), Sxp::named("image", [long.clone(), long])]);
        let x = "x".repeat(40);
        assert_eq!(
            list.pretty(),
            format!("(vm\n    (name web)\n    (image\n        {x}\n        {x}\n    )\n)\n")
        );
        assert_eq!(Sxp::pair("a", "b").pretty(), "(a b)\n");
        assert_eq!(list.get("name"), Some(&Sxp::atom("web")));
    }

    #[test]
    fn comments_and_escapes_are_read() {
        let text = "# a domain\n(vm (name 'a b') # more\n (x \"\\x41\\102\\n\") ())\n(second)";
        let wanted =
            Sxp::named("vm", [Sxp::pair("name", "a b"), Sxp::pair("x", "AB\n"), Sxp::List(Vec::new())]);
        assert_eq!(read(text), Ok(wanted), "the first expression is the one");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in
            [("", "1:1"), ("(a", "1:3"), (")", "1:1"), ("(a\n 'b)", "2:2"), ("(a '\\xg1')", "1:4")]
        {
            assert_eq!(read(text).unwrap_err().at.to_string(), at, "{text:?}");
        }
        assert!(read(&"(".repeat(100_000)).unwrap_err().message.contains("nested too deeply"));
    }

    fn any_sxp() -> impl Strategy<Value = Sxp> {
        let leaf = any::<String>().prop_map(Sxp::Atom);
        leaf.prop_recursive(4, 32, 6, |inner| proptest::collection::vec(inner, 0..6).prop_map(Sxp::List))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_written_reads_back(a in any_sxp(), b in any_sxp()) {
            let list = pair_of(a, b);
            prop_assert_eq!(read(&list.to_string()), Ok(list.clone()));
            prop_assert_eq!(read(&list.pretty()), Ok(list));
        }

        #[test]
        fn any_text_can_be_read(text in "[()'\"# \\\\x41a-c\n]{0,60}") {
            let _ = read(&text);
        }
    }
}
