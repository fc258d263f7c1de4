//! Operators, with the rules of Python 2: `/` between integers rounds down, booleans count as 0 and 1.

use std::cmp::Ordering;
use std::iter::repeat_n;

use super::ast::{BinOp, CmpOp};
use super::fault::{Fault, Kind, Result, fault};
use super::format;
use super::interp::Interp;
use super::token::Pos;
use super::value::{Item, Value};

/// How deeply values inside each other are compared or shown.
pub(super) const MAX_VALUE_DEPTH: usize = 20;

pub(super) fn binary(
    interp: &mut Interp<'_>,
    op: BinOp,
    left: &Value,
    right: &Value,
    at: Pos,
) -> Result<Value> {
    match (op, left, right) {
        (BinOp::Add, Value::Str(a), Value::Str(b)) => {
            interp.meter.memory(a.len() + b.len(), at)?;
            interp.text([&**a, &**b].concat(), at)
        }
        (BinOp::Add, Value::List(a), Value::List(b)) => {
            let items = [interp.heap.list(*a), interp.heap.list(*b)].concat();
            interp.meter.steps(items.len(), at)?;
            interp.list(items, at)
        }
        (BinOp::Add, Value::Tuple(a), Value::Tuple(b)) => {
            let items = [interp.heap.list(*a), interp.heap.list(*b)].concat();
            interp.meter.steps(items.len(), at)?;
            interp.tuple(items, at)
        }
        (BinOp::Mod, Value::Str(template), arguments) => format::percent(interp, template, arguments, at),
        (BinOp::Mul, sequence, count) | (BinOp::Mul, count, sequence)
            if matches!(sequence, Value::Str(_) | Value::List(_) | Value::Tuple(_))
                && count.as_int().is_some() =>
        {
            repeat(interp, sequence, count.as_int().unwrap_or(0), at)
        }
        _ => match (left.as_int(), right.as_int()) {
            (Some(a), Some(b)) => integers(op, a, b, at),
            _ => match (left.as_float(), right.as_float()) {
                (Some(a), Some(b)) => floats(op, a, b, at),
                _ => Err(unsupported(op, left, right, at)),
            },
        },
    }
}

fn unsupported(op: BinOp, left: &Value, right: &Value, at: Pos) -> Box<Fault> {
    let (left_type, right_type) = (left.type_name(), right.type_name());
    let message = match (op, left, right) {
        (BinOp::Add, Value::Str(_), _) => format!("cannot concatenate 'str' and '{right_type}' objects"),
        (BinOp::Add, _, Value::Str(_)) => format!("cannot concatenate '{left_type}' and 'str' objects"),
        _ => format!("unsupported operand type(s) for {}: '{left_type}' and '{right_type}'", symbol(op)),
    };
    let error = fault(Kind::TypeError, at, message);
    match (op, left, right) {
        (BinOp::Add, Value::Str(_), Value::Int(_)) => {
            error.help("use str(…) around the number, or '…%d…' % number")
        }
        (BinOp::Add, Value::Int(_), Value::Str(_)) => {
            error.help("use int(…) around the text to calculate with it")
        }
        _ => error,
    }
}

fn symbol(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::FloorDiv => "//",
        BinOp::Mod => "%",
        BinOp::Pow => "**",
        BinOp::Shl => "<<",
        BinOp::Shr => ">>",
        BinOp::BitAnd => "&",
        BinOp::BitOr => "|",
        BinOp::BitXor => "^",
    }
}

fn repeat(interp: &mut Interp<'_>, sequence: &Value, count: i64, at: Pos) -> Result<Value> {
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    match sequence {
        Value::Str(text) => {
            interp.meter.memory(text.len().saturating_mul(count), at)?;
            let count = if text.is_empty() { 0 } else { count };
            interp.text(text.repeat(count), at)
        }
        Value::List(id) | Value::Tuple(id) => {
            let len = interp.heap.list(*id).len();
            interp.meter.steps(len.saturating_mul(count), at)?;
            interp.meter.memory(len.saturating_mul(count).saturating_mul(size_of::<Item>()), at)?;
            let count = if len == 0 { 0 } else { count };
            let items = repeat_n(interp.heap.list(*id), count).flatten().cloned().collect();
            if matches!(sequence, Value::List(_)) { interp.list(items, at) } else { interp.tuple(items, at) }
        }
        _ => Ok(Value::None),
    }
}

