//! Security labels and the policy about them, on a Xen that was built without them: one clear line each.

use super::part;

const NONE: &str = "Error: Xen has no security labels: it was built or started without XSM/FLASK\n";
const LABEL: &str = "system_u:system_r:domU_t";

#[test]
fn what_needs_labels_says_that_there_are_none() {
    let part = part("labels");
    for command in [
        "xm getenforce",
        "xm setenforce 1",
        "xm getpolicy",
        "xm loadpolicy /etc/passwd",
        "xm setpolicy FLASK /etc/passwd",
        "xm getlabel mgt admin",
        "xm addlabel system_u:system_r:domU_t mgt admin",
        "xm rmlabel mgt admin",
        "xm addlabel system_u:system_r:domU_t res ioport:2f8-2ff",
    ] {
        let step = part.step(command);
        assert_eq!((step.status, step.output.as_str()), (1, NONE), "{command}");
    }
}

#[test]
fn what_xen_lost_says_what_there_is_instead() {
    let part = part("labels");
    for command in
        ["xm labels", "xm resources", "xm dumppolicy", "xm resetpolicy", "xm makepolicy", "xm cfgbootpolicy"]
    {
        let step = part.step(command);
        assert_eq!((step.status, step.output.lines().count()), (1, 1), "{step:?}");
        assert!(step.output.starts_with("Error: "), "{step:?}");
    }
    part.step("xm setpolicy ACM x").failed(1, "Error: ACM security labels were removed in Xen 4.2;");
}

#[test]
fn a_domain_that_wants_a_label_does_not_come_without() {
    let part = part("labels");
    let [refused, made] = part.steps("xm create -q /tmp/labelled.cfg");
    assert_eq!((refused.status, refused.output.as_str()), (1, NONE));
    made.wrote("");
    let [before, after] = part.steps("xm dry-run /tmp/labelled.cfg");
    assert!(before.status == 0 && before.output.ends_with("Dry Run: PASSED\n"), "{before:?}");
    assert!(after.status == 255 && after.output.ends_with("Dry Run: FAILED\n"), "{after:?}");
    assert!(after.output.contains("   tiny: DENIED\n   --> Xen has no security labels"), "{after:?}");
    let step = part.step("xm getlabel dom /tmp/labelled.cfg");
    step.wrote(&format!("policytype=FLASK,policy=,label={LABEL}\n"));
    assert!(part.step("xm list --label").output.contains("   Time(s) Label     \n"));
}
