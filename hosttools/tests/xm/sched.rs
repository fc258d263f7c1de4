//! `sched-credit`, `sched-credit2`, `sched-rtds`, `sched-sedf`: output to the letter.

use xendless_core::config::List;
use xendless_core::hyper::{Promise, Share};
use xendless_core::protocol::{Answer, Failure, Row, Sched, Sharing};
use xendless_core::rights::Rights;

use crate::server::{Server, run};
use crate::world::World;

const USUAL: Share = Share { weight: 256, cap: 0 };
const PROMISE: Promise = Promise { period_us: 10_000, budget_us: 4_000, extra: true };

/// What the server says.
pub(crate) fn answer<'a>(world: &mut World, row: &Row, request: &Sched<'_>) -> Result<Answer<'a>, Failure> {
    let name = match request {
        Sched::Share { scheduler, .. } | Sched::SetShare { scheduler, .. } => match scheduler {
            Sharing::Credit => "credit",
            Sharing::Credit2 => "credit2",
        },
        Sched::Promises { .. } | Sched::SetPromise { .. } => "rtds",
    };
    // A domain in another pool.
    let found = if row.cpupool == 0 { world.scheduler } else { "null" };
    if found != name {
        return Err(Failure::OtherScheduler(found.into()));
    }
    let share = world.shares.get(&row.domid).copied().unwrap_or(USUAL);
    match *request {
        Sched::Share { .. } => return Ok(Answer::Share(share)),
        Sched::SetShare { weight, cap, .. } => {
            let (weight, cap) = (weight.unwrap_or(share.weight), cap.unwrap_or(share.cap));
            world.shares.insert(row.domid, Share { weight, cap });
        }
        Sched::Promises { from, .. } => {
            let promise = |vcpu| world.promises.get(&(row.domid, vcpu)).copied().unwrap_or(PROMISE);
            let next = (from + 2 < row.max_vcpus).then_some(from + 2);
            let rows = (from..row.max_vcpus.min(from + 2)).map(promise).collect();
            return Ok(Answer::Promises { rows: List::new("rows", rows).unwrap(), next });
        }
        Sched::SetPromise { vcpu, promise, .. } => drop(world.promises.insert((row.domid, vcpu), promise)),
    }
    Ok(Answer::Done)
}

fn world(scheduler: &'static str) -> World {
    let mut world = World { scheduler, ..World::default() };
    world.rows[1].max_vcpus = 3;
    world.with_definition("name = 'dormant'\nkernel = '/k'\ncpu_weight = 100\ncpu_cap = 50")
}