fn integers(op: BinOp, a: i64, b: i64, at: Pos) -> Result<Value> {
    let zero = || fault(Kind::ZeroDivisionError, at, "integer division or modulo by zero");
    let result = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::Div | BinOp::FloorDiv | BinOp::Mod if b == 0 => return Err(zero()),
        BinOp::Div | BinOp::FloorDiv => {
            a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
        }
        BinOp::Mod => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }),
        BinOp::Pow => match u32::try_from(b) {
            Ok(exponent) => a.checked_pow(exponent),
            Err(_) if b < 0 => return floats(op, a as f64, b as f64, at),
            Err(_) => matches!(a, 0 | 1).then_some(a),
        },
        BinOp::Shl => u32::try_from(b).ok().filter(|n| *n < 63).and_then(|n| a.checked_mul(1 << n)),
        BinOp::Shr => u32::try_from(b).ok().map(|n| a >> n.min(63)),
        BinOp::BitAnd => Some(a & b),
        BinOp::BitOr => Some(a | b),
        BinOp::BitXor => Some(a ^ b),
    };
    result.map(Value::Int).ok_or_else(|| too_large(at))
}

fn too_large(at: Pos) -> Box<Fault> {
    fault(Kind::OverflowError, at, "the result is too large; numbers end at 9223372036854775807")
}

fn floats(op: BinOp, a: f64, b: f64, at: Pos) -> Result<Value> {
    if b == 0.0 && matches!(op, BinOp::Div | BinOp::FloorDiv | BinOp::Mod) {
        return Err(fault(Kind::ZeroDivisionError, at, "float division by zero"));
    }
    let result = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::FloorDiv => (a / b).floor(),
        BinOp::Mod => a - b * (a / b).floor(),
        BinOp::Pow => a.powf(b),
        _ => return Err(fault(Kind::TypeError, at, format!("'{}' needs integers", symbol(op)))),
    };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err(too_large(at)) }
}

pub(super) fn negative(value: &Value, at: Pos) -> Result<Value> {
    match (value, value.as_int()) {
        (_, Some(n)) => n.checked_neg().map(Value::Int).ok_or_else(|| too_large(at)),
        (Value::Float(n), _) => Ok(Value::Float(-n)),
        _ => {
            Err(fault(Kind::TypeError, at, format!("bad operand type for unary -: '{}'", value.type_name())))
        }
    }
}

pub(super) fn compare(
    interp: &mut Interp<'_>,
    op: CmpOp,
    left: &Value,
    right: &Value,
    at: Pos,
) -> Result<bool> {
    let ordering = match op {
        CmpOp::Eq => return equal(interp, left, right, at),
        CmpOp::Ne => return equal(interp, left, right, at).map(|same| !same),
        CmpOp::Is => return identical(interp, left, right, at),
        CmpOp::IsNot => return identical(interp, left, right, at).map(|same| !same),
        CmpOp::In => return contains(interp, right, left, at),
        CmpOp::NotIn => return contains(interp, right, left, at).map(|found| !found),
        CmpOp::Lt | CmpOp::Le | CmpOp::Gt | CmpOp::Ge => order(interp, left, right, at)?,
    };
    Ok(match op {
        CmpOp::Lt => ordering == Ordering::Less,
        CmpOp::Le => ordering != Ordering::Greater,
        CmpOp::Gt => ordering == Ordering::Greater,
        _ => ordering != Ordering::Less,
    })
}

/// The order of two numbers or two texts. Other things have none that means anything.
fn order(interp: &mut Interp<'_>, left: &Value, right: &Value, at: Pos) -> Result<Ordering> {
    if let (Value::Str(a), Value::Str(b)) = (left, right) {
        interp.meter.steps(a.len().min(b.len()) / 64, at)?;
        return Ok(a.cmp(b));
    }
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        return Ok(a.total_cmp(&b));
    }
    let message = format!("cannot compare '{}' with '{}'", left.type_name(), right.type_name());
    let error = fault(Kind::TypeError, at, message);
    Err(match (left, right) {
        (Value::Str(_), Value::Int(_)) | (Value::Int(_), Value::Str(_)) => {
            error.help("values from the command line are text: use int(…)")
        }
        _ => error,
    })
}

/// `is`: for values without identity of their own, the same as `==` between values of one type.
fn identical(interp: &mut Interp<'_>, left: &Value, right: &Value, at: Pos) -> Result<bool> {
    match (left, right) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Ok(a == b),
        (Value::Dict(a), Value::Dict(b)) => Ok(a == b),
        _ => Ok(left.type_name() == right.type_name() && equal(interp, left, right, at)?),
    }
}

pub(super) fn equal(interp: &mut Interp<'_>, left: &Value, right: &Value, at: Pos) -> Result<bool> {
    equal_to_depth(interp, left, right, at, MAX_VALUE_DEPTH)
}

