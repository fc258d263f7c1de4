//! Instructions per request, counted by callgrind: `cargo run --release -p xendless-cost`.
//!
//! The counts are repeatable, whatever else the machine does. The run fails when a promise of
//! `docs/xenstore.md` is broken, or when nothing could be counted.

#[path = "../../benches/common/mod.rs"]
mod common;
mod guest;
mod meter;

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::process::ExitCode;

use common::Bench;
use meter::measure;
use xendless_core::store::wire::Kind;

const REPEAT: u64 = 200;

/// What no call may cost: one virtual millisecond.
const MOST: u64 = 1_000_000;

/// A store by its nodes and its watches elsewhere, and what is measured on it.
type Store = (&'static str, u32, u32, &'static [Case]);

/// A name, requests that take turns, and how they are made.
type Case = (&'static str, &'static [Kind], fn(&mut Bench));

const MIXED: &[Kind] = &[Kind::READ, Kind::WRITE, Kind::WRITE];

const STORES: [Store; 3] = [
    (
        "small",
        1_000,
        0,
        &[
            ("read, 1000 nodes", &[Kind::READ], Bench::one),
            ("write, 1000 nodes", &[Kind::WRITE], Bench::one),
            ("read, write, write, 1000 nodes", MIXED, Bench::three),
            ("the same in a transaction, 1000 nodes", MIXED, Bench::transaction),
        ],
    ),
    (
        "large",
        100_000,
        0,
        &[
            ("read, 100000 nodes", &[Kind::READ], Bench::one),
            ("write, 100000 nodes", &[Kind::WRITE], Bench::one),
            ("read, write, write, 100000 nodes", MIXED, Bench::three),
            ("the same in a transaction, 100000 nodes", MIXED, Bench::transaction),
        ],
    ),
    ("watched", 1_000, 10_000, &[("write, 10000 watches elsewhere", &[Kind::WRITE], Bench::one)]),
];

/// What is dear, what it is compared with, and how many hundredths of that it may cost.
const PROMISES: [(&str, &str, u64); 5] = [
    ("read, 100000 nodes", "read, 1000 nodes", 200),
    ("write, 100000 nodes", "write, 1000 nodes", 200),
    ("write, 10000 watches elsewhere", "write, 1000 nodes", 120),
    ("the same in a transaction, 1000 nodes", "read, write, write, 1000 nodes", 300),
    ("the same in a transaction, 100000 nodes", "read, write, write, 100000 nodes", 300),
];

/// The argument that measures what guests can do.
const GUESTS: &str = "guests";

fn main() -> io::Result<ExitCode> {
    let mut args = env::args().skip(1);
    if let Some(name) = args.next() {
        run(&name);
        return Ok(ExitCode::SUCCESS);
    }
    let kept = check_ratios()? && check_guests()?;
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is run under callgrind.
fn run(name: &str) {
    for (_, nodes, watches, cases) in STORES.iter().filter(|store| store.0 == name) {
        let mut bench = Bench::new(*nodes, *watches);
        for (name, kinds, run) in *cases {
            bench.prepare(kinds);
            measure(name, &mut || (0..REPEAT).for_each(|_| run(&mut bench)));
        }
    }
    if name == GUESTS {
        guest::CASES.iter().for_each(|(name, case)| case(name));
    }
}

fn counts(argument: &str) -> io::Result<Vec<meter::Count>> {
    meter::counts(argument)?.ok_or_else(|| io::Error::other("there is no valgrind: nothing was counted"))
}

fn check_ratios() -> io::Result<bool> {
    let mut known = BTreeMap::new();
    for (store, ..) in STORES {
        for (name, count) in counts(store)? {
            println!("{name:<40} {:>8} instructions", count / REPEAT);
            known.insert(name, count / REPEAT);
        }
    }
    let mut kept = true;
    for (dear, base, most) in PROMISES {
        let count = |name| known.get(name).copied().ok_or_else(|| io::Error::other(format!("no '{name}'")));
        let ratio = count(dear)? * 100 / count(base)?;
        let verdict = verdict(&mut kept, ratio <= most);
        let (whole, rest) = (ratio / 100, ratio % 100);
        println!("{dear} / {base}: {whole}.{rest:02} (at most {}.{:02}): {verdict}", most / 100, most % 100);
    }
    Ok(kept)
}

/// The dearest call of each case may not hold the event loop too long.
fn check_guests() -> io::Result<bool> {
    let mut kept = true;
    let calls = counts(GUESTS)?;
    for (case, _) in guest::CASES {
        let costs = calls.iter().filter(|(name, _)| name == case).map(|(_, cost)| *cost);
        let (dearest, calls, sum) =
            costs.fold((0, 0, 0), |(dearest, calls, sum), cost| (cost.max(dearest), calls + 1, sum + cost));
        let verdict = verdict(&mut kept, (1..=MOST).contains(&dearest));
        println!("{case:<40} {dearest:>8} in the dearest of {calls} calls, {sum:>8} in all: {verdict}");
    }
    Ok(kept)
}

fn verdict(all: &mut bool, kept: bool) -> &'static str {
    *all &= kept;
    if kept { "kept" } else { "BROKEN" }
}
