//! What a person types on the first day, and what is seen then.

use super::part;

const STARTED: &str = "Using config file \"/etc/xen/tiny.cfg\".\nStarted domain";

#[test]
fn domains_come_and_are_listed_by_name_and_number() {
    let part = part("commands");
    let [before, after] = part.steps("xm list");
    for step in [before, after] {
        let names: Vec<_> = step.states().iter().map(|(name, _)| *name).collect();
        assert_eq!(names[..2], ["Domain-0", "admin"], "{step:?}");
    }
    part.step("xm create /etc/xen/tiny.cfg").wrote(&format!("{STARTED} tiny (id=3)\n"));
    part.step("xm domid tiny").wrote("3\n");
    part.step("xm domname 3").wrote("tiny\n");
    let look = part.step("look tiny");
    assert!(look.output.starts_with("guest: hello\n") && look.status == 0, "{look:?}");
}

#[test]
fn a_domain_waits_and_goes_on_as_told() {
    let part = part("commands");
    let [running, paused, on] = part.steps("xm list tiny");
    assert_eq!(running.states(), [("tiny", "-b----")]);
    assert_eq!(paused.states(), [("tiny", "-bp---")]);
    assert_eq!(on.states(), [("tiny", "-b----")]);
    let [late, gone] = part.steps("xm list late");
    assert_eq!(late.states(), [("late", "--p---")]);
    gone.failed(3, "Error: Domain 'late' does not exist.");
}

#[test]
fn a_domain_gets_another_name_another_life_and_an_end() {
    let part = part("commands");
    assert_eq!(part.step("xm list small").states(), [("small", "-b----")]);
    let uptime = part.step("xm uptime small");
    assert!(uptime.output.lines().nth(1).is_some_and(|line| line.starts_with("small ")), "{uptime:?}");
    let early = "Domain small destroyed for failing to reboot\nAll domains rebooted\n";
    part.step("xm reboot -w small").wrote(early);
    let part = self::part("reboot");
    part.step("xm reboot -w old").wrote("Domain old rebooted\nAll domains rebooted\n");
    assert!(part.says("another domid"), "{}", part.text());
    // Its console goes on where it was.
    assert_eq!(part.step("look old").output.matches("guest: hello\n").count(), 2, "{}", part.text());
    part.step("xm shutdown -w old").wrote("Domain old terminated\nAll domains terminated\n");
    assert_eq!(part.step("xm list").states().len(), 2);
}

#[test]
fn the_machine_and_its_logs_are_shown() {
    let part = part("commands");
    let info = part.step("xm info");
    for line in ["xen_major              : 4", "xen_minor              : 17", "nr_cpus                : 1"] {
        assert!(info.output.lines().any(|other| other == line), "{line}: {info:?}");
    }
    let dmesg = part.step("xm dmesg");
    assert!(dmesg.output.contains("Xen version 4.17") && dmesg.status == 0, "{dmesg:?}");
    let log = part.step("xm log");
    assert!(log.output.contains("runs as domain") && log.status == 0, "{log:?}");
}

#[test]
fn debian_is_started_twice_and_leaves_all_memory() {
    let part = part("debian");
    for step in part.steps::<2>("xm create /etc/xen/guest.cfg") {
        assert!(step.output.contains("Started domain guest (id="), "{step:?}");
    }
    assert_eq!(part.step("xm list guest").states()[0].0, "guest");
    assert!(part.number("memory taken:") >= 128, "{}", part.text());
    part.step("xm shutdown -w guest").wrote("Domain guest terminated\nAll domains terminated\n");
    part.step("xm destroy guest").wrote("");
    assert!(part.number("memory missing:") <= 1, "{}", part.text());
}
