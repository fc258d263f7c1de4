//! A domain that only serves disks, and the admin domain's definitions on one of them: they outlive a crash of the admin
//! domain, and the end of the machine.
//!
//! QEMU gives an unprivileged domain no disk that would be there in the next boot, so what the first machine has on that
//! disk at its end is what the second one has when it starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use xendless_core::rights::Rights;
use xendless_tests::admin::disk;
use xendless_tests::admin::domain::{Admin, Companion};

use super::{LIMIT, machine};

/// Written before the files of all definitions, packed.
const FILES: &str = "files:\n";

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
        echo files:
        tar -C /var/lib/xendless -cf - definitions | base64
    else
        exec >/dev/null 2>&1
        for n in 0 1 2 3; do xm new -q /etc/xen/tiny.cfg name=kept$n on_xend_start=$([ $n = 0 ] && echo start || echo ignore); done
        xm delete kept1
        xm rename kept3 kept4
        echo c >/proc/sysrq-trigger
    fi";

/// On the next machine.
const LATER: &str = "
    xm list --state=halted | sed 's/  */ /g'
    xm start --on-xend-start
    echo started
    xm list --state=halted | sed 's/  */ /g'
    xm domid kept0";

#[test]
fn attack_e05_definitions_outlive_the_admin_domain_on_a_disk_of_another_one_and_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let begin = folder.path().join("begin");
    fs::write(&begin, BEGIN).unwrap();
    fs::set_permissions(&begin, fs::Permissions::from_mode(0o755)).unwrap();
    let store = Companion { name: "store", rights: Rights::Nothing, commands: "", settings: "" };
    let output = carry_out(&Admin {
        memory_mib: 256,
        on_crash: "restart",
        settings: "disk = ['file:/root/disk.img,xvda,w,store']\nrestart_min_uptime = 0\n",
        additions: vec![
            (begin, "/etc/init.d/a-disk".into()),
            (disk::image(folder.path()).unwrap(), "/root/disk.img.gz".into()),
        ],
        companions: vec![store],
        ..Admin::new(COMMANDS)
    });
    let (said, files) = output.split_once(FILES).unwrap_or_else(|| panic!("{output}"));
    assert_eq!(kept(said), ["kept0", "kept2", "kept4", "kept2"], "{output}");
    let runs = said.lines().any(|line| line.starts_with("kept2 runs as "));
    assert!(runs && !said.contains("Error"), "{output}");

    let state = folder.path().join("state");
    unpack(files, &state);
    let later = Admin { additions: vec![(state, "/var/lib/xendless".into())], ..Admin::new(LATER) };
    let output = carry_out(&later);
    let (before, after) = output.split_once("started\n").unwrap_or_else(|| panic!("{output}"));
    assert_eq!(kept(before), ["kept0", "kept2", "kept4"], "{output}");
    assert_eq!(kept(after), ["kept2", "kept4"], "{output}");
    assert!(after.lines().last().unwrap().parse::<u16>().is_ok(), "{output}");
}

/// Carries out the commands on a machine of their own.
fn carry_out(admin: &Admin) -> String {
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output).into_owned();
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    output
}

/// The domains that are listed.
fn kept(output: &str) -> Vec<&str> {
    let names = output.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| name.starts_with("kept")).collect()
}

/// Undoes `tar | base64`.
fn unpack(files: &str, folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "base64 -d | tar -x"]).current_dir(folder).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), files.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{files}");
}
