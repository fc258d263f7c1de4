//! The module `os`, answered from what the caller of the evaluation provided.

use super::call::{Call, Native};
use super::fault::{Kind, Result};
use super::interp::Interp;
use super::modules::{Entry, Module};
use super::token::Pos;
use super::value::{Dict, Item, Key, Value};
use crate::config::host::PathKind;

pub(super) static MODULE: Module = Module {
    name: "os",
    entries: &[
        ("error", Entry::Kind(Kind::OSError)),
        ("environ", Entry::Computed(environment)),
        ("getenv", Entry::Function(&Native { name: "getenv", call: get_environment })),
        ("linesep", Entry::Text("\n")),
        ("name", Entry::Text("posix")),
        ("path", Entry::Module(&PATH)),
        ("sep", Entry::Text("/")),
        ("uname", Entry::Function(&Native { name: "uname", call: uname })),
    ],
};

pub(super) static PATH: Module = Module {
    name: "os.path",
    entries: &[
        ("abspath", Entry::Function(&Native { name: "abspath", call: absolute })),
        (
            "basename",
            Entry::Function(&Native { name: "basename", call: |i, c| part(i, c, |(_, base)| base) }),
        ),
        ("dirname", Entry::Function(&Native { name: "dirname", call: |i, c| part(i, c, |(dir, _)| dir) })),
        (
            "exists",
            Entry::Function(&Native {
                name: "exists",
                call: |i, c| probe(i, c, |kind| kind != PathKind::Missing),
            }),
        ),
        (
            "isdir",
            Entry::Function(&Native {
                name: "isdir",
                call: |i, c| probe(i, c, |kind| kind == PathKind::Directory),
            }),
        ),
        (
            "isfile",
            Entry::Function(&Native {
                name: "isfile",
                call: |i, c| probe(i, c, |kind| kind == PathKind::File),
            }),
        ),
        ("join", Entry::Function(&Native { name: "join", call: join })),
        ("normpath", Entry::Function(&Native { name: "normpath", call: normal })),
        ("split", Entry::Function(&Native { name: "split", call: split })),
        ("splitext", Entry::Function(&Native { name: "splitext", call: split_extension })),
    ],
};

fn texts(interp: &mut Interp<'_>, texts: &[&str], at: Pos) -> Result<Value> {
    let mut items = Vec::new();
    for text in texts {
        items.push(Item { value: interp.text(*text, at)?, at });
    }
    interp.tuple(items, at)
}

fn uname(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 0, &[])?;
    let fields = interp.host.uname.each_ref().map(String::as_str);
    texts(interp, &fields, call.at)
}

pub(super) fn host_name(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(0, 0, &[])?;
    let [_, name, ..] = interp.host.uname.each_ref().map(String::as_str);
    interp.text(name, call.at)
}

fn environment(interp: &mut Interp<'_>, at: Pos) -> Result<Value> {
    let entry = |(name, value): (&String, &String)| {
        (Key::Str(name.as_str().into()), Item { value: Value::from(value.as_str()), at })
    };
    let dict: Dict = interp.host.environment.iter().map(entry).collect();
    let size: usize =
        interp.host.environment.iter().map(|(name, value)| 128 + name.len() + value.len()).sum();
    interp.meter.memory(size, at)?;
    Ok(Value::Dict(interp.heap.add_dict(dict)))
}

fn get_environment(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let name = call.text(0)?;
    match interp.host.environment.get(&*name) {
        Some(value) => interp.text(value.as_str(), call.at),
        None => Ok(call.value(1)),
    }
}

fn probe(interp: &mut Interp<'_>, call: &Call, test: fn(PathKind) -> bool) -> Result<Value> {
    call.accept(1, 1, &[])?;
    interp.meter.steps(1000, call.at)?;
    Ok(Value::Bool(test((interp.host.probe)(&call.text(0)?))))
}

/// Directory and last component, as Python cuts them.
fn cut(path: &str) -> (&str, &str) {
    let base = path.rfind('/').map_or(0, |slash| slash + 1);
    let (directory, base) = path.split_at_checked(base).unwrap_or(("", path));
    let trimmed = directory.trim_end_matches('/');
    (if trimmed.is_empty() { directory } else { trimmed }, base)
}

fn part(
    interp: &mut Interp<'_>,
    call: &Call,
    choose: for<'a> fn((&'a str, &'a str)) -> &'a str,
) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let path = call.text(0)?;
    interp.text(choose(cut(&path)), call.at)
}

fn split(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let path = call.text(0)?;
    let (directory, base) = cut(&path);
    texts(interp, &[directory, base], call.at)
}

fn split_extension(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let path = call.text(0)?;
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let base = path.get(start..).unwrap_or("");
    let dot = base.rfind('.').filter(|dot| base.bytes().take(*dot).any(|b| b != b'.'));
    let (root, extension) = dot.and_then(|dot| path.split_at_checked(start + dot)).unwrap_or((&path, ""));
    texts(interp, &[root, extension], call.at)
}

fn join(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 64, &[])?;
    let mut path = String::new();
    for index in 0..call.positional.len() {
        let next = call.text(index)?;
        interp.meter.memory(next.len() + 1, call.at)?;
        if next.starts_with('/') {
            path.clear();
        } else if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(&next);
    }
    interp.text(path, call.at)
}

/// A path without `.`, `..` and doubled slashes, judged by its text alone.
fn simplify(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", None) if absolute => {}
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn normal(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let path = call.text(0)?;
    interp.meter.memory(17 * path.len(), call.at)?;
    interp.text(simplify(&path), call.at)
}

fn absolute(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let path = call.text(0)?;
    interp.meter.memory(17 * path.len() + interp.host.directory.len(), call.at)?;
    let whole =
        if path.starts_with('/') { path.to_string() } else { format!("{}/{path}", interp.host.directory) };
    interp.text(simplify(&whole), call.at)
}
