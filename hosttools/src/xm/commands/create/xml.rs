//! Records in XML: an element for each list. No document type is ever fetched, and entities are the five of XML.

use super::record::holds_list;
use crate::config::sxp::Sxp;

/// How deeply elements may be nested.
const DEPTH: usize = 50;
/// An element of a list of values.
const ITEM: &str = "item";

/// A record as XML.
pub(super) fn write(record: &Sxp) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(record, 0, &mut out);
    out
}

fn element(record: &Sxp, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let Sxp::List(elements) = record else {
        out.push_str(&format!("{indent}<{ITEM}>{record}</{ITEM}>\n"));
        return;
    };
    match elements.as_slice() {
        [Sxp::Atom(name)] => out.push_str(&format!("{indent}<{name}/>\n")),
        [Sxp::Atom(name), Sxp::Atom(value)] => {
            out.push_str(&format!("{indent}<{name}>{}</{name}>\n", escaped(value)));
        }
        [Sxp::Atom(name), rest @ ..] => {
            out.push_str(&format!("{indent}<{name}>\n"));
            let items = match rest {
                [Sxp::List(values)] if holds_list(name) && is_flat(values) => values.as_slice(),
                _ => &[],
            };
            for value in items {
                let text = if let Sxp::Atom(text) = value { escaped(text) } else { String::new() };
                out.push_str(&format!("{indent}  <{ITEM}>{text}</{ITEM}>\n"));
            }
            if items.is_empty() {
                rest.iter().for_each(|inner| element(inner, depth + 1, out));
            }
            out.push_str(&format!("{indent}</{name}>\n"));
        }
        _ => {}
    }
}

fn is_flat(values: &[Sxp]) -> bool {
    values.iter().all(|value| matches!(value, Sxp::Atom(_)))
}

/// Text as XML can hold it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' | '"' => out.push_str(if c == '"' { "&quot;" } else { "&apos;" }),
            c if c.is_control() => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Reads what [`write`] wrote; comments, declarations and attributes are passed over, and nothing that a declaration
/// names is looked at.
pub(super) fn read(text: &str) -> Result<Sxp, String> {
    let mut open: Vec<(String, Vec<Sxp>, String)> = Vec::new();
    let mut rest = text;
    loop {
        let (before, from) = rest.split_once('<').ok_or("the document ends early")?;
        if let Some((_, _, text)) = open.last_mut() {
            text.push_str(before);
        }
        if let Some(section) = from.strip_prefix("![CDATA[") {
            let (inside, after) = section.split_once("]]>").ok_or("a CDATA section is not closed")?;
            let (_, _, text) = open.last_mut().ok_or("text stands outside of all elements")?;
            text.push_str(&inside.replace('&', "&amp;"));
            rest = after;
            continue;
        }
        let (end, skip) =
            if from.starts_with("!--") { ("-->", true) } else { (">", from.starts_with(['?', '!'])) };
        let (tag, after) = from.split_once(end).ok_or("a tag is not closed")?;
        rest = after;
        if skip {
            continue;
        }
        let closes = tag.starts_with('/') || tag.ends_with('/');
        if !tag.starts_with('/') {
            if open.len() >= DEPTH {
                return Err("elements are nested too deeply".to_owned());
            }
            let name = tag.split([' ', '\t', '\n', '\r', '/']).next().unwrap_or_default();
            open.push((name.to_owned(), Vec::new(), String::new()));
        }
        if !closes {
            continue;
        }
        let (name, inner, text) = open.pop().ok_or("a tag closes nothing")?;
        if tag.starts_with('/') && tag.trim_start_matches('/').trim() != name {
            return Err(format!("<{name}> is closed by <{tag}>"));
        }
        let element = finish(name, inner, &text, tag.ends_with('/'))?;
        match open.last_mut() {
            Some((_, outer, _)) => outer.push(element),
            None => return Ok(element),
        }
    }
}

/// An element whose end was read.
fn finish(name: String, inner: Vec<Sxp>, text: &str, empty: bool) -> Result<Sxp, String> {
    if empty {
        return Ok(Sxp::named(&name, []));
    }
    if inner.is_empty() {
        return Ok(Sxp::pair(&name, plain(text)?));
    }
    let value = |item: &Sxp| item_value(item).map(Sxp::atom);
    match inner.iter().map(value).collect::<Option<Vec<Sxp>>>() {
        Some(values) => Ok(Sxp::named(&name, [Sxp::List(values)])),
        None => Ok(Sxp::named(&name, inner)),
    }
}

/// The value of an element of a list of values.
fn item_value(item: &Sxp) -> Option<String> {
    match item {
        Sxp::List(elements) => match elements.as_slice() {
            [Sxp::Atom(name), Sxp::Atom(value)] if name == ITEM => Some(value.clone()),
            _ => None,
        },
        Sxp::Atom(_) => None,
    }
}

/// Text without entities.
fn plain(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').ok_or("an entity is not closed")?;
        let c = match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            other => {
                let number = other.strip_prefix('#').and_then(|digits| digits.parse().ok());
                number.and_then(char::from_u32).ok_or_else(|| format!("'&{other};' is no entity"))?
            }
        };
        out.push(c);
        out.push_str(after);
    }
    Ok(out)
}
