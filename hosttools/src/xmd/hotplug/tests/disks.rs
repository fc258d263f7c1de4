//! Disks, with files and devices that are made up.

use super::*;

const A: &str = "backend/vbd/7/51712";
const B: &str = "backend/vbd/8/51712";

#[test]
fn a_file_becomes_a_device_and_its_backend_learns_the_number() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert_eq!(store.read(A, "physical-device").as_deref(), Some("7:1f"));
    assert_eq!(store.read(A, "physical-device-path").as_deref(), Some("/dev/loop0"));
    // Its end: the control domain says so, the driver has closed it.
    store.write(A, &[("online", "0"), ("state", "5")]);
    agent.turn().unwrap();
    assert!(store.read(A, "hotplug-status").is_some(), "the driver has it still");
    store.write(A, &[("state", "6")]);
    while store.read(A, "hotplug-status").is_some() {
        agent.turn().unwrap();
    }
    assert_eq!(store.read(A, "physical-device"), None);
    drop(agent);
    assert_eq!(disks.done, ["hold /a w"]);
}

#[test]
fn what_is_not_there_or_cannot_be_written_is_said() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/ro"]));
    disks.read_only.insert("/ro".into());
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/missing", "r");
    assert_eq!(store.said(&mut agent, A), said("error", "/missing: No such file"));
    store.disk(B, "/ro", "w");
    assert_eq!(store.said(&mut agent, B), said("error", "/ro: Read-only file system"));
    drop(agent);
    assert!(disks.done.is_empty());
}

#[test]
fn attack_c04_what_is_to_be_read_is_opened_for_reading_only() {
    for (mode, wanted) in [("r", "hold /a r"), ("", "hold /a r"), ("rw", "hold /a r"), ("w", "hold /a w")] {
        let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
        let mut agent = store.agent(&mut disks);
        store.disk(A, "/a", mode);
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        assert_eq!(disks.done, [wanted], "{mode}");
    }
}

#[test]
fn the_same_file_is_not_written_by_two_whatever_it_is_called() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    disks.files.insert("/link".into(), 1);
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    for mode in ["w", "r"] {
        store.disk(B, "/link", mode);
        assert_eq!(store.said(&mut agent, B), said("busy", "/link is used by domain 7"));
        store.remove("backend/vbd/8");
    }
    store.disk(B, "/link", "w!");
    assert_eq!(store.said(&mut agent, B), said("connected", ""));
    // Readers do not disturb each other.
    store.remove("backend/vbd/8");
    store.remove("backend/vbd/7");
    for home in [A, B] {
        store.disk(home, "/a", "r");
        assert_eq!(store.said(&mut agent, home), said("connected", ""));
    }
}

#[test]
fn what_somebody_else_in_this_domain_uses_is_not_given_away() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    disks.used_by_others = Some("/a is mounted".into());
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("busy", "/a is mounted"));
}

#[test]
fn one_that_was_killed_finds_everything_again() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a", "/b"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    // While nobody looks, another device comes that wants the same, and one that is all right.
    store.disk("backend/vbd/6/1", "/a", "w");
    store.disk(B, "/b", "w");
    let mut agent = store.agent(&mut disks);
    assert_eq!(store.said(&mut agent, B), said("connected", ""));
    assert_eq!(store.said(&mut agent, "backend/vbd/6/1"), said("busy", "/a is used by domain 7"));
    drop(agent);
    assert_eq!(disks.done, ["hold /a w", "hold /b w"], "the first one was not made again");
    // A device that went with its process is made again.
    disks.devices.clear();
    let mut agent = store.agent(&mut disks);
    agent.turn().unwrap();
    drop(agent);
    assert_eq!(disks.done[2..], ["hold /a w", "hold /b w"]);
}

#[test]
fn an_empty_drive_is_ready_at_once_and_a_disc_comes_later() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/disc"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "", "r");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert_eq!(store.read(A, "physical-device"), None);
    store.remove("backend/vbd/7");
    store.disk(A, "/disc", "r");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert!(store.read(A, "physical-device").is_some());
}

#[test]
fn a_script_does_its_work_itself() {
    let (mut store, mut disks) = (Store::new(), Made::default());
    let mut agent = store.agent(&mut disks);
    store.write(A, &[("script", "block-drbd")]);
    store.disk(A, "r0", "w");
    while store.read(A, "state").is_some() {
        agent.turn().unwrap();
        // The script of this test says nothing; its end is what is seen of it.
        store.remove(A);
    }
    agent.turn().unwrap();
    store.write(B, &[("script", "block-bad")]);
    store.disk(B, "r0", "w");
    assert_eq!(store.said(&mut agent, B), said("error", "script block-bad: exit status: 1"));
    drop(agent);
    let wanted =
        [format!("block-drbd add {A}"), format!("block-drbd remove {A}"), format!("block-bad add {B}")];
    assert_eq!(disks.done, wanted);
}
