//! Measures, inside of a management domain, what `ci/bench` compares: the same program on both sides.
//!
//! Each figure is a line of standard output: the word `figure`, a label, and a value for each round. Times are in
//! nanoseconds of CLOCK_MONOTONIC, which counts instructions when the machine does. Each measurement of a time begins after
//! a pause: what was printed before is on its way over a serial line, and moving it along takes the same processor.
//!
//! | module | what it measures |
//! | --- | --- |
//! | [`process`] | whole processes, and new domains until their first word |
//! | [`store`] | round trips to XenStore, from this domain |
//! | [`ring`] | the control ring, behind `xmd` |
//! | [`memory`] | what is in use |
#![forbid(unsafe_code)]

mod memory;
mod process;
mod ring;
mod store;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: stopwatch run LABEL FIRST LAST COMMAND...     time a command once for each number; {} stands for the number
       stopwatch create LABEL FIRST LAST COMMAND...  the same for one that makes a domain: also until that one's mark
       stopwatch count LABEL FIRST LAST FILE COMMAND...  the same until the counter in FILE is not 0; {id}: the domain
       stopwatch serve LABEL FIRST LAST SOCKET DAEMON...  time a daemon until it serves
       stopwatch store LABEL COUNT                   time COUNT reads, writes and transactions of XenStore
       stopwatch ring LABEL COUNT MIB                time COUNT questions to the control domain, and MIB on their way up
       stopwatch memory LABEL PROGRAM...             what is in use, all in all and by processes of these names, in KiB
       stopwatch control LABEL                       what the control domain says of its age and its heap";

/// By then a line carried more than any figure is long. The machine passes over time in which it sleeps.
const QUIET: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match perform(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stopwatch: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(words: &[&str]) -> Result<()> {
    // What takes no time to measure, does not wait either: the age of the control domain would be that much higher.
    if !matches!(words, ["memory" | "control", ..]) {
        thread::sleep(QUIET);
    }
    match words {
        ["run", label, first, last, command @ ..] => {
            process::run(label, number(first)?..=number(last)?, command)
        }
        ["create", label, first, last, command @ ..] => {
            process::create(label, number(first)?..=number(last)?, command)
        }
        ["count", label, first, last, file, command @ ..] => {
            process::count(label, number(first)?..=number(last)?, file, command)
        }
        ["serve", label, first, last, socket, command @ ..] => {
            process::serve(label, number(first)?..=number(last)?, socket, command)
        }
        ["store", label, count] => store::measure(label, number(count)?),
        ["ring", label, count, mib] => ring::measure(label, number(count)?, number(mib)?),
        ["memory", label, programs @ ..] => memory::measure(label, programs),
        ["control", label] => ring::control(label),
        _ => bail!("{USAGE}"),
    }
}

fn number(word: &str) -> Result<u32> {
    word.parse().with_context(|| format!("'{word}' is no number"))
}

/// Prints one figure.
fn report(label: &str, values: &[u128]) {
    let values: Vec<String> = values.iter().map(u128::to_string).collect();
    println!("figure {label} {}", values.join(" "));
}

/// Prints the figure of something that was done `count` times.
fn report_average(label: &str, all: Duration, count: u32) {
    report(label, &[all.as_nanos() / u128::from(count.max(1))]);
}
