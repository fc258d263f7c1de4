//! Numbers and strings as they are written.

use super::fault::{Result, syntax};
use super::token::{Pos, Token};

/// The number at the start of `text`, and its length in bytes.
pub(super) fn number(text: &str, at: Pos) -> Result<(Token, usize)> {
    let len = number_len(text);
    let written = text.get(..len).unwrap_or("");
    let plain = written.trim_end_matches(['l', 'L']);
    let lower = plain.to_ascii_lowercase();
    let (digits, radix) = match (lower.get(..2), lower.strip_prefix('0')) {
        (Some("0x"), _) => (lower.get(2..).unwrap_or(""), 16),
        (Some("0o"), _) => (lower.get(2..).unwrap_or(""), 8),
        (Some("0b"), _) => (lower.get(2..).unwrap_or(""), 2),
        (_, Some(octal)) if !octal.is_empty() && octal.bytes().all(|b| b.is_ascii_digit()) => (octal, 8),
        _ => (lower.as_str(), 10),
    };
    if radix == 10 && digits.contains(['.', 'e']) {
        let value = digits.parse::<f64>().ok().filter(|n| n.is_finite());
        return value
            .map(|n| (Token::Float(n), len))
            .ok_or_else(|| syntax(at, format!("'{written}' is not a number")));
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        let error = syntax(at, format!("'{written}' is not a number"));
        return Err(if radix == 10 { error.help("put text in quotes") } else { error });
    }
    match i64::from_str_radix(digits, radix) {
        Ok(value) => Ok((Token::Int(value), len)),
        Err(_) => Err(syntax(at, format!("the number {written} is too large"))),
    }
}

/// How much of `text` looks like one number, so that `12ab` is one mistake rather than two tokens.
fn number_len(text: &str) -> usize {
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hex;
        if !(c.is_alphanumeric() || c == '.' || c == '_' || exponent_sign) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// Why a string literal cannot be read.
pub(in crate::config) enum StringError {
    /// Its last quote is missing.
    Unclosed,
    /// An escape is not one.
    Escape,
}

/// The string literal at the start of `text`, and its length in bytes with its quotes.
pub(in crate::config) fn string(
    text: &str,
    quote: char,
    raw: bool,
) -> std::result::Result<(String, usize), StringError> {
    let long: String = [quote; 3].iter().collect();
    let end = if text.starts_with(&long) { long } else { quote.to_string() };
    let mut out = String::new();
    let mut rest = text.get(end.len()..).ok_or(StringError::Unclosed)?;
    loop {
        if let Some(after) = rest.strip_prefix(&end) {
            return Ok((out, text.len() - after.len()));
        }
        let c = rest.chars().next().ok_or(StringError::Unclosed)?;
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '\n' if end.len() == 1 => return Err(StringError::Unclosed),
            '\\' if raw => {
                let next = rest.chars().next().ok_or(StringError::Unclosed)?;
                out.extend(['\\', next]);
                rest = rest.get(next.len_utf8()..).unwrap_or("");
            }
            '\\' => rest = escape(rest, &mut out)?,
            c => out.push(c),
        }
    }
}

/// Reads what follows a backslash; what is no escape stays as it is written.
fn escape<'a>(rest: &'a str, out: &mut String) -> std::result::Result<&'a str, StringError> {
    let c = rest.chars().next().ok_or(StringError::Unclosed)?;
    let after = rest.get(c.len_utf8()..).unwrap_or("");
    let simple = match c {
        '\n' => return Ok(after),
        '\\' | '\'' | '"' => c,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => {
            let digits = after.get(..2).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            let code = digits.and_then(|d| u8::from_str_radix(d, 16).ok()).ok_or(StringError::Escape)?;
            out.push(char::from(code));
            return Ok(after.get(2..).unwrap_or(""));
        }
        '0'..='7' => {
            let len = rest.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let code = rest.get(..len).and_then(|d| u32::from_str_radix(d, 8).ok()).and_then(char::from_u32);
            out.push(code.ok_or(StringError::Escape)?);
            return Ok(rest.get(len..).unwrap_or(""));
        }
        other => {
            out.push('\\');
            other
        }
    };
    out.push(simple);
    Ok(after)
}
