//! The functions of the language that need no import, and words about those that are missing on purpose.

use std::rc::Rc;

use super::call::{Call, Native};
use super::convert;
use super::fault::{Fault, Kind, Result, fault};
use super::interp::Interp;
use super::lists;
use super::ops;
use super::value::{Dict, Item, Key, Value};

const FUNCTIONS: &[Native] = &[
    Native { name: "abs", call: convert::abs },
    Native { name: "all", call: |i, c| any(i, c, false) },
    Native { name: "any", call: |i, c| any(i, c, true) },
    Native { name: "basestring", call: convert::text },
    Native { name: "bool", call: convert::boolean },
    Native { name: "chr", call: convert::chr },
    Native { name: "dict", call: dict },
    Native { name: "enumerate", call: enumerate },
    Native { name: "filter", call: filter },
    Native { name: "float", call: convert::float },
    Native { name: "globals", call: globals },
    Native { name: "hex", call: |i, c| convert::radix(i, c, |n| format!("{n:#x}")) },
    Native { name: "int", call: convert::int },
    Native { name: "isinstance", call: is_instance },
    Native { name: "len", call: len },
    Native { name: "list", call: list },
    Native { name: "locals", call: globals },
    Native { name: "long", call: convert::int },
    Native { name: "map", call: map },
    Native { name: "max", call: |i, c| extreme(i, c, true) },
    Native { name: "min", call: |i, c| extreme(i, c, false) },
    Native {
        name: "oct",
        call: |i, c| convert::radix(i, c, |n| if n == 0 { "0".into() } else { format!("0{n:o}") }),
    },
    Native { name: "ord", call: convert::ord },
    Native { name: "range", call: range },
    Native { name: "repr", call: convert::repr },
    Native { name: "reversed", call: reversed },
    Native { name: "round", call: convert::round },
    Native { name: "sorted", call: sorted },
    Native { name: "str", call: convert::text },
    Native { name: "sum", call: sum },
    Native { name: "tuple", call: tuple },
    Native { name: "unicode", call: convert::text },
    Native { name: "vars", call: globals },
    Native { name: "xrange", call: range },
    Native { name: "zip", call: zip },
];

/// What the language has under this name.
pub(super) fn find(name: &str) -> Option<Value> {
    let function = FUNCTIONS.iter().find(|native| native.name == name).map(Value::Native);
    let kind = || Kind::NAMED.iter().find(|(known, _)| *known == name).map(|(_, kind)| Value::Kind(*kind));
    function.or_else(kind)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|native| native.name)
}

/// Why something that Python has is not here.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "open" | "file" | "execfile" | "listdir" | "readlink" | "stat" | "access" | "glob" => {
            Some("configurations cannot read files; give what they need on the command line, as in key=value")
        }
        "system" | "popen" | "commands" | "subprocess" | "getoutput" | "fork" | "remove" | "mkdir" => Some(
            "configurations cannot run programs; give what they need on the command line, as in key=value",
        ),
        "eval" | "compile" | "__import__" | "reload" | "exec" => {
            Some("configurations cannot run text as code")
        }
        "input" | "raw_input" | "getpass" => {
            Some("configurations cannot ask; give what they need on the command line, as in key=value")
        }
        "random" | "time" | "datetime" | "uuid" | "getpid" | "tempfile" => Some(
            "a configuration means the same every time; give what changes on the command line, as in key=value",
        ),
        _ => None,
    }
}

pub(super) fn value_error(call: &Call, message: impl Into<String>) -> Box<Fault> {
    fault(Kind::ValueError, call.at, message)
}

fn len(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let len = match call.get(0) {
        Some(Value::Str(text)) => text.chars().count(),
        Some(Value::List(id) | Value::Tuple(id)) => interp.heap.list(*id).len(),
        Some(Value::Dict(id)) => interp.heap.dict(*id).map_or(0, Dict::len),
        other => {
            let name = other.map_or("nothing", Value::type_name);
            return Err(call.type_error(format!("object of type '{name}' has no len()")));
        }
    };
    Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn range(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 3, &[])?;
    let (start, end) =
        if call.positional.len() > 1 { (call.int(0)?, call.int(1)?) } else { (0, call.int(0)?) };
    let step = if call.positional.len() > 2 { call.int(2)? } else { 1 };
    if step == 0 {
        return Err(value_error(call, "range() step argument must not be zero"));
    }
    let distance = if step > 0 { end.saturating_sub(start) } else { start.saturating_sub(end) };
    let count = u64::try_from(distance).unwrap_or(0).div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    interp.meter.steps(count, call.at)?;
    interp.meter.memory(count.saturating_mul(size_of::<Item>()), call.at)?;
    let mut items = Vec::new();
    let mut next = start;
    for _ in 0..count {
        items.push(Item { value: Value::Int(next), at: call.at });
        next = next.saturating_add(step);
    }
    interp.list(items, call.at)
}

fn list(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &[])?;
    let items =
        if call.positional.is_empty() { Vec::new() } else { interp.items(&call.value(0), call.at)? };
    interp.list(items, call.at)
}

fn tuple(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &[])?;
    let items =
        if call.positional.is_empty() { Vec::new() } else { interp.items(&call.value(0), call.at)? };
    interp.tuple(items, call.at)
}

