//! Figures by label, as the stopwatch prints them.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, ensure};

/// How every line begins that has a figure; others mean nothing.
const MARK: &str = "figure ";

/// How the line begins that says whose figures follow.
const PART: &str = "==== ";

/// What was measured, each with one value per round.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Figures {
    values: BTreeMap<String, Vec<f64>>,
    /// What was not done, and why.
    pub troubles: Vec<String>,
}

impl Figures {
    /// Reads what a script wrote. A label that comes more than once gets the values of all.
    pub fn parse(output: &str) -> Result<Self> {
        let mut figures = Self::default();
        for line in output.lines() {
            let Some(rest) = line.strip_prefix(MARK) else { continue };
            let mut words = rest.split_whitespace();
            let label = words.next().with_context(|| format!("a figure without a label: '{line}'"))?;
            let values = words.map(str::parse).collect::<Result<Vec<f64>, _>>();
            let values = values.with_context(|| format!("a figure that is no number: '{line}'"))?;
            ensure!(!values.is_empty(), "a figure without a value: '{line}'");
            figures.values.entry(label.to_owned()).or_default().extend(values);
        }
        Ok(figures)
    }

    /// Reads one side's part of what [`Self::printed_of`] wrote for both.
    pub fn parse_of(side: &str, text: &str) -> Result<Self> {
        let part = text.split(PART).find_map(|part| part.strip_prefix(side)?.strip_prefix('\n'));
        Self::parse(part.with_context(|| format!("no figures of {side}"))?)
    }

    /// All figures, as they can be read again, as the part of `side`.
    #[must_use]
    pub fn printed_of(&self, side: &str) -> String {
        format!("{PART}{side}\n{self}")
    }

    /// Adds a figure that was not printed by the stopwatch.
    pub fn set(&mut self, label: &str, value: f64) {
        self.values.insert(label.to_owned(), vec![value]);
    }

    /// Takes over all that another machine gave.
    pub fn merge(&mut self, other: Self) {
        self.values.extend(other.values);
        self.troubles.extend(other.troubles);
    }

    /// The values of all rounds.
    #[must_use]
    pub fn all(&self, label: &str) -> &[f64] {
        self.values.get(label).map_or(&[], Vec::as_slice)
    }

    /// The median of all rounds; of two in the middle the lower.
    #[must_use]
    pub fn median(&self, label: &str) -> Option<f64> {
        let mut values = self.all(label).to_vec();
        values.sort_by(f64::total_cmp);
        values.get(values.len().checked_sub(1)? / 2).copied()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, values) in &self.values {
            let values: Vec<String> = values.iter().map(f64::to_string).collect();
            writeln!(f, "{MARK}{label} {}", values.join(" "))?;
        }
        self.troubles.iter().try_for_each(|trouble| writeln!(f, "{trouble}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_other_lines() {
        let output = "Name ID\nfigure list 30 10 20\nno figure x 1\nfigure list 40\nfigure other 5\n";
        let figures = Figures::parse(output).unwrap();
        assert_eq!(figures.all("list"), [30.0, 10.0, 20.0, 40.0]);
        assert_eq!(figures.median("list"), Some(20.0));
        assert_eq!(figures.median("other"), Some(5.0));
        assert_eq!(figures.median("x"), None);
    }

    #[test]
    fn what_was_printed_of_both_sides_is_read_again() {
        let [ours, theirs] = ["figure a 1 2.5\n", "figure a 3\n"].map(|text| Figures::parse(text).unwrap());
        let text = ours.printed_of("ours") + &theirs.printed_of("theirs");
        assert_eq!(Figures::parse_of("ours", &text).unwrap(), ours);
        assert_eq!(Figures::parse_of("theirs", &text).unwrap(), theirs);
        assert!(Figures::parse_of("their", &text).is_err());
    }

    #[test]
    fn a_damaged_figure_is_an_error_and_not_left_out() {
        for line in ["figure ", "figure list", "figure list 1 x"] {
            assert!(Figures::parse(line).is_err(), "{line}");
        }
    }
}
