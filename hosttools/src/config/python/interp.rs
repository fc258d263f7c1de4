//! The state of one evaluation: variables, calls under way, what is left of the limits.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::builtins;
use super::fault::{Fault, Kind, Result, fault};
use super::meter::{Limits, Meter};
use super::token::Pos;
use super::value::{Closure, Heap, Item, Key, Value};
use super::xm_vars::Declared;
use crate::config::host::Host;
use crate::config::suggest::closest;

pub(super) struct Interp<'a> {
    pub(super) host: &'a Host<'a>,
    pub(super) heap: Heap,
    pub(super) meter: Meter,
    /// Variables of the file.
    pub(super) globals: BTreeMap<Rc<str>, Global>,
    /// Calls under way, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// What the file printed.
    pub(super) output: String,
    /// What the file declared by `xm_vars.var`.
    pub(super) declared: Vec<Declared>,
    /// The exception being handled, for a bare `raise`.
    pub(super) handling: Option<Box<Fault>>,
}

/// A variable of the file.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) item: Item,
    /// The file itself has looked at it.
    pub(super) read: bool,
    /// The file gave it its value, rather than the command line or the language.
    pub(super) assigned: bool,
}

/// The variables of one call.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) locals: BTreeMap<Rc<str>, Item>,
    pub(super) captured: Rc<Closure>,
    /// Names that mean variables of the file.
    pub(super) globals: Vec<Rc<str>>,
}

/// How a statement ends.
#[derive(Debug)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

impl<'a> Interp<'a> {
    pub(super) fn new(host: &'a Host<'a>, limits: Limits) -> Self {
        Self {
            host,
            heap: Heap::default(),
            meter: Meter::new(limits),
            globals: BTreeMap::new(),
            frames: Vec::new(),
            output: String::new(),
            declared: Vec::new(),
            handling: None,
        }
    }

    /// Gives the file a variable before it runs.
    pub(super) fn predefine(&mut self, name: &str, value: Value) {
        let item = Item { value, at: Pos::default() };
        self.globals.insert(name.into(), Global { item, read: false, assigned: false });
    }

    pub(super) fn lookup(&mut self, name: &str, at: Pos) -> Result<Value> {
        if let Some(frame) = self.frames.last() {
            let own = frame.locals.get(name).or_else(|| frame.captured.captured.get(name));
            if let Some(item) = own.filter(|_| !frame.globals.iter().any(|global| **global == *name)) {
                return Ok(item.value.clone());
            }
        }
        if let Some(global) = self.globals.get_mut(name) {
            global.read = true;
            return Ok(global.item.value.clone());
        }
        builtins::find(name).ok_or_else(|| self.unknown_name(name, at))
    }

    fn unknown_name(&self, name: &str, at: Pos) -> Box<Fault> {
        let error = fault(Kind::NameError, at, format!("name '{name}' is not defined"));
        if let Some(why) = builtins::refusal(name) {
            return error.help(why);
        }
        let locals = self.frames.last().into_iter().flat_map(|frame| frame.locals.keys());
        let mut known: Vec<&str> = self.globals.keys().chain(locals).map(Rc::as_ref).collect();
        builtins::names().for_each(|name| known.push(name));
        match closest(name, known.into_iter()) {
            Some(known) => error.help(format!("did you mean {known}?")),
            None => error.help(format!(
                "put text in quotes, or give {name} a value: here or by {name}=… on the command line"
            )),
        }
    }

    /// Gives a variable a value.
    pub(super) fn assign(&mut self, name: &Rc<str>, item: Item) -> Result<()> {
        self.meter.memory(64, item.at)?;
        match self.frames.last_mut() {
            Some(frame) if !frame.globals.contains(name) => {
                frame.locals.insert(Rc::clone(name), item);
            }
            _ => {
                let read = self.globals.get(name).is_some_and(|global| global.read);
                self.globals.insert(Rc::clone(name), Global { item, read, assigned: true });
            }
        }
        Ok(())
    }

    /// A new string.
    pub(super) fn text(&mut self, text: impl AsRef<str> + Into<Rc<str>>, at: Pos) -> Result<Value> {
        self.meter.memory(16 + text.as_ref().len(), at)?;
        Ok(Value::Str(text.into()))
    }

    /// A new list.
    pub(super) fn list(&mut self, items: Vec<Item>, at: Pos) -> Result<Value> {
        self.meter.memory(size_of::<Vec<Item>>() + items.len() * size_of::<Item>(), at)?;
        Ok(Value::List(self.heap.add_list(items)))
    }

    /// A new tuple.
    pub(super) fn tuple(&mut self, items: Vec<Item>, at: Pos) -> Result<Value> {
        match self.list(items, at)? {
            Value::List(id) => Ok(Value::Tuple(id)),
            other => Ok(other),
        }
    }

    /// A new list of strings.
    pub(super) fn list_of_text<'t>(
        &mut self,
        texts: impl Iterator<Item = &'t str>,
        at: Pos,
    ) -> Result<Value> {
        let mut items = Vec::new();
        for text in texts {
            let value = self.text(text, at)?;
            items.push(Item { value, at });
        }
        self.list(items, at)
    }

    /// The elements of anything that can be iterated.
    pub(super) fn items(&mut self, value: &Value, at: Pos) -> Result<Vec<Item>> {
        let len = match value {
            Value::List(id) | Value::Tuple(id) => self.heap.list(*id).len(),
            Value::Dict(id) => self.heap.dict(*id).map_or(0, BTreeMap::len),
            Value::Str(text) => text.len(),
            other => {
                let message = format!("'{}' object is not iterable", other.type_name());
                return Err(fault(Kind::TypeError, at, message));
            }
        };
        self.meter.steps(len, at)?;
        self.meter.memory(len * 2 * size_of::<Item>(), at)?;
        Ok(match value {
            Value::List(id) | Value::Tuple(id) => self.heap.list(*id).to_vec(),
            Value::Dict(id) => {
                let entries = self.heap.dict(*id).into_iter().flatten();
                entries.map(|(key, item)| Item { value: key.value(), at: item.at }).collect()
            }
            Value::Str(text) => {
                text.chars().map(|c| Item { value: Value::from(&*c.to_string()), at }).collect()
            }
            _ => Vec::new(),
        })
    }

    /// What a value is found by in a dictionary; `None` when it cannot be a key.
    pub(super) fn key(&mut self, value: &Value, at: Pos) -> Result<Option<Key>> {
        self.meter.steps(value.text_len() / 4, at)?;
        Ok(Key::new(value))
    }

    /// Whether Python takes the value for true.
    pub(super) fn truth(&self, value: &Value) -> bool {
        match value {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(n) => *n != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(id) | Value::Tuple(id) => !self.heap.list(*id).is_empty(),
            Value::Dict(id) => self.heap.dict(*id).is_some_and(|dict| !dict.is_empty()),
            _ => true,
        }
    }
}
