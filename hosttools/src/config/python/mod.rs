//! The language of `xm` configurations: Python 2 as they use it, and nothing more.
//!
//! Configurations were written for Python 2.3 to 2.7, and that is what they mean: `/` between integers rounds
//! down, `print` is a statement, `raise E, 'text'` and `0755` are read. Statements are all those that
//! configurations use, functions and modules are a fixed set, and none of them reaches outside: no file, no
//! program, no clock, no randomness. Steps, memory, nesting and output are counted and end the evaluation when
//! they are used up, so that any text at all can be evaluated. Every plain `xl` configuration is in this
//! language, too. `docs/decisions` says why no existing interpreter is used.
#![forbid(unsafe_code)]

mod ast;
mod builtins;
mod call;
mod convert;
mod dicts;
mod eval;
mod exec;
mod fault;
mod format;
mod interp;
mod lexer;
mod lists;
mod literal;
mod meter;
mod methods;
mod modules;
mod network;
mod ops;
mod os;
mod parser;
mod parser_block;
mod parser_expr;
mod regex;
mod strings;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod value;
mod xm_vars;

use std::collections::BTreeMap;

use self::fault::{Fault, Result};
use self::interp::Interp;
pub(super) use self::literal::{StringError, string};
pub use self::meter::Limits;
pub(crate) use self::text::quoted;
pub use self::token::Pos;
use self::value::Value;
use super::datum::{Datum, Located};
use super::host::Host;

/// A variable as the file left it.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) value: Located,
    /// The file looked at it.
    pub(super) read: bool,
    /// The file gave it its value.
    pub(super) assigned: bool,
}

/// What an evaluation leaves.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) variables: BTreeMap<String, Variable>,
    /// What the file printed, also when it failed.
    pub(super) output: String,
}

/// Why an evaluation failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) at: Pos,
    pub(super) help: Option<String>,
}

impl From<Box<Fault>> for Failure {
    fn from(fault: Box<Fault>) -> Self {
        let message = if fault.message.is_empty() { fault.kind.name().to_owned() } else { fault.message };
        Self { message, at: fault.at, help: fault.help }
    }
}

/// Runs `text`, with some variables given as text beforehand.
pub(super) fn run(
    path: &str,
    text: &str,
    given: &[(String, String)],
    host: &Host<'_>,
    limits: Limits,
) -> (Outcome, std::result::Result<(), Failure>) {
    let mut interp = Interp::new(host, limits);
    modules::predefine(&mut interp, path);
    for (name, value) in given {
        interp.predefine(name, Value::from(value.as_str()));
    }
    let mut outcome = Outcome::default();
    let result = parser::parse(text).and_then(|block| interp.block(&block)).and_then(|_| export(&mut interp));
    let result = result.map(|variables| outcome.variables = variables).map_err(Failure::from);
    outcome.output = interp.output;
    (outcome, result)
}

/// How deeply lists inside lists are looked at.
const EXPORT_DEPTH: usize = 4;

fn export(interp: &mut Interp<'_>) -> Result<BTreeMap<String, Variable>> {
    let globals = std::mem::take(&mut interp.globals);
    let mut variables = BTreeMap::new();
    for (name, global) in globals {
        let datum = datum(interp, &global.item.value, global.item.at, EXPORT_DEPTH)?;
        let value = Located { datum, at: global.item.at };
        variables.insert(name.to_string(), Variable { value, read: global.read, assigned: global.assigned });
    }
    Ok(variables)
}

fn datum(interp: &mut Interp<'_>, value: &Value, at: Pos, depth: usize) -> Result<Datum> {
    Ok(match value {
        Value::None => Datum::None,
        Value::Bool(b) => Datum::Bool(*b),
        Value::Int(n) => Datum::Int(*n),
        Value::Float(n) => Datum::Float(*n),
        Value::Str(text) => {
            interp.meter.memory(text.len(), at)?;
            Datum::Text(text.to_string())
        }
        Value::List(_) | Value::Tuple(_) if depth > 0 => {
            let mut items = Vec::new();
            for item in interp.items(value, at)? {
                items.push(Located { datum: datum(interp, &item.value, item.at, depth - 1)?, at: item.at });
            }
            Datum::List(items)
        }
        other => Datum::Other(other.type_name()),
    })
}
