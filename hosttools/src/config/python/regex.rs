//! The module `re`: patterns without back-references, matched in time linear in the text.

use std::rc::Rc;

use regex_lite::{Regex, RegexBuilder};

use super::call::{Call, Native};
use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::modules::{Entry, Module};
use super::value::{Item, Value};

/// The most memory of a compiled pattern, in bytes.
const MAX_COMPILED: usize = 16 << 10;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// The same, but only at the start of the text.
    anchored: Regex,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The whole, then each group.
    groups: Vec<Option<Rc<str>>>,
    names: Vec<(Rc<str>, usize)>,
}

pub(super) const MODULE: Module = Module {
    name: "re",
    entries: &[
        ("I", Entry::Number(2)),
        ("IGNORECASE", Entry::Number(2)),
        ("compile", Entry::Function(&Native { name: "compile", call: compile })),
        ("escape", Entry::Function(&Native { name: "escape", call: escape })),
        ("findall", Entry::Function(&Native { name: "findall", call: find_all })),
        ("match", Entry::Function(&Native { name: "match", call: match_start })),
        ("search", Entry::Function(&Native { name: "search", call: search })),
        ("split", Entry::Function(&Native { name: "split", call: split })),
        ("sub", Entry::Function(&Native { name: "sub", call: substitute })),
    ],
};

/// The methods of compiled patterns: the functions of the module, with the pattern first.
pub(super) const PATTERN_METHODS: &[Native] = &[
    Native { name: "findall", call: find_all },
    Native { name: "match", call: match_start },
    Native { name: "search", call: search },
    Native { name: "split", call: split },
    Native { name: "sub", call: substitute },
];

pub(super) const FOUND_METHODS: &[Native] =
    &[Native { name: "group", call: group }, Native { name: "groups", call: groups }];

fn build(source: &str, flags: i64, call: &Call) -> Result<Rc<Pattern>> {
    let with = |source: &str| {
        RegexBuilder::new(source)
            .case_insensitive(flags & 2 != 0)
            .size_limit(MAX_COMPILED)
            .nest_limit(20)
            .build()
    };
    match (with(source), with(&format!("^(?:{source})"))) {
        (Ok(regex), Ok(anchored)) => Ok(Rc::new(Pattern { regex, anchored })),
        (Err(error), _) | (_, Err(error)) => {
            let message = format!("the pattern cannot be used: {error}");
            Err(fault(Kind::ValueError, call.at, message)
                .help("back-references and look-around are not supported"))
        }
    }
}

/// The pattern that is the first argument, and the text that is argument `index`, paid for: a search looks at each
/// place of the text once, and finding all matches may do so again from each place.
fn subject(interp: &mut Interp<'_>, call: &Call, index: usize, all: bool) -> Result<(Rc<Pattern>, Rc<str>)> {
    let flags = if call.positional.len() > index + 1 && index == 1 { call.int(index + 1)? } else { 0 };
    let pattern = match call.get(0) {
        Some(Value::Pattern(pattern)) => Rc::clone(pattern),
        _ => {
            let source = call.text(0)?;
            interp.meter.memory(2 * MAX_COMPILED, call.at)?;
            interp.meter.steps(1000, call.at)?;
            build(&source, flags, call)?
        }
    };
    let text = call.text(index)?;
    let again = if all { text.len().saturating_mul(text.len()) / 4 } else { 0 };
    interp.meter.steps(again.saturating_add(8 * text.len()), call.at)?;
    Ok((pattern, text))
}

fn compile(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    interp.meter.memory(2 * MAX_COMPILED, call.at)?;
    interp.meter.steps(1000, call.at)?;
    let flags = if call.positional.len() > 1 { call.int(1)? } else { 0 };
    Ok(Value::Pattern(build(&call.text(0)?, flags, call)?))
}

fn escape(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let text = call.text(0)?;
    interp.meter.memory(2 * text.len(), call.at)?;
    interp.text(regex_lite::escape(&text), call.at)
}

