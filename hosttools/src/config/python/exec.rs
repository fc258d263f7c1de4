//! Statements.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{BinOp, Block, Expr, ExprKind, Function, Handler, Stmt, StmtKind, Trailer, Try};
use super::fault::{Fault, Kind, Result, fault};
use super::interp::{Flow, Interp};
use super::modules;
use super::ops;
use super::token::Pos;
use super::value::{Closure, Item, Value};
use crate::config::table::find;

impl Interp<'_> {
    pub(super) fn block(&mut self, block: &Block) -> Result<Flow> {
        let at = block.first().map_or(Pos::default(), |stmt| stmt.at);
        self.meter.enter(at)?;
        let mut flow = Ok(Flow::Next);
        for stmt in block {
            flow = self.statement(stmt);
            if !matches!(flow, Ok(Flow::Next)) {
                break;
            }
        }
        self.meter.leave();
        flow
    }

    fn statement(&mut self, stmt: &Stmt) -> Result<Flow> {
        let at = stmt.at;
        self.meter.steps(1, at)?;
        match &stmt.kind {
            StmtKind::Pass => {}
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Return(None) => return Ok(Flow::Return(Value::None)),
            StmtKind::Return(Some(value)) => return self.eval(value).map(Flow::Return),
            StmtKind::Expr(value) => drop(self.eval(value)?),
            StmtKind::Assign { targets, value } => {
                let item = Item { value: self.eval(value)?, at: value.at };
                for target in targets {
                    self.store(target, item.clone())?;
                }
            }
            // To xl, to add to a variable that has no value yet is to give it one.
            StmtKind::Augment { target, op: BinOp::Add, value } if self.is_unset_variable(target) => {
                let item = Item { value: self.eval(value)?, at: value.at };
                self.store(target, item)?;
            }
            StmtKind::Augment { target, op, value } => {
                let old = self.eval(target)?;
                let new = self.eval(value)?;
                // `list += …` changes the list itself, as every Python does.
                let value = match (&old, op) {
                    (Value::List(id), BinOp::Add) => {
                        self.extend(*id, &new, at)?;
                        old
                    }
                    _ => ops::binary(self, *op, &old, &new, at)?,
                };
                self.store(target, Item { value, at: target.at })?;
            }
            StmtKind::If { arms, otherwise } => return self.conditional(arms, otherwise),
            StmtKind::While { test, body, otherwise } => return self.while_loop(test, body, otherwise),
            StmtKind::For { target, items, body, otherwise } => {
                return self.for_loop(target, items, body, otherwise);
            }
            StmtKind::Try(attempt) => return self.attempt(attempt),
            StmtKind::Def(function) => {
                let value = self.define(function, at)?;
                self.assign(&function.name, Item { value, at })?;
            }
            StmtKind::Raise { what, message } => {
                return Err(self.raise(what.as_ref(), message.as_ref(), at)?);
            }
            StmtKind::Assert { test, message } => self.assert(test, message.as_ref())?,
            StmtKind::Print { stream, values, newline } => {
                self.check_stream(stream.as_ref())?;
                self.print(values, *newline, at)?;
            }
            StmtKind::Import(names) => modules::import(self, names, at)?,
            StmtKind::From { module, names } => modules::import_from(self, module, names, at)?,
            StmtKind::Global(names) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.globals.extend(names.iter().cloned());
                }
            }
            StmtKind::Del(targets) => targets.iter().try_for_each(|target| self.delete(target))?,
        }
        Ok(Flow::Next)
    }

    /// Whether this is a configuration variable at the outermost level that the file has not set yet.
    fn is_unset_variable(&self, target: &Expr) -> bool {
        let ExprKind::Name(name) = &target.kind else { return false };
        self.frames.is_empty() && !self.globals.contains_key(name) && find(name).is_some()
    }

    fn conditional(&mut self, arms: &[(Expr, Block)], otherwise: &Block) -> Result<Flow> {
        for (test, body) in arms {
            let test = self.eval(test)?;
            if self.truth(&test) {
                return self.block(body);
            }
        }
        self.block(otherwise)
    }

    fn while_loop(&mut self, test: &Expr, body: &Block, otherwise: &Block) -> Result<Flow> {
        loop {
            let value = self.eval(test)?;
            if !self.truth(&value) {
                return self.block(otherwise);
            }
            match self.block(body)? {
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value) => return Ok(Flow::Return(value)),
                Flow::Next | Flow::Continue => {}
            }
        }
    }

    fn for_loop(&mut self, target: &Expr, items: &Expr, body: &Block, otherwise: &Block) -> Result<Flow> {
        let sequence = self.eval(items)?;
        for item in self.items(&sequence, items.at)? {
            self.store(target, item)?;
            match self.block(body)? {
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value) => return Ok(Flow::Return(value)),
                Flow::Next | Flow::Continue => {}
            }
        }
        self.block(otherwise)
    }

    fn attempt(&mut self, attempt: &Try) -> Result<Flow> {
        let depth = self.frames.len();
        let mut result = self.block(&attempt.body);
        // A function that was left by an exception has left its frame already; this states it.
        self.frames.truncate(depth);
        result = match result {
            Ok(Flow::Next) => self.block(&attempt.otherwise),
            Err(fault) if fault.kind.can_be_caught() => self.handle(&attempt.handlers, fault),
            other => other,
        };
        if result.as_ref().is_err_and(|fault| !fault.kind.can_be_caught()) {
            return result;
        }
        match self.block(&attempt.finally)? {
            Flow::Next => result,
            other => Ok(other),
        }
    }

    fn handle(&mut self, handlers: &[Handler], fault: Box<Fault>) -> Result<Flow> {
        for handler in handlers {
            if !self.handles(handler, &fault)? {
                continue;
            }
            if let Some(name) = &handler.name {
                self.meter.memory(fault.message.len(), fault.at)?;
                let value = Value::Exception(fault.kind, fault.message.as_str().into());
                self.assign(name, Item { value, at: fault.at })?;
            }
            let outer = self.handling.replace(fault);
            let flow = self.block(&handler.body);
            self.handling = outer;
            return flow;
        }
        Err(fault)
    }

    fn handles(&mut self, handler: &Handler, raised: &Fault) -> Result<bool> {
        let Some(what) = &handler.what else { return Ok(true) };
        let value = self.eval(what)?;
        let kinds = match &value {
            Value::Tuple(_) => self.items(&value, what.at)?,
            _ => vec![Item { value, at: what.at }],
        };
        for kind in kinds {
            match kind.value {
                Value::Kind(kind) if kind.catches(raised.kind) => return Ok(true),
                Value::Kind(_) => {}
                _ => return Err(fault(Kind::TypeError, what.at, "'except' needs a kind of exception")),
            }
        }
        Ok(false)
    }

    fn define(&mut self, function: &Rc<Function>, at: Pos) -> Result<Value> {
        let mut defaults = Vec::new();
        for parameter in &function.parameters {
            defaults.push(match &parameter.default {
                Some(default) => Some(Item { value: self.eval(default)?, at: default.at }),
                None => None,
            });
        }
        let captured = self.frames.last().map_or_else(BTreeMap::new, |frame| {
            let mut all = frame.captured.captured.clone();
            all.extend(frame.locals.iter().map(|(name, item)| (Rc::clone(name), item.clone())));
            all
        });
        self.meter.memory(256 + 64 * captured.len(), at)?;
        let closure = Closure { function: Rc::clone(function), defaults, captured };
        Ok(Value::Function(self.heap.add_function(closure)))
    }

    pub(super) fn lambda(&mut self, function: &Rc<Function>, at: Pos) -> Result<Value> {
        self.define(function, at)
    }

    /// The exception that a `raise` statement raises.
    fn raise(&mut self, what: Option<&Expr>, message: Option<&Expr>, at: Pos) -> Result<Box<Fault>> {
        let Some(what) = what else {
            let again = self.handling.clone();
            return Ok(
                again.unwrap_or_else(|| fault(Kind::TypeError, at, "there is no exception to raise again"))
            );
        };
        let value = self.eval(what)?;
        let text = match message {
            Some(message) => {
                let value = self.eval(message)?;
                self.display(&value, at)?
            }
            None => "".into(),
        };
        let cost = match &value {
            Value::Str(text) | Value::Exception(_, text) => text.len(),
            _ => text.len(),
        };
        self.meter.memory(cost, at)?;
        Ok(match value {
            Value::Kind(kind) => fault(kind, at, &*text),
            Value::Exception(kind, text) => fault(kind, at, &*text),
            Value::Str(text) => fault(Kind::Exception, at, &*text),
            _ => fault(Kind::TypeError, at, "exceptions must be made from a kind of exception")
                .help("as in raise ValueError('…')"),
        })
    }

    fn assert(&mut self, test: &Expr, message: Option<&Expr>) -> Result<()> {
        let value = self.eval(test)?;
        if self.truth(&value) {
            return Ok(());
        }
        let text = match message {
            Some(message) => {
                let value = self.eval(message)?;
                self.display(&value, test.at)?
            }
            None => "".into(),
        };
        Err(fault(Kind::AssertionError, test.at, &*text))
    }

    /// What is printed goes to one place, so the stream must only be one of those that mean it.
    fn check_stream(&mut self, stream: Option<&Expr>) -> Result<()> {
        let Some(stream) = stream else { return Ok(()) };
        match self.eval(stream)? {
            Value::Module(module) if module.name == modules::STREAM.name => Ok(()),
            other => {
                Err(fault(Kind::TypeError, stream.at, format!("cannot print to a {}", other.type_name()))
                    .help("use sys.stdout or sys.stderr"))
            }
        }
    }

    fn print(&mut self, values: &[Expr], newline: bool, at: Pos) -> Result<()> {
        let mut line = String::new();
        for value in values {
            let value = self.eval(value)?;
            let text = self.display(&value, at)?;
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&text);
        }
        line.push(if newline { '\n' } else { ' ' });
        self.write(&line, at)
    }

    /// Adds to what the file prints.
    pub(super) fn write(&mut self, text: &str, at: Pos) -> Result<()> {
        self.meter.output(text.len(), at)?;
        self.output.push_str(text);
        Ok(())
    }

    fn delete(&mut self, target: &Expr) -> Result<()> {
        let at = target.at;
        let missing = |name: &str| fault(Kind::NameError, at, format!("name '{name}' is not defined"));
        match &target.kind {
            ExprKind::Name(name) => {
                let found = match self.frames.last_mut() {
                    Some(frame) => frame.locals.remove(name).is_some(),
                    None => self.globals.remove(name).is_some(),
                };
                if found { Ok(()) } else { Err(missing(name)) }
            }
            ExprKind::Postfix(base, trailers) => {
                let Some(((_, Trailer::Index(index)), before)) = trailers.split_last() else {
                    return Err(fault(Kind::Syntax, at, "this cannot be deleted"));
                };
                let container = self.postfix(base, before)?;
                let index = self.eval(index)?;
                self.delete_element(&container, &index, at)
            }
            _ => Err(fault(Kind::Syntax, at, "this cannot be deleted")),
        }
    }

    fn delete_element(&mut self, container: &Value, index: &Value, at: Pos) -> Result<()> {
        match container {
            Value::List(id) => {
                let len = self.heap.list(*id).len();
                let position = ops::position(index, len, at)?;
                self.meter.steps(len - position, at)?;
                if let Some(list) = self.heap.list_mut(*id) {
                    list.remove(position);
                }
                Ok(())
            }
            Value::Dict(id) => {
                let removed = self.key(index, at)?.and_then(|key| self.heap.dict_mut(*id)?.remove(&key));
                if removed.is_some() { Ok(()) } else { Err(self.missing_key(index, at)) }
            }
            _ => Err(fault(Kind::TypeError, at, "only elements of lists and dictionaries can be deleted")),
        }
    }

    /// The error that a dictionary has no such key.
    pub(super) fn missing_key(&mut self, key: &Value, at: Pos) -> Box<Fault> {
        match self.repr(key, at) {
            Ok(text) => fault(Kind::KeyError, at, &*text),
            Err(limit) => limit,
        }
    }
}
