//! `ci/vm`: boots the whole system in QEMU, without a terminal.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use lexopt::{Arg, Parser, ValueExt as _};
use xendless_tests::qemu::accel;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::{Accel, Machine};
use xendless_tests::qemu::running::{End, Running, WATCHDOG};
use xendless_tests::qemu::serial::Sight;

const USAGE: &str = "\
ci/vm: boot the whole system in QEMU, without a terminal.

usage: ci/vm [options] -- 'shell commands'
       ci/vm --no-admin [options]

Builds what is stale, runs the shell commands as root in the admin domain, prints only their output and ends with
their exit status. The admin domain comes with a later version; until then --no-admin is what works: boot only
what the bundle says, print what the serial port says, end when the control domain is ready.

  --no-admin           boot without the admin domain
  --stay               with --no-admin: go on after that, until the machine ends, Ctrl-C or the timeout
  --add HOST:GUEST     put a file or folder into the admin domain's root (repeatable)
  --mem MIB            memory of the machine (default 1024)
  --cpus N             CPUs of the machine (default 1)
  --icount             count instructions instead of time: figures repeat exactly, whatever the host is doing
  --timeout SECONDS    give up after this long (default 300; with --stay: none)
  --xen FILE           another hypervisor, uncompressed
  --xen-args WORDS     more words for Xen's command line
  --bundle FILE        another boot bundle than the empty one
  --serial-log FILE    keep all that the serial port says

Exit status with --no-admin: 0 the control domain was ready, 1 it was not or ended badly, 2 wrong usage, 124 timeout.
";

/// Exit statuses.
const BAD_END: u8 = 1;
const WRONG_USAGE: u8 = 2;
const TIMEOUT: u8 = 124;

/// What is asked for, as far as it can be had.
#[derive(Default)]
struct Request {
    stay: bool,
    memory_mib: Option<u32>,
    cpus: Option<u32>,
    icount: bool,
    timeout: Option<Duration>,
    xen: Option<PathBuf>,
    xen_args: Option<String>,
    bundle: Option<PathBuf>,
    serial_log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let request = match parse(Parser::from_env()) {
        Ok(Some(request)) => request,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return complain(&error, WRONG_USAGE),
    };
    match run(&request) {
        Ok(status) => status,
        Err(error) => complain(&error, BAD_END),
    }
}

fn complain(error: &anyhow::Error, status: u8) -> ExitCode {
    eprintln!("ci/vm: {error:#}");
    ExitCode::from(status)
}

/// Reads the command line; `None` when help is wanted.
fn parse(mut words: Parser) -> Result<Option<Request>> {
    let mut request = Request::default();
    let mut no_admin = false;
    let mut needs_admin: Option<OsString> = None;
    while let Some(word) = words.next()? {
        match word {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("no-admin") => no_admin = true,
            Arg::Long("stay") => request.stay = true,
            Arg::Long("icount") => request.icount = true,
            Arg::Long("mem") => request.memory_mib = Some(number(&mut words, "--mem")?),
            Arg::Long("cpus") => request.cpus = Some(number(&mut words, "--cpus")?),
            Arg::Long("timeout") => {
                request.timeout = Some(Duration::from_secs(number(&mut words, "--timeout")?.into()));
            }
            Arg::Long("xen") => request.xen = Some(words.value()?.into()),
            Arg::Long("xen-args") => request.xen_args = Some(words.value()?.string()?),
            Arg::Long("bundle") => request.bundle = Some(words.value()?.into()),
            Arg::Long("serial-log") => request.serial_log = Some(words.value()?.into()),
            Arg::Long("add") => needs_admin = Some(words.value()?),
            Arg::Value(command) => needs_admin = Some(command),
            other => return Err(other.unexpected().into()),
        }
    }
    if !no_admin {
        bail!("the admin domain comes with a later version: use --no-admin (see --help)");
    }
    if let Some(word) = needs_admin {
        bail!("{} is for the admin domain, and --no-admin boots without one", word.display());
    }
    Ok(Some(request))
}

fn number(words: &mut Parser, option: &str) -> Result<u32> {
    let value = words.value()?;
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| anyhow!("{option} wants a number, not '{}'", value.display()))
}

impl Request {
    fn machine(&self) -> Result<Machine> {
        let xen = self.xen.clone().map_or_else(artifacts::xen, Ok)?;
        let mut machine = Machine::new(xen, artifacts::control_domain(Build::Release)?);
        machine.bundle = Some(self.bundle.clone().map_or_else(artifacts::empty_bundle, Ok)?);
        machine.xen_args = self.xen_args.clone().unwrap_or_default();
        machine.memory_mib = self.memory_mib.unwrap_or(machine.memory_mib);
        machine.cpus = self.cpus.unwrap_or(machine.cpus);
        machine.accel = if self.icount { Accel::Icount } else { accel::fastest(&machine)? };
        Ok(machine)
    }

    fn limit(&self) -> Duration {
        self.timeout.unwrap_or(if self.stay { Duration::MAX } else { WATCHDOG })
    }
}

fn run(request: &Request) -> Result<ExitCode> {
    let mut log = match &request.serial_log {
        Some(path) => Some(File::create(path).with_context(|| format!("creating {}", path.display()))?),
        None => None,
    };
    let mut trouble = None;
    let mut running = Running::start(&request.machine()?, request.limit(), |line| {
        println!("{line}");
        if let Some(Err(error)) = log.as_mut().map(|log| writeln!(log, "{line}")) {
            trouble.get_or_insert(error);
        }
    })?;
    let ready = running.run_until(|_, sight| matches!(sight?, Sight::Ready(_)).then_some(()));
    let end = match (ready, request.stay) {
        (Ok(()), false) => None,
        (Ok(()), true) => Some(running.run_to_end()),
        (Err(end), _) => Some(end),
    };
    drop(running);
    if let Some(error) = trouble {
        return Err(anyhow!(error).context("writing the serial log"));
    }
    Ok(judge(ready.is_ok(), end, request.timeout.is_some()))
}

/// What the end of a run is worth; it has none when the ready line was all that was waited for.
fn judge(ready: bool, end: Option<End>, limit_was_asked_for: bool) -> ExitCode {
    let Some(end) = end else { return ExitCode::SUCCESS };
    if ready && end == End::TimedOut && limit_was_asked_for {
        return ExitCode::SUCCESS;
    }
    eprintln!("ci/vm: {end}");
    ExitCode::from(if end == End::TimedOut { TIMEOUT } else { BAD_END })
}
