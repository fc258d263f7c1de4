//! Whole sessions of several domains and tools.

use crate::differential::compare::run;
use crate::differential::session::Session;
use crate::differential::subject::Subject;

/// A session whose every choice is a byte of the input; the whole store is checked after each step.
pub fn sessions(choices: &[u8]) {
    let mut store = Subject::default();
    run(&mut store, &mut Session::chosen(choices), |store, step| {
        store.check().unwrap_or_else(|fault| panic!("after {step:?}: {fault}"));
    });
}