fn found(interp: &mut Interp<'_>, regex: &Regex, text: &str, call: &Call) -> Result<Value> {
    let Some(captures) = regex.captures(text) else { return Ok(Value::None) };
    interp.meter.memory(captures.len() * (text.len() + 64), call.at)?;
    let groups = captures.iter().map(|group| group.map(|m| m.as_str().into())).collect();
    let names = (0..).zip(regex.capture_names()).filter_map(|(n, name)| Some((name?.into(), n))).collect();
    Ok(Value::Found(Rc::new(Found { groups, names })))
}

fn search(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 3, &[])?;
    let (pattern, text) = subject(interp, call, 1, false)?;
    found(interp, &pattern.regex, &text, call)
}

fn match_start(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 3, &[])?;
    let (pattern, text) = subject(interp, call, 1, false)?;
    found(interp, &pattern.anchored, &text, call)
}

fn find_all(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let (pattern, text) = subject(interp, call, 1, true)?;
    let group = usize::from(pattern.regex.captures_len() == 2);
    let matches: Vec<&str> = pattern
        .regex
        .captures_iter(&text)
        .map(|captures| captures.get(group).map_or("", |m| m.as_str()))
        .collect();
    interp.list_of_text(matches.into_iter(), call.at)
}

fn split(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let (pattern, text) = subject(interp, call, 1, true)?;
    let parts: Vec<&str> = pattern.regex.split(&text).collect();
    interp.list_of_text(parts.into_iter(), call.at)
}

fn substitute(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(3, 3, &[])?;
    let (pattern, text) = subject(interp, call, 2, true)?;
    let template = replacement(&call.text(1)?);
    let mut out = String::new();
    let mut last = 0;
    for captures in pattern.regex.captures_iter(&text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or(""));
        let before = out.len();
        interp.meter.memory(template.len().saturating_mul(1 + whole.len()), call.at)?;
        captures.expand(&template, &mut out);
        interp.meter.memory(out.len() - before, call.at)?;
        last = whole.end();
    }
    out.push_str(text.get(last..).unwrap_or(""));
    interp.text(out, call.at)
}

/// Python's `\1` and `\g<name>` in the notation of the library, whose own `$` is made harmless.
fn replacement(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match (c, rest.chars().next()) {
            ('$', _) => out.push_str("$$"),
            ('\\', Some(digit @ '0'..='9')) => {
                out.push_str(&format!("${{{digit}}}"));
                rest = rest.get(1..).unwrap_or("");
            }
            ('\\', Some('g')) if rest.starts_with("g<") && rest.contains('>') => {
                let (name, after) = rest.get(2..).and_then(|rest| rest.split_once('>')).unwrap_or(("", ""));
                out.push_str(&format!("${{{name}}}"));
                rest = after;
            }
            ('\\', Some('\\')) => {
                out.push('\\');
                rest = rest.get(1..).unwrap_or("");
            }
            _ => out.push(c),
        }
    }
    out
}

fn own(call: &Call) -> Result<Rc<Found>> {
    match call.get(0) {
        Some(Value::Found(found)) => Ok(Rc::clone(found)),
        other => Err(call.expected("a match", other)),
    }
}

fn group(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 2, &[])?;
    let found = own(call)?;
    let index = match call.get(1) {
        None => Some(0),
        Some(Value::Str(name)) => found.names.iter().find(|(n, _)| n == name).map(|(_, index)| *index),
        Some(_) => usize::try_from(call.int(1)?).ok(),
    };
    match index.and_then(|index| found.groups.get(index)) {
        Some(Some(text)) => Ok(Value::Str(Rc::clone(text))),
        Some(None) => Ok(Value::None),
        None => Err(fault(Kind::IndexError, call.at, "no such group")),
    }
}

fn groups(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    let found = own(call)?;
    let value =
        |text: &Option<Rc<str>>| text.as_ref().map_or(Value::None, |text| Value::Str(Rc::clone(text)));
    let items = found.groups.iter().skip(1).map(|text| Item { value: value(text), at: call.at }).collect();
    interp.tuple(items, call.at)
}
