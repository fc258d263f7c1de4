//! A managed domain that is suspended and resumed on real Xen.

use super::part;

#[test]
fn a_suspended_domain_goes_on_where_it_was() {
    let part = part("suspended");
    let [first, second] = part.steps("xm suspend sleeper");
    first.wrote("");
    second.wrote("");
    // It has no id, and nothing else is listed.
    let listed = part.step("xm list --state=suspended").rows();
    assert_eq!(listed, [["sleeper", "96", "1", "---s--", "0.0"]]);
    part.step("xm start sleeper").wrote("");
    part.step("xm resume -p sleeper").wrote("");
    let paused = part.step("xm list --state=paused");
    assert!(paused.output.contains("\nsleeper "), "{paused:?}");
    assert_eq!(part.said("sleeper"), ["begun", "counts", "counts"]);
    assert_eq!(part.number("files after it was resumed:"), 0);
}

#[test]
fn what_cannot_be_done_with_a_suspended_domain_is_said() {
    let part = part("suspended");
    part.step("xm start -p sleeper").failed(1, "Error: Domain is already running\n");
    part.step("xm delete sleeper").failed(1, "Error: Domain is not halted.\n");
    let why = "Error: Error occurred when resuming: Cannot resume domain that is not suspended.\n";
    part.step("xm resume sleeper").failed(1, why);
    part.step("xm suspend alone").failed(1, "Error: Domain is not managed by Xend lifecycle support.\n");
    part.step("xm delete --force sleeper").wrote("");
    assert_eq!(part.number("files in the end:"), 0);
    assert_eq!(part.number("memory missing:"), 0);
}

#[test]
fn domains_are_suspended_and_resumed_with_the_system() {
    let part = part("suspended");
    part.step("xm shutdown -w --on-xend-stop").wrote("All domains terminated\n");
    part.step("xm domid sleeper").wrote("None\n");
    assert!(part.says("files of suspended domains: .chk"), "{}", part.text());
    part.step("xm start --on-xend-start").wrote("Resumed domain sleeper\n");
}
