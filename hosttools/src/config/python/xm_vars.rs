//! `xm_vars`: how a configuration declares what it wants to be given on the command line.

use std::rc::Rc;

use super::call::{Call, Native};
use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::modules::{Entry, Module};
use super::value::{Item, Value};

/// A variable that the file declared.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: Rc<str>,
    /// What it is for, in the file's words.
    pub(super) usage: Rc<str>,
    check: Value,
}

pub(super) static MODULE: Module = Module {
    name: "xm_vars",
    entries: &[
        ("check", Entry::Function(&Native { name: "check", call: check })),
        ("var", Entry::Function(&Native { name: "var", call: declare })),
    ],
};

fn declare(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 3, &["use", "check"])?;
    let argument = |index, name| call.get(index).or(call.keyword(name)).cloned().unwrap_or(Value::None);
    let usage = interp.display(&argument(1, "use"), call.at)?;
    let name = call.text(0)?;
    interp.meter.memory(128, call.at)?;
    interp.declared.push(Declared { name, usage, check: argument(2, "check") });
    Ok(Value::None)
}

/// Runs each check with what the command line gave, and makes its answer the variable's value.
fn check(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 0, &[])?;
    let declared: Vec<(Rc<str>, Rc<str>, Value)> =
        interp.declared.iter().map(|d| (Rc::clone(&d.name), Rc::clone(&d.usage), d.check.clone())).collect();
    for (name, usage, check) in declared {
        let at = call.at;
        let given = interp.globals.get_mut(&name).map_or(Value::None, |global| {
            global.read = true;
            global.item.value.clone()
        });
        let value = match check {
            Value::None => given,
            check => {
                let positional =
                    vec![Item { value: Value::Str(Rc::clone(&name)), at }, Item { value: given.clone(), at }];
                let inner = Call { at, name: "check".into(), positional, keywords: Vec::new() };
                interp.call(&check, inner).map_err(|error| match error.kind {
                    Kind::Limit => error,
                    kind => explain(
                        fault(kind, error.at, format!("{name} - {}", error.message)),
                        &name,
                        &usage,
                        &given,
                    ),
                })?
            }
        };
        interp.assign(&name, Item { value, at })?;
    }
    Ok(Value::None)
}

fn explain(
    error: Box<super::fault::Fault>,
    name: &str,
    usage: &str,
    given: &Value,
) -> Box<super::fault::Fault> {
    let how = if matches!(given, Value::None) { "give" } else { "check" };
    error.help(format!("{how} {name}=… on the command line: {usage}"))
}
