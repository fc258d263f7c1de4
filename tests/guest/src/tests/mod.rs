//! Guests on a machine in memory, served by the real XenStore server: every attack is carried out here, too.

mod machine;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::run;
use crate::word::Ending;
use machine::{Machine, TAIL};

/// Runs `words` as domain 1, then checks that domain 2 still gets its replies. What domain 1 printed.
#[track_caller]
fn printed(words: &str) -> Vec<String> {
    let machine = Machine::new();
    assert_eq!(run(&machine.guest(1), words.as_bytes()), None);
    assert_eq!(run(&machine.guest(2), b"store"), None);
    assert_eq!(machine.lines(2), ["guest: store: domid 2, written by the guest"]);
    machine.check();
    machine.lines(1)
}

#[test]
fn honest_guests_are_served() {
    let lines = printed("say=hello store tick=2 console-flood=1");
    assert_eq!(lines[..3], ["guest: hello", "guest: store: domid 1, written by the guest", "guest: tick 0"]);
    assert_eq!(lines.len(), 5);
}

#[test]
fn figures_and_marks_are_left_in_nodes() {
    let machine = Machine::new();
    assert_eq!(run(&machine.guest(1), b"mark time-store=3"), None);
    assert_eq!(machine.read("/local/domain/1/data/mark"), "");
    for kind in ["read", "write", "transaction"] {
        let time = machine.read(&format!("/local/domain/1/data/time-{kind}"));
        assert!(time.parse::<u64>().is_ok(), "{kind}: {time}");
    }
    assert_eq!(machine.lines(1), [""; 0]);
}

#[test]
fn it_ends_as_asked() {
    let machine = Machine::new();
    for (word, ending) in [
        ("poweroff", Ending::PowerOff),
        ("reboot store", Ending::Reboot),
        ("crash", Ending::Crash),
        ("suspend", Ending::Suspend),
        ("say=first nonsense", Ending::Crash),
    ] {
        assert_eq!(run(&machine.guest(1), word.as_bytes()), Some(ending), "{word}");
    }
    assert_eq!(machine.lines(1), ["guest: first", "guest: cannot read the command line: say=first nonsense"]);
}

#[test]
fn it_obeys_a_request_to_shut_down_and_confirms_it() {
    let machine = Machine::new();
    machine.write("/local/domain/1/control/shutdown", "reboot");
    assert_eq!(run(&machine.guest(1), b"obey"), Some(Ending::Reboot));
    assert_eq!(machine.read("/local/domain/1/control/shutdown"), "");
}

#[test]
fn attack_a06_a_broken_ring_is_cut_off_and_may_be_used_afresh() {
    for (word, error) in [("store-indices", "ring index"), ("store-oversize", "protocol")] {
        let expected = [
            format!("guest: {word}: cut off: {error}"),
            format!("guest: {word}: connected again"),
            "guest: store: domid 1, written by the guest".into(),
        ];
        assert_eq!(printed(&format!("{word} store")), expected);
    }
}

#[test]
fn attack_a06_half_a_message_waits_for_its_end() {
    assert_eq!(printed("store-half"), ["guest: store-half: not cut off"]);
}

#[test]
fn attack_a06_a_ring_is_broken_just_before_the_end() {
    let machine = Machine::new();
    assert_eq!(run(&machine.guest(1), b"store-wreck crash"), Some(Ending::Crash));
    assert_eq!(machine.lines(1), ["guest: store-wreck: half a message and impossible indices"]);
    assert_eq!(run(&machine.guest(2), b"store"), None);
    machine.check();
}

#[test]
fn attack_a22_a_flood_is_served() {
    assert_eq!(printed("store-flood=300"), ["guest: store-flood: 300 replies"]);
}

#[test]
fn attack_a10_who_never_reads_is_stopped() {
    let lines = printed("store-never-read");
    assert!(lines[0].starts_with("guest: store-never-read: "), "{lines:?}");
}

#[test]
fn attack_c02_garbage_stays_in_nodes_of_the_guest() {
    let lines = printed("garbage-states");
    assert_eq!(lines.len(), 36);
    let taken = |line: &&String| line.ends_with(": taken");
    // The fixture gives guests `data` and `control/shutdown` alone.
    assert!(lines.iter().filter(taken).all(|line| line.contains(" control/shutdown: ")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("EACCES")), "{lines:?}");
}

#[test]
fn attack_c01_attack_c02_garbage_about_a_device_is_refused_where_others_look() {
    for (word, device, shown) in
        [("garbage-disk", ("vbd", 51712), "GarbageDisk"), ("garbage-vif", ("vif", 0), "GarbageVif")]
    {
        let machine = Machine::new();
        let (class, id) = device;
        machine.give(device, 1, 2);
        assert_eq!(run(&machine.guest(1), word.as_bytes()), None);
        machine.check();
        let lines = machine.lines(1);
        let of = |path: &str| lines.iter().filter(|line| line.contains(path)).collect::<Vec<_>>();
        let theirs = of(&format!(" /local/domain/2/backend/{class}/1/{id}/"));
        assert!(theirs.len() == 48 && theirs.iter().all(|line| line.ends_with("EACCES")), "{lines:?}");
        let states = of(&format!(" device/{class}/{id}/state: "));
        assert!(states.len() == 6 && states[0].ends_with(": taken"), "{lines:?}");
        assert!(!states[5].ends_with(": taken"), "more than a value may have: {lines:?}");
        let params = machine.read(&format!("/local/domain/2/backend/{class}/1/{id}/params"));
        assert_eq!(params, "/disk.img");
        assert_eq!(run(&machine.guest(2), word.as_bytes()), None);
        let none = format!("guest: {shown}: XenStore answered ENOENT");
        assert_eq!(machine.lines(2), [none], "it has no such device");
    }
}

#[test]
fn attack_b03_a_storm_of_events_ends() {
    assert_eq!(printed("evtchn-storm=2000"), ["guest: evtchn-storm: 2000 rounds"]);
}

#[test]
fn attack_d05_whatever_lies_in_memory_is_found() {
    let machine = Machine::new();
    let guest = machine.guest(1);
    run(&guest, b"read-all-memory");
    guest.memory[1].write(4090, b"secret");
    guest.memory[0].write(TAIL - 1, b"ab");
    run(&guest, b"read-all-memory");
    let expected = [
        "guest: read-all-memory: 2 pages read, 0 with something in them",
        "guest: read-all-memory: 0 tails of pages with something in them",
        "guest: read-all-memory: page 0, byte 999: ab\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
        "guest: read-all-memory: page 1, byte 4090: secret",
        "guest: read-all-memory: 2 pages read, 2 with something in them",
        "guest: read-all-memory: tail 0, byte 1000: b\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
        "guest: read-all-memory: 1 tails of pages with something in them",
    ];
    assert_eq!(machine.lines(1), expected);
}

#[test]
fn without_rings_it_says_so() {
    let machine = Machine::new();
    let lone = machine.initial_domain();
    assert_eq!(run(&lone, b"store console-indices grant-revoke poweroff"), Some(Ending::PowerOff));
    let expected = [
        "guest: Store: no XenStore ring",
        "guest: console-indices: no console ring",
        "guest: grant-revoke: no grant table",
        "guest: grant-revoke: no grant table",
    ];
    assert_eq!(machine.lines(0), expected);
}
