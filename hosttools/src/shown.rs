//! Text that others made up, as it may be shown to a person.

use std::fmt::{self, Write};

/// How much is shown, in characters. Longer than any name; a path may be longer.
const LONGEST: usize = 500;

/// The start of a text, without anything a terminal would obey.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(LONGEST) {
            if is_harmless(c) { f.write_char(c)? } else { write!(f, "{}", c.escape_default())? }
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// Whether a terminal just shows it: it is no control character and does not turn the direction of writing.
pub(crate) fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_e06_nothing_reaches_the_terminal_that_it_would_obey() {
        let shown = |text: &str| Shown(text).to_string();
        assert_eq!(shown("web-1 ü"), "web-1 ü");
        assert_eq!(shown("a\u{1b}[2Jb\n\u{7}\u{9b}c\u{202e}"), "a\\u{1b}[2Jb\\n\\u{7}\\u{9b}c\\u{202e}");
        assert_eq!(shown(&"x".repeat(501)).chars().count(), 501);
        assert!(shown(&"x".repeat(501)).ends_with("x…"));
    }
}
