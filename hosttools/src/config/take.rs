//! A value and a variable of the table: does it fit, and if so, into the draft.

use super::datum::{Datum, Located, Pos};
use super::diagnostic::Complaint;
use super::draft::{Draft, out_of_range};
use super::suggest::closest;
use super::table::{Kind, Status, Variable};

/// The most elements of a list, and the longest text of one; no device has more.
const MAX_ELEMENTS: usize = 1024;
const MAX_ELEMENT_LEN: usize = 8192;

/// The most mistakes of one variable that are told.
const MAX_TOLD: usize = 10;

/// A complaint and the place it is about.
pub(super) type Objection = (Complaint, Pos);

/// What a variable was found to be.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<Objection>,
    pub(super) warnings: Vec<Objection>,
}

/// Takes the value of a variable into the draft. No value and empty text leave the default.
pub(super) fn take(draft: &mut Draft, variable: &Variable, value: &Located) -> Notes {
    let mut notes = Notes::default();
    if matches!(value.datum, Datum::None) {
        return notes;
    }
    let result = match &variable.kind {
        Kind::List(set) => take_list(draft, variable, value, *set, &mut notes),
        Kind::TextOrList(set) => take_text_or_list(draft, variable, value, *set),
        kind => take_single(draft, variable, kind, &value.datum),
    };
    let said = draft.take_warnings().into_iter().map(|warning| (Complaint::new(warning), value.at));
    notes.warnings.extend(said);
    notes.errors.extend(result.err().map(|complaint| (complaint, value.at)));
    match variable.status {
        Status::Refused(why) if is_set(&value.datum) => notes.errors.push((Complaint::new(why), value.at)),
        Status::Ignored(why) if is_set(&value.datum) => {
            notes.warnings.push((Complaint::new(format!("{} is ignored: {why}", variable.name)), value.at));
        }
        _ => {}
    }
    notes
}

/// Whether a value asks for anything.
fn is_set(datum: &Datum) -> bool {
    match datum {
        Datum::None | Datum::Bool(false) | Datum::Int(0) => false,
        Datum::Text(text) => !text.is_empty(),
        Datum::List(items) => !items.is_empty(),
        _ => true,
    }
}

fn wrong_type(variable: &Variable, datum: &Datum) -> Complaint {
    let (name, wanted) = (variable.name, variable.kind.describe());
    let complaint = Complaint::new(format!("{name} must be a {wanted}, not {}", datum.describe()));
    match (&variable.kind, datum) {
        (Kind::List(_), Datum::Text(_)) => {
            complaint.help(format!("put it in brackets: {name} = [ {} ]", datum.describe()))
        }
        _ => complaint,
    }
}

/// A text, or a number as its digits.
fn as_text(datum: &Datum) -> Option<String> {
    match datum {
        Datum::Text(text) => Some(text.clone()),
        Datum::Int(n) => Some(n.to_string()),
        Datum::Float(n) => Some(n.to_string()),
        Datum::Bool(b) => Some(u8::from(*b).to_string()),
        _ => None,
    }
}

/// A whole number, also as text, decimal or hexadecimal.
#[expect(clippy::cast_possible_truncation, reason = "a whole number of this size is exact")]
fn as_int(datum: &Datum) -> Option<i64> {
    match datum {
        Datum::Int(n) => Some(*n),
        Datum::Bool(b) => Some(i64::from(*b)),
        Datum::Float(n) if n.fract() == 0.0 && n.abs() < 9e15 => Some(*n as i64),
        Datum::Text(text) => match text.trim().strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.trim().parse().ok(),
        },
        _ => None,
    }
}

fn take_single(draft: &mut Draft, variable: &Variable, kind: &Kind, datum: &Datum) -> Result<(), Complaint> {
    let wrong = || wrong_type(variable, datum);
    let text = as_text(datum).ok_or_else(wrong)?;
    match kind {
        Kind::Text(set) => set(draft, &text),
        _ if text.is_empty() => Ok(()),
        Kind::Int { min, max, set } => {
            let number = as_int(datum).ok_or_else(wrong)?;
            if number < *min || number > *max {
                return Err(out_of_range(variable.name, number, *min, *max));
            }
            set(draft, number);
            Ok(())
        }
        Kind::Flag(set) => {
            let value = match text.trim() {
                "1" | "yes" | "y" | "True" | "true" => true,
                "0" | "no" | "n" | "False" | "false" => false,
                _ => return Err(wrong()),
            };
            set(draft, value);
            Ok(())
        }
        Kind::Choice { words, classic, set } => match words.contains(&&*text) {
            true => set(draft, &text),
            false => Err(not_among(variable, &text, words, *classic)),
        },
        Kind::Numbered { words, set } => {
            let number = as_int(datum).and_then(|n| usize::try_from(n).ok()).filter(|n| *n < words.len());
            let number = number.or_else(|| words.iter().position(|word| *word == text));
            set(draft, number.ok_or_else(|| not_among(variable, &text, words, None))?);
            Ok(())
        }
        Kind::List(_) | Kind::TextOrList(_) => Ok(()),
    }
}

