//! Interfaces of Debian guests, on bridges of the admin domain.

use super::hotplug::nonsense_stays_with_its_guest;
use super::part;
use super::transcript::{Step, sum};

/// Rows of a list without its head: number, backend, address, state.
fn rows(step: &Step) -> Vec<(&str, &str, &str, &str)> {
    step.rows().into_iter().map(|row| (row[0], row[1], row[2], row[4])).collect()
}

#[test]
fn guests_have_interfaces_with_the_address_that_is_named_or_one_of_xens() {
    let part = part("networks");
    let (left, right) = (part.said("left"), part.said("right"));
    assert_eq!(left[0], "00:16:3e:00:00:01");
    assert!(right[0].starts_with("00:16:3e:") && right[0] != left[0], "{right:?}");
    let [before, after] = part.steps("xm network-list left");
    let wanted = [("0", "1", "00:16:3e:00:00:01", "4")];
    assert_eq!(rows(before), wanted);
    assert_eq!(rows(after), wanted, "the other one is gone again");
    let long = part.step("xm network-list --long right");
    assert!(long.status == 0 && long.output.contains(&format!("(mac {})", right[0])), "{long:?}");
}

#[test]
fn sixty_four_mebibytes_cross_the_bridge_unchanged() {
    let part = part("networks");
    let (left, right) = (part.said("left"), part.said("right"));
    assert_eq!((left[1], left[2]), ("2", "67108864"), "pings and bytes");
    assert_eq!(sum(left[3]), sum(right[1]));
}

#[test]
fn an_interface_comes_and_goes_fifty_times_under_load() {
    let part = part("networks");
    assert_eq!(part.number("rounds:"), 50);
    let received = |at: usize| part.said("right")[at].parse::<u64>().unwrap();
    assert!(received(3) > received(2) + 1_000_000, "the other one worked meanwhile: {}", part.text());
}

#[test]
fn a_limit_limits_and_a_name_names() {
    let part = part("networks");
    part.step("xm network-attach left mac=00:16:3e:00:00:03 bridge=xenbr1 rate=100KB/s vifname=slow")
        .wrote("");
    assert!(part.says("xenbr1 has slow"), "{}", part.text());
    assert_eq!(part.number("received:"), 400_000);
    // Four seconds without the burst that it may begin with.
    assert!(part.number("seconds:") >= 3, "{}", part.text());
}

#[test]
fn mistakes_are_named_and_change_nothing() {
    let part = part("networks");
    let not = |what: &str| format!("could not be connected. {what}");
    for (command, what) in [
        ("xm network-attach left bridge=nowhere", not("bridge nowhere: no such bridge")),
        ("xm network-attach left bridge=lo", not("bridge lo: not a bridge")),
        (
            "xm network-attach left bridge=xenbr1 vifname=slow",
            not("vifname slow: there is an interface of this name"),
        ),
        ("xm network-attach left script=vif-absent", not("script /etc/xen/scripts/vif-absent: No such file")),
        (
            "xm network-attach left backend=nobody",
            "Cannot configure device for unknown backend nobody".to_owned(),
        ),
        (
            "xm network-attach left mac=00:16:3e:00:00:01 bridge=xenbr1",
            "The mac \"00:16:3e:00:00:01\" is already defined".to_owned(),
        ),
        (
            "xm network-attach right mac=00:16:3e:00:00:01 bridge=xenbr0",
            "The mac \"00:16:3e:00:00:01\" is already used by domain ".to_owned(),
        ),
    ] {
        part.step(command).failed(1, &what);
    }
    part.step("xm network-detach left 7").failed(1, "Cannot find device '7' in domain 'left'");
    let absent = "Cannot find device '00:16:3e:00:00:07' in domain 'left'";
    part.step("xm network-detach left 00:16:3e:00:00:07").failed(1, absent);
    let third = part.step("xm create -q /etc/xen/guest.cfg name=third vif=bridge=nowhere");
    third.failed(1, "Device 0 (vif) could not be connected. bridge nowhere: no such bridge");
    part.step("xm list third").failed(3, "Domain 'third' does not exist");
}

#[test]
fn interfaces_outlive_xmd_and_it_can_be_killed_at_any_moment() {
    let part = part("networks");
    assert_eq!(part.said("left")[6], "2", "pings after it was killed: {}", part.text());
    part.step("xm network-detach left 00:16:3e:00:00:03").wrote("");
    let left: Vec<&str> =
        part.text().lines().filter_map(|line| line.strip_prefix("left of one in the middle: ")).collect();
    assert_eq!(left, ["0"; 3]);
    assert_eq!(rows(part.step("xm network-list right")).len(), 1);
}

#[test]
fn attack_c03_an_interface_that_is_not_let_go_is_taken_away_by_force() {
    let part = part("networks");
    part.step("xm network-attach tiny bridge=xenbr1").wrote("");
    assert_eq!(part.number("asked in vain:"), 143);
    part.step("xm network-detach tiny 0 --force").wrote("");
    part.step("xm network-list tiny").wrote("");
}

#[test]
fn a_script_of_ones_own_is_told_what_it_needs_and_holds_up_nobody_else() {
    let part = part("networks");
    part.step("xm network-attach scripted bridge=xenbr1").wrote("");
    assert!(part.says("the slow one is not ready"), "{}", part.text());
    assert_eq!(part.number("slow one:"), 0);
    part.step("xm network-detach scripted 0 -f").wrote("");
    let told = part.text().lines().filter_map(|line| line.strip_prefix("script: "));
    let rest = "type_if=vif vif=vifN.0 netdev= vif backend backend/vif /etc/xen/scripts/vif-log";
    assert_eq!(told.collect::<Vec<_>>(), [format!("online {rest}"), format!("offline {rest}")]);
}

