//! JSON for scripts.

use std::fmt::Write as _;

use serde_json::Value;

use crate::shown::is_harmless;

/// A value as text, on several lines.
pub(super) fn text(value: &Value) -> String {
    harmless(&format!("{value:#}"))
}

/// A value as text, on one line.
pub(super) fn line(value: &Value) -> String {
    harmless(&value.to_string())
}

fn harmless(json: &str) -> String {
    let mut text = String::new();
    for c in json.chars() {
        // Only strings hold such characters. Those below a blank are escaped already.
        if is_harmless(c) || c == '\n' {
            text.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_e06_json_holds_nothing_that_a_terminal_would_obey() {
        let value = serde_json::json!({ "name": "a\u{1b}[2J\u{9b}\u{202e}\"ü\n" });
        let text = text(&value);
        assert_eq!(text, "{\n  \"name\": \"a\\u001b[2J\\u009b\\u202e\\\"ü\\n\"\n}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