fn equal_to_depth(
    interp: &mut Interp<'_>,
    left: &Value,
    right: &Value,
    at: Pos,
    depth: usize,
) -> Result<bool> {
    interp.meter.steps(1, at)?;
    let Some(depth) = depth.checked_sub(1) else {
        return Err(fault(Kind::RuntimeError, at, "the values are nested too deeply to compare"));
    };
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => {
            interp.meter.steps(a.len().min(b.len()) / 64, at)?;
            Ok(a == b)
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            let len = interp.heap.list(*a).len();
            if len != interp.heap.list(*b).len() {
                return Ok(false);
            }
            let pairs: Vec<_> =
                interp.heap.list(*a).iter().cloned().zip(interp.heap.list(*b).iter().cloned()).collect();
            interp.meter.memory(len * size_of::<(Item, Item)>(), at)?;
            for (a, b) in pairs {
                if !equal_to_depth(interp, &a.value, &b.value, at, depth)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Dict(a), Value::Dict(b)) => Ok(a == b),
        (Value::Kind(a), Value::Kind(b)) => Ok(a == b),
        (Value::Native(a), Value::Native(b)) => Ok(a.name == b.name),
        (Value::None, Value::None) => Ok(true),
        _ => match (left.as_int(), right.as_int()) {
            (Some(a), Some(b)) => Ok(a == b),
            _ => Ok(left.as_float().is_some_and(|a| right.as_float() == Some(a))),
        },
    }
}

pub(super) fn contains(interp: &mut Interp<'_>, container: &Value, wanted: &Value, at: Pos) -> Result<bool> {
    match container {
        Value::Str(text) => match wanted {
            Value::Str(part) => {
                interp.meter.steps((text.len() + part.len()) / 64, at)?;
                Ok(text.contains(&**part))
            }
            _ => Err(fault(Kind::TypeError, at, "'in <string>' requires string as left operand")),
        },
        Value::Dict(id) => {
            let key = interp.key(wanted, at)?;
            Ok(key.is_some_and(|key| interp.heap.dict(*id).is_some_and(|dict| dict.contains_key(&key))))
        }
        _ => {
            for item in interp.items(container, at)? {
                if equal(interp, &item.value, wanted, at)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// The position that an index means; negative ones count from the end.
pub(super) fn position(index: &Value, len: usize, at: Pos) -> Result<usize> {
    let Some(index) = index.as_int() else {
        return Err(fault(
            Kind::TypeError,
            at,
            format!("indices must be integers, not {}", index.type_name()),
        ));
    };
    let found = if index < 0 { index.checked_add_unsigned(len as u64) } else { Some(index) };
    let found = found.and_then(|n| usize::try_from(n).ok()).filter(|n| *n < len);
    found.ok_or_else(|| {
        fault(Kind::IndexError, at, "index out of range")
            .help(format!("there are {len} elements, the first is number 0"))
    })
}

/// The part of a sequence between bounds.
pub(super) fn slice<T: Clone>(all: &[T], bounds: &[Value; 3], at: Pos) -> Result<Vec<T>> {
    let [start, end, step] = bounds;
    let step = match (step, step.as_int()) {
        (Value::None, _) => 1,
        (_, Some(n)) if n != 0 => n,
        _ => return Err(fault(Kind::ValueError, at, "the step of a slice must be an integer other than 0")),
    };
    let limit = |bound: &Value, default: usize| match (bound, bound.as_int()) {
        (Value::None, _) => Ok(default),
        (_, Some(n)) if n < 0 => {
            Ok(usize::try_from(n.saturating_add_unsigned(all.len() as u64)).unwrap_or(0))
        }
        (_, Some(n)) => Ok(usize::try_from(n).unwrap_or(usize::MAX).min(all.len())),
        _ => Err(fault(Kind::TypeError, at, "the bounds of a slice must be integers")),
    };
    if step > 0 {
        let (start, end) = (limit(start, 0)?, limit(end, all.len())?);
        let part = all.get(start..end.max(start)).unwrap_or(&[]);
        return Ok(part.iter().step_by(usize::try_from(step).unwrap_or(usize::MAX)).cloned().collect());
    }
    let after = |bound: &Value| {
        limit(bound, 0).map(|n| if matches!(bound, Value::None) { n } else { n.saturating_add(1) })
    };
    let (low, high) =
        (after(end)?, if matches!(start, Value::None) { all.len() } else { after(start)?.min(all.len()) });
    let part = all.get(low.min(high)..high).unwrap_or(&[]);
    let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(part.iter().rev().step_by(step).cloned().collect())
}
