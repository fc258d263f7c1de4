//! `ci/demo` as a person sees it.

use std::process::Command;

use xendless_tests::terminal::Terminal;

use super::LIMIT;

/// Types a line at the prompt `shell` and waits for the next one; gives what came between.
fn enter(terminal: &mut Terminal, shell: &str, line: &str) -> String {
    terminal.type_in(&format!("{line}\n")).unwrap();
    terminal.expect(shell).unwrap()
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
    terminal.type_in("xm top\n").unwrap();
    terminal.expect("Quit   [NAME]").unwrap();
    terminal.type_in("q").unwrap();
    terminal.expect(ADMIN).unwrap();
    let cooked = enter(&mut terminal, ADMIN, "stty -a | grep -c ' icanon'");
    assert_eq!(cooked.lines().nth(1).map(str::trim), Some("1"), "{cooked}");
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
