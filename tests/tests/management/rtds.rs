//! The rtds scheduler, on a Xen that has it.

use super::part;

#[test]
fn promises_are_shown_set_and_kept() {
    let part = part("rtds");
    let [all] = part.steps("xm sched-rtds");
    assert_eq!(all.given("timely"), ["10000", "4000", "yes"]);
    assert_eq!(all.given("admin"), ["-1", "-1", "-"], "it is under another scheduler");
    part.step("xm sched-rtds -d timely -v all -p 20000 -b 5000").wrote("");
    let set = part.step("xm sched-rtds -d timely -v all");
    assert_eq!(set.given("timely"), ["0", "20000", "5000", "yes"]);
    part.step("xm sched-rtds -d timely -v 0 --period=30000 --budget=6000 --extratime=0").wrote("");
    let set = part.step("xm sched-rtds --domain=timely --vcpuid=0");
    assert_eq!(set.given("timely"), ["0", "30000", "6000", "no"]);
    let json: serde_json::Value =
        serde_json::from_str(&part.step("xm sched-rtds -d timely -v 0 --json").output).unwrap();
    assert_eq!((&json[0]["vcpus"][0]["budget_us"], &json[0]["name"]), (&6000.into(), &"timely".into()));
    assert!(part.says("another domid"), "{}", part.text());
    assert_eq!(part.step("xm sched-rtds timely").given("timely"), ["30000", "6000", "yes"], "the next life");
}

#[test]
fn domains_of_a_pool_are_shown_alone() {
    let part = part("rtds");
    let names = |command: &str| -> Vec<String> {
        let lines = part.step(command).output.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        lines.iter().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    assert_eq!(names("xm sched-rtds --cpupool=prompt"), ["timely"]);
    assert_eq!(names("xm sched-rtds --cpupool=Pool-0"), ["Domain-0", "admin"]);
    let pools = part.step("xm cpupool-list prompt").output.clone();
    assert!(pools.lines().any(|line| line.starts_with("prompt") && line.contains("rtds")), "{pools}");
    let pools = part.step("xm cpupool-list bare").output.clone();
    assert!(pools.lines().any(|line| line.starts_with("bare") && line.contains("null")), "{pools}");
}

#[test]
fn what_cannot_be_promised_is_refused() {
    let part = part("rtds");
    part.step("xm sched-rtds -d timely -v 1 -p 20000").failed(1, "VCPU 1 does not exist.");
    part.step("xm sched-rtds -d timely -v 0 -b 40000").failed(1, "Budget out of range");
    part.step("xm sched-rtds -d admin -v 0 -b 4000").failed(1, "in a CPU pool with the credit2 scheduler.");
    assert_eq!(part.step("xm sched-credit2 timely").given("timely"), ["-1"]);
}
