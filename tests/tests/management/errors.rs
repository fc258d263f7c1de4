//! What is asked for and cannot be had: the words, the status, and nothing left behind.

use super::part;

/// Free memory may differ by so much, in MiB: Xen keeps some pages ready for itself.
const SLACK: i64 = 1;

#[test]
fn attack_d03_files_that_are_no_kernel_are_refused_and_take_no_memory() {
    let part = part("errors");
    let [missing, text, cut, cut_packed, empty] = part.steps("xm create /tmp/case.cfg");
    missing.failed(1, "/nowhere");
    for step in [text, cut, cut_packed, empty] {
        step.failed(1, "Error: ");
        assert!(!step.output.contains("Started"), "{step:?}");
    }
    part.step("xm create /tmp/nowhere.cfg").failed(1, "nowhere.cfg");
    let list = part.step("xm list").states();
    let left: Vec<_> = list.iter().map(|(name, _)| *name).collect();
    assert_eq!(left, ["Domain-0", "admin", "old"]);
    assert!(part.number("memory missing:") <= SLACK, "{}", part.text());
}

#[test]
fn what_does_not_fit_or_is_there_already_is_refused() {
    let part = part("errors");
    part.step("xm create /etc/xen/tiny.cfg memory=100000").failed(1, "free memory");
    let [first, second] = part.steps("xm create /etc/xen/tiny.cfg");
    assert!(first.output.contains("Started domain tiny"), "{first:?}");
    second.failed(1, "tiny");
    part.step("xm rename tiny admin").failed(1, "admin");
    part.step("xm rename tiny Domain-0").failed(1, "Domain-0");
}

#[test]
fn who_is_not_there_has_a_status_of_its_own() {
    let part = part("errors");
    part.step("xm destroy nobody").failed(3, "Error: Domain 'nobody' does not exist.");
    part.step("xm destroy tini").failed(3, "Did you mean 'tiny'?");
    part.step("xm pause 4711").failed(3, "Error: Domain '4711' does not exist.");
    part.step("xm console nobody").failed(3, "Error: Domain 'nobody' does not exist.");
    part.step("xm nonsense").failed(1, "Error: Subcommand nonsense not found!");
}

#[test]
fn nobody_ends_the_control_of_the_machine() {
    let part = part("errors");
    part.step("xm destroy 0").failed(1, "Error: ");
    part.step("xm pause admin").failed(1, "Error: ");
}
