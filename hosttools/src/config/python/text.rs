//! Values as text: `str` and `repr`.

use std::fmt::Write as _;
use std::rc::Rc;

use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::ops::MAX_VALUE_DEPTH;
use super::token::Pos;
use super::value::Value;

impl Interp<'_> {
    /// The value as `str` shows it.
    pub(super) fn display(&mut self, value: &Value, at: Pos) -> Result<Rc<str>> {
        match value {
            Value::Str(text) | Value::Exception(_, text) => Ok(Rc::clone(text)),
            _ => self.repr(value, at).map(Into::into),
        }
    }

    /// The value as it would be written in a file.
    pub(super) fn repr(&mut self, value: &Value, at: Pos) -> Result<String> {
        let mut out = String::new();
        self.repr_into(value, &mut out, MAX_VALUE_DEPTH, at)?;
        Ok(out)
    }

    fn repr_into(&mut self, value: &Value, out: &mut String, depth: usize, at: Pos) -> Result<()> {
        let start = out.len();
        let Some(depth) = depth.checked_sub(1) else {
            return Err(fault(Kind::RuntimeError, at, "the value is nested too deeply to be shown"));
        };
        match value {
            Value::None => out.push_str("None"),
            Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Float(n) => out.push_str(&float(*n)),
            Value::Str(text) => {
                self.meter.memory(4 * text.len(), at)?;
                out.push_str(&quoted(text));
            }
            Value::List(id) | Value::Tuple(id) => {
                let tuple = matches!(value, Value::Tuple(_));
                out.push(if tuple { '(' } else { '[' });
                let items = self.items(&Value::List(*id), at)?;
                for (n, item) in items.iter().enumerate() {
                    out.push_str(if n > 0 { ", " } else { "" });
                    self.repr_into(&item.value, out, depth, at)?;
                }
                out.push_str(match (tuple, items.len()) {
                    (true, 1) => ",)",
                    (true, _) => ")",
                    _ => "]",
                });
            }
            Value::Dict(id) => {
                let dict = self.heap.dict(*id).cloned().unwrap_or_default();
                self.meter.memory(128 * dict.len(), at)?;
                out.push('{');
                for (n, (key, item)) in dict.iter().enumerate() {
                    out.push_str(if n > 0 { ", " } else { "" });
                    self.repr_into(&key.value(), out, depth, at)?;
                    out.push_str(": ");
                    self.repr_into(&item.value, out, depth, at)?;
                }
                out.push('}');
            }
            Value::Exception(kind, text) => {
                out.push_str(&format!("{}({})", kind.name(), quoted(text)));
            }
            Value::Native(native) => out.push_str(&format!("{native:?}")),
            Value::Kind(kind) => out.push_str(&format!("<type '{}'>", kind.name())),
            Value::Module(module) => out.push_str(&format!("<module '{}'>", module.name)),
            other => out.push_str(&format!("<{}>", other.type_name())),
        }
        self.meter.memory(out.len() - start, at)
    }
}

/// A number as Python shows it: always with a point or an exponent.
pub(super) fn float(n: f64) -> String {
    if n != 0.0 && !(1e-4..1e16).contains(&n.abs()) {
        let text = format!("{n:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{n:?}")
}

/// Text in quotes, so that it can be read back.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
