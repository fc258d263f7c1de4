//! Sub-commands about security labels.

use super::{Command, Opt};

const ACM: &str = "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.";

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::later("addlabel", "<label> {dom <ConfigFile>|mgt <Domain>|res <resource>} [policy]", "Give a label to a \
        domain or a resource."),
    Command::later("rmlabel", "{dom <ConfigFile>|mgt <Domain>|res <resource>}", "Take the label from a domain or a \
        resource."),
    Command::later("getlabel", "{dom <ConfigFile>|mgt <Domain>|res <resource>}", "Print the label of a domain or a \
        resource."),
    Command::later("dry-run", "<ConfigFile>", "Check whether a configuration could be used."),
    Command::later("resources", "", "List the labels of resources."),
    Command::gone("labels", "[policy] [type=dom|res|any]", "List the labels of a policy.", ACM),
    Command::later("dumppolicy", "", "Print the policy that is in force."),
    Command::later("setpolicy", "<ACM|FLASK> <policy>", "Load a policy."),
    Command::gone("resetpolicy", "", "Go back to the policy from before.", ACM),
    Command::later("getpolicy", "[--dumpxml]", "Print which policy is in force.").options(&[
        Opt::long("dumpxml", "Print the policy itself."),
    ]),
    Command::later("getenforce", "", "Print whether the policy is enforced."),
    Command::later("setenforce", "<Enforcing|Permissive|1|0>", "Say whether the policy is enforced."),
];