fn dict(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &call.keywords.iter().map(|(name, _)| &**name).collect::<Vec<_>>())?;
    let mut dict = match call.get(0) {
        Some(Value::Dict(id)) => interp.heap.dict(*id).cloned().unwrap_or_default(),
        None => Dict::new(),
        other => return Err(call.expected("a dictionary", other)),
    };
    dict.extend(call.keywords.iter().map(|(name, item)| (Key::Str(Rc::clone(name)), item.clone())));
    interp.meter.memory(64 + 128 * dict.len(), call.at)?;
    interp.meter.steps(dict.len(), call.at)?;
    Ok(Value::Dict(interp.heap.add_dict(dict)))
}

/// A copy of the file's variables, and of the function's if one is running.
fn globals(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 0, &[])?;
    interp.globals.values_mut().for_each(|global| global.read = true);
    let global = interp.globals.iter().map(|(name, global)| (name, &global.item));
    let local = interp.frames.last().into_iter().flat_map(|frame| &frame.locals);
    let wanted = if &*call.name == "globals" { 0 } else { usize::MAX };
    let all = global.chain(local.take(wanted));
    let dict: Dict = all.map(|(name, item)| (Key::Str(Rc::clone(name)), item.clone())).collect();
    interp.meter.memory(64 + 128 * dict.len(), call.at)?;
    interp.meter.steps(dict.len(), call.at)?;
    Ok(Value::Dict(interp.heap.add_dict(dict)))
}

fn any(interp: &mut Interp<'_>, call: &Call, wanted: bool) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let items = interp.items(&call.value(0), call.at)?;
    Ok(Value::Bool(items.iter().any(|item| interp.truth(&item.value) == wanted) == wanted))
}

fn enumerate(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let start = if call.positional.len() > 1 { call.int(1)? } else { 0 };
    let mut pairs = Vec::new();
    for (n, item) in (start..).zip(interp.items(&call.value(0), call.at)?) {
        let at = item.at;
        let value = interp.tuple(vec![Item { value: Value::Int(n), at }, item], at)?;
        pairs.push(Item { value, at });
    }
    interp.list(pairs, call.at)
}

fn zip(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 16, &[])?;
    let mut columns = Vec::new();
    for argument in &call.positional {
        columns.push(interp.items(&argument.value, call.at)?.into_iter());
    }
    let mut rows = Vec::new();
    while let Some(row) = columns.iter_mut().map(Iterator::next).collect::<Option<Vec<Item>>>() {
        let at = row.first().map_or(call.at, |item| item.at);
        let value = interp.tuple(row, at)?;
        rows.push(Item { value, at });
    }
    interp.list(rows, call.at)
}

fn call_with(interp: &mut Interp<'_>, function: &Value, item: Item, call: &Call) -> Result<Value> {
    let inner = Call { at: call.at, name: "".into(), positional: vec![item], keywords: Vec::new() };
    interp.call(function, inner)
}

fn map(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let mut results = Vec::new();
    for item in interp.items(&call.value(1), call.at)? {
        let at = item.at;
        results.push(Item { value: call_with(interp, &call.value(0), item, call)?, at });
    }
    interp.list(results, call.at)
}

fn filter(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let mut kept = Vec::new();
    for item in interp.items(&call.value(1), call.at)? {
        let verdict = match call.get(0) {
            Some(Value::None) => item.value.clone(),
            _ => call_with(interp, &call.value(0), item.clone(), call)?,
        };
        if interp.truth(&verdict) {
            kept.push(item);
        }
    }
    interp.list(kept, call.at)
}

fn reversed(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let mut items = interp.items(&call.value(0), call.at)?;
    items.reverse();
    interp.list(items, call.at)
}

fn sorted(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &["key", "reverse"])?;
    let items = lists::sorted(interp, call)?;
    interp.list(items, call.at)
}

fn extreme(interp: &mut Interp<'_>, call: &Call, last: bool) -> Result<Value> {
    call.accept(1, 64, &[])?;
    let items = match &*call.positional {
        [single] => interp.items(&single.value.clone(), call.at)?,
        several => several.to_vec(),
    };
    let list = interp.list(items, call.at)?;
    let positional = vec![Item { value: list, at: call.at }];
    let inner = Call { at: call.at, name: Rc::clone(&call.name), positional, keywords: Vec::new() };
    let mut sorted = lists::sorted(interp, &inner)?.into_iter();
    let found = if last { sorted.next_back() } else { sorted.next() };
    found
        .map(|item| item.value)
        .ok_or_else(|| value_error(call, format!("{}() arg is an empty sequence", call.name)))
}

fn sum(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let mut total = call.get(1).cloned().unwrap_or(Value::Int(0));
    for item in interp.items(&call.value(0), call.at)? {
        total = ops::binary(interp, super::ast::BinOp::Add, &total, &item.value, call.at)?;
    }
    Ok(total)
}

fn is_instance(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let kinds = match call.get(1) {
        Some(tuple @ Value::Tuple(_)) => interp.items(&tuple.clone(), call.at)?,
        _ => vec![Item { value: call.value(1), at: call.at }],
    };
    let name = call.get(0).map_or("", Value::type_name);
    Ok(Value::Bool(kinds.iter().any(|kind| match &kind.value {
        Value::Native(native) => match native.name {
            "basestring" | "unicode" => name == "str",
            "int" | "long" => matches!(name, "int" | "bool"),
            known => known == name,
        },
        _ => false,
    })))
}

pub(super) fn exit(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 1, &[])?;
    let message = match call.get(0).cloned() {
        Some(text @ Value::Str(_)) => interp.display(&text, call.at)?.to_string(),
        _ => "the configuration asked to stop".to_owned(),
    };
    Err(fault(Kind::SystemExit, call.at, message))
}

pub(super) fn write(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    interp.write(&call.text(0)?, call.at)?;
    Ok(Value::None)
}
