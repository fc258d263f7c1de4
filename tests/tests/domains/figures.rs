//! From power-on to a shell in counted instructions: through the control domain, and the same kernel and ramdisk as a
//! plain dom0. The shell's first command is what ends the machine at once, so that both ends are told by Xen's clock.

use std::time::Duration;

use xendless_core::lines::Ready;
use xendless_tests::admin::domain::{Admin, Tools};
use xendless_tests::admin::kernel::Flavour;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::budget::{TIME_OVER_PLAIN_DOM0, TIME_TO_ADMIN};
use xendless_tests::qemu::machine::{Accel, Machine};
use xendless_tests::qemu::running::Running;
use xendless_tests::qemu::serial::XEN_PREFIX;

use super::watch::News;

/// Counting instructions takes its time.
const LIMIT: Duration = Duration::from_secs(900);

/// Ends the domain without any more work of Linux.
const END: &str = "echo b > /proc/sysrq-trigger";

/// The admin domain of both boots. Debian's kernel for virtual machines cannot be a dom0.
fn admin(plain_dom0: bool) -> Admin {
    // The same root for both: without what a dom0 has no use for.
    Admin { flavour: Flavour::Generic, tools: Tools::None, plain_dom0, ..Admin::new(END) }
}

/// All lines of a boot until the first that `last` accepts.
fn boot(admin: &Admin, args: Machine, last: impl Fn(&str) -> bool) -> Vec<String> {
    let prepared = admin.prepare(Machine { accel: Accel::Icount, ..args }).unwrap();
    let mut running = Running::start(&prepared.machine, LIMIT, |_| {}).unwrap();
    let end = running.run_until(|line, _| last(line).then_some(()));
    let lines = running.transcript().to_vec();
    assert_eq!(end, Ok(()), "{}", lines[lines.len().saturating_sub(30)..].join("\n"));
    lines
}

fn machine() -> Machine {
    Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(Build::Release).unwrap())
}

/// Milliseconds from hand-over to the admin domain's first instruction, and to its shell.
fn through_the_control_domain() -> (f64, f64) {
    let ended = |line: &str| News::find(line).is_some_and(|news| news.text.starts_with("domain 1 shut down"));
    let lines = boot(&admin(false), Machine { control_args: "log=live".into(), ..machine() }, ended);
    let news: Vec<News> = lines.iter().filter_map(|line| News::find(line)).collect();
    let at = |text: &str| news.iter().find(|news| news.text.contains(text)).unwrap().at_ms;
    let ready = lines.iter().find_map(|line| Ready::parse(line)).unwrap();
    let start = at("after hand-over") - ready.after_us as f64 / 1000.0;
    (at("#0 runs as domain 1") - start, at("domain 1 shut down") - start)
}

/// Milliseconds from hand-over to the shell.
fn as_plain_dom0() -> f64 {
    let args = Machine { xen_args: "console_timestamps=boot".into(), ..machine() };
    let lines = boot(&admin(true), args, |line| line.contains("Hardware Dom0 shutdown"));
    let at = |text: &str| {
        let line = lines.iter().find(|line| line.contains(text)).unwrap();
        let stamp = line.split_once(XEN_PREFIX).unwrap().1.split_once(']').unwrap().0;
        stamp.trim_start_matches(['[', ' ']).parse::<f64>().unwrap() * 1000.0
    };
    at("Hardware Dom0 shutdown") - at("init memory")
}

#[test]
fn from_hand_over_to_a_shell() {
    let (first, shell) = through_the_control_domain();
    let plain = as_plain_dom0();
    println!(
        "virtual ms from hand-over to a shell: {shell:.3}; of the same Linux as a plain dom0: {plain:.3}"
    );
    let first = TIME_TO_ADMIN.measured(first).check();
    first.and(TIME_OVER_PLAIN_DOM0.measured(shell / plain).check()).unwrap();
}
