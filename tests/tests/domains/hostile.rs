//! Hostile guests on real Xen: each attack of `docs/attacks.md` that a guest carries out by itself. The test guest
//! that is the admin domain shows what others notice of it: it has the serial line, and no rights over anybody.

use xendless_core::bundle::Role;
use xendless_hosttools::bundle::Start;
use xendless_tests::qemu::artifacts::Build;

use super::watch::Watched;
use super::{guest, machine};

/// Guests beside the one that has the serial line.
fn start(admin: Start, others: &[(&str, &str)]) -> Watched {
    let others = others.iter().map(|(name, words)| guest(Role::Guest, name, words, &[]));
    Watched::start(machine(Build::Release, [admin].into_iter().chain(others)))
}

/// Requests without end, events without end, output without end and a processor in use without end: whoever
/// behaves is served all the same, and of the flooders those that want something that ends get to it.
#[test]
fn attack_a22_attack_b03_attack_b05_floods_leave_others_their_turn() {
    let words = "tick=3 store store store store store store store store say=served";
    let mut watched = start(
        guest(Role::Admin, "honest", words, &[]),
        &[
            ("requests", "store-flood"),
            ("events", "evtchn-storm"),
            ("output", "console-flood"),
            ("deaf", "store-never-read poweroff"),
            ("busy", "hang"),
            ("some-requests", "store-flood=3000 poweroff"),
            ("some-events", "evtchn-storm=20000 poweroff"),
            ("much-output", "console-flood=5000 poweroff"),
        ],
    );
    watched.await_all(&[
        "guest: served",
        "#4 stopped (Poweroff)",
        "#6 stopped (Poweroff)",
        "#7 stopped (Poweroff)",
        "#8 stopped (Poweroff)",
    ]);
    let said = watched.said();
    let answers = said.iter().filter(|line| **line == "store: domid 1, written by the guest");
    assert_eq!(answers.count(), 8, "{}", watched.story());
    // The flooders were at it all the time.
    for id in [1, 2, 3, 5] {
        let stopped = watched.news().iter().any(|news| news.contains(&format!("#{id} stopped")));
        assert!(!stopped, "flooder {id} stopped: {}", watched.story());
    }
}

/// The one with the serial line prints without end: Xen and the control domain are heard all the same. Meanwhile
/// others break what they share with the control domain, and die of it, or just after it.
#[test]
fn attack_a06_attack_b01_attack_b04_attack_b05_broken_rings_and_a_busy_line_harm_nobody() {
    let mut watched = start(
        guest(Role::Admin, "loud", "console-flood", &[]),
        &[
            ("wreck", "store-wreck crash"),
            ("indices", "store-indices store poweroff"),
            ("oversize", "store-oversize store poweroff"),
            ("half", "store-half crash"),
            ("console", "console-indices store poweroff"),
            ("revoke", "grant-revoke tick=1 crash"),
            ("behaves", "tick=5 store poweroff"),
        ],
    );
    watched.await_all(&[
        "#1 stopped (Crash): destroyed",
        "#1 is gone",
        "domain 3 lost its connection to XenStore",
        "domain 3 starts its connection to XenStore afresh",
        "#2 stopped (Poweroff): destroyed",
        "#2 is gone",
        "domain 4 lost its connection to XenStore",
        "domain 4 starts its connection to XenStore afresh",
        "#3 stopped (Poweroff): destroyed",
        "#3 is gone",
        "#4 stopped (Crash): destroyed",
        "#4 is gone",
        "domain 6 lost its console",
        "#5 is gone",
        "#6 is gone",
        "#7 stopped (Poweroff): destroyed",
        "#7 is gone",
    ]);
    // Xen keeps a domain of which somebody still has a page: none is kept.
    assert_eq!(watched.domains_of_xen(), [1], "{}", watched.story());
}

/// A guest writes nonsense wherever it can, and reads all of its memory: what may not be written is refused,
/// what may be is not believed, and no byte of anybody is in its memory, the second and third time as little as
/// the first, when others have used it before.
#[test]
fn attack_c01_attack_d05_nothing_is_believed_and_nothing_is_given_away() {
    let words = "garbage-states read-all-memory tick=2 reboot";
    let mut watched = start(
        guest(Role::Admin, "reader", words, &["restart_min_uptime = 0"]),
        &[("first", "store poweroff"), ("second", "store poweroff"), ("third", "say=secret crash")],
    );
    let read = "with something in them";
    watched.await_all(&["#0 stopped (Reboot): restarted", "#0 stopped (Reboot): restarted", "#3 is gone"]);
    watched.await_all(&[read, read, "guest: tick 0"]);
    let said = watched.said();
    for node in ["device/vbd/51712/backend", "device/vif/0/state", "console/tty", "memory/target"] {
        let outcomes = said.iter().filter(|line| line.contains(node));
        assert!(outcomes.clone().count() >= 5, "{}", watched.story());
        assert!(outcomes.clone().all(|line| line.contains("EACCES")), "{node}: {}", watched.story());
    }
    assert!(said.contains(&"garbage-states: control/shutdown: taken"), "{}", watched.story());
    let summaries: Vec<_> = said.iter().filter(|line| line.contains(read)).collect();
    assert!(summaries.len() >= 6, "{summaries:?}");
    assert!(summaries.iter().all(|line| line.contains(" 0 ")), "{}", watched.story());
    println!("{}", summaries[0]);
}
