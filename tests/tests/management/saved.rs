//! Domains that are saved and restored on real Xen.

use super::part;

const LEFT: &str = "memory disk counts writes 2";

#[test]
fn a_guest_goes_on_where_it_was_when_it_was_saved() {
    let part = part("saved");
    for (kind, domid, restore) in [
        ("pvh", "xm domid pvh", "xm restore /root/pvh.chk"),
        ("pv", "xm domid pv", "xm restore /root/pv.chk"),
    ] {
        part.step(&format!("xm save {kind} /root/{kind}.chk")).wrote("");
        part.step(domid).failed(3, &format!("Domain '{kind}' does not exist."));
        let [first, taken] = part.steps(restore);
        first.wrote("");
        assert_eq!(taken.output, format!("Error: Domain '{kind}' already exists with ID 'N'\n"));
        part.step(&format!("xm save -c {kind} /root/again.chk")).wrote("");
        assert_eq!(part.said(kind), ["begun", LEFT, LEFT, LEFT], "{kind}");
        part.step(&format!("xm reset {kind}")).wrote("");
    }
    let [pvh, pv] = part.steps("xm list --state=paused");
    assert!(pvh.output.contains("\npvh ") && pv.output.contains("\npv "), "{pvh:?} {pv:?}");
}

#[test]
fn attack_c03_who_does_not_suspend_itself_goes_on_and_there_is_no_file() {
    let part = part("saved");
    part.step("timeout -s INT 2 xm save deaf /root/deaf.chk").failed(130, "");
    part.step("xm domstate deaf").wrote("idle\n");
    part.step("xm save deaf /nowhere/deaf.chk")
        .failed(1, "xm save: Unable to create file /nowhere/deaf.chk\n");
    part.step("xm save deaf /root/deaf.chk").failed(1, "Error: Domain is not running\nUsage: ");
    assert!(part.says("left of it: "));
}

#[test]
fn attack_d03_what_is_damaged_makes_no_domain_and_nothing_is_left() {
    let part = part("saved");
    let short = "Error: can't read guest state file /root/short.chk: it ends too early\n";
    part.step("xm restore /root/short.chk").failed(1, short);
    part.step("xm restore /root/bad.chk").failed(1, "Error: can't read guest state file /root/bad.chk: ");
    part.step("xm restore /etc/xen/tiny.cfg").failed(1, "Error: not a valid guest state file: found '");
    part.step("xm restore /root/nothing.chk")
        .failed(1, "xm restore: Unable to read file /root/nothing.chk\n");
    assert_eq!(part.text().matches("loop devices: 0\nnodes: 0\n").count(), 3);
    assert_eq!(part.number("memory missing:"), 0);
}
