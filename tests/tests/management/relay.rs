//! `xmd` killed and started again: domains and the control domain do not notice, and nothing half done stays.

use super::part;

#[test]
fn attack_e05_a_relay_killed_during_a_create_leaves_no_half_domain() {
    let part = part("relay");
    assert_eq!(part.number("create ended:"), 1);
    assert!(part.text().contains("xmd has probably crashed!"), "{}", part.text());
    part.step("xm domid guest").failed(3, "Error: Domain 'guest' does not exist.");
    assert!(part.number("memory missing:") <= 1, "{}", part.text());
}

#[test]
fn attack_e05_domains_go_on_without_the_relay() {
    let part = part("relay");
    assert_ne!(part.number("console ended:"), 0);
    for step in part.steps::<2>("xm list tiny") {
        assert_eq!(step.states(), [("tiny", "-b----")]);
    }
    let created = part.step("xm create /etc/xen/tiny.cfg name=other");
    assert!(created.output.contains("Started domain other"), "{created:?}");
    assert!(part.step("look tiny").output.starts_with("guest: hello\n"), "{}", part.text());
    part.step("xm destroy tiny").wrote("");
}

#[test]
fn a_relay_that_is_down_is_named() {
    let list = part("relay");
    list.step("xm list").failed(1, "Error: Unable to connect to xmd: Connection refused. Is xmd running?");
}

#[test]
fn there_is_one_relay() {
    part("relay").step("xmd").failed(1, "another xmd is at work there");
}
