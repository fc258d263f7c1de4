//! Disks that come and go while another one is in use, with `xmd` killed in the middle of it, and with a hostile guest.

use super::disks::rows;
use super::part;
use super::transcript::{Part, sum};

/// As `parts/hotplug.sh` has it.
const ROUNDS: i64 = 50;
const KILLED: usize = 5;

#[test]
fn disks_come_and_go_fifty_times_beside_one_in_use() {
    let part = part("hotplug");
    let text = part.text();
    assert!(!text.contains("not attached: ") && !text.contains("not detached: "), "{text}");
    assert_eq!(part.number("rounds:"), ROUNDS);
    assert_eq!(rows(part.step("xm block-list busy")), [("51728", "1", "4")]);
    assert_eq!(part.number("loop devices under load:"), 1);
    // What is written to which console is remembered, too.
    let grown = part.number("heap grew:");
    assert!(grown <= 16, "{grown} KiB more after {ROUNDS} rounds than after 5");
}

/// The guest wrote and read all the time, and what is on the disk in the end is what it wrote.
#[test]
fn a_disk_in_use_is_not_harmed_by_what_comes_and_goes_beside_it() {
    let part = part("hotplug");
    let busy = part.said("busy");
    assert_eq!(busy[0], "started");
    let (rounds, wrong) = busy[1].split_once(' ').unwrap();
    assert!(rounds.parse::<u32>().unwrap() > 20 && wrong == "0", "{}", busy[1]);
    let file = part.text().lines().find_map(|line| line.strip_prefix("in the file: ")).unwrap();
    assert_eq!(sum(busy[2]), sum(file));
}

/// Whenever it is killed, the command ends well or with one line, and the next one does what was wanted.
#[test]
fn attack_e05_xmd_is_killed_while_disks_come_and_go() {
    let part = part("hotplug");
    let text = part.text();
    let mut lines = text.lines().peekable();
    let (mut killed, mut failed) = (0, 0);
    while let Some(line) = lines.next() {
        let Some(rest) = line.strip_prefix("killed after ") else { continue };
        let (_, outcome) = rest.split_once(": ").unwrap();
        let (command, outcome) = outcome.split_once(" [").unwrap();
        assert!(["block-attach", "block-detach"].contains(&command), "{line}");
        killed += 1;
        match outcome.split_once("] ").unwrap() {
            ("0", "") => {}
            ("1", error) => {
                let gone = ["xmd has probably crashed!", "Error: Unable to connect to xmd"];
                assert!(gone.iter().any(|words| error.starts_with(words)), "{line}");
                failed += 1;
            }
            _ => panic!("{line}"),
        }
        let next = lines.peek().unwrap_or(&"");
        assert!(
            ["killed after ", "$ ", "busy says: "].iter().any(|start| next.starts_with(start)),
            "more than one line: {line}\n{next}"
        );
    }
    assert_eq!(killed, 2 * KILLED, "{text}");
    assert!(failed > 0, "it was never killed in the middle: {text}");
    assert!(!text.contains("not attached again"), "{text}");
}

#[test]
fn attack_c01_attack_c02_a_hostile_guest_harms_its_own_disk_alone() {
    let part = part("hotplug");
    nonsense_stays_with_its_guest(&part, "vbd", "51712");
    for line in [
        "theirs: params \"/root/moved.img\"",
        "theirs: mode \"w\"",
        "theirs: online \"1\"",
        "theirs: hotplug-status \"connected\"",
    ] {
        assert!(part.says(line), "{line}: {}", part.text());
    }
}

/// Of a hostile guest's device: nonsense is taken in the guest's own directory alone, and nowhere else.
pub(super) fn nonsense_stays_with_its_guest(part: &Part, class: &str, id: &str) {
    let within = format!("/{class}/");
    let outcomes: Vec<(usize, &str, &str)> = part
        .text()
        .lines()
        .filter_map(|line| {
            let (count, rest) = line.trim_start().split_once(' ')?;
            let (path, outcome) = rest.split_once(": ")?;
            path.contains(&within).then_some((count.parse().ok()?, path, outcome))
        })
        .collect();
    let of = |start: &str| outcomes.iter().filter(|(_, path, _)| path.starts_with(start)).collect::<Vec<_>>();
    let theirs = of(&format!("/local/domain/1/backend/{class}/"));
    assert!(
        theirs.len() == 8 && theirs.iter().all(|it| it.0 == 6 && it.2.ends_with("EACCES")),
        "{outcomes:?}"
    );
    let states = of(&format!("device/{class}/{id}/state"));
    let states: Vec<_> = states.into_iter().filter(|it| it.2 == "taken").collect();
    assert!(states.len() == 1 && states[0].0 >= 4, "{outcomes:?}");
}

#[test]
fn attack_c02_a_disk_with_nonsense_about_it_is_listed_and_taken_away() {
    let part = part("hotplug");
    let create = "xm create -q /etc/xen/tiny.cfg name=hostile disk=file:/root/moved.img,xvda,w extra=garbage-disk obey";
    part.step(create).wrote("");
    let [full, empty] = part.steps("xm block-list hostile");
    // Who serves it stands in the record; that there is no such state shows.
    assert_eq!(rows(full), [("51712", "1", "-1")], "{full:?}");
    empty.wrote("");
    let [used, free] = part.steps("xm block-attach busy file:/root/moved.img xvdd w");
    used.failed(1, "The file \"/root/moved.img\" is already used");
    free.wrote("");
    part.step("xm block-detach hostile xvda -f").wrote("");
    part.step("xm block-attach hostile file:/root/moved.img xvda w").wrote("");
    part.step("xm destroy hostile").wrote("");
    let busy = part.said("busy");
    assert_eq!(busy[3].split(' ').next(), Some("4194304"), "the file works elsewhere: {busy:?}");
    assert_eq!(sum(busy[2]), busy[3].split(' ').nth(1).unwrap(), "the other disk is as it was");
}

#[test]
fn nothing_is_left_of_disks_that_came_and_went() {
    let part = part("hotplug");
    for what in ["channels", "grants"] {
        let [before, after] = ["before", "after"].map(|when| part.number(&format!("{when} {what}:")));
        assert!(before > 0 && before == after, "{what}: {before} before, {after} after");
    }
    assert_eq!(part.number("loop devices:"), 0);
    assert_eq!(part.number("nodes:"), 0);
    assert!(part.number("memory missing:").abs() <= 1, "{}", part.text());
}
