//! A domain that serves disks and an interface, and is killed in the middle of it: it comes again, and what it serves
//! does.
//!
//! One guest has its disk open, with something written that is not on it yet; of the other one requests are under way,
//! because the domain that serves them is paused. See `docs/devices.md` for what Linux can do in which case.

use std::fs;

use xendless_core::rights::Rights;
use xendless_tests::admin::domain::{Admin, Companion};

use super::transcript::{Part, sum};
use super::{LIMIT, machine};

/// It says how many loop devices it has whenever that changes.
const STORE: &str = "
    ifconfig xenbr0 10.0.0.9 netmask 255.255.255.0
    while :; do
        loops=$(cat /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l)
        [ \"$loops\" = \"$last\" ] || echo \"loop devices: $loops\"
        last=$loops
        sleep 0.2
    done";

/// Whenever what is listed of a guest's disk changes, that is printed. Linux writes what is to be written to a disk it has
/// hardly written to at once; a share of what may wait (`min_ratio`) keeps it from that.
const COMMANDS: &str = "
    cd /root/parts
    . ./lib.sh
    serves_none() { [ \"$(sed -n 's/^loop devices: \\([0-9]*\\).*/\\1/p' $LOGS/console-store.log | tail -n 1)\" = 0 ]; }
    ping_store() {
        ask idle $1 'until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done; ifconfig eth0 10.0.0.1 netmask 255.255.255.0 up; ping -c 1 -w 100 10.0.0.9 | grep -c \"bytes from\"'
    }
    read_disk() {
        ask idle $1 'until [ -b /dev/xvda ]; do sleep 0.1; done; md5sum </dev/xvda'
    }
    row() {
        xm block-list $1 | sed -n \"s/^51712 *\\([0-9]*\\) *0 *\\([0-9]*\\) .*/\\1 \\2/p\" | sed \"s/^$first /first /; s/^[1-9][0-9]* /second /\"
    }
    look() {
        new=$(row idle)
        [ \"$new\" = \"$shown\" ] || echo \"listed: $new\"
        shown=$new
    }
    await xm list
    await serves_none
    before=$(free_memory)
    try xm create -q /etc/xen/guest.cfg name=idle disk=file:/root/idle.img,xvda,w,store vif=backend=store,bridge=xenbr0
    try xm create -q /etc/xen/guest.cfg name=busy disk=file:/root/busy.img,xvda,w,store
    log_in idle
    log_in busy
    read_disk 100
    ping_store 200
    ask idle 300 'echo 0 >/proc/sys/vm/dirty_writeback_centisecs; echo 90 >/sys/block/xvda/bdi/min_ratio; exec 3<>/dev/xvda; sleep 99999 </dev/null >/dev/null 2>&1 & dd if=/dev/zero of=/dev/xvda bs=64k count=8 conv=notrunc 2>/dev/null; grep -q \"^Dirty: *[1-9]\" /proc/meminfo && echo not written yet'
    ask busy 100 'until [ -b /dev/xvda ]; do sleep 0.1; done; echo there'
    first=$(xm domid store)
    look
    xm pause store
    ask busy 200 'md5sum </dev/xvda >/dev/null 2>&1 & until grep -q [1-9] /sys/block/xvda/inflight; do sleep 0.1; done; echo waits'
    loaded=$(free_memory)
    try xm reset store
    until [ \"$new\" = 'second 4' ]; do look; done
    read_disk 400
    ping_store 500
    echo \"memory missing while it is in use: $((loaded - $(free_memory)))\"
    try xm block-detach idle xvda
    try xm block-list idle
    # The other one is as it was told; it cannot be helped, and goes.
    echo \"of busy: $(row busy)\"
    ask busy 300 'for task in /proc/[0-9]*; do grep -q xenwatch $task/comm && sed \"s/.* //\" $task/stack; done | tr \"\\n\" \" \"'
    try xm destroy busy
    await gone busy
    try xm destroy idle
    await gone idle
    await serves_none
    sed -n 's/\\r$//; s/^loop devices:/served:/p' $LOGS/console-store.log
    leftovers
    echo \"memory missing: $((before - $(free_memory)))\"";

#[test]
fn what_a_domain_serves_comes_again_with_it_when_it_was_killed() {
    let store = Companion { name: "store", rights: Rights::Nothing, commands: STORE, settings: "" };
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    fs::write(&image, "what the guests read\n".repeat(50000).get(..1 << 20).unwrap()).unwrap();
    let parts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/management/parts");
    let admin = Admin {
        memory_mib: 256,
        additions: vec![
            (parts.into(), "/root/parts".into()),
            (image.clone(), "/root/idle.img".into()),
            (image, "/root/busy.img".into()),
        ],
        companions: vec![store],
        ..Admin::new(format!("echo '==== driver'{COMMANDS}"))
    };
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    let part = Part::find(&output, "driver");
    let [read, pings, "not written yet", again, pings_again] = part.said("idle")[..] else {
        panic!("{output}")
    };
    // What was not on the disk is lost.
    assert_eq!((sum(read), pings), (sum(again), pings_again), "{output}");
    assert_eq!(pings, "1", "{output}");
    let ["there", "waits", stack] = part.said("busy")[..] else { panic!("{output}") };
    assert!(stack.contains("del_gendisk"), "its kernel waits for answers: {output}");
    for step in part.all() {
        assert_eq!((step.status, &*step.output), (0, ""), "{step:?}");
    }
    let listed: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("listed: ")).collect();
    assert_eq!((listed[0], listed[listed.len() - 1]), ("first 4", "second 4"), "{output}");
    // Between the two it closes, has no state, and then one that is not ready yet.
    let order =
        ["first 4", "first 5", "first 6", "first ", "", "second 1", "second 2", "second 3", "second 4"];
    let places: Vec<_> = listed.iter().map(|row| order.iter().position(|known| known == row)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{output}");
    let served: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("served: ")).collect();
    assert_eq!((served[0], served[served.len() - 1]), ("0", "0"), "{output}");
    assert!(part.says("of busy: second 1"), "{output}");
    assert_eq!(part.number("loop devices:"), 0);
    assert_eq!(part.number("nodes:"), 0);
    assert!(part.number("memory missing while it is in use:").abs() <= 1, "{output}");
    assert!(part.number("memory missing:").abs() <= 1, "{output}");
}
