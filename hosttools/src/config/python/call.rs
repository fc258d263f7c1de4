//! Calls: how arguments reach functions of the file and of the language.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::ast::Function;
use super::fault::{Fault, Kind, Result, fault};
use super::interp::{Flow, Frame, Interp};
use super::token::Pos;
use super::value::{Closure, Item, Value};

/// A function of the language.
pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) call: fn(&mut Interp<'_>, &Call) -> Result<Value>,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<built-in function {}>", self.name)
    }
}

/// The arguments of one call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) at: Pos,
    pub(super) name: Rc<str>,
    pub(super) positional: Vec<Item>,
    pub(super) keywords: Vec<(Rc<str>, Item)>,
}

impl Call {
    /// Checks how many positional arguments there are, and that the named ones are among `keywords`.
    pub(super) fn accept(&self, min: usize, max: usize, keywords: &[&str]) -> Result<()> {
        let given = self.positional.len();
        if given < min || given > max {
            let (limit, how) = match (min == max, given < min) {
                (true, _) => (min, "exactly"),
                (_, true) => (min, "at least"),
                _ => (max, "at most"),
            };
            return Err(self.wrong_count(how, limit));
        }
        match self.keywords.iter().find(|(name, _)| !keywords.contains(&&**name)) {
            Some((name, _)) => Err(self.unknown_keyword(name)),
            None => Ok(()),
        }
    }

    fn wrong_count(&self, how: &str, limit: usize) -> Box<Fault> {
        let (name, given) = (&self.name, self.positional.len());
        let plural = if limit == 1 { "" } else { "s" };
        self.type_error(format!("{name}() takes {how} {limit} argument{plural} ({given} given)"))
    }

    fn unknown_keyword(&self, keyword: &str) -> Box<Fault> {
        self.type_error(format!("{}() got an unexpected keyword argument '{keyword}'", self.name))
    }

    pub(super) fn type_error(&self, message: impl Into<String>) -> Box<Fault> {
        fault(Kind::TypeError, self.at, message)
    }

    /// The positional argument `index`, if it was given.
    pub(super) fn get(&self, index: usize) -> Option<&Value> {
        self.positional.get(index).map(|item| &item.value)
    }

    /// The argument with this name, if it was given.
    pub(super) fn keyword(&self, name: &str) -> Option<&Value> {
        self.keywords.iter().find(|(n, _)| **n == *name).map(|(_, item)| &item.value)
    }

    /// The positional argument `index`; `None` of the language when it is missing.
    pub(super) fn value(&self, index: usize) -> Value {
        self.get(index).cloned().unwrap_or(Value::None)
    }

    /// The positional argument `index`, which must be text.
    pub(super) fn text(&self, index: usize) -> Result<Rc<str>> {
        match self.get(index) {
            Some(Value::Str(text)) => Ok(Rc::clone(text)),
            other => Err(self.expected("a string", other)),
        }
    }

    /// The positional argument `index`, which must be a whole number.
    pub(super) fn int(&self, index: usize) -> Result<i64> {
        let value = self.get(index);
        value.and_then(Value::as_int).ok_or_else(|| self.expected("an integer", value))
    }

    pub(super) fn expected(&self, what: &str, found: Option<&Value>) -> Box<Fault> {
        let found = found.map_or("nothing", Value::type_name);
        self.type_error(format!("{}() needs {what}, not {found}", self.name))
    }
}

impl Interp<'_> {
    /// Calls any value that can be called.
    pub(super) fn call(&mut self, callee: &Value, mut call: Call) -> Result<Value> {
        let cost = call.positional.iter().map(|item| item.value.text_len() / 64 + 1).sum::<usize>();
        self.meter.steps(1 + cost, call.at)?;
        match callee {
            Value::Native(native) => {
                call.name = native.name.into();
                (native.call)(self, &call)
            }
            Value::Method(receiver, native) => {
                self.meter.steps(receiver.text_len() / 64, call.at)?;
                call.name = native.name.into();
                call.positional.insert(0, Item { value: (**receiver).clone(), at: call.at });
                (native.call)(self, &call)
            }
            Value::Function(id) => match self.heap.function(*id) {
                Some(closure) => self.call_function(&closure, &call),
                None => Ok(Value::None),
            },
            Value::Kind(kind) => {
                call.accept(0, 1, &[])?;
                let message = match call.get(0) {
                    Some(value) => self.display(&value.clone(), call.at)?,
                    None => "".into(),
                };
                Ok(Value::Exception(*kind, message))
            }
            other => Err(call.type_error(format!("'{}' object is not callable", other.type_name()))),
        }
    }

    fn call_function(&mut self, closure: &Rc<Closure>, call: &Call) -> Result<Value> {
        let locals = self.bind(closure, call)?;
        self.meter.enter(call.at)?;
        self.frames.push(Frame { locals, captured: Rc::clone(closure), globals: Vec::new() });
        let result = self.block(&closure.function.body);
        self.frames.pop();
        self.meter.leave();
        match result? {
            Flow::Return(value) => Ok(value),
            Flow::Next | Flow::Break | Flow::Continue => Ok(Value::None),
        }
    }

    /// Gives each parameter its value.
    fn bind(&mut self, closure: &Closure, call: &Call) -> Result<BTreeMap<Rc<str>, Item>> {
        let Function { name, parameters, rest, .. } = &*closure.function;
        let mut locals = BTreeMap::new();
        for (parameter, item) in parameters.iter().zip(&call.positional) {
            locals.insert(Rc::clone(&parameter.name), item.clone());
        }
        let extra = call.positional.get(parameters.len()..).unwrap_or(&[]);
        if let Some(rest) = rest {
            let tuple = self.tuple(extra.to_vec(), call.at)?;
            locals.insert(Rc::clone(rest), Item { value: tuple, at: call.at });
        } else if !extra.is_empty() {
            return Err(wrong_arguments(name, parameters.len(), call));
        }
        for (keyword, item) in &call.keywords {
            if !parameters.iter().any(|p| p.name == *keyword) {
                return Err(
                    call.type_error(format!("{name}() got an unexpected keyword argument '{keyword}'"))
                );
            }
            if locals.insert(Rc::clone(keyword), item.clone()).is_some() {
                return Err(
                    call.type_error(format!("{name}() got multiple values for keyword argument '{keyword}'"))
                );
            }
        }
        for (parameter, default) in parameters.iter().zip(&closure.defaults) {
            match default {
                _ if locals.contains_key(&parameter.name) => {}
                Some(item) => drop(locals.insert(Rc::clone(&parameter.name), item.clone())),
                None => return Err(wrong_arguments(name, parameters.len(), call)),
            }
        }
        Ok(locals)
    }
}

fn wrong_arguments(name: &str, wanted: usize, call: &Call) -> Box<Fault> {
    let given = call.positional.len() + call.keywords.len();
    let plural = if wanted == 1 { "" } else { "s" };
    call.type_error(format!("{name}() takes exactly {wanted} argument{plural} ({given} given)"))
}
