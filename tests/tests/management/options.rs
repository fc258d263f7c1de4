//! Options that the first day does not need, and what cannot be done here.

use serde_json::Value;

use super::part;
use super::transcript::Part;

fn json(part: &Part, command: &str) -> Value {
    let step = part.step(command);
    serde_json::from_str(&step.output).unwrap_or_else(|error| panic!("{error}: {step:?}"))
}

fn names(part: &Part, command: &str) -> Vec<String> {
    part.step(command).states().iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn what_was_shown_makes_the_same_domain() {
    let part = part("options");
    let record = part.step("xm create -q -n /etc/xen/tiny.cfg name=sxp");
    assert!(record.output.starts_with("(vm\n    (name sxp)\n    (memory 4)\n"), "{record:?}");
    assert!(part.number("variables:") > 150, "{}", part.text());
    let made = part.step("xm create -F /tmp/record.sxp");
    assert!(made.output.starts_with("Started domain sxp (id="), "{made:?}");
    part.step("xm create -q -s /tmp/record.xml").wrote("Skipping DTD checks.  Dangerous!\n");
    part.step("xm create -q --path=/nowhere:/tmp --vncviewer --vncviewer-autopass -f third.cfg").wrote("");
}

#[test]
fn domains_are_listed_as_wanted() {
    let part = part("options");
    let all = ["Domain-0", "admin", "old", "sxp", "third", "xml"];
    assert_eq!(names(&part, "xm list --state=running"), all);
    assert_eq!(names(&part, "xm list --pool=Pool-0"), all);
    assert_eq!(names(&part, "xm list --state=paused"), [""; 0]);
    assert_eq!(names(&part, "xm list --pool=other"), [""; 0]);
    let label = part.step("xm list --label sxp");
    assert!(label.output.lines().next().is_some_and(|line| line.trim_end().ends_with("Label")), "{label:?}");
    let vcpus = part.step("xm list -v sxp");
    let deprecated = "xm list -v is deprecated.  Please use xm vcpu-list.\n";
    assert!(vcpus.output.contains(deprecated) && vcpus.output.contains("any cpu"), "{vcpus:?}");
    let list = json(&part, "xm list --json sxp");
    assert_eq!((&list[0]["name"], &list[0]["pool"]), (&"sxp".into(), &"Pool-0".into()));
    assert!(json(&part, "xm uptime --json sxp")[0]["uptime_seconds"].is_u64());
    let short = part.step("xm uptime -s sxp");
    assert!(short.output.contains(" up  0:0") && short.output.contains(", sxp ("), "{short:?}");
    part.step("xm domstate sxp").wrote("idle\n");
    assert_eq!(json(&part, "xm info --json")["xen_major"], 4);
    let top = part.step("xm top -b -d 1 -i 2");
    assert_eq!(top.output.matches("\n     admin ").count(), 2, "{top:?}");
    assert!(part.step("xm top --json -i 1").output.contains("\"sxp\""));
}

#[test]
fn consoles_are_numbered_and_quiet() {
    let part = part("options");
    let look = part.step("leave xm console -n 0 sxp");
    assert!(look.output.starts_with("guest: hello\n") && look.status == 0, "{look:?}");
    part.step("xm console -n 1 sxp").failed(1, "Domains have one console, number 0.");
    let quiet = part.step("xm console -q nobody");
    assert_eq!(quiet.status, 3, "{quiet:?}");
    let past = part.step("xm events --past -t 1 third");
    assert!(past.output.contains(") created\n") && past.output.contains(") booted\n"), "{past:?}");
}

#[test]
fn attack_c03_domains_end_as_asked_or_are_named_and_go_by_force() {
    let part = part("options");
    part.step("xm shutdown -H -w sxp").wrote("Domain sxp terminated\nAll domains terminated\n");
    part.step("xm wait -t 60 xml gone").wrote("");
    let deaf = "Error: Domain deaf did not end in 2 seconds: 'xm destroy' does not ask.";
    part.step("xm shutdown -w --timeout=2 deaf").failed(1, deaf);
    part.step("xm reboot -w --timeout=2 deaf").failed(1, deaf);
    part.step("xm destroy deaf").wrote("");
}

#[test]
fn definitions_have_options_and_follow_names() {
    let part = part("options");
    let record = part.step("xm new -q -n /etc/xen/tiny.cfg name=kept");
    assert!(record.output.starts_with("(vm\n    (name kept)\n"), "{record:?}");
    part.step("xm rename sxp kept").wrote("");
    part.step("xm domid kept").wrote("None\n");
    let [paused] = part.steps("xm domstate kept");
    paused.wrote("paused by admin\n");
    part.step("xm delete --timeout=60 kept").wrote("Waiting for domain kept to shut down ...\n");
    part.step("xm list kept").failed(3, "Error: Domain 'kept' does not exist.");
    let joined = part.step("leave xm start -c kept2");
    assert!(joined.output.starts_with("guest: hello\n") && joined.status == 0, "{joined:?}");
    part.step("xm delete --force kept2").wrote("");
    let both = part.step("xm list both");
    assert!(both.output.contains(" ---s-- ") && both.status == 0, "{both:?}");
}

#[test]
fn definitions_start_and_end_with_the_system() {
    let part = part("options");
    let [running, started] = part.steps("xm start --on-xend-start");
    running.wrote("");
    assert!(started.output.starts_with("Started domain auto (id="), "{started:?}");
    for step in part.steps::<2>("xm shutdown -w --on-xend-stop") {
        step.wrote("Domain auto terminated\nAll domains terminated\n");
    }
    part.step("xm delete auto").wrote("");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let part = part("options");
    for (command, status, text) in [
        ("xm suspend nobody", 3, "Domain 'nobody' does not exist."),
        (
            "xm resume -p admin",
            1,
            "Error occurred when resuming: Cannot resume domain that is not suspended.",
        ),
        (
            "xm migrate -l -p 8002 -n 0 -s -c -r 100 admin elsewhere",
            1,
            "-p/-s need the removed relocation server",
        ),
        ("xm vncviewer --autopass --vncviewer-autopass admin", 1, "Domain 'admin' has no graphical console"),
        ("xm tmem-list -a", 1, "Transcendent memory was removed"),
        ("xm serve", 1, "This function needs xend"),
    ] {
        let step = part.step(command);
        step.failed(status, &format!("Error: {text}"));
        assert_eq!(step.output.lines().count(), 1, "{step:?}");
    }
    // Here the classic xm shows how it is used, too.
    part.step("xm suspend admin").failed(1, "Error: Domain is not managed by Xend lifecycle support.\n");
    part.step("xm vtpm-list -l admin").wrote("");
}

#[test]
fn xm_talks_about_itself_where_it_is_installed() {
    let part = part("options");
    assert_eq!(part.number("shell:"), 1, "{}", part.text());
    assert!(part.text().contains("\n1\nDomain-0\n*** Unknown command: nonsense\n"), "{}", part.text());
    assert!(part.number("sub-commands:") > 110, "{}", part.text());
    assert!(part.number("pages:") > 90, "{}", part.text());
}

#[test]
fn all_domains_but_those_that_manage_end_at_once() {
    let part = part("all");
    let rebooted = part.step("xm reboot -a -w");
    for name in ["one", "two"] {
        let told = format!("Domain {name} destroyed for failing to reboot\n");
        assert!(rebooted.output.contains(&told), "{rebooted:?}");
    }
    part.step("xm shutdown -a -w").wrote("Domain three terminated\nAll domains terminated\n");
    assert_eq!(names(&part, "xm list"), ["Domain-0", "admin"]);
}
