//! Security labels and the policy about them, on a Xen that has them and enforces its own policy.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use xendless_tests::qemu::artifacts;

use super::part;
use super::transcript::Step;

const USUAL: &str = "system_u:system_r:domU_t";
const OTHER: &str = "system_u:system_r:isolated_domU_t";

/// What Xen's own policy does not allow: to change the label of a domain that runs, between the two above.
const RELABEL: &str = "
allow dom0_t { domU_t isolated_domU_t }:domain2 { relabelfrom relabelto };
allow domU_t isolated_domU_t:domain transition;
allow isolated_domU_t domU_t:domain transition;
";

/// A folder of policies to load: Xen's own, one that allows more, and a file that is none.
pub(crate) fn policies() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let own = fs::read_to_string(artifacts::policy()?)?;
    let (before, rules) = own.split_once("\nallow ").context("the policy has no rules")?;
    compile(folder.path(), "own", &own)?;
    compile(folder.path(), "relabel", &format!("{before}\n{RELABEL}allow {rules}"))?;
    fs::write(folder.path().join("none"), "no policy")?;
    Ok(folder)
}

fn compile(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let source = folder.join("source");
    fs::write(&source, text)?;
    // As Xen's build does it.
    let mut command = Command::new("checkpolicy");
    command.args(["-t", "Xen", "-c", "30"]).arg(&source).arg("-o").arg(folder.join(name));
    let output = command.output().context("starting checkpolicy: is ci/setup done?")?;
    ensure!(output.status.success(), "checkpolicy: {}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(source).context("removing the source of a policy")
}

/// The labels that were listed, by domain.
fn labels(step: &Step) -> Vec<(&str, &str)> {
    step.rows().into_iter().map(|row| (row[0], *row.last().unwrap())).collect()
}

#[test]
fn the_policy_is_shown_and_changed() {
    let part = part("flask");
    let modes: Vec<&str> = part.of("xm getenforce").iter().map(|step| step.output.trim_end()).collect();
    assert_eq!(modes, ["Enforcing", "Permissive", "Enforcing", "Enforcing"]);
    part.step("xm getpolicy").wrote(
        "Supported security subsystems   : FLASK\n\nPolicy type           : FLASK\n\
         Policy version        : up to 30\nPolicy is enforced    : yes\n",
    );
    for command in ["xm loadpolicy /root/policies/relabel", "xm setpolicy FLASK /root/policies/own"] {
        part.step(command).wrote("Successfully set the new policy.\n");
    }
    part.step("xm loadpolicy /root/policies/none").failed(1, "Error: Xen answered EINVAL to xsm_op load");
}

#[test]
fn a_domain_has_the_label_of_its_configuration() {
    let part = part("flask");
    let [alone, both] = part.steps("xm list --label");
    let others = [("Domain-0", "system_u:system_r:dom0_t"), ("admin", USUAL)];
    assert_eq!(labels(alone), others);
    // It is sorted by label.
    assert_eq!(labels(both), [&others[..], &[("plain", USUAL), ("apart", OTHER)]].concat());
    let [first, second, fresh] = part.steps("xm getlabel mgt apart");
    for step in [first, second, fresh] {
        step.wrote(&format!("{OTHER}\n"));
    }
    assert!(part.says("another domid"), "{}", part.text());
    part.step("xm getlabel mgt Domain-0").wrote("system_u:system_r:dom0_t\n");
    part.step("xm getlabel dom /tmp/labelled.cfg")
        .wrote(&format!("policytype=FLASK,policy=,label={OTHER}\n"));
    let dry = part.step("xm dry-run /tmp/labelled.cfg");
    assert!(dry.output.contains("   tiny: PERMITTED\n") && dry.status == 0, "{dry:?}");
}

#[test]
fn what_the_policy_does_not_allow_makes_no_domain() {
    let part = part("flask");
    for (command, why) in [
        (
            "xm create -q /etc/xen/tiny.cfg name=unknown seclabel=system_u:system_r:nowhere_t",
            "has no label 'system_u:system_r:nowhere_t'",
        ),
        (
            "xm create -q /etc/xen/tiny.cfg name=second seclabel=system_u:system_r:dom0_t",
            "Xen answered EACCES to domctl createdomain",
        ),
        (
            "xm create -q /etc/xen/tiny.cfg name=unserved seclabel=system_u:system_r:xenstore_t",
            "XenStore refused the domain: EACCES",
        ),
    ] {
        part.step(command).failed(1, why);
    }
    let names: Vec<&str> = part.step("xm list").states().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Domain-0", "admin", "apart", "plain"]);
}

#[test]
fn a_label_changes_as_the_policy_allows() {
    let part = part("flask");
    let [refused, permissive, allowed] =
        part.steps("xm addlabel system_u:system_r:isolated_domU_t mgt plain");
    refused.failed(1, "EACCES");
    for step in [permissive, allowed] {
        step.wrote(&format!("Successfully set the label of domain 'plain' to '{OTHER}'.\n"));
    }
    part.step("xm rmlabel mgt plain").wrote("");
    part.step("xm addlabel system_u:system_r:domU_t mgt plain").failed(1, "EACCES");
    let shown: Vec<&str> =
        part.of("xm getlabel mgt plain").iter().map(|step| step.output.trim_end()).collect();
    assert_eq!(shown, [USUAL, OTHER, OTHER, USUAL], "at first, changed, in the next life, and changed back");
}
