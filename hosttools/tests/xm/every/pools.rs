//! Sub-commands about CPU pools.

use super::{Cell, Counted, Fine, Forbidden, No, Row, Says};
use crate::pool::pool;

const NO_DOMAIN: Cell = No("it is about no domain");
const ACTIVE: &str = "['POOL_BAD_STATE', 'activated']";

const UNREADABLE: &str = "cpus: cannot read \"9999\"\nat cpus=9999 on the command line\n\
                          help: write CPUs as in 0-3,^1: ranges, and ^ to leave one out";

/// One about a pool; there is another one, `fast`, beside the first.
const fn about(line: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: Counted,
        extra: Counted,
        unknown: NO_DOMAIN,
        state: NO_DOMAIN,
        rights: Forbidden,
        value: No("it takes no value but a name"),
        guest: NO_DOMAIN,
        world: |world| world.pools.push(pool(1, "fast", "credit", 0b1010)),
    }
}

/// One with a configuration file, which fails with a status of its own.
const fn file(line: &'static str, missing: &'static str, extra: &'static str, value: &'static str) -> Row {
    Row {
        missing: Says(missing, 255, "Unable to open config file: xmdefconfig"),
        extra: Fine(extra),
        rights: No("see pool.rs: the file's name is printed first"),
        value: Says(value, 255, UNREADABLE),
        ..about(line)
    }
}

pub(super) static ROWS: &[Row] = &[
    file("cpupool-create part", "cpupool-create", "cpupool-create x part", "cpupool-create part cpus=9999"),
    file("cpupool-new part", "cpupool-new", "cpupool-new x part", "cpupool-new part cpus=9999"),
    Row {
        works: No("see pool.rs: it takes a definition"),
        state: Says("cpupool-start fast", 1, ACTIVE),
        value: Says("cpupool-start x", 1, "unknown pool x"),
        ..about("cpupool-start fast")
    },
    Row {
        missing: Fine("cpupool-list"),
        extra: Says("cpupool-list a b", 1, "Only one cpupool name for selection allowed"),
        value: Says("cpupool-list x", 1, "Pool 'x' does not exist."),
        ..about("cpupool-list fast")
    },
    Row { value: Says("cpupool-destroy x", 1, "unknown pool x"), ..about("cpupool-destroy fast") },
    Row {
        works: No("see pool.rs: it takes a definition"),
        state: Says("cpupool-delete fast", 1, ACTIVE),
        value: Says("cpupool-delete x", 1, "unknown pool x"),
        ..about("cpupool-delete fast")
    },
    Row {
        value: Says("cpupool-cpu-add fast -1", 1, "['INVAILD_CPU', 'CPU unknown']"),
        ..about("cpupool-cpu-add fast 2")
    },
    Row {
        value: Says("cpupool-cpu-remove fast one", 1, "Invalid argument."),
        ..about("cpupool-cpu-remove fast 1")
    },
    Row {
        // Not the usual words and status, as ever.
        unknown: Says("cpupool-migrate 4711 fast", 1, "unknown domain 4711"),
        state: Fine("cpupool-migrate dormant fast"),
        value: Says("cpupool-migrate guest x", 1, "unknown pool x"),
        guest: No("the guest is not asked"),
        ..about("cpupool-migrate guest fast")
    },
];
