//! A domain that only serves disks, and the admin domain's definitions on one of them: they outlive a crash of the admin
//! domain.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use xendless_core::rights::Rights;
use xendless_tests::admin::disk;
use xendless_tests::admin::domain::{Admin, Companion};

use super::{LIMIT, machine};

/// Before `xmd` starts: one domain has the file, the other one has the disk.
const BEGIN: &str = "#!/bin/sh
if xenstore-exists device/vbd/51712; then
    until [ -b /dev/xvda ]; do sleep 0.1; done
    mkdir -p /var/lib/xendless
    mount -t ext4 /dev/xvda /var/lib/xendless
else
    gunzip -c /root/disk.img.gz >/root/disk.img
fi
";

/// The first time, definitions are made, renamed and forgotten, and right behind the last answer everything ends.
const COMMANDS: &str = "
    until xm list >/dev/null 2>&1; do sleep 1; done
    if [ -e /var/lib/xendless/definitions ] && xm list --state=halted | grep -q kept; then
        xm list | sed 's/  */ /g'
        xm start kept2
        xm domid admin
        xm list kept2 | sed -n 's/^kept2 *\\([0-9]*\\) .*/kept2 runs as \\1/p'
    else
        exec >/dev/null 2>&1
        for n in 0 1 2 3; do xm new -q /etc/xen/tiny.cfg name=kept$n; done
        xm delete kept1
        xm rename kept3 kept4
        echo c >/proc/sysrq-trigger
    fi";

#[test]
fn attack_e05_definitions_outlive_the_admin_domain_on_a_disk_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let begin = folder.path().join("begin");
    fs::write(&begin, BEGIN).unwrap();
    fs::set_permissions(&begin, fs::Permissions::from_mode(0o755)).unwrap();
    let store = Companion { name: "store", rights: Rights::Nothing, commands: "", settings: "" };
    let admin = Admin {
        memory_mib: 256,
        on_crash: "restart",
        settings: "disk = ['file:/root/disk.img,xvda,w,store']\nrestart_min_uptime = 0\n",
        additions: vec![
            (begin, "/etc/init.d/a-disk".into()),
            (disk::image(folder.path()).unwrap(), "/root/disk.img.gz".into()),
        ],
        companions: vec![store],
        ..Admin::new(COMMANDS)
    };
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    let names: Vec<&str> = output.lines().filter_map(|line| line.split(' ').next()).collect();
    let listed: Vec<&str> = names.iter().copied().filter(|name| name.starts_with("kept")).collect();
    assert_eq!(listed, ["kept0", "kept2", "kept4", "kept2"], "{output}");
    let runs = output.lines().any(|line| line.starts_with("kept2 runs as "));
    assert!(runs && !output.contains("Error"), "{output}");
}
