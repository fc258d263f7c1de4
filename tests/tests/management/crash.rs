//! The admin domain crashes: its guests go on, it comes again as configured, and manages them.

use xendless_tests::admin::domain::Admin;

use super::{LIMIT, machine};

/// The first time it starts a guest, and crashes a while later; the second time it looks who is there.
const COMMANDS: &str = "
    until xm list >/dev/null 2>&1; do sleep 1; done
    if xm domid tiny >/dev/null 2>&1; then
        xm list
        xm console tiny </dev/null & sleep 2; kill $!
        xm destroy tiny && echo destroyed
    else
        exec >/dev/null 2>&1
        xm create /etc/xen/tiny.cfg extra=tick
        sleep 20
        echo c >/proc/sysrq-trigger
    fi";

#[test]
fn attack_e05_guests_go_on_when_the_admin_domain_crashes_and_comes_again() {
    let settings = "restart_min_uptime = 10\n";
    let admin = Admin { on_crash: "restart", settings, ..Admin::new(COMMANDS) };
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    let rows: Vec<Vec<&str>> = output.lines().map(|line| line.split_whitespace().collect()).collect();
    let ids: Vec<_> = rows.iter().filter(|row| row.len() == 6).map(|row| (row[0], row[1])).collect();
    assert_eq!(ids, [("Name", "ID"), ("Domain-0", "0"), ("admin", "3"), ("tiny", "2")], "{output}");
    // A line a second, before, meanwhile and after: none is missing.
    let ticks: Vec<u32> =
        output.lines().filter_map(|line| line.strip_prefix("guest: tick ")?.parse().ok()).collect();
    assert!(ticks.len() > 20 && ticks.iter().copied().eq(0..ticks.len() as u32), "{output}");
    assert!(output.contains("destroyed"), "{output}");
}
