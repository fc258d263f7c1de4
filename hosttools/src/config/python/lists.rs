//! The methods of lists, and sorting.

use std::cmp::Ordering;
use std::rc::Rc;

use super::call::{Call, Native};
use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::ops;
use super::token::Pos;
use super::value::{Item, ListId, Value};

pub(super) const METHODS: &[Native] = &[
    Native { name: "append", call: append },
    Native { name: "count", call: count },
    Native { name: "extend", call: extend },
    Native { name: "index", call: index },
    Native { name: "insert", call: insert },
    Native { name: "pop", call: pop },
    Native { name: "remove", call: remove },
    Native { name: "reverse", call: reverse },
    Native { name: "sort", call: sort },
];

fn own(call: &Call) -> Result<ListId> {
    match call.get(0) {
        Some(Value::List(id)) => Ok(*id),
        other => Err(call.expected("a list", other)),
    }
}

fn argument(call: &Call, index: usize) -> Item {
    call.positional.get(index).cloned().unwrap_or(Item { value: Value::None, at: call.at })
}

fn append(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    interp.meter.memory(size_of::<Item>(), call.at)?;
    if let Some(list) = interp.heap.list_mut(own(call)?) {
        list.push(argument(call, 1));
    }
    Ok(Value::None)
}

fn extend(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    interp.extend(own(call)?, &call.value(1), call.at)?;
    Ok(Value::None)
}

fn insert(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(3, 3, &[])?;
    let (id, place) = (own(call)?, call.int(1)?);
    let len = interp.heap.list(id).len();
    let place = if place < 0 { place.saturating_add_unsigned(len as u64) } else { place };
    interp.meter.steps(len, call.at)?;
    interp.meter.memory(size_of::<Item>(), call.at)?;
    if let Some(list) = interp.heap.list_mut(id) {
        list.insert(usize::try_from(place).unwrap_or(0).min(len), argument(call, 2));
    }
    Ok(Value::None)
}

fn pop(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let id = own(call)?;
    let len = interp.heap.list(id).len();
    let place = if call.positional.len() > 1 { call.value(1) } else { Value::Int(-1) };
    let place = ops::position(&place, len, call.at)?;
    interp.meter.steps(len - place, call.at)?;
    Ok(interp.heap.list_mut(id).map_or(Value::None, |list| list.remove(place).value))
}

/// Where a value stands in a list.
fn place(interp: &mut Interp<'_>, call: &Call) -> Result<Option<usize>> {
    call.accept(2, 2, &[])?;
    for (n, item) in interp.items(&call.value(0), call.at)?.into_iter().enumerate() {
        if ops::equal(interp, &item.value, &call.value(1), call.at)? {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

fn index(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let found = place(interp, call)?.and_then(|n| i64::try_from(n).ok());
    found.map(Value::Int).ok_or_else(|| fault(Kind::ValueError, call.at, "the value is not in the list"))
}

fn remove(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let found = place(interp, call)?;
    let place = found.ok_or_else(|| fault(Kind::ValueError, call.at, "the value is not in the list"))?;
    if let Some(list) = interp.heap.list_mut(own(call)?) {
        list.remove(place);
    }
    Ok(Value::None)
}

fn count(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let mut found = 0;
    for item in interp.items(&call.value(0), call.at)? {
        found += i64::from(ops::equal(interp, &item.value, &call.value(1), call.at)?);
    }
    Ok(Value::Int(found))
}

fn reverse(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let id = own(call)?;
    interp.meter.steps(interp.heap.list(id).len(), call.at)?;
    if let Some(list) = interp.heap.list_mut(id) {
        list.reverse();
    }
    Ok(Value::None)
}

fn sort(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &["key", "reverse"])?;
    let items = sorted(interp, call)?;
    if let Some(list) = interp.heap.list_mut(own(call)?) {
        *list = items;
    }
    Ok(Value::None)
}

/// The elements of the first argument in order.
pub(super) fn sorted(interp: &mut Interp<'_>, call: &Call) -> Result<Vec<Item>> {
    let mut keyed = Vec::new();
    for item in interp.items(&call.value(0), call.at)? {
        let key = match call.keyword("key").cloned() {
            None | Some(Value::None) => item.value.clone(),
            Some(function) => {
                let inner = Call {
                    at: call.at,
                    name: "key".into(),
                    positional: vec![item.clone()],
                    keywords: Vec::new(),
                };
                interp.call(&function, inner)?
            }
        };
        keyed.push((sort_key(interp, &key, call.at, 4)?, item));
    }
    interp.meter.steps(16 * keyed.len(), call.at)?;
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    if call.keyword("reverse").cloned().is_some_and(|value| interp.truth(&value)) {
        keyed.reverse();
    }
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// A value by which elements are put in order: numbers before text before sequences.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(Number),
    Text(Rc<str>),
    Sequence(Vec<SortKey>),
}

/// A number, in an order that is total also between integers and fractions.
struct Number(f64, i64);

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

fn sort_key(interp: &mut Interp<'_>, value: &Value, at: Pos, depth: usize) -> Result<SortKey> {
    match (value, value.as_float(), depth.checked_sub(1)) {
        (Value::Str(text), ..) => Ok(SortKey::Text(Rc::clone(text))),
        (_, Some(number), _) => Ok(SortKey::Number(Number(number, value.as_int().unwrap_or(0)))),
        (Value::List(_) | Value::Tuple(_), _, Some(depth)) => {
            let items = interp.items(value, at)?;
            let keys = items.iter().map(|item| sort_key(interp, &item.value, at, depth));
            Ok(SortKey::Sequence(keys.collect::<Result<_>>()?))
        }
        _ => Err(fault(Kind::TypeError, at, format!("values of type '{}' have no order", value.type_name()))),
    }
}
