//! Expressions, and what can be given a value.

use std::rc::Rc;

use super::ast::{Clause, Expr, ExprKind, Trailer};
use super::call::Call;
use super::fault::{Fault, Kind, Result, fault};
use super::interp::Interp;
use super::methods;
use super::ops;
use super::token::Pos;
use super::value::{Dict, Item, ListId, Value};

impl Interp<'_> {
    pub(super) fn eval(&mut self, expr: &Expr) -> Result<Value> {
        let at = expr.at;
        self.meter.steps(1, at)?;
        match &expr.kind {
            ExprKind::None => Ok(Value::None),
            ExprKind::Bool(b) => Ok(Value::Bool(*b)),
            ExprKind::Int(n) => Ok(Value::Int(*n)),
            ExprKind::Float(n) => Ok(Value::Float(*n)),
            ExprKind::Str(text) => Ok(Value::Str(Rc::clone(text))),
            ExprKind::Name(name) => self.lookup(name, at),
            _ => {
                self.meter.enter(at)?;
                let value = self.compound(expr);
                self.meter.leave();
                value
            }
        }
    }

    fn compound(&mut self, expr: &Expr) -> Result<Value> {
        let at = expr.at;
        match &expr.kind {
            ExprKind::List(parts) => {
                let items = self.each(parts)?;
                self.list(items, at)
            }
            ExprKind::Tuple(parts) => {
                let items = self.each(parts)?;
                self.tuple(items, at)
            }
            ExprKind::Dict(pairs) => self.dictionary(pairs, at),
            ExprKind::Comprehension { element, clauses } => {
                let mut items = Vec::new();
                self.comprehend(element, clauses, &mut items)?;
                self.list(items, at)
            }
            ExprKind::Not(inner) => {
                let value = self.eval(inner)?;
                Ok(Value::Bool(!self.truth(&value)))
            }
            ExprKind::Negative(inner) => {
                let value = self.eval(inner)?;
                ops::negative(&value, at)
            }
            ExprKind::Invert(inner) => {
                let value = self.eval(inner)?;
                value
                    .as_int()
                    .map(|n| Value::Int(!n))
                    .ok_or_else(|| fault(Kind::TypeError, at, "'~' needs an integer"))
            }
            ExprKind::Power(base, exponent) => {
                let (base, exponent) = (self.eval(base)?, self.eval(exponent)?);
                ops::binary(self, super::ast::BinOp::Pow, &base, &exponent, at)
            }
            ExprKind::Binary(first, rest) => {
                let mut value = self.eval(first)?;
                for (op, operand) in rest {
                    let operand_value = self.eval(operand)?;
                    value = ops::binary(self, *op, &value, &operand_value, operand.at)?;
                }
                Ok(value)
            }
            ExprKind::Compare(first, rest) => self.comparison(first, rest),
            ExprKind::And(parts) => self.first_where(parts, false),
            ExprKind::Or(parts) => self.first_where(parts, true),
            ExprKind::Choice(parts) => {
                let [test, then, otherwise] = &**parts;
                let test = self.eval(test)?;
                if self.truth(&test) { self.eval(then) } else { self.eval(otherwise) }
            }
            ExprKind::Lambda(function) => self.lambda(function, at),
            ExprKind::Postfix(base, trailers) => self.postfix(base, trailers),
            _ => self.eval(expr),
        }
    }

    fn each(&mut self, parts: &[Expr]) -> Result<Vec<Item>> {
        parts.iter().map(|part| Ok(Item { value: self.eval(part)?, at: part.at })).collect()
    }

    fn dictionary(&mut self, pairs: &[(Expr, Expr)], at: Pos) -> Result<Value> {
        let mut dict = Dict::new();
        for (key, value) in pairs {
            let key_value = self.eval(key)?;
            let key = self.key(&key_value, key.at)?.ok_or_else(|| unhashable(&key_value, key.at))?;
            let item = Item { value: self.eval(value)?, at: value.at };
            dict.insert(key, item);
        }
        self.meter.memory(64 + 128 * dict.len(), at)?;
        Ok(Value::Dict(self.heap.add_dict(dict)))
    }

    fn comprehend(&mut self, element: &Expr, clauses: &[Clause], into: &mut Vec<Item>) -> Result<()> {
        match clauses.split_first() {
            None => {
                let value = self.eval(element)?;
                self.meter.memory(size_of::<Item>(), element.at)?;
                into.push(Item { value, at: element.at });
                Ok(())
            }
            Some((Clause::If(test), rest)) => {
                let value = self.eval(test)?;
                if self.truth(&value) { self.comprehend(element, rest, into) } else { Ok(()) }
            }
            Some((Clause::For { target, items }, rest)) => {
                let sequence = self.eval(items)?;
                for item in self.items(&sequence, items.at)? {
                    self.store(target, item)?;
                    self.comprehend(element, rest, into)?;
                }
                Ok(())
            }
        }
    }

    fn comparison(&mut self, first: &Expr, rest: &[(super::ast::CmpOp, Expr)]) -> Result<Value> {
        let mut left = self.eval(first)?;
        for (op, operand) in rest {
            let right = self.eval(operand)?;
            if !ops::compare(self, *op, &left, &right, operand.at)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// The first value whose truth is `wanted`, or the last.
    fn first_where(&mut self, parts: &[Expr], wanted: bool) -> Result<Value> {
        let mut value = Value::None;
        for part in parts {
            value = self.eval(part)?;
            if self.truth(&value) == wanted {
                break;
            }
        }
        Ok(value)
    }

    pub(super) fn postfix(&mut self, base: &Expr, trailers: &[(Pos, Trailer)]) -> Result<Value> {
        let mut value = self.eval(base)?;
        for (at, trailer) in trailers {
            self.meter.steps(1, *at)?;
            value = match trailer {
                Trailer::Attribute(name) => methods::attribute(self, &value, name, *at)?,
                Trailer::Call { positional, keywords } => {
                    let positional = self.each(positional)?;
                    let mut named = Vec::new();
                    for (name, value) in keywords {
                        named.push((Rc::clone(name), Item { value: self.eval(value)?, at: value.at }));
                    }
                    let call = Call { at: base.at, name: "".into(), positional, keywords: named };
                    self.call(&value, call)?
                }
                Trailer::Index(index) => {
                    let index_value = self.eval(index)?;
                    self.element(&value, &index_value, index.at)?
                }
                Trailer::Slice { start, end, step } => {
                    let mut bounds = [Value::None, Value::None, Value::None];
                    for (bound, written) in bounds.iter_mut().zip([start, end, step]) {
                        if let Some(written) = written {
                            *bound = self.eval(written)?;
                        }
                    }
                    self.slice(&value, &bounds, *at)?
                }
            };
        }
        Ok(value)
    }

    fn element(&mut self, container: &Value, index: &Value, at: Pos) -> Result<Value> {
        match container {
            Value::List(id) | Value::Tuple(id) => {
                let list = self.heap.list(*id);
                let position = ops::position(index, list.len(), at)?;
                Ok(list.get(position).map_or(Value::None, |item| item.value.clone()))
            }
            Value::Str(text) => {
                self.meter.steps(text.len() / 64, at)?;
                let position = ops::position(index, text.chars().count(), at)?;
                Ok(text.chars().nth(position).map_or(Value::None, |c| Value::from(&*c.to_string())))
            }
            Value::Dict(id) => {
                let found = self.key(index, at)?.and_then(|key| self.heap.dict(*id)?.get(&key));
                match found.map(|item| item.value.clone()) {
                    Some(value) => Ok(value),
                    None => Err(self.missing_key(index, at)),
                }
            }
            other => {
                let message = format!("'{}' object has no elements", other.type_name());
                Err(fault(Kind::TypeError, at, message))
            }
        }
    }

    fn slice(&mut self, container: &Value, bounds: &[Value; 3], at: Pos) -> Result<Value> {
        match container {
            Value::List(id) | Value::Tuple(id) => {
                let list = self.heap.list(*id);
                let items = ops::slice(list, bounds, at)?;
                self.meter.steps(items.len(), at)?;
                if matches!(container, Value::List(_)) { self.list(items, at) } else { self.tuple(items, at) }
            }
            Value::Str(text) => {
                self.meter.memory(4 * text.len(), at)?;
                let chars: Vec<char> = text.chars().collect();
                let part: String = ops::slice(&chars, bounds, at)?.into_iter().collect();
                self.text(part, at)
            }
            other => {
                let message = format!("'{}' object cannot be sliced", other.type_name());
                Err(fault(Kind::TypeError, at, message))
            }
        }
    }

    /// Gives `item` to a target: a name, an element, or several of them.
    pub(super) fn store(&mut self, target: &Expr, item: Item) -> Result<()> {
        match &target.kind {
            ExprKind::Name(name) => self.assign(name, item),
            ExprKind::Tuple(parts) | ExprKind::List(parts) => {
                let items = self.items(&item.value, target.at)?;
                if items.len() != parts.len() {
                    let message = format!("{} values for {} variables", items.len(), parts.len());
                    return Err(fault(Kind::ValueError, target.at, message));
                }
                parts.iter().zip(items).try_for_each(|(part, item)| self.store(part, item))
            }
            ExprKind::Postfix(base, trailers) => match trailers.split_last() {
                Some(((at, Trailer::Index(index)), before)) => {
                    let container = self.postfix(base, before)?;
                    let index = self.eval(index)?;
                    self.store_element(&container, &index, item, *at)
                }
                Some(((at, _), _)) => Err(fault(Kind::TypeError, *at, "slices cannot be given a value here")),
                None => Ok(()),
            },
            _ => Err(fault(Kind::Syntax, target.at, "this cannot be given a value")),
        }
    }

    fn store_element(&mut self, container: &Value, index: &Value, item: Item, at: Pos) -> Result<()> {
        match container {
            Value::List(id) => {
                let position = ops::position(index, self.heap.list(*id).len(), at)?;
                if let Some(slot) = self.heap.list_mut(*id).and_then(|list| list.get_mut(position)) {
                    *slot = item;
                }
                Ok(())
            }
            Value::Dict(id) => {
                let key = self.key(index, at)?.ok_or_else(|| unhashable(index, at))?;
                self.meter.memory(128, at)?;
                if let Some(dict) = self.heap.dict_mut(*id) {
                    dict.insert(key, item);
                }
                Ok(())
            }
            other => {
                let message = format!("'{}' object does not support item assignment", other.type_name());
                Err(fault(Kind::TypeError, at, message))
            }
        }
    }

    /// Adds the elements of `more` to a list.
    pub(super) fn extend(&mut self, id: ListId, more: &Value, at: Pos) -> Result<()> {
        let items = self.items(more, at)?;
        if let Some(list) = self.heap.list_mut(id) {
            list.extend(items);
        }
        Ok(())
    }
}

fn unhashable(value: &Value, at: Pos) -> Box<Fault> {
    fault(Kind::TypeError, at, format!("a key of a dictionary cannot be a {}", value.type_name()))
}
