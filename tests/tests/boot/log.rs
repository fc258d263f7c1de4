//! The control domain's log: frames that only the ELF file with the texts can make readable.

use defmt_decoder::Table;
use xendless_core::lines::LogFrame;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{Running, WATCHDOG};

use super::machine;

/// The log of a boot that ends by itself, decoded.
fn log_of(machine: &Machine) -> Vec<String> {
    let mut running = Running::start(machine, WATCHDOG, |_| {}).unwrap();
    running.run_to_end();
    // Beside the image lies the same program with its symbols and the log's texts.
    let program = artifacts::control_domain(Build::Release).unwrap().with_extension("");
    let table = Table::parse(&std::fs::read(program).unwrap()).unwrap().expect("texts of a log");
    let frames = running.transcript().iter().filter_map(|line| LogFrame::parse(line));
    frames.map(|frame| table.decode(&frame).unwrap().0.display_message().to_string()).collect()
}

#[test]
fn is_printed_at_the_end_on_request() {
    let machine = Machine { bundle: None, control_args: "log=dump".into(), ..machine() };
    let log = log_of(&machine);
    assert_eq!(log[0], "8192 pages of memory, bundle of 0 bytes");
    assert!(log.last().unwrap().starts_with("fatal: no boot bundle"), "{log:?}");
}

#[test]
fn stays_inside_unless_asked_for() {
    assert_eq!(log_of(&Machine { bundle: None, ..machine() }), [""; 0]);
}
