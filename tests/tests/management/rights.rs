//! Two domains manage the machine at once, with different rights: each can do what it may, and no more.

use xendless_core::rights::Rights;
use xendless_tests::admin::domain::{Admin, Companion};

use super::{LIMIT, machine};

/// Waits for the other, prints what that wrote, and does what it may.
const ADMIN: &str = "
    log=/var/log/xendless/console-parent.log
    until grep -q 'all done' $log 2>/dev/null; do sleep 1; done
    tr -d '\\r' <$log | sed -n 's/^say: //p'
    xm domid theirs
    xm destroy theirs
    xm domid theirs
    xm domid admin";

/// What it says stands behind a word that nothing else says.
const PARENT: &str = "
    say() { \"$@\" 2>&1 | sed 's/^/say: /'; }
    until xm list >/dev/null 2>&1; do sleep 1; done
    say xm create -q /etc/xen/tiny.cfg name=mine
    say xm create -q /etc/xen/tiny.cfg name=theirs
    say xm pause mine
    say xm domstate mine
    say xm pause admin
    say xm destroy admin
    say xm dmesg
    say xm destroy mine
    say xm domid mine
    say xm domid admin
    echo 'all done'";

#[test]
fn attack_e01_management_domains_have_rights_of_their_own() {
    let parent = Companion { name: "parent", rights: Rights::Children, commands: PARENT, settings: "" };
    let admin = Admin { memory_mib: 256, companions: vec![parent], ..Admin::new(ADMIN) };
    let mut output = Vec::new();
    let outcome = admin.prepare(machine()).unwrap().run(LIMIT, |_| {}, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(outcome.map_err(|no_end| no_end.story), Ok(0), "{output}");
    let refused = "Error: this takes the right to everything, which the caller does not have";
    let gone = |name| format!("Error: Domain '{name}' does not exist.");
    let (mine, theirs) = (gone("mine"), gone("theirs"));
    let wanted = ["paused by admin", refused, refused, refused, &mine, "1", "4", &theirs, "1"];
    assert_eq!(output.lines().collect::<Vec<_>>(), wanted, "{output}");
}
