//! The methods of dictionaries.

use super::call::{Call, Native};
use super::fault::Result;
use super::interp::Interp;
use super::value::{Dict, DictId, Item, Value};

pub(super) const METHODS: &[Native] = &[
    Native { name: "get", call: get },
    Native { name: "has_key", call: has_key },
    Native { name: "items", call: items },
    Native { name: "iteritems", call: items },
    Native { name: "keys", call: keys },
    Native { name: "pop", call: pop },
    Native { name: "setdefault", call: set_default },
    Native { name: "update", call: update },
    Native { name: "values", call: values },
];

fn own(call: &Call) -> Result<DictId> {
    match call.get(0) {
        Some(Value::Dict(id)) => Ok(*id),
        other => Err(call.expected("a dictionary", other)),
    }
}

fn find(interp: &mut Interp<'_>, call: &Call) -> Result<Option<Value>> {
    let key = interp.key(&call.value(1), call.at)?;
    let dict = interp.heap.dict(own(call)?);
    Ok(key.and_then(|key| dict?.get(&key)).map(|item| item.value.clone()))
}

fn get(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 3, &[])?;
    Ok(find(interp, call)?.unwrap_or_else(|| call.value(2)))
}

fn has_key(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    Ok(Value::Bool(find(interp, call)?.is_some()))
}

fn pop(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 3, &[])?;
    let id = own(call)?;
    let removed = interp.key(&call.value(1), call.at)?.and_then(|key| interp.heap.dict_mut(id)?.remove(&key));
    match (removed, call.get(2)) {
        (Some(item), _) => Ok(item.value),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(interp.missing_key(&call.value(1), call.at)),
    }
}

fn set_default(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 3, &[])?;
    if let Some(value) = find(interp, call)? {
        return Ok(value);
    }
    let value = call.value(2);
    let key = interp
        .key(&call.value(1), call.at)?
        .ok_or_else(|| call.expected("a string or a number as key", call.get(1)))?;
    interp.meter.memory(128, call.at)?;
    if let Some(dict) = interp.heap.dict_mut(own(call)?) {
        dict.insert(key, Item { value: value.clone(), at: call.at });
    }
    Ok(value)
}

fn update(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let more = match call.get(1) {
        Some(Value::Dict(id)) => interp.heap.dict(*id).cloned().unwrap_or_default(),
        other => return Err(call.expected("a dictionary", other)),
    };
    interp.meter.memory(128 * more.len(), call.at)?;
    interp.meter.steps(more.len(), call.at)?;
    if let Some(dict) = interp.heap.dict_mut(own(call)?) {
        dict.extend(more);
    }
    Ok(Value::None)
}

/// The entries, after they are paid for.
fn entries(interp: &mut Interp<'_>, call: &Call) -> Result<Dict> {
    call.accept(1, 1, &[])?;
    let id = own(call)?;
    let len = interp.heap.dict(id).map_or(0, Dict::len);
    interp.meter.steps(len, call.at)?;
    interp.meter.memory(128 * len, call.at)?;
    Ok(interp.heap.dict(id).cloned().unwrap_or_default())
}

fn keys(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let dict = entries(interp, call)?;
    interp
        .list(dict.into_iter().map(|(key, item)| Item { value: key.value(), at: item.at }).collect(), call.at)
}

fn values(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let dict = entries(interp, call)?;
    interp.list(dict.into_values().collect(), call.at)
}

fn items(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let mut pairs = Vec::new();
    for (key, item) in entries(interp, call)? {
        let at = item.at;
        let value = interp.tuple(vec![Item { value: key.value(), at }, item], at)?;
        pairs.push(Item { value, at });
    }
    interp.list(pairs, call.at)
}
