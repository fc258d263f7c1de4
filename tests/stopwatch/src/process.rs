//! Whole processes: from before they are started until they are waited for.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::report;
use crate::store::Store;

/// Where domains have their nodes.
const DOMAINS: &str = "/local/domain";

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_micros(100);

/// Times `command` once for each of `rounds`.
pub(crate) fn run(label: &str, rounds: RangeInclusive<u32>, command: &[&str]) -> Result<()> {
    let times = rounds.map(|round| Ok(time(round, command)?.as_nanos())).collect::<Result<Vec<_>>>()?;
    report(label, &times);
    Ok(())
}

/// Times `command`, which makes a domain, once for each of `rounds`: the whole process, and until it is seen here that
/// the domain wrote its mark as well. Where it had done that already, both are the same.
pub(crate) fn create(label: &str, rounds: RangeInclusive<u32>, command: &[&str]) -> Result<()> {
    let mut store = Store::open()?;
    let (mut whole, mut marked) = (Vec::new(), Vec::new());
    for round in rounds {
        let (start, process, id) = make(&mut store, round, command)?;
        let waited = store.await_node(&format!("{DOMAINS}/{id}/data/mark"))?;
        whole.push(process.as_nanos());
        marked.push(if waited { start.elapsed() } else { process }.as_nanos());
    }
    report(label, &whole);
    report(&format!("{label}-marked"), &marked);
    Ok(())
}

/// Times `command`, which makes a domain, once for each of `rounds` until a counter of the kernel's, the file `counter`
/// with the domain's number for `{id}`, is there and is not 0 any more.
pub(crate) fn count(label: &str, rounds: RangeInclusive<u32>, counter: &str, command: &[&str]) -> Result<()> {
    let mut store = Store::open()?;
    let mut times = Vec::new();
    for round in rounds {
        let (start, _, id) = make(&mut store, round, command)?;
        let counter = counter.replace("{id}", &id);
        while fs::read_to_string(&counter).map_or(true, |text| text.trim() == "0") {
            thread::sleep(PAUSE);
        }
        times.push(start.elapsed().as_nanos());
    }
    report(label, &times);
    Ok(())
}

/// Has `command` make a domain: when it began, what it took, and the domain's number.
fn make(store: &mut Store, round: u32, command: &[&str]) -> Result<(Instant, Duration, String)> {
    let before = domains(store)?;
    let start = Instant::now();
    let process = time(round, command)?;
    let mut new = domains(store)?;
    new.retain(|id| !before.contains(id));
    let id = new.into_iter().next().with_context(|| format!("{command:?} made no domain"))?;
    Ok((start, process, id))
}

/// Times a daemon from before it is started until somebody can connect to its socket, once for each of `rounds`; then
/// ends it. Another one must not be there.
pub(crate) fn serve(label: &str, rounds: RangeInclusive<u32>, socket: &str, command: &[&str]) -> Result<()> {
    let mut times = Vec::new();
    for _ in rounds {
        ensure!(UnixStream::connect(socket).is_err(), "{socket} is served already");
        let (program, arguments) = command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut daemon = command.spawn().with_context(|| format!("starting {program}"))?;
        while UnixStream::connect(socket).is_err() {
            ensure!(daemon.try_wait()?.is_none(), "{program} ended");
            thread::sleep(PAUSE);
        }
        times.push(start.elapsed().as_nanos());
        daemon.kill()?;
        daemon.wait()?;
    }
    report(label, &times);
    Ok(())
}

fn domains(store: &mut Store) -> Result<BTreeSet<String>> {
    store.list(DOMAINS)
}

/// What one run of `command` takes; `{}` in it stands for `round`.
fn time(round: u32, command: &[&str]) -> Result<Duration> {
    let words: Vec<String> = command.iter().map(|word| word.replace("{}", &round.to_string())).collect();
    let (program, arguments) = words.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().with_context(|| format!("starting {program}"))?;
    let time = start.elapsed();
    ensure!(status.success(), "{words:?}: {status}");
    Ok(time)
}
