//! Memory, virtual CPUs, keys and the machine's topology: output to the letter.

use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Failure, Request};
use xendless_core::rights::Rights;

use crate::server::{Server, run};
use crate::world::{World, row};

const DORMANT: &str = "name = 'dormant'\nkernel = '/k'\nmemory = 256\nmaxmem = 512\nvcpus = 2\n\
                       uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'";
const GUEST: &str = "name = 'guest'\nkernel = '/k'\nmemory = 512\nmaxmem = 1024\nvcpus = 2\n\
                     uuid = '07070707-0707-0707-0707-070707070707'";

/// All sub-commands of this file that are about a domain, with operands that fit.
const ABOUT: [&str; 7] = [
    "mem-set DOMAIN 300",
    "mem-max DOMAIN 900",
    "vcpu-set DOMAIN 1",
    "vcpu-pin DOMAIN 0 1",
    "sysrq DOMAIN h",
    "trigger DOMAIN nmi",
    "reset DOMAIN",
];

fn world() -> World {
    World::default().with_definition(DORMANT).with_definition(GUEST)
}

fn shown(world: World, line: &str) -> String {
    let (status, out, err) = run(world, line);
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

/// What is asked when the command is carried out, without looking things up.
fn asked(line: &str) -> Vec<String> {
    let server = Server::start(world());
    let (status, out, _) = crate::parts(&server.xm(line));
    assert_eq!((status, out.as_str()), (0, ""), "{line}");
    let changes = ["adjust", "define", "machine"];
    server.seen.all().into_iter().filter(|line| changes.iter().any(|word| line.starts_with(word))).collect()
}

fn error(line: &str) -> String {
    let (status, _, err) = run(world(), line);
    assert_eq!(status, 1, "{line}: {err}");
    err.strip_prefix("Error: ").unwrap().trim_end().to_owned()
}

#[test]
fn virtual_cpus_to_the_letter() {
    let wanted = "\
Name                                ID  VCPU   CPU State   Time(s) CPU Affinity
Domain-0                             0     0     1   -b-      61.2 any cpu
Domain-0                             0     1     2   r--      61.2 0,2-3
Domain-0                             0     2     -   --p      61.2 no cpus
dormant                                    0                   0.0 any cpu
dormant                                    1                   0.0 any cpu
guest                                7     0     1   -b-      61.2 any cpu
guest                                7     1     2   r--      61.2 0,2-3
guest                                7     2     -   --p      61.2 no cpus
";
    assert_eq!(shown(world(), "vcpu-list"), wanted);
    assert_eq!(shown(world(), "vcpu-list dormant guest").lines().count(), 6, "in the order of the names");
    let (status, out, err) = run(world(), "list -v");
    let deprecated = "xm list -v is deprecated.  Please use xm vcpu-list.\n";
    assert_eq!((status, out.as_str(), err.as_str()), (0, wanted, deprecated));
    let json: serde_json::Value = serde_json::from_str(&shown(world(), "vcpu-list --json guest")).unwrap();
    assert_eq!((&json[1]["cpu"], &json[1]["affinity"]), (&2.into(), &serde_json::json!([0, 2, 3])));
    assert_eq!((&json[2]["cpu"], &json[2]["state"]), (&serde_json::Value::Null, &"--p".into()));
}

#[test]
fn the_topology_to_the_letter() {
    let out = shown(world(), "info -n");
    let begin = out.find("cpu_topology").unwrap();
    let end = out.find("xen_major").unwrap();
    let wanted = "cpu_topology           : 
cpu:    core    socket     node
  0:       0        0        0
  1:       0        0        0
  2:       1        0        0
  3:       1       -1        0
numa_info              : 
node: TotalMemory FreeMemory dma32Memory NodeDist:   0    1 
   0:      2048MB     1024MB       512MB         :  10   -1 
   1:      2048MB     1024MB       512MB         :  20   -1 
";
    assert_eq!(&out[begin..end], wanted);
    assert!(out[..begin].ends_with("free_cpus              : 1\n"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&shown(world(), "info --json -n")).unwrap();
    assert_eq!(
        (&json["cpu_topology"][3]["core"], &json["numa_info"][1]["distances"][1]),
        (&1.into(), &serde_json::Value::Null)
    );
}

#[test]
fn settings_of_the_relay_to_the_letter() {
    let wanted = "\
socket                                : /run/x
group                                 : (none)
";
    assert_eq!(shown(world(), "info -c"), wanted);
    let json: serde_json::Value = serde_json::from_str(&shown(world(), "info -c --json")).unwrap();
    assert_eq!(json, serde_json::json!({ "socket": "/run/x", "group": null }));
}

#[test]
fn memory_is_set_and_waited_for() {
    let (status, out, err) = run(World::default(), "mem-set guest 256");
    assert_eq!((status, out.as_str(), err.as_str()), (0, "", "Domain guest has 256 MiB.\n"));
    assert_eq!(asked("mem-set guest 256m"), ["adjust guest Memory { kib: 262144 }", "define guest"]);
    assert_eq!(asked("mem-set 7 1G"), ["adjust 7 Memory { kib: 1048576 }", "define guest"]);
    assert_eq!(asked("mem-set dormant 500"), ["define dormant"], "only the definition");
    assert_eq!(asked("mem-max guest 900"), ["adjust guest MaxMemory { kib: 921600 }", "define guest"]);
    assert_eq!(asked("mem-max dormant 300"), ["define dormant"]);
}

#[test]
fn memory_that_makes_no_sense_is_refused() {
    for (line, text) in [
        ("mem-set guest 5x", "Invalid argument."),
        ("mem-set guest lots", "Invalid argument."),
        ("mem-set guest 0", "memory_dynamic_max must be greater than zero"),
        ("mem-set guest -3", "memory_dynamic_max must be greater than zero"),
        ("mem-set dormant 600", "memory_dynamic_max must be less than or equal to memory_static_max"),
        ("mem-max dormant 200", "memory_dynamic_max must be less than or equal to memory_static_max"),
        ("mem-set 0 300", "Domain-0 is the control domain; its memory does not change."),
        ("mem-max Domain-0 300", "Domain-0 is the control domain; its memory does not change."),
    ] {
        assert_eq!(error(line), text, "{line}");
    }
    let refuse: fn(&Request<'_>) -> Option<Failure> = |request| {
        matches!(request, Request::Adjust { .. })
            .then_some(Failure::HostMemory { wanted_kib: 1 << 20, free_kib: 1 << 10 })
    };
    let (status, _, err) = run(World { refuse, ..World::default() }, "mem-set guest 1g");
    assert_eq!(
        (status, err.as_str()),
        (1, "Error: the host has too little free memory: 1024 of 1048576 KiB\n")
    );
}

#[test]
fn virtual_cpus_are_set_and_pinned() {
    assert_eq!(asked("vcpu-set guest 2"), ["adjust guest Online { vcpus: 2 }", "define guest"]);
    assert_eq!(asked("vcpu-set dormant 7"), ["define dormant"]);
    let pin = "adjust guest Pin { vcpu: Some(1), cpus: [13] }";
    assert_eq!(asked("vcpu-pin guest 1 0,2-3"), [pin, "define guest"]);
    let pin = "adjust guest Pin { vcpu: None, cpus: [15] }";
    assert_eq!(asked("vcpu-pin guest all all"), [pin, "define guest"]);
    assert_eq!(asked("vcpu-pin dormant 1 2-3,^2"), ["define dormant"]);
    for (line, text) in [
        ("vcpu-set guest 0", "Zero or less VCPUs is invalid"),
        ("vcpu-set guest -1", "Zero or less VCPUs is invalid"),
        ("vcpu-set guest two", "Invalid argument."),
        ("vcpu-pin guest x 1", "Invalid argument."),
        ("vcpu-pin guest 0 1;2", "Invalid argument."),
        ("vcpu-pin dormant 2 1,3", "Cannot pin vcpu: 2 to cpu: [1, 3] - (22, 'Invalid argument')"),
    ] {
        assert_eq!(error(line), text, "{line}");
    }
    let refuse: fn(&Request<'_>) -> Option<Failure> = |request| {
        matches!(request, Request::Adjust { .. }).then(|| Failure::Refused { errno: 22, text: "no".into() })
    };
    let (_, _, err) = run(World { refuse, ..World::default() }, "vcpu-pin guest all 9");
    assert_eq!(err, "Error: Cannot pin vcpu: 0 to cpu: [9] - (22, 'Invalid argument')\n");
}

#[test]
fn a_pinned_definition_shows_so() {
    let server = Server::start(world());
    assert_eq!(crate::parts(&server.xm("vcpu-pin dormant 1 2-3")).0, 0);
    let (_, out, _) = crate::parts(&server.xm("vcpu-list dormant"));
    let affinities: Vec<&str> = out.lines().skip(1).map(|line| &line[67..]).collect();
    assert_eq!(affinities, ["any cpu", "2-3"], "{out}");
}

#[test]
fn keys_and_triggers_are_sent() {
    assert_eq!(asked("sysrq guest h"), ["adjust guest SysRq { key: 'h' }"]);
    assert_eq!(error("sysrq guest help"), "help is not convertible to a character");
    assert_eq!(asked("trigger guest NMI 3"), ["adjust guest Trigger { trigger: Nmi, vcpu: 3 }"]);
    assert_eq!(asked("trigger guest power"), ["adjust guest Trigger { trigger: Power, vcpu: 0 }"]);
    assert_eq!(asked("trigger guest s3resume"), ["adjust guest WakeUp"]);
    assert_eq!(error("trigger guest wink"), "Invalid trigger: wink");
    assert_eq!(error("trigger guest nmi one"), "Invalid argument.");
    assert_eq!(asked("debug-keys qr"), ["machine Keys { keys: \"qr\" }"]);
    assert_eq!(asked(&format!("debug-keys {}", "h".repeat(65))).len(), 2, "in pieces");
    assert_eq!(error("debug-keys ä"), "Invalid argument.");
    let refuse: fn(&Request<'_>) -> Option<Failure> = |request| {
        matches!(request, Request::Adjust { .. }).then(|| Failure::Refused { errno: 38, text: "no".into() })
    };
    let (status, out, err) = run(World { refuse, ..World::default() }, "trigger guest init");
    assert_eq!((status, err.as_str()), (1, "Error: (38, 'Function not implemented')\n"));
    assert!(out.starts_with("Usage: xm trigger"), "{out}");
}

#[test]
fn a_domain_is_reset_but_not_the_control_domain() {
    let server = Server::start(world());
    assert_eq!(crate::parts(&server.xm("reset guest")), (0, String::new(), String::new()));
    assert_eq!(crate::parts(&server.xm("domid guest")).1, "42\n");
    for domain in ["0", "Domain-0"] {
        assert_eq!(error(&format!("reset {domain}")), format!("Cannot reset privileged domain {domain}"));
    }
}

#[test]
fn operands_are_counted() {
    for (name, count, operands) in [
        ("mem-set", 2, 2),
        ("mem-max", 2, 2),
        ("vcpu-set", 2, 2),
        ("vcpu-pin", 3, 3),
        ("sysrq", 2, 2),
        ("reset", 1, 1),
        ("debug-keys", 1, 1),
    ] {
        for given in [operands - 1, operands + 1] {
            let line = format!("{name} {}", "1 ".repeat(given));
            assert_eq!(error(&line), format!("'xm {name}' requires {count} arguments."), "{line}");
        }
    }
    for line in ["trigger guest", "trigger guest nmi 0 1"] {
        assert_eq!(error(line), "'xm trigger' requires between 2 and 3 arguments.");
    }
}

#[test]
fn a_domain_that_is_not_there_or_does_not_run_is_named() {
    for about in ABOUT {
        let (status, out, err) = run(world(), &about.replace("DOMAIN", "gust"));
        let text = "Error: Domain 'gust' does not exist.\nDid you mean 'guest'?\n";
        assert_eq!((status, out.as_str(), err.as_str()), (3, "", text), "{about}");
    }
    for line in ["sysrq dormant h", "trigger dormant nmi", "reset dormant"] {
        assert_eq!(error(line), "Domain 'dormant' is not started", "{line}");
    }
    let (status, _, _) = run(world(), "vcpu-list nobody");
    assert_eq!(status, 3);
}

#[test]
fn who_has_no_right_to_it_is_told_so() {
    let refuse: fn(&Request<'_>) -> Option<Failure> = |request| {
        matches!(request, Request::Adjust { .. } | Request::Machine(_))
            .then_some(Failure::Forbidden { needs: Rights::Everything })
    };
    let mut lines: Vec<String> = ABOUT.iter().map(|about| about.replace("DOMAIN", "guest")).collect();
    lines.push("debug-keys h".into());
    for line in lines {
        let (status, out, err) = run(World { refuse, ..World::default() }, &line);
        let text = "Error: this takes the right to everything, which the caller does not have\n";
        assert_eq!((status, out.as_str(), err.as_str()), (1, "", text), "{line}");
    }
}

#[test]
fn attack_e06_names_in_what_is_said_are_escaped() {
    let mut world = World { balloons: true, ..World::default() };
    world.rows = vec![row(7, "a\u{1b}[2J", DomainFlags::RUNNING)];
    let (_, out, err) = run(world.clone(), "mem-set 7 256");
    assert_eq!((out.as_str(), err.as_str()), ("", "Domain a\\u{1b}[2J has 256 MiB.\n"));
    assert!(!shown(world, "vcpu-list").contains('\u{1b}'));
}
