//! Sub-commands about schedulers.

use super::{Command, Opt};

const DOMAIN: Opt = Opt::value('d', "domain", "DOMAIN", "The domain.");
const WEIGHT: Opt = Opt::value('w', "weight", "WEIGHT", "Its weight against others.");

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::later("sched-credit", "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]", "Show or set what the credit scheduler gives \
        domains.").options(&[DOMAIN, WEIGHT, Opt::value('c', "cap", "CAP", "The most it may use, in percent of a CPU.")]),
    Command::later("sched-credit2", "[-d <Domain> [-w[=WEIGHT]]]", "Show or set what the credit2 scheduler gives \
        domains.").options(&[DOMAIN, WEIGHT]),
    Command::gone("sched-sedf", "<Domain> [options]", "Show or set what the sedf scheduler gives domains.",
        "The sedf scheduler was removed in Xen 4.6; use sched-credit2, or boot with sched=rtds."),
];
