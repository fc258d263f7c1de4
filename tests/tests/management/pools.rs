//! CPU pools and what schedulers give, on a machine with several CPUs.

use super::part;
use super::transcript::{Part, Step};

/// The pools that were listed: name, CPUs, scheduler, whether it is there, domains.
fn pools(step: &Step) -> Vec<[&str; 5]> {
    step.rows().into_iter().map(|row| row.try_into().unwrap()).collect()
}

/// The names of the domains that were listed.
fn names(step: &Step) -> Vec<&str> {
    step.states().iter().map(|(name, _)| *name).collect()
}

fn refused(part: &Part, command: &str, why: &str) {
    part.step(command).failed(1, &format!("Error: {why}\nUsage: xm "));
}

#[test]
fn a_pool_is_made_of_free_cpus_and_its_cpus_are_free_again() {
    let part = part("pools");
    let [first, last] = part.steps("xm cpupool-list");
    assert_eq!(pools(first), [["Pool-0", "3", "credit2", "y", "2"]]);
    assert_eq!(pools(last), pools(first));
    let [all, shared, over] = part.steps("xm cpupool-list -c");
    all.wrote("Name             CPU list\nPool-0           0,1,2\n");
    shared.wrote("Name             CPU list\nPool-0           0\nfast             1,2\n");
    over.wrote("Name             CPU list\nPool-0           0\n");
    let free = part.text().matches("free_cpus              : 2\n").count();
    assert_eq!(free, 2, "before and after: {}", part.text());
    let [too_early, made, again] = part.steps("xm cpupool-create /tmp/fast.cfg");
    too_early.failed(1, "Error: ['INSUFFICIENT_CPUS', '1', '0']\n");
    made.wrote("Using config file \"/tmp/fast.cfg\".\n");
    again.failed(1, "Error: ['PARAMETER_ERROR', 'Pool name \"fast\" already exists']\n");
    assert_eq!(pools(part.step("xm cpupool-list fast")), [["fast", "1", "credit", "y", "0"]]);
    let record = &part.step("xm cpupool-list -l fast").output;
    for line in ["(name_label fast)", "(host_CPU_numbers 1)", "(other_config (owner me))"] {
        assert!(record.contains(line), "{record}");
    }
    part.step("xenstore-read /local/pool/1/name").wrote("fast\n");
    part.step("xenstore-read /local/pool/1/other_config/owner").wrote("me\n");
    let dry = &part.step("xm cpupool-create -n /tmp/fast.cfg").output;
    assert!(dry.contains("(sched_policy credit)") && dry.contains("(proposed_CPUs 1)"), "{dry}");
}

#[test]
fn the_first_pool_and_last_cpus_stay() {
    let part = part("pools");
    let in_use = "['POOL_BAD_STATE', 'in use']";
    let unknown = "['INVAILD_CPU', 'CPU unknown']";
    let taken = "['INVAILD_CPU', 'cpu already assigned to pool \"fast\"']";
    for (command, why) in [
        ("xm cpupool-cpu-remove Pool-0 0", in_use),
        ("xm cpupool-cpu-remove Pool-0 7", unknown),
        ("xm cpupool-cpu-remove nowhere 1", "unknown pool nowhere"),
        ("xm cpupool-destroy Pool-0", in_use),
        ("xm cpupool-cpu-add Pool-0 1", taken),
        ("xm cpupool-cpu-add fast 9", unknown),
        ("xm cpupool-cpu-remove fast 2", "['LAST_CPU_NOT_REMOVEABLE', 'could not remove last cpu']"),
    ] {
        let steps: Vec<_> = part.of(command);
        assert!(steps[0].output.starts_with(&format!("Error: {why}\n")), "{:?}", steps[0]);
        assert_eq!(steps[0].status, 1, "{:?}", steps[0]);
    }
    let [busy, idle] = part.steps("xm cpupool-destroy fast");
    busy.failed(1, in_use);
    idle.wrote("");
    let [added, again] = part.steps("xm cpupool-cpu-add fast 2");
    added.wrote("");
    again.failed(1, taken);
    part.step("xm cpupool-cpu-remove fast 1").wrote("");
    assert!(part.says("rounds over") && !part.says("changed: no"), "{}", part.text());
}

