//! The methods of text.

use super::call::{Call, Native};
use super::fault::{Kind, Result, fault};
use super::format;
use super::interp::Interp;
use super::value::{Item, Value};

pub(super) const METHODS: &[Native] = &[
    Native { name: "capitalize", call: capitalize },
    Native { name: "center", call: |i, c| pad(i, c, |fill| (fill / 2, fill - fill / 2), ' ') },
    Native { name: "count", call: count },
    Native { name: "endswith", call: |_, c| affix(c, |text, end| text.ends_with(end)) },
    Native { name: "find", call: |_, c| find(c, |text, part| text.find(part)) },
    Native { name: "format", call: format::braces },
    Native { name: "isalnum", call: |_, c| every(c, char::is_alphanumeric) },
    Native { name: "isalpha", call: |_, c| every(c, char::is_alphabetic) },
    Native { name: "isdigit", call: |_, c| every(c, |c| c.is_ascii_digit()) },
    Native { name: "index", call: index },
    Native { name: "join", call: join },
    Native { name: "ljust", call: |i, c| pad(i, c, |fill| (0, fill), ' ') },
    Native { name: "lower", call: |i, c| whole(i, c, |text| text.to_lowercase()) },
    Native { name: "lstrip", call: |i, c| strip(i, c, true, false) },
    Native { name: "replace", call: replace },
    Native { name: "rfind", call: |_, c| find(c, |text, part| text.rfind(part)) },
    Native { name: "rjust", call: |i, c| pad(i, c, |fill| (fill, 0), ' ') },
    Native { name: "rsplit", call: |i, c| split(i, c, true) },
    Native { name: "rstrip", call: |i, c| strip(i, c, false, true) },
    Native { name: "split", call: |i, c| split(i, c, false) },
    Native { name: "splitlines", call: split_lines },
    Native { name: "startswith", call: |_, c| affix(c, |text, start| text.starts_with(start)) },
    Native { name: "strip", call: |i, c| strip(i, c, true, true) },
    Native { name: "title", call: title },
    Native { name: "upper", call: |i, c| whole(i, c, |text| text.to_uppercase()) },
    Native { name: "zfill", call: zero_fill },
];

/// The method `name`, for the functions of the module `string`.
pub(super) fn method(name: &str) -> Option<&'static Native> {
    METHODS.iter().find(|method| method.name == name)
}

fn whole(interp: &mut Interp<'_>, call: &Call, change: fn(&str) -> String) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = call.text(0)?;
    interp.meter.memory(3 * text.len(), call.at)?;
    interp.text(change(&text), call.at)
}

fn capitalize(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    whole(interp, call, |text| {
        let mut chars = text.chars();
        chars
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    })
}

fn title(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    whole(interp, call, |text| {
        let mut inside = false;
        let mut out = String::new();
        for c in text.chars() {
            if inside {
                out.extend(c.to_lowercase())
            } else {
                out.extend(c.to_uppercase())
            }
            inside = c.is_alphabetic();
        }
        out
    })
}

fn every(call: &Call, test: fn(char) -> bool) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = call.text(0)?;
    Ok(Value::Bool(!text.is_empty() && text.chars().all(test)))
}

fn affix(call: &Call, test: fn(&str, &str) -> bool) -> Result<Value> {
    call.accept(2, 2, &[])?;
    Ok(Value::Bool(test(&call.text(0)?, &call.text(1)?)))
}

fn find(call: &Call, search: fn(&str, &str) -> Option<usize>) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let text = call.text(0)?;
    let found = search(&text, &call.text(1)?).and_then(|at| text.get(..at));
    Ok(Value::Int(found.and_then(|before| i64::try_from(before.chars().count()).ok()).unwrap_or(-1)))
}

fn index(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    match find(call, |text, part| text.find(part))? {
        Value::Int(-1) => Err(fault(Kind::ValueError, call.at, "substring not found")),
        found => Ok(found),
    }
}

