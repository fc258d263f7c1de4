//! Two stores in lockstep: after each step, every client of both has been told the same.

use std::fmt;

use xendless_core::store::client::WatchEvent;

use super::known::{Judge, Known, amount_to_the_same};
use super::session::{Source, Step};
use super::side::Side;
use super::store::{Store, Who};

/// Where two stores part.
#[derive(Debug)]
pub struct Difference {
    /// What led there; the last step is the one that was answered differently.
    pub steps: Vec<Step>,
    /// What the first store did.
    pub first: String,
    /// What the second store did.
    pub second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "  {step:?}")?;
        }
        writeln!(f, "first:  {}", self.first)?;
        write!(f, "second: {}", self.second)
    }
}

/// How a session went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Steps that were answered alike.
    pub steps: usize,
    /// What ended it early.
    pub ended: Option<Known>,
}

/// Runs a session on both stores.
///
/// # Errors
/// The first difference that is not known.
pub fn compare(
    first: &mut impl Store,
    second: &mut impl Store,
    source: &mut impl Source,
) -> Result<Outcome, Box<Difference>> {
    let (mut first, mut second) = (Side::new(first), Side::new(second));
    let (mut taken, mut judge) = (Vec::new(), Judge::default());
    while let Some(step) = source.step() {
        if let ended @ Some(_) = judge.ends(&step) {
            return Ok(Outcome { steps: taken.len(), ended });
        }
        taken.push(step.clone());
        let (one, other) = (first.take(&step), second.take(&step));
        let succeeded = one.succeeded();
        let mut seen = vec![(one.normal(), other.normal())];
        let mut only_events = one.normal() == other.normal();
        if let Step::Ask(who, _) = step {
            source.set_open(who, first.open.get(&who).map_or(0, Vec::len));
        }
        for who in source.clients() {
            let (one, other) = (first.events(who), second.events(who));
            only_events &= amount_to_the_same(who, &one, &other, |path| second.lacks(who, path));
            seen.push((show(who, &one), show(who, &other)));
        }
        if let Some((shown, shown_other)) = seen.into_iter().find(|(one, other)| one != other) {
            match judge.known(&step, &one, &other, only_events) {
                Some(known) if !known.parts() => {}
                Some(known) => return Ok(Outcome { steps: taken.len() - 1, ended: Some(known) }),
                None => return Err(Box::new(Difference { steps: taken, first: shown, second: shown_other })),
            }
        }
        judge.note(&step, &first, succeeded);
    }
    Ok(Outcome { steps: taken.len(), ended: None })
}

fn show(who: Who, events: &[WatchEvent]) -> String {
    let event = |event: &WatchEvent| format!("{}|{}", event.path.escape_ascii(), event.token.escape_ascii());
    format!("{who:?} is told {:?}", events.iter().map(event).collect::<Vec<_>>())
}

/// Runs a session on one store, and looks at it after every step.
pub fn run<S: Store>(store: &mut S, source: &mut impl Source, mut look: impl FnMut(&S, &Step)) {
    let mut side = Side::new(store);
    while let Some(step) = source.step() {
        side.take(&step);
        if let Step::Ask(who, _) = step {
            source.set_open(who, side.open.get(&who).map_or(0, Vec::len));
        }
        for who in source.clients() {
            side.events(who);
        }
        look(side.store, &step);
    }
}

/// Leaves steps out of a failing session as long as it fails.
pub fn shrink(steps: &[Step], mut fails: impl FnMut(&[Step]) -> bool) -> Vec<Step> {
    let mut steps = steps.to_vec();
    let mut chunk = steps.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + chunk).min(steps.len()));
            if fails(&fewer) { steps = fewer } else { at += chunk }
        }
        chunk /= 2;
    }
    steps
}
