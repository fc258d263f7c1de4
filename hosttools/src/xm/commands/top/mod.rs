//! `top`: what domains do, as it happens.
//!
//! `sample` asks, `lines` makes text of it, `screen` shows that on a terminal and takes keys. Batch mode prints the same
//! lines without a terminal.

mod devices;
mod keys;
mod lines;
mod sample;
mod screen;

use std::io::{IsTerminal, Write};
use std::thread::sleep;
use std::time::Duration;

use self::lines::View;
use self::sample::{Sample, Source};
use super::json;
use super::target::{invalid, number};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// Seconds between two looks, when nothing else is said.
const DELAY: u64 = 3;
/// The most seconds between two looks.
const LONGEST: u64 = 1000;

/// `top`.
pub(in crate::xm) fn run(session: &mut Session, given: &Given) -> Outcome {
    if !given.operands.is_empty() {
        return Err(Error::Usage("'xm top' requires 0 arguments.\n".to_owned()));
    }
    let delay = given.value("delay").map_or(Ok(DELAY), number)?;
    if !(1..=LONGEST).contains(&delay) {
        return Err(invalid());
    }
    let rounds = given.value("iterations").map(number).transpose()?;
    let view = View { delay, ..View::default() };
    if given.has("batch") || given.has("json") {
        return batch(session, &view, rounds, given.has("json"));
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Error::Plain("This is no terminal; -b prints the same without one.".to_owned()));
    }
    screen::run(session, view, rounds)
}

/// Prints so many rounds, or goes on until it is ended.
fn batch(session: &mut Session, view: &View, rounds: Option<u64>, json: bool) -> Outcome {
    let mut client = session.connect()?;
    let (mut before, mut round) = (None, 0);
    while rounds.is_none_or(|rounds| round < rounds) {
        if round > 0 {
            sleep(Duration::from_secs(view.delay));
        }
        let sample = Sample::take(&mut Source::plain(&mut client), before.as_ref(), json)?;
        if json {
            session.out.line(json::text(&sample.json()))?;
        } else {
            for line in view.table(&sample) {
                session.out.line(line.text)?;
            }
        }
        session.out.flush()?;
        before = Some(sample);
        round += 1;
    }
    Ok(0)
}