fn count(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let found = call.text(0)?.matches(&*call.text(1)?).count();
    Ok(Value::Int(i64::try_from(found).unwrap_or(i64::MAX)))
}

fn strip(interp: &mut Interp<'_>, call: &Call, start: bool, end: bool) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let text = call.text(0)?;
    let chars = if call.positional.len() > 1 { Some(call.text(1)?) } else { None };
    interp.meter.steps(text.len() / 64, call.at)?;
    let goes = |c: char| chars.as_ref().map_or(c.is_whitespace(), |chars| chars.contains(c));
    let mut rest = &*text;
    if start {
        rest = rest.trim_start_matches(goes);
    }
    if end {
        rest = rest.trim_end_matches(goes);
    }
    interp.text(rest, call.at)
}

fn split(interp: &mut Interp<'_>, call: &Call, from_end: bool) -> Result<Value> {
    call.accept(1, 3, &[])?;
    let text = call.text(0)?;
    let limit = if call.positional.len() > 2 { call.int(2)? } else { -1 };
    let pieces = usize::try_from(limit).map_or(usize::MAX, |n| n.saturating_add(1));
    interp.meter.steps(text.len(), call.at)?;
    let parts: Vec<&str> = match call.get(1) {
        None | Some(Value::None) if pieces == usize::MAX => text.split_whitespace().collect(),
        None | Some(Value::None) => split_blanks(&text, pieces),
        Some(_) => {
            let separator = call.text(1)?;
            if separator.is_empty() {
                return Err(fault(Kind::ValueError, call.at, "empty separator"));
            }
            let mut parts: Vec<&str> = if from_end {
                text.rsplitn(pieces, &*separator).collect()
            } else {
                text.splitn(pieces, &*separator).collect()
            };
            if from_end {
                parts.reverse();
            }
            parts
        }
    };
    interp.list_of_text(parts.into_iter(), call.at)
}

fn split_blanks(text: &str, pieces: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = if parts.len() + 1 == pieces { None } else { rest.find(char::is_whitespace) };
        let (part, after) = end.and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
        parts.push(part);
        rest = after.trim_start();
    }
    parts
}

fn split_lines(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = call.text(0)?;
    interp.meter.steps(text.len(), call.at)?;
    interp.list_of_text(text.lines(), call.at)
}

pub(super) fn join(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let separator = call.text(0)?;
    let mut out = String::new();
    for (n, item) in interp.items(&call.value(1), call.at)?.into_iter().enumerate() {
        let Item { value: Value::Str(text), .. } = item else {
            let found = item.value.type_name();
            let error = call.type_error(format!("sequence item {n}: expected string, {found} found"));
            return Err(error.help("use str(…) around what is no text"));
        };
        let separator = if n > 0 { &*separator } else { "" };
        interp.meter.memory(separator.len() + text.len(), call.at)?;
        out.push_str(separator);
        out.push_str(&text);
    }
    interp.text(out, call.at)
}

fn replace(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(3, 4, &[])?;
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let limit = if call.positional.len() > 3 {
        usize::try_from(call.int(3)?).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    };
    interp.meter.steps(text.len() / 16, call.at)?;
    let found = text.matches(&*old).take(limit).count();
    interp.meter.memory(found.saturating_mul(new.len()).saturating_add(text.len()), call.at)?;
    interp.text(text.replacen(&*old, &new, limit), call.at)
}

fn pad(
    interp: &mut Interp<'_>,
    call: &Call,
    sides: fn(usize) -> (usize, usize),
    fill: char,
) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let text = call.text(0)?;
    let width = usize::try_from(call.int(1)?).unwrap_or(0);
    interp.meter.memory(text.len().saturating_add(width), call.at)?;
    let (left, right) = sides(width.saturating_sub(text.chars().count()));
    let fill = fill.to_string();
    interp.text([&fill.repeat(left), &*text, &fill.repeat(right)].concat(), call.at)
}

fn zero_fill(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    pad(interp, call, |fill| (fill, 0), '0')
}
