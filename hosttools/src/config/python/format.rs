//! `'…%d…' % value` and `'…{0}…'.format(value)`.

use super::call::Call;
use super::fault::{Fault, Kind, Result, fault};
use super::interp::Interp;
use super::text;
use super::token::Pos;
use super::value::{Item, Key, Value};

/// The widest field.
const MAX_WIDTH: usize = 1024;

/// One `%…` of a template.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

pub(super) fn percent(interp: &mut Interp<'_>, template: &str, arguments: &Value, at: Pos) -> Result<Value> {
    interp.meter.steps(template.len() / 16, at)?;
    let mut given = match arguments {
        Value::Tuple(_) => interp.items(arguments, at)?,
        other => vec![Item { value: other.clone(), at }],
    }
    .into_iter();
    let mut out = String::new();
    let mut named = matches!(arguments, Value::Dict(_));
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (key, after) = key(after, at)?;
        let (spec, after) = spec(after, at)?;
        let conversion = after.chars().next().ok_or_else(|| value_error(at, "incomplete format"))?;
        rest = after.get(conversion.len_utf8()..).unwrap_or("");
        if conversion == '%' {
            out.push('%');
            continue;
        }
        let value = match key {
            Some(key) => {
                named = true;
                named_value(interp, arguments, key, at)?
            }
            None => given
                .next()
                .map(|item| item.value)
                .ok_or_else(|| fault(Kind::TypeError, at, "not enough arguments for format string"))?,
        };
        let text = convert(interp, conversion, &spec, &value, at)?;
        interp.meter.memory(text.len() + before.len(), at)?;
        out.push_str(&text);
    }
    out.push_str(rest);
    if given.next().is_some() && !named {
        let error = fault(Kind::TypeError, at, "not all arguments converted during string formatting");
        return Err(error.help("count the % in the text and the values behind it"));
    }
    interp.text(out, at)
}

fn value_error(at: Pos, message: &str) -> Box<Fault> {
    fault(Kind::ValueError, at, message)
}

/// The `(name)` at the start of a specification.
fn key(text: &str, at: Pos) -> Result<(Option<&str>, &str)> {
    let Some(rest) = text.strip_prefix('(') else { return Ok((None, text)) };
    let (key, rest) = rest.split_once(')').ok_or_else(|| value_error(at, "incomplete format key"))?;
    Ok((Some(key), rest))
}

fn named_value(interp: &Interp<'_>, arguments: &Value, key: &str, at: Pos) -> Result<Value> {
    let Value::Dict(id) = arguments else {
        return Err(fault(Kind::TypeError, at, "format requires a mapping"));
    };
    let found = interp.heap.dict(*id).and_then(|dict| dict.get(&Key::Str(key.into())));
    found.map(|item| item.value.clone()).ok_or_else(|| fault(Kind::KeyError, at, text::quoted(key)))
}

fn spec(text: &str, at: Pos) -> Result<(Spec, &str)> {
    let mut spec = Spec::default();
    let flags = text.len() - text.trim_start_matches(['-', '0', '+', ' ', '#']).len();
    let (flags, rest) = text.split_at_checked(flags).unwrap_or(("", text));
    spec.left = flags.contains('-');
    spec.zero = flags.contains('0') && !spec.left;
    spec.plus = flags.contains('+');
    spec.alternate = flags.contains('#');
    let (width, mut rest) = digits(rest, at)?;
    spec.width = width.unwrap_or(0);
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = digits(after, at)?;
        spec.precision = Some(precision.unwrap_or(0));
        rest = after;
    }
    Ok((spec, rest.trim_start_matches(['l', 'h'])))
}

fn digits(text: &str, at: Pos) -> Result<(Option<usize>, &str)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(len).unwrap_or(("", text));
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse().ok().filter(|n| *n <= MAX_WIDTH) {
        Some(number) => Ok((Some(number), rest)),
        None => Err(value_error(at, &format!("a field cannot be wider than {MAX_WIDTH}"))),
    }
}

fn convert(interp: &mut Interp<'_>, conversion: char, spec: &Spec, value: &Value, at: Pos) -> Result<String> {
    interp.meter.steps(value.text_len() / 16, at)?;
    let plain = match conversion {
        's' => interp.display(value, at)?.to_string(),
        'r' => interp.repr(value, at)?,
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => text.to_string(),
            _ => {
                let code = value.as_int().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32);
                code.ok_or_else(|| fault(Kind::TypeError, at, "%c requires int or char"))?.to_string()
            }
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => return whole(conversion, spec, value, at),
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => return fraction(conversion, spec, value, at),
        other => {
            let message = format!("unsupported format character '{other}'");
            return Err(value_error(at, &message).help("write a percent sign as %%"));
        }
    };
    let cut = match spec.precision {
        Some(precision) if conversion != 'c' => plain.chars().take(precision).collect(),
        _ => plain,
    };
    Ok(pad(spec, "", &cut, false))
}

