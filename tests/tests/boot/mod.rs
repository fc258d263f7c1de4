//! The control domain on real Xen in QEMU: it comes up, keeps its budgets, and ends cleanly when it cannot.
//! By hand: `cargo test -p xendless-tests --features system --test system boot::[NAME]`.

mod budgets;
mod faults;
mod guest;
mod log;
mod memory;
mod refusals;
mod trials;

use std::path::PathBuf;
use std::time::Duration;

use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{End, Running, WATCHDOG};
use xendless_tests::qemu::serial::{Sight, classify};

/// The machine that people boot: release build, empty bundle.
fn machine() -> Machine {
    machine_with(Build::Release)
}

fn machine_with(build: Build) -> Machine {
    let mut machine = Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(build).unwrap());
    machine.bundle = Some(artifacts::empty_bundle().unwrap());
    machine
}

/// A file for one test, gone when the test is over.
fn scratch_file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// What a boot came to.
struct Boot {
    transcript: Vec<String>,
    /// `None`: it became ready, and was ended then.
    end: Option<End>,
}

/// Boots until readiness or the end, whichever is first.
fn boot(machine: &Machine) -> Boot {
    let mut running = Running::start(machine, WATCHDOG, |_| {}).unwrap();
    let end = running.run_until(|_, sight| matches!(sight?, Sight::Ready(_)).then_some(())).err();
    Boot { transcript: running.transcript().to_vec(), end }
}

impl Boot {
    /// The reasons given for not going on.
    fn fatal_lines(&self) -> Vec<&str> {
        self.transcript.iter().filter_map(|line| reason(line)).collect()
    }

    /// Everything since Xen handed over, for the message of an assertion.
    fn story(&self) -> String {
        let from = self.transcript.len().saturating_sub(40);
        format!("end: {:?}, last lines:\n{}", self.end, self.transcript[from..].join("\n"))
    }

    /// What every refusal to go on looks like: one plain line about `subject`, no report behind it, a halt.
    #[track_caller]
    fn assert_clean_refusal(&self, subject: &str) {
        let fatal = self.fatal_lines();
        assert_eq!(fatal.len(), 1, "{}", self.story());
        assert!(fatal[0].contains(subject), "not about {subject}: {}", fatal[0]);
        let behind = self.transcript.iter().rev().take_while(|line| reason(line).is_none());
        let ours: Vec<_> = behind.filter(|line| !line.starts_with("(XEN) ")).collect();
        assert!(ours.is_empty(), "{}", self.story());
        assert_eq!(self.end, Some(End::Halted), "{}", self.story());
    }
}

/// The reason that a fatal line gives.
fn reason(line: &str) -> Option<&str> {
    if let Sight::Fatal(why) = classify(line)? { Some(why) } else { None }
}

#[test]
fn the_control_domain_comes_up() {
    let boot = boot(&machine());
    assert_eq!(boot.end, None, "{}", boot.story());
    assert_eq!(boot.fatal_lines(), [""; 0]);
}

#[test]
fn it_comes_up_on_two_cpus() {
    let boot = boot(&Machine { cpus: 2, ..machine() });
    assert_eq!(boot.end, None, "{}", boot.story());
}

#[test]
fn a_control_domain_that_xen_cannot_load_ends_in_a_crash_not_a_hang() {
    let no_kernel = scratch_file("no-kernel", &[0; 8192]);
    let boot = boot(&Machine { control: no_kernel, ..machine() });
    assert_eq!(boot.end, Some(End::Crashed), "{}", boot.story());
}

#[test]
fn the_watchdog_ends_a_machine_and_leaves_no_process() {
    let mut running = Running::start(&machine(), Duration::from_millis(1), |_| {}).unwrap();
    let process = PathBuf::from(format!("/proc/{}", running.process_id()));
    assert!(process.exists());
    assert_eq!(running.run_to_end(), End::TimedOut);
    drop(running);
    assert!(!process.exists());
}
