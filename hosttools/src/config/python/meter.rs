//! What a configuration file may use up. Every limit is counted, none is a clock, so that a file that works
//! once works always.

use super::fault::{Fault, Kind, Result, fault};
use super::token::Pos;

/// What one evaluation may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Statements, operations and elements touched.
    pub steps: usize,
    /// Bytes of values made, also of those no longer used.
    pub memory: usize,
    /// Calls, blocks and brackets inside each other.
    pub depth: usize,
    /// Bytes printed.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, memory: 16 << 20, depth: 200, output: 64 << 10 }
    }
}

/// What is left.
#[derive(Debug)]
pub(super) struct Meter {
    left: Limits,
    limits: Limits,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { left: limits, limits }
    }

    /// Uses `n` steps.
    pub(super) fn steps(&mut self, n: usize, at: Pos) -> Result<()> {
        let limit = self.limits.steps;
        take(&mut self.left.steps, n, || {
            over(at, format!("the configuration runs for more than {limit} steps"))
                .help("does a loop never end?")
        })
    }

    /// Uses `n` bytes, before they are allocated.
    pub(super) fn memory(&mut self, n: usize, at: Pos) -> Result<()> {
        let limit = self.limits.memory;
        take(&mut self.left.memory, n, || {
            over(at, format!("the configuration makes more than {limit} bytes of values"))
        })
    }

    /// Prints `n` bytes.
    pub(super) fn output(&mut self, n: usize, at: Pos) -> Result<()> {
        let limit = self.limits.output;
        take(&mut self.left.output, n, || {
            over(at, format!("the configuration prints more than {limit} bytes"))
        })
    }

    /// One level deeper; [`Meter::leave`] comes back.
    pub(super) fn enter(&mut self, at: Pos) -> Result<()> {
        take(&mut self.left.depth, 1, || {
            over(at, "the configuration calls or nests too deeply".to_owned())
                .help("does a function call itself for ever?")
        })
    }

    pub(super) fn leave(&mut self) {
        self.left.depth += 1;
    }
}

fn take(left: &mut usize, n: usize, error: impl FnOnce() -> Box<Fault>) -> Result<()> {
    match left.checked_sub(n) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => {
            // Nothing that was refused may be tried again with less.
            *left = 0;
            Err(error())
        }
    }
}

fn over(at: Pos, message: String) -> Box<Fault> {
    fault(Kind::Limit, at, message)
}
