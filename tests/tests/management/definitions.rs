//! Definitions outlive `xmd`, however it ends: what was acknowledged is there, and can be started.

use super::part;

#[test]
fn a_definition_outlives_the_relay_that_kept_it() {
    let part = part("definitions");
    let [defined, running, stopped] = part.steps("xm list kept0");
    assert_eq!(defined.states(), []);
    assert!(defined.output.contains("---s--") && defined.status == 0, "{defined:?}");
    part.step("xm start kept0").wrote("");
    assert_eq!(running.states(), [("kept0", "-b----")]);
    assert!(stopped.output.contains("---s--") && stopped.status == 0, "{stopped:?}");
}

#[test]
fn attack_e05_a_relay_killed_while_definitions_come_loses_none_that_was_acknowledged() {
    let part = part("definitions");
    let lines =
        |start: &str| part.text().lines().filter_map(|line| line.strip_prefix(start)).collect::<Vec<_>>();
    let acknowledged: Vec<usize> =
        lines("acknowledged: ").iter().map(|count| count.parse().unwrap()).collect();
    assert_eq!(acknowledged.len(), 5, "{}", part.text());
    for (round, count) in (1..).zip(&acknowledged) {
        assert!(*count >= round, "{acknowledged:?}");
    }
    assert_eq!(lines("kept: ").len(), acknowledged.iter().sum::<usize>(), "{}", part.text());
    assert_eq!(lines("starts: ").len(), 5, "{}", part.text());
    assert!(lines("not deleted: ").is_empty(), "{}", part.text());
    let names: Vec<_> = part.step("xm list").states().iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["Domain-0", "admin"]);
}