fn shown(server: &Server, line: &str) -> String {
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

const CREDIT: &str = "\
Name                                ID Weight  Cap
Domain-0                             0    256    0
dormant                                   100   50
guest                                7    256    0
";

const CREDIT2: &str = "\
Name                                ID Weight
Domain-0                             0    256
dormant                                   100
guest                                7    256
";

#[test]
fn shares_are_listed_to_the_letter() {
    let credit = Server::start(world("credit"));
    assert_eq!(shown(&credit, "sched-credit"), CREDIT);
    let lines: Vec<&str> = CREDIT.lines().collect();
    let one = format!("{}\n{}\n", lines[0], lines[3]);
    for words in ["-d guest", "--domain=7", "guest", "--dom guest"] {
        assert_eq!(shown(&credit, &format!("sched-credit {words}")), one, "{words}");
    }
    assert_eq!(shown(&Server::start(world("credit2")), "sched-credit2"), CREDIT2);
    let json: serde_json::Value = serde_json::from_str(&shown(&credit, "sched-credit --json")).unwrap();
    assert_eq!((&json[1]["weight"], &json[1]["cap"], &json[1]["id"]), (&100.into(), &50.into(), &().into()));
}

#[test]
fn who_is_under_another_scheduler_has_no_share() {
    let mut world = world("credit");
    world.rows[1].cpupool = 1;
    let server = Server::start(world);
    assert!(shown(&server, "sched-credit").ends_with("guest                                7     -1   -1\n"));
    let (status, out, err) = crate::parts(&server.xm("sched-credit -d guest -w 5"));
    let text = "Error: Domain 'guest' is in a CPU pool with the null scheduler.\n";
    assert_eq!((status, out.as_str(), err.as_str()), (1, "", text));
}

#[test]
fn a_share_is_set_and_kept() {
    let world = world("credit").with_definition("name = 'guest'\nkernel = '/k'\nvcpus = 3");
    let server = Server::start(world);
    assert_eq!(shown(&server, "sched-credit -d guest -w 512 -c 300"), "");
    assert_eq!(shown(&server, "sched-credit -d guest -c 10"), "");
    assert!(shown(&server, "sched-credit guest").ends_with("    512   10\n"));
    assert!(server.seen.all().iter().filter(|line| *line == "define guest").count() == 2);
    assert_eq!(shown(&server, "sched-credit -d dormant -w 7"), "");
    assert!(shown(&server, "sched-credit dormant").ends_with("      7   50\n"));
}

#[test]
fn what_cannot_be_kept_is_not_done() {
    let foreign = "Error: The definition was kept by another version of this program; use 'xm new' again.\n";
    for (scheduler, line) in [
        ("credit", "sched-credit -d guest -w 512"),
        ("credit2", "sched-credit2 -d guest -w 512"),
        ("rtds", "sched-rtds -d guest -v all -b 500"),
    ] {
        let world = world(scheduler).with_definition("name = 'guest'\nkernel = '/k'\nvcpus = 3");
        let server = Server::start(World { foreign: vec!["guest"], ..world });
        let show = line.split(" -").next().unwrap();
        let before = shown(&server, show);
        assert_eq!(crate::parts(&server.xm(line)), (1, String::new(), foreign.to_owned()), "{line}");
        assert_eq!(shown(&server, show), before, "{line}");
    }
    // One that does not run has nothing that could be changed.
    let server = Server::start(World { foreign: vec!["dormant"], ..world("credit") });
    let (status, _, err) = crate::parts(&server.xm("sched-credit -d dormant -w 512"));
    assert_eq!((status, err.as_str()), (1, foreign));
}

#[test]
fn promises_are_kept_that_all_virtual_cpus_have_alike() {
    let server = Server::start(world("rtds").with_definition("name = 'guest'\nkernel = '/k'\nvcpus = 3"));
    let kept = || server.seen.all().iter().filter(|line| *line == "define guest").count();
    for (words, wanted) in [
        ("-v all -p 20000 -b 5000", 1),
        ("-v 0 -b 6000", 1),
        ("-v 1 -v 2 -b 6000 -b 6000", 2),
        ("-v 0 -v 1 -v 2 -b 1 -b 2 -b 3", 2),
    ] {
        assert_eq!(shown(&server, &format!("sched-rtds -d guest {words}")), "");
        assert_eq!(kept(), wanted, "{words}");
    }
}

#[test]
fn the_wrong_scheduler_is_named_first() {
    for line in ["sched-credit", "sched-credit -d nobody -w 0", "sched-rtds"] {
        let (status, out, err) = run(world("credit2"), line);
        let text = "Error: Xen is running with the credit2 scheduler\n";
        assert_eq!((status, out.as_str(), err.as_str()), (1, "", text), "{line}");
    }
    let (status, _, err) = run(world("credit"), "sched-sedf guest -p 20");
    let text = "Error: Xen is running with the credit scheduler\n\
        The sedf scheduler was removed in Xen 4.6; use sched-credit2, or boot with sched=rtds.\n";
    assert_eq!((status, err.as_str()), (1, text));
}

#[test]
fn what_is_wrong_with_the_words_is_said() {
    let refusal = |line: &str| {
        let (status, out, err) = run(world("credit"), line);
        assert!(out.is_empty() || out.starts_with("Usage: xm sched-credit "), "{line}: {out}");
        (status, err, !out.is_empty())
    };
    let nobody = "Error: Domain 'nobody' does not exist.\n".to_owned();
    assert_eq!(refusal("sched-credit -d nobody"), (1, nobody.clone(), true));
    assert_eq!(refusal("sched-credit -d nobody -w 5"), (3, nobody, false));
    let cases = [
        ("sched-credit -w 5", "No domain given."),
        ("sched-credit guest guest", "Only one domain can be given."),
        ("sched-credit -d guest -w many", "Invalid argument."),
        ("sched-credit -d guest -w", "option --weight requires argument"),
        ("sched-credit -x", "option -x not recognized"),
        (
            "sched-credit -d guest -w 0",
            "Cpu weight out of range, valid values are within range from 1 to 65535",
        ),
        (
            "sched-credit -d guest -c 301",
            "Cpu cap out of range, valid range is from 0 to 300 for specified number of vcpus",
        ),
        (
            "sched-credit -d dormant -c 101",
            "Cpu cap out of range, valid range is from 0 to 100 for specified number of vcpus",
        ),
    ];
    for (line, text) in cases {
        assert_eq!(refusal(line), (1, format!("Error: {text}\n"), true), "{line}");
    }
    let (_, _, err) = run(world("credit2"), "sched-credit2 -d guest -w 65536");
    assert_eq!(err, "Error: weight is out of range\n");
    let refuse = |request: &xendless_core::protocol::Request<'_>| match request {
        xendless_core::protocol::Request::Sched(Sched::SetShare { .. }) => {
            Some(Failure::Forbidden { needs: Rights::Everything })
        }
        _ => None,
    };
    let (status, _, err) = run(World { refuse, ..world("credit") }, "sched-credit -d 0 -w 5");
    assert_eq!(status, 1);
    assert!(err.starts_with("Error: this takes the right to everything"), "{err}");
}

