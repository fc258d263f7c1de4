//! `events` and `wait`.

use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::{Failure, Happening, Request, What};

use crate::server::run;
use crate::world::{World, happening, row};

fn life() -> Vec<Happening> {
    vec![
        happening(8, "web", What::Created),
        happening(9, "mail", What::Created),
        happening(8, "web", What::Booted),
        happening(8, "shop", What::Renamed { from: "web".into() }),
        happening(8, "shop", What::Stopped { reason: 1 }),
        happening(8, "shop", What::Gone),
        happening(9, "mail", What::Stopped { reason: 3 }),
        Happening { domid: None, ..happening(10, "bad\u{1b}", What::Failed { why: "no \nkernel".into() }) },
        happening(0, "", What::Missed { count: 12 }),
    ]
}

fn world() -> World {
    World { happenings: life(), ..World::default() }
}

/// What `events` prints, without the times.
fn told(line: &str) -> Vec<String> {
    let (status, out, err) = run(world(), line);
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    let without_time = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
        rest.to_owned()
    };
    out.lines().map(without_time).collect()
}

#[test]
fn each_event_is_a_line() {
    let all = [
        "web (8) created",
        "mail (9) created",
        "web (8) booted",
        "shop (8) renamed web",
        "shop (8) shutdown reboot",
        "shop (8) gone",
        "mail (9) crashed",
        "bad\\u{1b} failed no \\nkernel",
        "- missed 12",
    ];
    assert_eq!(told("events -n 9"), all);
    assert_eq!(told("events --past -t 1"), all, "to the end of the time");
    assert_eq!(told("events --count 2"), all[..2]);
    assert_eq!(told("events -n 0"), [""; 0]);
}

#[test]
fn domains_are_picked_by_name_number_or_uuid() {
    let web = ["web (8) created", "web (8) booted", "shop (8) renamed web"];
    assert_eq!(told("events -n 3 8"), web);
    assert_eq!(told("events -n 3 web"), web);
    assert_eq!(told("events -n 3 08080808-0808-0808-0808-080808080808"), web);
    assert_eq!(told("events -n 2 nobody mail"), ["mail (9) created", "mail (9) crashed"]);
}

#[test]
fn json_is_an_object_a_line() {
    let (_, out, _) = run(world(), "events -n 9 --json");
    let all: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all[0]["event"], "created");
    assert_eq!((&all[0]["name"], &all[0]["id"], &all[0]["serial"]), (&"web".into(), &8.into(), &17.into()));
    assert_eq!(all[0]["uuid"], "08080808-0808-0808-0808-080808080808");
    assert_eq!((&all[4]["event"], &all[4]["reason"]), (&"shutdown".into(), &"reboot".into()));
    assert_eq!((&all[6]["event"], &all[6]["reason"]), (&"crashed".into(), &"crash".into()));
    assert_eq!(
        (&all[3]["from"], &all[7]["why"], &all[8]["count"]),
        (&"web".into(), &"no \nkernel".into(), &"12".into())
    );
    assert!(!out.contains('\u{1b}'));
}

/// `wait` with nothing but what happens, from the world as it is by default: a guest, 7, that runs.
fn wait(line: &str, happenings: Vec<Happening>) -> (i32, String) {
    let world = World { happenings, ..World::default() };
    let (status, out, err) = run(world, &format!("wait -t 1 {line}"));
    assert!(out.is_empty() || err.contains("Error"), "{out}");
    (status, err)
}

#[test]
fn what_is_so_already_is_not_waited_for() {
    for line in ["guest created", "guest booted", "guest running", "7 created", "nobody gone"] {
        assert_eq!(wait(line, vec![]), (0, String::new()), "{line}");
    }
    let mut world = World::default();
    world.rows.push(row(9, "stopped", DomainFlags::SHUTDOWN | DomainFlags::PAUSED));
    for line in ["wait stopped shutdown", "wait stopped paused"] {
        assert_eq!(run(world.clone(), line).0, 0, "{line}");
    }
}

#[test]
fn it_ends_when_that_happens() {
    let guest = |what| vec![happening(7, "guest", what)];
    for (line, what) in [
        ("guest paused", What::Paused),
        ("guest shutdown", What::Stopped { reason: 0 }),
        ("guest shutdown", What::Stopped { reason: 3 }),
        ("guest crashed", What::Stopped { reason: 3 }),
        ("guest gone", What::Gone),
    ] {
        assert_eq!(wait(line, guest(what.clone())), (0, String::new()), "{line}: {what:?}");
        let other = vec![happening(8, "other", what)];
        let word = line.split(' ').next_back().unwrap();
        let late = format!("Error: Domain 'guest' is not {word} after 1 seconds.\n");
        assert_eq!(wait(line, other), (1, late), "{line}");
    }
    for (word, what) in [("created", What::Created), ("running", What::Unpaused), ("booted", What::Booted)] {
        let new = vec![happening(9, "new", what.clone())];
        assert_eq!(wait(&format!("new {word}"), new.clone()), (0, String::new()), "{word}");
        let by_uuid = format!("09090909-0909-0909-0909-090909090909 {word}");
        assert_eq!(wait(&by_uuid, new), (0, String::new()), "{word}");
    }
}

#[test]
fn a_domain_keeps_its_uuid_when_it_restarts_under_another_id() {
    let uuid = [7; 16];
    let again = Happening { uuid, ..happening(9, "guest", What::Stopped { reason: 3 }) };
    let happenings = vec![happening(7, "guest", What::Stopped { reason: 1 }), again];
    assert_eq!(wait("guest crashed", happenings), (0, String::new()));
}

#[test]
fn what_cannot_come_any_more_is_an_error() {
    let gone = vec![happening(7, "guest", What::Gone)];
    let destroyed = (1, "Error: Domain 'guest' was destroyed.\n".to_owned());
    assert_eq!(wait("guest crashed", gone), destroyed);
    let failed = vec![happening(9, "new", What::Failed { why: "no kernel".into() })];
    assert_eq!(wait("new booted", failed), (1, "Error: Domain 'new' did not start: no kernel\n".to_owned()));
    for word in ["shutdown", "crashed"] {
        let missing = (3, "Error: Domain 'nobody' does not exist.\n".to_owned());
        assert_eq!(wait(&format!("nobody {word}"), vec![]), missing);
    }
}

#[test]
fn what_was_missed_is_looked_up() {
    let missed = vec![happening(0, "", What::Missed { count: 9 })];
    let late = "Error: Domain 'guest' is not gone after 1 seconds.\n".to_owned();
    assert_eq!(wait("guest gone", missed), (1, late), "it is still there");
}

#[test]
fn words_that_mean_nothing() {
    let refused = |line: &str, text: &str| {
        let (status, _, err) = run(World::default(), line);
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
    };
    refused("wait", "Expects 2 arguments");
    refused("wait guest", "Expects 2 arguments");
    refused("wait guest gone now", "Expects 2 arguments");
    let known = "created, booted, running, paused, shutdown, crashed, gone";
    refused("wait guest asleep", &format!("'asleep' is none of {known}"));
    refused("wait -t soon guest gone", "option --timeout takes a number, not 'soon'");
    refused("events -n -1", "option --count takes a number, not '-1'");
    let world = World {
        refuse: |request| {
            matches!(request, Request::Events { .. })
                .then_some(Failure::Forbidden { needs: xendless_core::rights::Rights::Observe })
        },
        ..World::default()
    };
    let (status, _, err) = run(world, "events");
    assert!(status == 1 && err.starts_with("Error: this takes the right to "), "{err}");
}
