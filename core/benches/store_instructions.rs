//! Instructions per request, counted by callgrind: `cargo bench -p xendless-core --bench store_instructions`.
//!
//! The counts are repeatable, whatever else the machine does. The run fails when a promise of
//! `docs/xenstore.md` is broken.

mod common;

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, ExitCode};

use common::Bench;
use xendless_core::store::wire::Kind;

const REPEAT: u64 = 500;

/// A name, nodes, watches elsewhere, requests that take turns, and what is measured.
type Case = (&'static str, u32, u32, &'static [Kind], fn(&mut Bench));

const MIXED: &[Kind] = &[Kind::READ, Kind::WRITE, Kind::WRITE];

const CASES: [Case; 9] = [
    ("read, 1000 nodes", 1_000, 0, &[Kind::READ], Bench::one),
    ("read, 100000 nodes", 100_000, 0, &[Kind::READ], Bench::one),
    ("write, 1000 nodes", 1_000, 0, &[Kind::WRITE], Bench::one),
    ("write, 100000 nodes", 100_000, 0, &[Kind::WRITE], Bench::one),
    ("write, 10000 watches elsewhere", 1_000, 10_000, &[Kind::WRITE], Bench::one),
    ("read, write, write, 1000 nodes", 1_000, 0, MIXED, Bench::three),
    ("the same in a transaction, 1000 nodes", 1_000, 0, MIXED, Bench::transaction),
    ("read, write, write, 100000 nodes", 100_000, 0, MIXED, Bench::three),
    ("the same in a transaction, 100000 nodes", 100_000, 0, MIXED, Bench::transaction),
];

/// What is dear, what it is compared with, and how many hundredths of that it may cost.
const PROMISES: [(&str, &str, u64); 5] = [
    ("read, 100000 nodes", "read, 1000 nodes", 200),
    ("write, 100000 nodes", "write, 1000 nodes", 200),
    ("write, 10000 watches elsewhere", "write, 1000 nodes", 120),
    ("the same in a transaction, 1000 nodes", "read, write, write, 1000 nodes", 300),
    ("the same in a transaction, 100000 nodes", "read, write, write, 100000 nodes", 300),
];

#[unsafe(no_mangle)]
#[inline(never)]
#[expect(unsafe_code, reason = "callgrind finds the function by its name")]
fn xendless_measured(bench: &mut Bench, run: fn(&mut Bench)) {
    for _ in 0..REPEAT {
        run(bench);
    }
}

fn main() -> ExitCode {
    let mut args = env::args().skip(1).filter(|arg| arg != "--bench");
    if let Some(name) = args.next()
        && let Some((_, nodes, watches, kinds, run)) = CASES.iter().find(|case| case.0 == name)
    {
        xendless_measured(&mut Bench::new(*nodes, *watches, kinds), *run);
        return ExitCode::SUCCESS;
    }
    let mut counts = BTreeMap::new();
    for (name, ..) in CASES {
        let Some(count) = count(name) else {
            println!("callgrind does not run here: nothing was counted");
            return ExitCode::SUCCESS;
        };
        println!("{name:<40} {count:>8} instructions");
        counts.insert(name, count);
    }
    let mut broken = 0;
    for (dear, base, most) in PROMISES {
        let (Some(dear_count), Some(base_count)) = (counts.get(dear), counts.get(base)) else { continue };
        let ratio = dear_count * 100 / base_count;
        let verdict = if ratio <= most { "kept" } else { "BROKEN" };
        broken += u32::from(ratio > most);
        println!(
            "{dear} / {base}: {}.{:02} (at most {}.{:02}): {verdict}",
            ratio / 100,
            ratio % 100,
            most / 100,
            most % 100
        );
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instructions of one run of a case.
fn count(name: &str) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=xendless_measured"])
        .arg(env::current_exe().ok()?)
        .arg(name)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "))?;
    collected.1.trim().parse::<u64>().ok().map(|count| count / REPEAT)
}
