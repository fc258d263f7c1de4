//! What stands behind a dot.

use super::builtins;
use super::call::Native;
use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::modules::Entry;
use super::token::Pos;
use super::value::Value;
use super::{dicts, lists, regex, strings};
use crate::config::suggest::closest;

/// The attribute `name` of a value.
pub(super) fn attribute(interp: &mut Interp<'_>, value: &Value, name: &str, at: Pos) -> Result<Value> {
    let methods: &[Native] = match value {
        Value::Str(_) => strings::METHODS,
        Value::List(_) => lists::METHODS,
        Value::Dict(_) => dicts::METHODS,
        Value::Pattern(_) => regex::PATTERN_METHODS,
        Value::Found(_) => regex::FOUND_METHODS,
        Value::Module(module) => {
            return match module.entries.iter().find(|(entry, _)| *entry == name) {
                Some((_, entry)) => entry_value(interp, entry, at),
                None => Err(missing(module.name, name, module.entries.iter().map(|(name, _)| *name), at)),
            };
        }
        Value::Exception(_, text) if name == "message" => return Ok(Value::Str(text.clone())),
        _ => &[],
    };
    match methods.iter().find(|method| method.name == name) {
        Some(method) => Ok(Value::Method(Box::new(value.clone()), method)),
        None => Err(missing(value.type_name(), name, methods.iter().map(|method| method.name), at)),
    }
}

pub(super) fn entry_value(interp: &mut Interp<'_>, entry: &'static Entry, at: Pos) -> Result<Value> {
    match entry {
        Entry::Function(native) => Ok(Value::Native(native)),
        Entry::Module(module) => Ok(Value::Module(module)),
        Entry::Text(text) => Ok(Value::from(*text)),
        Entry::Number(number) => Ok(Value::Int(*number)),
        Entry::Kind(kind) => Ok(Value::Kind(*kind)),
        Entry::Computed(make) => make(interp, at),
    }
}

fn missing(
    owner: &str,
    name: &str,
    known: impl Iterator<Item = &'static str>,
    at: Pos,
) -> Box<super::fault::Fault> {
    let error = fault(Kind::AttributeError, at, format!("'{owner}' object has no attribute '{name}'"));
    match builtins::refusal(name)
        .map(str::to_owned)
        .or_else(|| closest(name, known).map(|n| format!("did you mean {n}?")))
    {
        Some(help) => error.help(help),
        None => error,
    }
}
