//! Mistakes of the control domain itself, made on purpose: each ends in a report that says what and where, and a
//! halt. And every hypercall on another domain, made for real.

use xendless_tests::qemu::artifacts::Build;
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{End, Running, WATCHDOG};

use super::{Boot, machine_with};

fn run(trial: &str) -> Boot {
    let machine = Machine { control_args: format!("trial={trial}"), ..machine_with(Build::Faults) };
    let mut running = Running::start(&machine, WATCHDOG, |_| {}).unwrap();
    let end = Some(running.run_to_end());
    Boot { transcript: running.transcript().to_vec(), end }
}

impl Boot {
    #[track_caller]
    fn assert_says(&self, text: &str) {
        assert!(self.transcript.iter().any(|line| line.contains(text)), "no {text:?}; {}", self.story());
    }

    /// One fatal line with `reason`, where it came from, and a halt.
    #[track_caller]
    fn assert_report(&self, reason: &str) {
        let fatal = self.fatal_lines();
        assert!(matches!(fatal[..], [line] if line.contains(reason)), "not {reason:?}; {}", self.story());
        self.assert_says("xendless: called from: 0xffffffff8");
        assert_eq!(self.end, Some(End::Halted), "{}", self.story());
    }
}

#[test]
fn a_panic_names_its_place() {
    run("panic").assert_report("panic at stubdom/src/trial/mod.rs:");
}

#[test]
fn a_full_heap_names_the_request() {
    run("heap").assert_report("memory allocation of 1099511627776 bytes failed");
}

#[test]
fn reading_where_nothing_is() {
    let boot = run("null");
    boot.assert_report("exception 14 (page fault)");
    boot.assert_says("xendless: reading 0x0: not mapped");
    boot.assert_says("xendless: rax ");
}

#[test]
fn code_cannot_be_written() {
    let boot = run("code");
    boot.assert_report("exception 14 (page fault)");
    boot.assert_says("xendless: writing 0xffffffff80000000: not allowed");
}

#[test]
fn data_cannot_be_executed() {
    let boot = run("data");
    boot.assert_report("exception 14 (page fault)");
    boot.assert_says("xendless: executing 0xffffffff8");
}

/// Xen cannot deliver an exception on a stack that is used up, so the report is Xen's, and it reboots.
#[test]
fn the_stack_does_not_grow_into_other_data() {
    let boot = run("stack");
    assert_eq!(boot.end, Some(End::Crashed), "{}", boot.story());
    boot.assert_says("Domain 0 (vcpu#0) crashed");
}

#[test]
fn domains_are_made_filled_shared_with_and_destroyed() {
    let boot = run("xen");
    boot.assert_says("xendless: trial passed");
    assert_eq!(boot.end, Some(End::Halted), "{}", boot.story());
}