fn not_among(variable: &Variable, text: &str, words: &[&'static str], classic: Option<&str>) -> Complaint {
    let list = words.join(", ");
    let usual = || format!("{} must be one of {list}, not {text:?}", variable.name);
    let complaint = Complaint::new(classic.map_or_else(usual, str::to_owned));
    match (closest(text, words.iter().copied()), classic) {
        (Some(near), _) => complaint.help(format!("did you mean {near}?")),
        (None, Some(_)) => complaint.help(format!("{} can be {list}", variable.name)),
        (None, None) => complaint,
    }
}

fn take_list(
    draft: &mut Draft,
    variable: &Variable,
    value: &Located,
    set: fn(&mut Draft, &str) -> Result<(), Complaint>,
    notes: &mut Notes,
) -> Result<(), Complaint> {
    let items = match &value.datum {
        Datum::List(items) => items,
        // An empty text was a common way to say that there are none; one number is one element.
        Datum::Text(text) if text.is_empty() => return Ok(()),
        Datum::Int(_) => std::slice::from_ref(value),
        other => return Err(wrong_type(variable, other)),
    };
    if items.len() > MAX_ELEMENTS {
        return Err(too_many(variable));
    }
    for item in items {
        if notes.errors.len() >= MAX_TOLD {
            break;
        }
        let result = match as_text(&item.datum) {
            Some(text) if text.len() > MAX_ELEMENT_LEN => Err(too_long(variable)),
            Some(text) => set(draft, &text),
            None => Err(Complaint::new(format!(
                "an element of {} must be text, not {}",
                variable.name,
                item.datum.describe()
            ))),
        };
        let said = draft.take_warnings().into_iter().map(|warning| (Complaint::new(warning), item.at));
        notes.warnings.extend(said);
        notes.errors.extend(result.err().map(|complaint| (complaint, item.at)));
    }
    Ok(())
}

fn too_many(variable: &Variable) -> Complaint {
    Complaint::new(format!("{}: is too long, at most {MAX_ELEMENTS} elements are accepted", variable.name))
}

fn too_long(variable: &Variable) -> Complaint {
    Complaint::new(format!(
        "an element of {} is too long, at most {MAX_ELEMENT_LEN} bytes are accepted",
        variable.name
    ))
}

fn take_text_or_list(
    draft: &mut Draft,
    variable: &Variable,
    value: &Located,
    set: fn(&mut Draft, &[&str], bool) -> Result<(), Complaint>,
) -> Result<(), Complaint> {
    let (items, list) = match &value.datum {
        Datum::List(items) => (items.as_slice(), true),
        _ => (std::slice::from_ref(value), false),
    };
    if items.len() > MAX_ELEMENTS {
        return Err(too_many(variable));
    }
    let texts: Option<Vec<String>> = items.iter().map(|item| as_text(&item.datum)).collect();
    let texts = texts.ok_or_else(|| wrong_type(variable, &value.datum))?;
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    if borrowed.iter().any(|text| text.len() > MAX_ELEMENT_LEN) {
        return Err(too_long(variable));
    }
    set(draft, &borrowed, list)
}

/// Takes a value from the command line, where everything is text. The messages are those of `xm`.
pub(super) fn take_argument(draft: &mut Draft, variable: &Variable, text: &str) -> Notes {
    let datum = match &variable.kind {
        Kind::Int { .. } if text.trim().parse::<i64>().is_err() => Err(format!("Invalid value: {text}")),
        Kind::Flag(_) => match text {
            "yes" | "y" | "1" => Ok(Datum::Bool(true)),
            "no" | "n" | "0" => Ok(Datum::Bool(false)),
            _ => Err(format!("Invalid value:{text}")),
        },
        Kind::List(_) => {
            Ok(Datum::List(vec![Located { datum: Datum::Text(text.to_owned()), at: Pos::default() }]))
        }
        _ => Ok(Datum::Text(text.to_owned())),
    };
    match datum {
        Ok(datum) => take(draft, variable, &Located { datum, at: Pos::default() }),
        Err(message) => {
            let complaint =
                Complaint::new(message).help(format!("{} is a {}", variable.name, variable.kind.describe()));
            Notes { errors: vec![(complaint, Pos::default())], warnings: Vec::new() }
        }
    }
}
