//! The table as text, which is Markdown as well, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::rows::{Budget, Row};

/// What stands where there is no figure.
const NONE: &str = "-";

/// The table as text.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let head = ["", "xendless", "stock", "unit", "stock is", "budget", ""].map(str::to_owned);
    let cells: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let widths: [usize; 7] =
        std::array::from_fn(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for (at, row) in cells.iter().enumerate() {
        line(&mut text, row, &widths);
        if at == 0 {
            let rule = widths.map(|width| "-".repeat(width.max(3)));
            line(&mut text, &rule, &widths);
        }
    }
    text
}

fn line(text: &mut String, cells: &[String; 7], widths: &[usize; 7]) {
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let width = (*width).max(3);
        // Names begin in a column, numbers end in one.
        let padded = if at == 0 { format!("| {cell:<width$} ") } else { format!("| {cell:>width$} ") };
        text.push_str(&padded);
    }
    text.push_str("|\n");
}

fn cells(row: &Row) -> [String; 7] {
    let figure = |value: Option<f64>| value.map_or(NONE.to_owned(), number);
    [
        row.name.to_owned(),
        figure(row.ours),
        figure(row.stock),
        row.unit.name().to_owned(),
        row.ratio().map_or(NONE.to_owned(), |ratio| format!("{ratio:.2} x")),
        row.budget.map_or(String::new(), budget),
        match row.kept() {
            None => String::new(),
            Some(true) => "kept".to_owned(),
            Some(false) if row.ours.is_none() => "not measured".to_owned(),
            Some(false) => "MISSED".to_owned(),
        },
    ]
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

fn budget(budget: Budget) -> String {
    match budget {
        Budget::AtMost(limit) => format!("at most {limit}"),
        Budget::OneOf(part) => format!("1/{part} of stock"),
    }
}

/// The rows as JSON, with what went wrong.
#[must_use]
pub fn json(rows: &[Row], troubles: &[String]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "unit": row.unit.name(), "xendless": row.ours, "stock": row.stock,
                "ratio": row.ratio(), "budget": row.budget.map(budget), "kept": row.kept(),
            })
        })
        .collect();
    let mut text = String::new();
    // A value of ours always prints itself.
    let _ = writeln!(text, "{:#}", json!({ "rows": rows, "troubles": troubles }));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::Unit;

    fn rows() -> [Row; 3] {
        let row = |name, ours, stock, budget| Row { name, unit: Unit::Ms, ours, stock, budget };
        [
            row("list", Some(2.5), Some(10.0), Some(Budget::OneOf(4.0))),
            row("create", Some(8.25), None, Some(Budget::AtMost(8.0))),
            row("memory", None, Some(1234.2), None),
        ]
    }

    #[test]
    fn the_table_is_aligned_and_says_what_is_kept() {
        let text = text(&rows());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
        assert!(
            lines[2].contains("2.50") && lines[2].contains("4.00 x") && lines[2].contains("kept"),
            "{text}"
        );
        assert!(lines[3].contains("MISSED") && lines[3].contains("at most 8"), "{text}");
        assert!(lines[4].contains(" 1234 |"), "{text}");
    }

    #[test]
    fn a_promise_about_what_was_not_measured_is_named() {
        let row = Row { ours: None, ..rows()[0].clone() };
        assert!(text(&[row]).contains("not measured"));
    }

    #[test]
    fn json_has_the_same_and_the_troubles() {
        let value: Value = serde_json::from_str(&json(&rows(), &["no end".to_owned()])).unwrap();
        assert_eq!(value["rows"][0]["ratio"], 4.0);
        assert_eq!(value["rows"][1]["kept"], false);
        assert_eq!(value["rows"][2]["xendless"], Value::Null);
        assert_eq!(value["troubles"][0], "no end");
    }
}
