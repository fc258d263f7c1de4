//! `ci/vm`: boots the whole system in QEMU, without a terminal.

mod options;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use lexopt::Parser;
use xendless_tests::admin::domain::{Admin, NoEnd};
use xendless_tests::qemu::accel;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::{Accel, Machine};
use xendless_tests::qemu::running::{End, Running, WATCHDOG};
use xendless_tests::qemu::serial::Sight;

use options::{Boot, Options, USAGE, parse};

/// Exit statuses.
const BAD_END: u8 = 1;
const WRONG_USAGE: u8 = 2;
const TIMEOUT: u8 = 124;
const NO_STATUS: u8 = 125;

fn main() -> ExitCode {
    let options = match parse(Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return complain(&error, WRONG_USAGE),
    };
    let outcome = match &options.boot {
        Boot::Bundle { stay, .. } => boot_bundle(&options, *stay).map_err(|error| (error, BAD_END)),
        Boot::Shell(admin) => attend(&options, admin).map_err(|error| (error, BAD_END)),
        Boot::Admin(admin) => run_commands(&options, admin).map_err(|error| (error, NO_STATUS)),
    };
    outcome.unwrap_or_else(|(error, status)| complain(&error, status))
}

fn complain(error: &anyhow::Error, status: u8) -> ExitCode {
    eprintln!("ci/vm: {error:#}");
    ExitCode::from(status)
}

impl Options {
    /// The machine with the control domain in it.
    fn machine(&self) -> Result<Machine> {
        let xen = self.xen.clone().map_or_else(artifacts::xen, Ok)?;
        let mut machine = Machine::new(xen, artifacts::control_domain(Build::Release)?);
        machine.bundle = Some(artifacts::empty_bundle()?);
        machine.xen_args = self.xen_args.clone().unwrap_or_default();
        machine.memory_mib = self.memory_mib.unwrap_or(machine.memory_mib);
        machine.cpus = self.cpus.unwrap_or(machine.cpus);
        machine.accel = if self.icount { Accel::Icount } else { accel::fastest(&machine)? };
        Ok(machine)
    }

    fn limit(&self) -> Duration {
        let stay = matches!(self.boot, Boot::Bundle { stay: true, .. });
        self.timeout.unwrap_or(if stay { Duration::MAX } else { WATCHDOG })
    }
}

/// The file that keeps what the serial port says, if one is wanted.
struct Log {
    file: Option<File>,
    trouble: Option<std::io::Error>,
}

impl Log {
    fn create(options: &Options) -> Result<Self> {
        let create =
            |path: &PathBuf| File::create(path).with_context(|| format!("creating {}", path.display()));
        Ok(Self { file: options.serial_log.as_ref().map(create).transpose()?, trouble: None })
    }

    fn write(&mut self, line: &str) {
        if let Some(Err(error)) = self.file.as_mut().map(|file| writeln!(file, "{line}")) {
            self.trouble.get_or_insert(error);
        }
    }

    fn finish(self) -> Result<()> {
        self.trouble.map_or(Ok(()), |error| Err(anyhow!(error).context("writing the serial log")))
    }
}

/// Boots what a bundle says; shows the serial port.
fn boot_bundle(options: &Options, stay: bool) -> Result<ExitCode> {
    let mut machine = options.machine()?;
    if let Boot::Bundle { file: Some(file), .. } = &options.boot {
        machine.bundle = Some(file.clone());
    }
    let mut log = Log::create(options)?;
    let mut running = Running::start(&machine, options.limit(), |line| {
        println!("{line}");
        log.write(line);
    })?;
    let ready = running.run_until(|_, sight| matches!(sight?, Sight::Ready(_)).then_some(()));
    let end = match (ready, stay) {
        (Ok(()), false) => None,
        (Ok(()), true) => Some(running.run_to_end()),
        (Err(end), _) => Some(end),
    };
    drop(running);
    log.finish()?;
    Ok(judge(ready.is_ok(), end, options.timeout.is_some()))
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

/// Gives a person the admin domain's shell at this terminal.
fn attend(options: &Options, admin: &Admin) -> Result<ExitCode> {
    let ended = admin.attend(options.machine()?)?;
    println!();
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::from(BAD_END) })
}

/// Runs commands in an admin domain; shows what they write.
fn run_commands(options: &Options, admin: &Admin) -> Result<ExitCode> {
    let prepared = admin.prepare(options.machine()?)?;
    let mut log = Log::create(options)?;
    let outcome = prepared.run(options.limit(), |line| log.write(line), std::io::stdout().lock())?;
    log.finish()?;
    match outcome {
        Ok(status) => Ok(ExitCode::from(status)),
        Err(NoEnd { end, story }) => {
            eprintln!(
                "{story}\nci/vm: the commands did not end, and above is what the serial port said last: {end}"
            );
            Ok(ExitCode::from(if end == End::TimedOut { TIMEOUT } else { NO_STATUS }))
        }
    }
}
