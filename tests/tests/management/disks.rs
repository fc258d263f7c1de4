//! Disks of Debian guests, from image files of the admin domain.

use super::part;
use super::transcript::{Step, sum};

/// Rows of a list without its head: number, backend, state.
pub(super) fn rows(step: &Step) -> Vec<(&str, &str, &str)> {
    step.rows().into_iter().map(|row| (row[0], row[1], row[3])).collect()
}

#[test]
fn debian_has_its_root_on_a_disk() {
    let part = part("disks");
    let [made, refused] = part.steps("xm create -q /etc/xen/disk.cfg");
    made.wrote("");
    assert!(part.said("disk")[0].starts_with("ext4 rw,"), "{}", part.text());
    let [before, after] = part.steps("xm block-list disk");
    assert_eq!(rows(before), [("51712", "1", "4")]);
    assert_eq!(rows(after), [("51712", "1", "4")], "the other one is gone again");
    refused.failed(1, "Device 51712 (vbd) could not be connected. /root/disk.img: No such file or directory");
    part.step("xm list disk").failed(3, "Domain 'disk' does not exist");
}

#[test]
fn what_is_written_in_one_guest_is_read_in_another() {
    let part = part("disks");
    for command in [
        "xm block-attach disk file:/root/data.img xvdb w",
        "xm block-detach disk xvdb",
        "xm block-attach other file:/root/data.img xvdb r",
    ] {
        let found = part.text().contains(&format!("$ {command}\n[0]\n"));
        assert!(found, "{command}: {}", part.text());
    }
    let (disk, other) = (part.said("disk"), part.said("other"));
    assert_eq!((disk[1], disk[2], disk[4]), ("mounted", "67108864", "unmounted"));
    assert_eq!(sum(disk[3]), sum(other[0]), "64 MiB are the same");
    assert_eq!(sum(disk[3]), sum(other[2]), "and still are after xmd was killed");
}

#[test]
fn attack_c04_a_guest_cannot_write_what_it_is_to_read() {
    assert_eq!(part("disks").said("other")[1], "refused");
}

#[test]
fn mistakes_are_named_and_change_nothing() {
    let part = part("disks");
    let used = "The file \"/root/data.img\" is already used";
    part.step("xm block-attach disk file:/root/data.img xvdc w").failed(1, used);
    let step = part.step("xm block-attach disk file:/root/../root/data.img xvdc w");
    step.failed(1, "Device 51744 (vbd) could not be connected.\n/root/../root/data.img is used by domain ");
    let missing = "Device 51744 (vbd) could not be connected. /root/missing.img: No such file or directory";
    part.step("xm block-attach disk file:/root/missing.img xvdc r").failed(1, missing);
    let [_, taken] = part.steps("xm block-attach disk file:/root/data.img xvdb w");
    taken.failed(1, "Device xvdb (51728, vbd) is already connected.");
    part.step("xm block-detach disk xvdz").failed(1, "Device xvdz not connected");
    let unknown = part.step("xm block-attach disk file:/root/data.img xvdc w nobody");
    unknown.failed(1, "Cannot configure device for unknown backend nobody");
}

#[test]
fn a_drive_gets_another_disc_or_keeps_the_one_it_has() {
    let part = part("disks");
    part.step("xm block-attach other file:/root/data.img xvdd:cdrom r").wrote("");
    part.step("xm block-configure other file:/root/disc.img xvdd:cdrom r").wrote("");
    let missing = "Device 51760 (vbd) could not be connected. /root/missing.img: No such file or directory";
    part.step("xm block-configure other file:/root/missing.img xvdd:cdrom r").failed(1, missing);
    part.step("xm block-detach other xvdd").wrote("");
    for line in ["in the drive: \"/root/disc.img\"", "still in it: \"/root/disc.img\""] {
        assert!(part.text().lines().any(|found| found == line), "{line}: {}", part.text());
    }
    let long = part.step("xm block-list --long other");
    assert!(long.status == 0 && long.output.starts_with("(51728\n    (\n"), "{long:?}");
    assert!(long.output.contains("(virtual-device 51728)") && long.output.contains("(state 4)"), "{long:?}");
}

#[test]
fn attack_c03_a_disk_that_is_not_let_go_is_taken_away_by_force() {
    let part = part("disks");
    part.step("xm block-attach tiny file:/root/data.img xvdb w").wrote("");
    // How `timeout` of busybox ends whom it had to end.
    assert_eq!(part.number("asked in vain:"), 143);
    part.step("xm block-detach tiny xvdb -f").wrote("");
    part.step("xm block-list tiny").wrote("");
    // Debian lets go, mounted or not.
    part.step("xm block-detach other xvdb").wrote("");
    part.step("xm block-list other").wrote("");
}

#[test]
fn what_a_guest_synced_outlives_it() {
    let part = part("disks");
    part.step("xm destroy disk").wrote("");
    part.step("xm block-attach other file:/root/disk.img xvdc w").wrote("");
    assert_eq!(sum(part.said("disk")[5]), sum(part.said("other")[3]));
    part.step("xm block-detach other xvdc").wrote("");
}

#[test]
fn nothing_is_left_of_any_disk() {
    let part = part("disks");
    assert_eq!(part.number("loop devices:"), 0);
    assert_eq!(part.number("nodes:"), 0);
    assert!(part.number("memory missing:").abs() <= 1, "{}", part.text());
}