const RTDS: &str = "\
Name                                ID    Period    Budget  Extratime
Domain-0                             0     10000      4000        yes
guest                                7     10000      4000        yes
";

const VCPUS: &str = "\
Name                                ID VCPU    Period    Budget  Extratime
guest                                7    0     10000      4000        yes
guest                                7    1     20000      4000         no
guest                                7    2     10000      5000        yes
";

#[test]
fn promises_are_listed_and_set_to_the_letter() {
    let server = Server::start(world("rtds"));
    assert_eq!(shown(&server, "sched-rtds"), RTDS);
    assert_eq!(shown(&server, "sched-rtds -d guest -v 1 -p 20000 -e 0"), "");
    assert_eq!(shown(&server, "sched-rtds -d guest -v 2 -b 5000"), "");
    assert_eq!(shown(&server, "sched-rtds -d guest -v all"), VCPUS);
    let lines: Vec<&str> = VCPUS.lines().collect();
    assert_eq!(shown(&server, "sched-rtds -d guest -v 2"), format!("{}\n{}\n", lines[0], lines[3]));
    assert_eq!(shown(&server, "sched-rtds -d guest -v 0 -p 50 -b 40 -v 1 -p 60 -b 30"), "");
    assert_eq!(shown(&server, "sched-rtds -d guest -v all -b 20"), "");
    let json = shown(&server, "sched-rtds --json -v all -d guest");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let found: Vec<_> = json[0]["vcpus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vcpu| (vcpu["period_us"].as_u64().unwrap(), vcpu["budget_us"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, [(50, 20), (60, 20), (10_000, 20)]);
}

#[test]
fn promises_that_cannot_be_are_refused() {
    let cases = [
        ("-c Pool-0 -d guest", "Specifying a cpupool is not allowed with other options."),
        ("-p 5", "Missing parameters."),
        ("-d guest -p 5", "Must specify VCPU."),
        ("-d guest -v 0 -v 1 -p 5", "Incorrect number of period, budget and extratime."),
        ("-d guest -v 0 -e 2", "Invalid extratime."),
        ("-d guest -v 0 -p x", "Invalid argument."),
        ("-d guest -v 9 -p 5", "VCPU 9 does not exist."),
        ("-d guest -v 9", "VCPU 9 does not exist."),
        ("-d guest -v 0 -b 10001", "Budget out of range, valid range is from 1 to the period"),
        ("-d dormant -v 0 -b 1", "Domain 'dormant' is not started"),
    ];
    for (words, text) in cases {
        let (status, _, err) = run(world("rtds"), &format!("sched-rtds {words}"));
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{words}");
    }
    let (status, _, err) = run(world("rtds"), "sched-rtds -d nobody");
    assert_eq!((status, err.as_str()), (3, "Error: Domain 'nobody' does not exist.\n"));
}
