//! Sub-commands about the machine and its schedulers.

use super::{Cell, Counted, Fine, Forbidden, No, NoDomain, Row, Says};

const NO_DOMAIN: Cell = No("it is about no domain");

/// One about the machine.
const fn machine(line: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: No("it takes no operand"),
        extra: Counted,
        unknown: NO_DOMAIN,
        state: NO_DOMAIN,
        rights: Forbidden,
        value: No("it takes no value"),
        guest: NO_DOMAIN,
        world: |_| {},
    }
}

/// One about a scheduler.
const fn scheduler(line: &'static str) -> Row {
    Row { unknown: NoDomain, guest: No("the guest is not asked"), ..machine(line) }
}

pub(super) static ROWS: &[Row] = &[
    Row { missing: Counted, value: Says("debug-keys ä", 1, "Invalid argument."), ..machine("debug-keys h") },
    Row { extra: Says("dmesg now", 1, "No parameter required"), ..machine("dmesg -c") },
    Row {
        value: Says("info -n -c", 1, "'xm info' requires between 0 and 1 arguments."),
        ..machine("info -n")
    },
    machine("log"),
    Row { rights: No("each of its lines asks for itself"), ..machine("shell") },
    Row {
        missing: Says("sched-credit -w 100", 1, "No domain given."),
        extra: Says("sched-credit -d guest bare", 1, "Only one domain can be given."),
        state: Fine("sched-credit -d dormant -w 100"),
        value: Says(
            "sched-credit -d guest -c 101",
            1,
            "Cpu cap out of range, valid range is from 0 to 100 for specified number of vcpus",
        ),
        world: |world| world.scheduler = "credit",
        ..scheduler("sched-credit -d guest -w 100")
    },
    Row {
        missing: Says("sched-credit2 -w 100", 1, "No domain given."),
        extra: Says("sched-credit2 guest bare", 1, "Only one domain can be given."),
        state: Fine("sched-credit2 -d dormant -w 100"),
        value: Says("sched-credit2 -d guest -w 65536", 1, "weight is out of range"),
        ..scheduler("sched-credit2 -d guest -w 100")
    },
    Row {
        missing: Says("sched-rtds -p 1000", 1, "Missing parameters."),
        extra: Says("sched-rtds guest bare", 1, "Only one domain can be given."),
        state: Says("sched-rtds -d dormant -v all -p 9000", 1, "Domain 'dormant' is not started"),
        value: Says(
            "sched-rtds -d guest -v 0 -p 100 -b 101",
            1,
            "Budget out of range, valid range is from 1 to the period",
        ),
        world: |world| world.scheduler = "rtds",
        ..scheduler("sched-rtds -d guest -v all -p 9000")
    },
    Row {
        works: No("it refuses in two lines, see sched.rs"),
        missing: No("whatever is typed gets the same answer"),
        extra: No("whatever is typed gets the same answer"),
        unknown: No("whatever is typed gets the same answer"),
        ..scheduler("sched-sedf guest")
    },
];
