//! Sub-commands about security labels.

use super::{Action, Command, Opt};
use crate::xm::commands::security;

const KINDS: &str = "{dom <ConfigFile>|mgt <Domain>|res <resource>}";
/// The sub-commands look at the number of their words themselves, and say so in words of their own.
const ANY: usize = usize::MAX;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("addlabel", "<label> {dom <ConfigFile>|mgt <Domain>|res <resource>} [policy]", "Give a label to a \
        configuration file, a domain or a resource.", Action::Run(security::add)).operands(0, ANY),
    Command::new("rmlabel", KINDS, "Take the label from a configuration file, a domain or a resource.",
        Action::Run(security::remove)).operands(0, ANY),
    Command::new("getlabel", KINDS, "Print the label of a configuration file or a domain.",
        Action::Run(security::get)).operands(0, ANY),
    Command::new("dry-run", "<ConfigFile> [KEY=VALUE ...]", "Check whether a configuration could be used.",
        Action::Run(security::dry_run)).config().options(&[
        Opt::long_value("path", "PATH", "Folders in which the configuration file is looked for."),
        Opt::value('f', "defconfig", "FILE", "Configuration file; the same as the operand."),
        Opt::value('F', "config", "FILE", "Record of a domain instead of a configuration file."),
        Opt::flag('q', "quiet", "Do not say which file is used."),
    ]),
    Command::gone("resources", "", "List the labels of resources.", security::NO_RESOURCES),
    Command::gone("labels", "[policy] [type=dom|res|any]", "List the labels of a policy.",
        "Xen does not list the labels of its policy; look into the file that was loaded with seinfo."),
    Command::gone("dumppolicy", "", "Print the policy that is in force.", security::NO_DUMP),
    Command::new("setpolicy", "<ACM|FLASK> <policy>", "Put a policy in force.", Action::Run(security::set_policy))
        .operands(0, ANY),
    Command::gone("resetpolicy", "", "Go back to the policy from before.",
        "Xen does not keep the policy from before; load its file with setpolicy FLASK."),
    Command::new("getpolicy", "[--dumpxml]", "Print which policy is in force.", Action::Run(security::get_policy))
        .options(&[Opt::long("dumpxml", "Print the policy itself, which is not possible any more.")]),
    Command::new("getenforce", "", "Print whether the policy is enforced.", Action::Run(security::get_enforce))
        .operands(0, ANY),
    Command::new("setenforce", "<Enforcing|Permissive|1|0>", "Say whether the policy is enforced.",
        Action::Run(security::set_enforce)).operands(0, ANY),
];
