//! `key=value,key=value`.

use xendless_core::config::{Ranged, Text};

use crate::config::diagnostic::Complaint;
use crate::config::suggest::closest;

/// The pairs of a text; blanks around keys and values do not count, empty words do not either.
pub(super) fn pairs(text: &str) -> Result<Vec<(&str, &str)>, Complaint> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(pair).collect()
}

fn pair(word: &str) -> Result<(&str, &str), Complaint> {
    let (key, value) = word
        .split_once('=')
        .ok_or_else(|| Complaint::new(format!("{word} should be a pair, separated by an equals sign.")))?;
    Ok((key.trim(), value.trim()))
}

/// The complaint that a key is not among `known`.
pub(super) fn unknown(message: String, key: &str, known: &[&'static str]) -> Complaint {
    let complaint = Complaint::new(message);
    match closest(key, known.iter().copied()) {
        Some(near) => complaint.help(format!("did you mean {near}?")),
        None => complaint.help(format!("the options are {}", known.join(", "))),
    }
}

/// Text for an optional setting.
pub(super) fn text<const MAX: usize>(
    what: &'static str,
    value: &str,
) -> Result<Option<Text<MAX>>, Complaint> {
    if value.is_empty() { Ok(None) } else { Ok(Some(Text::new(what, value)?)) }
}

/// A number for an optional setting.
pub(super) fn number<const MIN: u32, const MAX: u32>(
    what: &'static str,
    value: &str,
) -> Result<Ranged<MIN, MAX>, Complaint> {
    let number =
        value.parse().map_err(|_| Complaint::new(format!("{what}: must be a number, not {value:?}")))?;
    Ok(Ranged::new(what, number)?)
}

/// A flag: 1 and 0, yes and no.
pub(super) fn flag(what: &str, value: &str) -> Result<bool, Complaint> {
    match value {
        "1" | "yes" | "y" | "true" | "True" => Ok(true),
        "0" | "no" | "n" | "false" | "False" | "" => Ok(false),
        _ => Err(Complaint::new(format!("{what}: must be 0 or 1, not {value:?}"))),
    }
}
