//! The reference of configuration variables, `docs/config.md`, as text made from the table.

use super::python::Limits;
use super::table::{GROUPS, Origin, Status, Variable};

/// What stands above the tables.
const INTRODUCTION: &str = include_str!("reference.md");

/// The whole reference. A test checks that `docs/config.md` is this.
#[must_use]
pub fn reference() -> String {
    let mut out = introduction();
    for group in GROUPS {
        out.push_str(&format!("\n### {}\n\n", group.title));
        out.push_str("| variable | value | default | meaning | known to | effect |\n");
        out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for variable in group.variables {
            out.push_str(&row(variable));
        }
    }
    out
}

/// What stands above the tables, with the limits that hold.
pub(crate) fn introduction() -> String {
    let limits = Limits::default();
    INTRODUCTION
        .replace("{steps}", &limits.steps.to_string())
        .replace("{memory}", &(limits.memory >> 20).to_string())
        .replace("{depth}", &limits.depth.to_string())
        .replace("{output}", &(limits.output >> 10).to_string())
}

fn row(variable: &Variable) -> String {
    let origin = match variable.origin {
        Origin::Both => "xm, xl",
        Origin::Xm => "xm",
        Origin::Xl => "xl",
        Origin::Own => "xendless",
    };
    let effect = effect(variable);
    let Variable { name, kind, default, meaning, .. } = variable;
    format!("| `{name}` | {} | {default} | {meaning} | {origin} | {effect} |\n", kind.describe())
        .replace("|  |", "| |")
}

/// What a variable comes to.
pub(crate) fn effect(variable: &Variable) -> String {
    match variable.status {
        Status::Sets(field) => format!("sets `{field}`"),
        Status::Emulation => "none: needs an emulator".to_owned(),
        Status::Ignored(why) => format!("ignored with a warning: {why}"),
        Status::Refused(why) => format!("an error: {why}"),
    }
}
