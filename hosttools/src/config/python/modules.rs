//! The modules that configurations import. None of them reaches outside: what they say about the host is what
//! the caller of the evaluation provided.

use std::rc::Rc;

use super::call::Native;
use super::fault::{Fault, Kind, Result, fault};
use super::interp::Interp;
use super::methods::entry_value;
use super::token::Pos;
use super::value::{Item, Value};
use super::{builtins, convert, network, os, regex, strings, xm_vars};
use crate::config::suggest::closest;

/// A module: a name and what stands behind its dot.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    pub(super) entries: &'static [(&'static str, Entry)],
}

/// Something in a module.
#[derive(Debug)]
pub(super) enum Entry {
    Function(&'static Native),
    Module(&'static Module),
    Text(&'static str),
    Number(i64),
    Kind(Kind),
    /// Made when it is asked for.
    Computed(fn(&mut Interp<'_>, Pos) -> Result<Value>),
}

/// `string`: constants, and the methods of text as functions.
static STRING: Module = Module {
    name: "string",
    entries: &[
        ("ascii_letters", Entry::Text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("ascii_lowercase", Entry::Text("abcdefghijklmnopqrstuvwxyz")),
        ("ascii_uppercase", Entry::Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("digits", Entry::Text("0123456789")),
        ("hexdigits", Entry::Text("0123456789abcdefABCDEF")),
        ("letters", Entry::Text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("lowercase", Entry::Text("abcdefghijklmnopqrstuvwxyz")),
        ("uppercase", Entry::Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("atoi", Entry::Function(&Native { name: "atoi", call: convert::int })),
        ("join", Entry::Function(&Native { name: "join", call: string_join })),
        ("capitalize", Entry::Computed(|_, at| string_method("capitalize", at))),
        ("find", Entry::Computed(|_, at| string_method("find", at))),
        ("lower", Entry::Computed(|_, at| string_method("lower", at))),
        ("lstrip", Entry::Computed(|_, at| string_method("lstrip", at))),
        ("replace", Entry::Computed(|_, at| string_method("replace", at))),
        ("rstrip", Entry::Computed(|_, at| string_method("rstrip", at))),
        ("split", Entry::Computed(|_, at| string_method("split", at))),
        ("strip", Entry::Computed(|_, at| string_method("strip", at))),
        ("upper", Entry::Computed(|_, at| string_method("upper", at))),
        ("zfill", Entry::Computed(|_, at| string_method("zfill", at))),
    ],
};

static SYS: Module = Module {
    name: "sys",
    entries: &[
        (
            "argv",
            Entry::Computed(|interp, at| {
                interp.list_of_text(interp.host.arguments.iter().map(String::as_str), at)
            }),
        ),
        ("exit", Entry::Function(&Native { name: "exit", call: builtins::exit })),
        ("maxint", Entry::Number(i64::MAX)),
        ("platform", Entry::Text("linux2")),
        ("stderr", Entry::Module(&STREAM)),
        ("stdout", Entry::Module(&STREAM)),
        ("version", Entry::Text("2.7")),
    ],
};

pub(super) static STREAM: Module = Module {
    name: "stream",
    entries: &[
        ("flush", Entry::Function(&Native { name: "flush", call: |_, _| Ok(Value::None) })),
        ("write", Entry::Function(&Native { name: "write", call: builtins::write })),
    ],
};

static SOCKET: Module = Module {
    name: "socket",
    entries: &[
        ("gethostname", Entry::Function(&Native { name: "gethostname", call: os::host_name })),
        ("inet_aton", Entry::Function(&Native { name: "inet_aton", call: network::to_number })),
    ],
};

static XEN: Module = Module { name: "xen", entries: &[("util", Entry::Module(&XEN_UTIL))] };
static XEN_UTIL: Module = Module { name: "xen.util", entries: &[("ip", Entry::Module(&network::MODULE))] };

/// Modules that say something about the language and need nothing.
static FUTURE: Module = Module {
    name: "__future__",
    entries: &[("division", Entry::Number(0)), ("print_function", Entry::Number(0))],
};

const MODULES: &[(&str, &Module)] = &[
    ("__future__", &FUTURE),
    ("os", &os::MODULE),
    ("os.path", &os::PATH),
    ("re", &regex::MODULE),
    ("socket", &SOCKET),
    ("string", &STRING),
    ("sys", &SYS),
    ("xen", &XEN),
    ("xen.util", &XEN_UTIL),
    ("xen.util.ip", &network::MODULE),
];

fn string_method(name: &str, at: Pos) -> Result<Value> {
    strings::method(name).map(Value::Native).ok_or_else(|| fault(Kind::AttributeError, at, name))
}

/// `string.join(words, separator)` is the method with its arguments the other way round.
fn string_join(interp: &mut Interp<'_>, call: &super::call::Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let list = Item { value: call.value(0), at: call.at };
    let separator = call.get(1).cloned().unwrap_or_else(|| Value::from(" "));
    let separator = Item { value: separator, at: call.at };
    let positional = vec![separator, list];
    strings::join(
        interp,
        &super::call::Call { at: call.at, name: "join".into(), positional, keywords: Vec::new() },
    )
}

fn find(name: &str, at: Pos) -> Result<&'static Module> {
    MODULES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, module)| *module)
        .ok_or_else(|| unknown(name, at))
}

fn unknown(name: &str, at: Pos) -> Box<Fault> {
    let error = fault(Kind::ImportError, at, format!("No module named {name}"));
    if let Some(why) = builtins::refusal(name) {
        return error.help(why);
    }
    match closest(name, MODULES.iter().map(|(known, _)| *known)) {
        Some(known) => error.help(format!("did you mean {known}?")),
        None => error.help("configurations can import os, re, socket, string, sys and xen.util.ip"),
    }
}

/// `import a, b.c as d`.
pub(super) fn import(interp: &mut Interp<'_>, names: &[(Rc<str>, Option<Rc<str>>)], at: Pos) -> Result<()> {
    for (name, alias) in names {
        let module = find(name, at)?;
        let (bound, module) = match (alias, name.split_once('.')) {
            (Some(alias), _) => (Rc::clone(alias), module),
            (None, Some((first, _))) => (first.into(), find(first, at)?),
            (None, None) => (Rc::clone(name), module),
        };
        interp.assign(&bound, Item { value: Value::Module(module), at })?;
    }
    Ok(())
}

/// `from a import b as c`; no names means all of them.
pub(super) fn import_from(
    interp: &mut Interp<'_>,
    module: &str,
    names: &[(Rc<str>, Option<Rc<str>>)],
    at: Pos,
) -> Result<()> {
    let module = find(module, at)?;
    for (entry_name, entry) in module.entries {
        if names.is_empty() {
            let value = entry_value(interp, entry, at)?;
            interp.assign(&Rc::from(*entry_name), Item { value, at })?;
        }
    }
    for (name, alias) in names {
        let entry = module.entries.iter().find(|(known, _)| *known == &**name).map(|(_, entry)| entry);
        let entry = entry.ok_or_else(|| {
            let error = fault(Kind::ImportError, at, format!("cannot import name {name}"));
            match builtins::refusal(name) {
                Some(why) => error.help(why),
                None => error,
            }
        })?;
        let value = entry_value(interp, entry, at)?;
        interp.assign(alias.as_ref().unwrap_or(name), Item { value, at })?;
    }
    Ok(())
}

/// What a file finds without importing anything.
pub(super) fn predefine(interp: &mut Interp<'_>, path: &str) {
    interp.predefine("os", Value::Module(&os::MODULE));
    interp.predefine("sys", Value::Module(&SYS));
    interp.predefine("xm_file", Value::from(path));
    interp.predefine("xm_help", Value::Int(0));
    interp.predefine("xm_vars", Value::Module(&xm_vars::MODULE));
    for (name, entry) in network::MODULE.entries {
        if let Entry::Function(native) = entry {
            interp.predefine(name, Value::Native(native));
        }
    }
}
