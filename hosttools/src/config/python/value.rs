//! Values, and the arena that holds those that can contain others. Nothing is freed before the end of the
//! evaluation, so cycles are harmless and dropping never recurses.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::Function;
use super::call::Native;
use super::fault::Kind;
use super::modules::Module;
use super::regex::{Found, Pattern};
use super::token::Pos;

/// A value. Lists, dictionaries and functions are references into a [`Heap`].
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(ListId),
    Tuple(ListId),
    Dict(DictId),
    Function(FunctionId),
    Native(&'static Native),
    /// A native function with its first argument.
    Method(Box<Value>, &'static Native),
    Module(&'static Module),
    /// A kind of exception.
    Kind(Kind),
    /// An exception that was made or caught.
    Exception(Kind, Rc<str>),
    Pattern(Rc<Pattern>),
    Found(Rc<Found>),
}

impl Value {
    /// The name of the type, as Python 2 has it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Function(_) => "function",
            Self::Native(_) | Self::Method(..) => "builtin_function_or_method",
            Self::Module(_) => "module",
            Self::Kind(_) => "type",
            Self::Exception(kind, _) => kind.name(),
            Self::Pattern(_) => "pattern",
            Self::Found(_) => "match",
        }
    }

    /// How long it is, if it is text: what touching it costs.
    pub(super) fn text_len(&self) -> usize {
        if let Self::Str(text) = self { text.len() } else { 0 }
    }

    /// As a number, when it is a whole one.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Bool(b) => Some(i64::from(*b)),
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// As a number.
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(n) => Some(*n),
            _ => self.as_int().map(|n| n as f64),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

/// A value and the place in the file that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) at: Pos,
}

/// What a dictionary can be asked by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    None,
    Int(i64),
    Str(Rc<str>),
}

impl Key {
    pub(super) fn new(value: &Value) -> Option<Self> {
        match value {
            Value::None => Some(Self::None),
            Value::Str(text) => Some(Self::Str(Rc::clone(text))),
            _ => value.as_int().map(Self::Int),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::None => Value::None,
            Self::Int(n) => Value::Int(*n),
            Self::Str(text) => Value::Str(Rc::clone(text)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ListId(usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DictId(usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FunctionId(usize);

/// A dictionary; iterated in the order of its keys.
pub(super) type Dict = BTreeMap<Key, Item>;

/// A function with what it needs from where it was defined.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) function: Rc<Function>,
    /// One for each parameter.
    pub(super) defaults: Vec<Option<Item>>,
    /// The variables of the function around it.
    pub(super) captured: BTreeMap<Rc<str>, Item>,
}

/// All lists, tuples, dictionaries and functions. An id is only ever used with the heap that made it.
#[derive(Debug, Default)]
pub(super) struct Heap {
    lists: Vec<Vec<Item>>,
    dicts: Vec<Dict>,
    functions: Vec<Rc<Closure>>,
}

impl Heap {
    pub(super) fn add_list(&mut self, items: Vec<Item>) -> ListId {
        self.lists.push(items);
        ListId(self.lists.len() - 1)
    }

    pub(super) fn add_dict(&mut self, dict: Dict) -> DictId {
        self.dicts.push(dict);
        DictId(self.dicts.len() - 1)
    }

    pub(super) fn add_function(&mut self, closure: Closure) -> FunctionId {
        self.functions.push(Rc::new(closure));
        FunctionId(self.functions.len() - 1)
    }

    pub(super) fn list(&self, id: ListId) -> &[Item] {
        self.lists.get(id.0).map_or(&[], Vec::as_slice)
    }

    pub(super) fn dict(&self, id: DictId) -> Option<&Dict> {
        self.dicts.get(id.0)
    }

    pub(super) fn function(&self, id: FunctionId) -> Option<Rc<Closure>> {
        self.functions.get(id.0).map(Rc::clone)
    }

    /// Changes a list; `None` only for an id of another heap.
    pub(super) fn list_mut(&mut self, id: ListId) -> Option<&mut Vec<Item>> {
        self.lists.get_mut(id.0)
    }

    pub(super) fn dict_mut(&mut self, id: DictId) -> Option<&mut Dict> {
        self.dicts.get_mut(id.0)
    }
}