#[test]
fn a_domain_lives_in_its_pool_and_moves() {
    let part = part("pools");
    let [made, moved, back] = part.steps("xm list --pool=fast");
    assert_eq!((names(made), names(moved), names(back)), (vec!["quick"], vec![], vec!["quick"]));
    assert_eq!(names(part.step("xm list --pool=Pool-0")), ["Domain-0", "admin"]);
    part.step("xm list --pool=fast quick").failed(1, "either a pool or a particular VM, but not both");
    let [there, elsewhere] = part.steps("xm vcpu-list quick");
    let cpu = |step: &Step| step.output.lines().nth(1).unwrap().split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!((cpu(there), cpu(elsewhere)), ("1".into(), "0".into()));
    assert!(elsewhere.output.trim_end().ends_with("any cpu"), "it is pinned nowhere any more: {elsewhere:?}");
    assert!(part.says("another domid"), "{}", part.text());
    for step in part.steps::<2>("xm reset quick") {
        step.wrote("");
    }
    refused(&part, "xm cpupool-migrate quick nowhere", "unknown pool nowhere");
    refused(&part, "xm cpupool-migrate nobody fast", "unknown domain nobody");
    refused(&part, "xm cpupool-migrate 0 fast", "could not move Domain-0");
    part.step("xm create -q /etc/xen/tiny.cfg name=lost pool=nowhere")
        .failed(1, "Error: unknown pool nowhere");
    part.step("xm domid lost").failed(3, "Error: Domain 'lost' does not exist.");
}

#[test]
fn schedulers_give_what_they_are_told() {
    let part = part("pools");
    let [usual, later] = part.steps("xm sched-credit -d quick");
    assert_eq!(usual.given("quick"), ["256", "0"]);
    assert_eq!(later.given("quick"), ["512", "50"], "it has it in its next life as well");
    let all = part.step("xm sched-credit");
    assert_eq!((all.given("quick"), all.given("admin")), (vec!["512", "50"], vec!["-1", "-1"]));
    let all = part.step("xm sched-credit2");
    assert_eq!((all.given("quick"), all.given("admin")), (vec!["-1"], vec!["300"]));
    let step = part.step("xm sched-credit -d admin -w 300");
    step.failed(1, "Error: Domain 'admin' is in a CPU pool with the credit2 scheduler.\n");
    part.step("xm sched-credit -d quick -c 101").failed(1, "valid range is from 0 to 100");
    part.step("xm sched-credit -d nobody -w 300").failed(3, "Error: Domain 'nobody' does not exist.");
    let other = "Error: Xen is running with the credit2 scheduler\n";
    part.step("xm sched-rtds -d admin").failed(1, other);
    part.step("xm sched-sedf admin").failed(1, &format!("{other}The sedf scheduler was removed in Xen 4.6;"));
    let step = part.step("xm cpupool-create /tmp/fast.cfg sched=rtds cpus=1");
    step.failed(1, "Error: ['UNKOWN_SCHED_POLICY']\n");
}

#[test]
fn a_pool_that_is_kept_comes_and_goes() {
    let part = part("pools");
    let [there, gone, nowhere] = part.steps("xm cpupool-list kept");
    assert_eq!(pools(there), [["kept", "0", "credit2", "y", "0"]]);
    assert_eq!(pools(gone)[0][3], "n");
    nowhere.failed(1, "Error: Pool 'kept' does not exist.");
    let [started, again] = part.steps("xm cpupool-start kept");
    started.wrote("");
    again.failed(1, "['POOL_BAD_STATE', 'activated']");
    let [refused, deleted] = part.steps("xm cpupool-delete kept");
    refused.failed(1, "['POOL_BAD_STATE', 'activated']");
    deleted.wrote("");
    let [ended, again] = part.steps("xm cpupool-destroy kept");
    ended.wrote("");
    again.failed(1, "['POOL_BAD_STATE', 'deactivated']");
}
