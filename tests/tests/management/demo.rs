//! `ci/demo` as a person sees it.

use std::process::Command;

use xendless_tests::terminal::Terminal;

use super::LIMIT;

/// Types a line at the prompt `shell` and waits for the next one; gives what came between.
fn enter(terminal: &mut Terminal, shell: &str, line: &str) -> String {
    terminal.type_in(&format!("{line}\n")).unwrap();
    terminal.expect(shell).unwrap()
}

/// The second line of what a command showed: its first is the command.
fn answered(terminal: &mut Terminal, shell: &str, line: &str) -> String {
    let shown = enter(terminal, shell, line);
    shown.lines().nth(1).unwrap_or_default().trim().to_owned()
}

/// Looks at `xm top` and leaves it: a serial line does not say how large the screen is, so it has 24 lines of 80.
fn top(terminal: &mut Terminal, shell: &str) {
    let before = answered(terminal, shell, "stty -g");
    let mut shown = String::new();
    terminal.type_in("xm top\n").unwrap();
    // Keys, and what the screen shows then, of which only what changed comes: another order, virtual CPUs, the question
    // how often to look, and no question any more.
    for (text, keys) in
        [("Quit   [NAME]", "s"), ("STATE]", "v"), ("VCPUs(sec):", "d"), ("1000: ", "5\r"), ("header", "q")]
    {
        shown += &terminal.expect(text).unwrap();
        terminal.type_in(keys).unwrap();
    }
    shown += &terminal.expect(shell).unwrap();
    for text in ["xm top - ", "3 domains: ", "Mem: ", "guest"] {
        assert!(shown.contains(text), "{text}: {shown:?}");
    }
    // Where the cursor was sent.
    let places = shown.split("\x1b[").filter_map(|piece| piece.split_once('H')?.0.split_once(';'));
    let places: Vec<(u32, u32)> =
        places.filter_map(|(row, column)| Some((row.parse().ok()?, column.parse().ok()?))).collect();
    assert!(!places.is_empty(), "{shown:?}");
    assert!(
        places.iter().all(|(row, column)| (1..=24).contains(row) && (1..=80).contains(column)),
        "{places:?}"
    );
    assert_eq!(answered(terminal, shell, "stty -g"), before, "the terminal is as before");
}

#[test]
fn a_person_logs_in_at_a_second_debian_and_leaves() {
    const ADMIN: &str = "admin:/root# ";
    const GUEST: &str = "guest:/root# ";
    let demo = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../ci/demo"));
    let mut terminal = Terminal::start(demo, LIMIT).unwrap();
    terminal.expect("xm create -c /etc/xen/guest.cfg").unwrap();
    terminal.expect(ADMIN).unwrap();

    terminal.type_in("xm create -c /etc/xen/guest.cfg\n").unwrap();
    let progress = terminal.expect("Started domain guest (id=2)").unwrap();
    assert!(progress.contains("% of"), "{progress}");
    terminal.expect("guest login: ").unwrap();
    enter(&mut terminal, GUEST, "root");
    let answer = enter(&mut terminal, GUEST, "uname -s; cat /sys/hypervisor/type; xm");
    let lines: Vec<_> = answer.lines().skip(1).map(str::trim).collect();
    assert_eq!(lines, ["Linux", "xen", "-sh: xm: not found"]);

    terminal.type_in("\x1d").unwrap();
    terminal.expect(ADMIN).unwrap();
    let list = enter(&mut terminal, ADMIN, "xm list");
    assert!(list.contains("\nguest "), "{list}");
    top(&mut terminal, ADMIN);
    terminal.type_in("xm console guest\n").unwrap();
    terminal.expect("guest login: root").unwrap();
    enter(&mut terminal, GUEST, "echo back");
    terminal.type_in("\x1d").unwrap();
    terminal.expect(ADMIN).unwrap();
    enter(&mut terminal, ADMIN, "xm destroy guest");
    let list = enter(&mut terminal, ADMIN, "xm list");
    assert!(!list.contains("\nguest "), "{list}");

    terminal.type_in("\x01x").unwrap();
    assert!(terminal.end().unwrap().success());
}
