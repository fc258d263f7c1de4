//! Sub-commands about schedulers.

use super::{Action, Command, JSON, Opt};
use crate::xm::commands::sched;

const DOMAIN: Opt = Opt::value('d', "domain", "DOMAIN", "The domain.");
const WEIGHT: Opt = Opt::value('w', "weight", "WEIGHT", "Its weight against others.");

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("sched-credit", "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]", "Show or set what the credit scheduler gives \
        domains.", Action::Run(sched::credit)).options(&[
            DOMAIN, WEIGHT, Opt::value('c', "cap", "CAP", "The most it may use, in percent of a CPU."), JSON,
        ]),
    Command::new("sched-credit2", "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]]", "Show or set what the credit2 scheduler \
        gives domains.", Action::Run(sched::credit2)).options(&[
            DOMAIN, WEIGHT, Opt::value('c', "cap", "CAP", "The most it may use, in percent of a CPU."), JSON,
        ]),
    Command::new("sched-sedf", "<Domain> [options]", "Show or set what the sedf scheduler gives domains.",
        Action::Run(sched::sedf)).options(&[
            Opt::value('p', "period", "MS", "The time between two slices."),
            Opt::value('s', "slice", "MS", "CPU time in each period."),
            Opt::value('l', "latency", "MS", "The longest it may wait."),
            Opt::value('e', "extratime", "FLAG", "Whether it may use what nobody else does."),
            Opt::value('w', "weight", "FLOAT", "Its weight against others, instead of period and slice."),
        ]),
];

#[rustfmt::skip]
pub(super) const RTDS: Command =
    Command::new("sched-rtds", "[-d <Domain> [-v[=VCPUID/all]] [-p[=PERIOD]] [-b[=BUDGET]] [-e[=EXTRATIME]]]",
        "Show or set what the rtds scheduler promises domains.", Action::Run(sched::rtds)).options(&[
            DOMAIN,
            Opt::value('v', "vcpuid", "VCPUID/all", "A virtual CPU; may be repeated, with the values for each.").many(),
            Opt::value('p', "period", "PERIOD", "Microseconds from one budget to the next.").many(),
            Opt::value('b', "budget", "BUDGET", "Microseconds of CPU time in each period.").many(),
            Opt::value('e', "extratime", "EXTRATIME", "1 to let it use what nobody else does, or 0.").many(),
            Opt::value('c', "cpupool", "CPUPOOL", "Only domains of this CPU pool."),
            JSON,
        ]);
