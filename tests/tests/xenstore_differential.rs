//! Random sessions on Debian's C xenstored and on this project's server.
//!
//! `XENDLESS_SESSIONS` says how many; the first one's number is `XENDLESS_FIRST_SESSION`. A session is made up from
//! its number alone, so one that fails can be run again.

use std::collections::BTreeMap;
use std::env;

use xendless_tests::differential::compare::{Difference, compare, shrink};
use xendless_tests::differential::known::Known;
use xendless_tests::differential::reference::Reference;
use xendless_tests::differential::session::{Replay, Session};
use xendless_tests::differential::subject::Subject;

/// Steps of a session.
const STEPS: usize = 300;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable)
        .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

#[test]
fn both_stores_tell_their_clients_the_same() {
    let first = number("XENDLESS_FIRST_SESSION", 0);
    let (mut steps, mut ends) = (0, BTreeMap::<_, usize>::new());
    for session in first..first + number("XENDLESS_SESSIONS", 60) {
        let mut subject = Subject::default();
        let mut source = Session::new(session, STEPS);
        let outcome = compare(&mut Reference::start().unwrap(), &mut subject, &mut source);
        let outcome =
            outcome.unwrap_or_else(|difference| panic!("session {session}: {}", shortened(*difference)));
        subject.check().unwrap_or_else(|fault| panic!("session {session}: {fault}"));
        steps += outcome.steps;
        *ends.entry(outcome.ended).or_default() += 1;
    }
    println!("{steps} steps alike");
    for (end, count) in ends {
        println!("{count} sessions ended by {end:?}");
    }
}

/// A difference with as few steps as show it.
fn shortened(difference: Difference) -> Difference {
    let again = |steps: &[_]| {
        let mut reference = Reference::start().unwrap();
        compare(&mut reference, &mut Subject::default(), &mut Replay::new(steps)).err()
    };
    let same = |other: Box<Difference>| other.first == difference.first && other.second == difference.second;
    let steps = shrink(&difference.steps, |steps| again(steps).is_some_and(same));
    Difference { steps, ..difference }
}

#[test]
fn every_known_difference_is_explained() {
    let explained = include_str!("../../docs/xenstore-differences.md");
    for known in Known::ALL {
        assert!(
            explained.contains(&format!("`{known:?}`")),
            "{known:?} is not in docs/xenstore-differences.md"
        );
    }
}
