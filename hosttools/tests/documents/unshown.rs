//! What no whole-system test shows: sub-command, option (empty for the sub-command itself), and why.

const OPTION: &str =
    "tested against the scripted server; what it changes is what xm reads or prints, not what Xen does";
const CAP: &str = "the same request as for sched-credit, where it is shown; tested on the simulator";
const SEDF: &str = "Xen has lost that scheduler: the answer is the same with every option";

#[rustfmt::skip]
pub(crate) const UNSHOWN: &[(&str, &str, &str)] = &[
    ("sched-credit", "--json", OPTION),
    ("sched-credit2", "--cap", CAP),
    ("sched-credit2", "--json", OPTION),
    ("sched-sedf", "--period", SEDF),
    ("sched-sedf", "--slice", SEDF),
    ("sched-sedf", "--latency", SEDF),
    ("sched-sedf", "--extratime", SEDF),
    ("sched-sedf", "--weight", SEDF),
    ("cpupool-create", "--help_config", OPTION),
    ("cpupool-create", "--path", OPTION),
    ("cpupool-create", "--defconfig", OPTION),
    ("cpupool-create", "--config", OPTION),
    ("cpupool-new", "--help_config", OPTION),
    ("cpupool-new", "--path", OPTION),
    ("cpupool-new", "--defconfig", OPTION),
    ("cpupool-new", "--config", OPTION),
    ("cpupool-new", "--dryrun", OPTION),
    ("cpupool-list", "--json", OPTION),
    ("dry-run", "--path", OPTION),
    ("dry-run", "--defconfig", OPTION),
    ("dry-run", "--config", OPTION),
    ("dry-run", "--quiet", OPTION),
    ("getpolicy", "--dumpxml", OPTION),
];