fn number_required(conversion: char, value: &Value, at: Pos) -> Box<Fault> {
    let message = format!("%{conversion} format: a number is required, not {}", value.type_name());
    let error = fault(Kind::TypeError, at, message);
    if matches!(value, Value::Str(_)) { error.help("use %s, or int(…) around the text") } else { error }
}

#[expect(clippy::cast_possible_truncation, reason = "Python cuts the fraction off, and far numbers saturate")]
fn whole(conversion: char, spec: &Spec, value: &Value, at: Pos) -> Result<String> {
    let number = match (value, value.as_int()) {
        (_, Some(n)) => n,
        (Value::Float(n), _) => *n as i64,
        _ => return Err(number_required(conversion, value, at)),
    };
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match conversion {
        'x' => ("0x", format!("{magnitude:x}")),
        'X' => ("0X", format!("{magnitude:X}")),
        'o' => ("0", format!("{magnitude:o}")),
        _ => ("", magnitude.to_string()),
    };
    let digits = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
    let sign = sign(number < 0, spec);
    let prefix = if spec.alternate { prefix } else { "" };
    Ok(pad(spec, &format!("{sign}{prefix}"), &digits, true))
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.plus) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    }
}

fn fraction(conversion: char, spec: &Spec, value: &Value, at: Pos) -> Result<String> {
    let number = value.as_float().ok_or_else(|| number_required(conversion, value, at))?;
    let magnitude = number.abs();
    let precision = spec.precision.unwrap_or(6);
    let digits = match conversion {
        'f' | 'F' => format!("{magnitude:.precision$}"),
        'e' | 'E' => format!("{magnitude:.precision$e}"),
        _ => text::float(magnitude).trim_end_matches(".0").to_owned(),
    };
    Ok(pad(spec, sign(number < 0.0, spec), &digits, true))
}

/// Fills up to the width: with zeros between sign and digits, or with blanks.
fn pad(spec: &Spec, sign: &str, body: &str, number: bool) -> String {
    let fill = spec.width.saturating_sub(sign.len() + body.chars().count());
    match (spec.left, spec.zero && number) {
        (true, _) => format!("{sign}{body}{}", " ".repeat(fill)),
        (_, true) => format!("{sign}{}{body}", "0".repeat(fill)),
        _ => format!("{}{sign}{body}", " ".repeat(fill)),
    }
}

/// `template.format(…)`: `{}`, `{0}` and `{name}`, each with an optional `:02x` and the like.
pub(super) fn braces(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let (template, at) = (call.text(0)?, call.at);
    interp.meter.steps(template.len() / 16, at)?;
    let mut out = String::new();
    let mut next = 1;
    let mut rest = &*template;
    while let Some(found) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at_checked(found).unwrap_or((rest, ""));
        out.push_str(before);
        if let Some(literal) = ["{{", "}}"].into_iter().find(|literal| after.starts_with(literal)) {
            out.extend(literal.chars().take(1));
            rest = after.get(2..).unwrap_or("");
            continue;
        }
        let field = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        let (field, after) =
            field.ok_or_else(|| value_error(at, "a brace in the format string has no partner"))?;
        rest = after;
        let (name, spec_text) = field.split_once(':').unwrap_or((field, ""));
        let value = match name.parse::<usize>() {
            Ok(index) => call.get(index.saturating_add(1)),
            Err(_) if name.is_empty() => {
                next += 1;
                call.get(next - 1)
            }
            Err(_) => call.keyword(name),
        };
        let value = value
            .cloned()
            .ok_or_else(|| fault(Kind::IndexError, at, format!("nothing given for {{{name}}}")))?;
        let text = brace_field(interp, spec_text, &value, at)?;
        interp.meter.memory(text.len() + before.len(), at)?;
        out.push_str(&text);
    }
    out.push_str(rest);
    interp.text(out, at)
}

fn brace_field(interp: &mut Interp<'_>, text: &str, value: &Value, at: Pos) -> Result<String> {
    let right_default = value.as_float().is_some();
    let (align, text) = match text.chars().next() {
        Some(c @ ('<' | '>')) => (Some(c), text.get(1..).unwrap_or("")),
        _ => (None, text),
    };
    let (mut spec, rest) = spec(text, at)?;
    spec.left = align.map_or(!right_default, |c| c == '<');
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (None, _) => convert(interp, 's', &spec, value, at),
        (Some(conversion), None) => convert(interp, conversion, &spec, value, at),
        _ => Err(value_error(at, "unsupported format specification")),
    }
}
