//! Functions of the language that make one value of another.

use super::builtins::value_error;
use super::call::Call;
use super::fault::Result;
use super::interp::Interp;
use super::value::Value;

#[expect(clippy::cast_possible_truncation, reason = "Python cuts the fraction off, and far numbers saturate")]
pub(super) fn int(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 2, &[])?;
    let base = if call.positional.len() > 1 { call.int(1)? } else { 10 };
    match (call.get(0), call.get(0).and_then(Value::as_int)) {
        (None, _) => Ok(Value::Int(0)),
        (_, Some(n)) => Ok(Value::Int(n)),
        (Some(Value::Float(n)), _) => Ok(Value::Int(*n as i64)),
        (Some(Value::Str(text)), _) => parse_int(text, base).map(Value::Int).ok_or_else(|| {
            let quoted = super::text::quoted(text);
            value_error(call, format!("invalid literal for int() with base {base}: {quoted}"))
        }),
        (Some(other), _) => Err(call
            .type_error(format!("int() argument must be a string or a number, not '{}'", other.type_name()))),
    }
}

fn parse_int(text: &str, base: i64) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match (base, lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (0 | 16, Some(hex), _) => (16, hex),
        (0, _, Some(octal)) if !octal.is_empty() => (8, octal),
        (0, ..) => (10, lower.as_str()),
        _ => (base, lower.as_str()),
    };
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base))?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

pub(super) fn float(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let parsed = match call.get(0) {
        Some(Value::Str(text)) => text.trim().parse::<f64>().ok().filter(|n| n.is_finite()),
        other => other.and_then(Value::as_float),
    };
    parsed.map(Value::Float).ok_or_else(|| value_error(call, "could not convert the value to float"))
}

pub(super) fn text(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &[])?;
    match call.get(0).cloned() {
        Some(value) => interp.display(&value, call.at).map(Value::Str),
        None => Ok(Value::from("")),
    }
}

pub(super) fn repr(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = interp.repr(&call.value(0), call.at)?;
    interp.text(text, call.at)
}

pub(super) fn boolean(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &[])?;
    Ok(Value::Bool(interp.truth(&call.value(0))))
}

pub(super) fn abs(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    match (call.get(0), call.get(0).and_then(Value::as_int)) {
        (_, Some(n)) => Ok(Value::Int(n.saturating_abs())),
        (Some(Value::Float(n)), _) => Ok(Value::Float(n.abs())),
        (other, _) => Err(call.expected("a number", other)),
    }
}

pub(super) fn round(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let number = call.get(0).and_then(Value::as_float);
    number.map(|n| Value::Float(n.round())).ok_or_else(|| call.expected("a number", call.get(0)))
}

pub(super) fn chr(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    match u8::try_from(call.int(0)?) {
        Ok(code) => interp.text(char::from(code).to_string(), call.at),
        Err(_) => Err(value_error(call, "chr() arg not in range(256)")),
    }
}

pub(super) fn ord(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = call.text(0)?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Value::Int(i64::from(u32::from(c)))),
        _ => Err(call.type_error("ord() expected a character")),
    }
}

pub(super) fn radix(interp: &mut Interp<'_>, call: &Call, show: fn(u64) -> String) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let number = call.int(0)?;
    let sign = if number < 0 { "-" } else { "" };
    interp.text(format!("{sign}{}", show(number.unsigned_abs())), call.at)
}