#[test]
fn attack_c01_attack_c02_a_hostile_guest_harms_its_own_interface_alone() {
    let part = part("networks");
    nonsense_stays_with_its_guest(&part, "vif", "0");
    for line in [
        "theirs: mac \"00:16:3e:00:00:08\"",
        "theirs: bridge \"xenbr1\"",
        "theirs: script \"/etc/xen/scripts/vif-bridge\"",
        "theirs: online \"1\"",
    ] {
        assert!(part.says(line), "{line}: {}", part.text());
    }
    let theirs = |name: &str| {
        let start = format!("theirs: {name} ");
        let mut lines = part.text().lines().filter_map(|line| line.strip_prefix(&start));
        lines.next().map(|value| value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    // Which of the states netback comes to see is chance. One that is no number has it give the device up, and take the
    // interface away; any other one has it close it.
    match (theirs("state").as_str(), theirs("hotplug-status").as_str()) {
        ("5", "connected") => {}
        ("6", "error") => assert!(theirs("hotplug-error").starts_with("there is no interface vif")),
        end => panic!("{end:?}: {}", part.text()),
    }
}

#[test]
fn attack_c02_attack_c05_an_interface_with_nonsense_about_it_is_listed_and_taken_away() {
    let part = part("networks");
    let [full, empty] = part.steps("xm network-list hostile");
    // Who serves it and its address stand in the record; that there is no such state shows.
    assert_eq!(rows(full), [("0", "1", "00:16:3e:00:00:08", "-1")], "{full:?}");
    empty.wrote("");
    part.step("xm network-detach hostile 0 -f").wrote("");
    part.step("xm network-attach hostile mac=00:16:3e:00:00:08 bridge=xenbr1").wrote("");
    part.step("xm destroy hostile").wrote("");
}

#[test]
fn a_module_works_when_its_backends_driver_says_so_and_goes_with_its_guest() {
    let part = part("networks");
    let refused = part.step("xm create -q /etc/xen/tiny.cfg name=sealed vtpm=backend=nobody");
    refused.failed(1, "Error: Cannot configure device for unknown backend nobody");
    let nodes: Vec<&str> = part.text().lines().filter_map(|line| line.strip_prefix("module: ")).collect();
    let (theirs, ours) = ("/local/domain/TPM/backend/vtpm/SEALED/0", "/local/domain/SEALED/device/vtpm/0");
    for (home, name, value) in [
        (theirs, "frontend", ours),
        (theirs, "handle", "0"),
        (theirs, "online", "1"),
        (theirs, "resume", "False"),
        (theirs, "state", "1"),
        (theirs, "uuid", "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11"),
        (ours, "backend", theirs),
        (ours, "handle", "0"),
        (ours, "state", "1"),
    ] {
        let node = format!("{home}/{name} = \"{value}\"");
        assert!(nodes.contains(&node.as_str()), "{node}: {nodes:?}");
    }
    assert_eq!(nodes.len(), 11, "with the numbers of both: {nodes:?}");
    assert_eq!(part.number("sealed:"), 0);
    let [running, defined] = part.steps("xm vtpm-list sealed");
    let (running, defined) = (running.rows(), defined.rows());
    assert_eq!(running[0][2..6], ["0", "1", "-1", "-1"], "{running:?}");
    assert!(running[0][6].ends_with("/0"), "{running:?}");
    assert_eq!(defined, [["0", "-1", "0", "-1", "-1", "-1", "tpm"]]);
    let long = part.step("xm vtpm-list --long sealed");
    assert!(long.output.contains("(uuid 5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11)"), "{long:?}");
    assert_eq!(part.number("left of modules:"), 0);
}

#[test]
fn what_was_plugged_in_stays_in_the_definition() {
    let part = part("networks");
    part.step("xm network-attach kept mac=00:16:3e:00:00:06 bridge=xenbr1").wrote("");
    part.step("xm network-detach kept 0 -f").wrote("");
    let kept = part.step("xm network-list kept");
    assert_eq!(rows(kept), [("0", "-1", "00:16:3e:00:00:06", "-1")]);
}

#[test]
fn devices_of_the_host_are_listed_and_given_to_nobody() {
    let part = part("networks");
    let refused = part.step("xm create -q /etc/xen/tiny.cfg name=pci pci=03:00.0");
    refused.failed(1, "a PCI device of the host is not supported");
    part.step("xm pci-list pci").wrote("Device\n0000:03:00.0\n");
    part.step("xm pci-list-assignable-devices").wrote("Error: pciback/pci-stub not loaded?\n");
}

#[test]
fn nothing_is_left_of_any_interface() {
    let part = part("networks");
    assert_eq!(part.number("interfaces:"), 0);
    assert_eq!(part.number("nodes:"), 0);
    assert!(part.number("memory missing:").abs() <= 1, "{}", part.text());
    assert!(part.text().contains("\nxenbr0 has vif"), "{}", part.text());
    let end = part.text().rsplit("interfaces:").next().unwrap();
    assert!(!end.contains("xenbr1 has"), "{end}");
}
