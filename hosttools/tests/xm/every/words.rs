//! Sub-commands that xm never had.

use super::{Cell, Counted, Fine, Forbidden, No, Row, Says};

const ALONE: Cell = No("nobody is asked");

/// One that needs nobody but xm itself.
const fn alone(line: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: Counted,
        extra: Counted,
        unknown: ALONE,
        state: ALONE,
        rights: ALONE,
        value: ALONE,
        guest: ALONE,
        world: |_| {},
    }
}

pub(super) static ROWS: &[Row] = &[
    Row {
        missing: Fine("help"),
        extra: Fine("help list --x y"),
        value: Fine("help nonsense"),
        ..alone("help list")
    },
    Row {
        value: Says("completions csh", 1, "'csh' is none of bash, fish and zsh"),
        ..alone("completions bash")
    },
    Row {
        value: Says("man /nonexistent", 1, "Cannot write to /nonexistent: No such file or directory"),
        ..alone("man .")
    },
    Row {
        missing: Fine("events -n 0"),
        extra: Fine("events -t 0 guest dormant"),
        unknown: Fine("events -n 0 4711"),
        state: Fine("events -n 0 dormant"),
        rights: Forbidden,
        value: Says("events -n many", 1, "option --count takes a number, not 'many'"),
        guest: Fine("events -t 0"),
        ..alone("events -t 0 guest")
    },
    Row {
        missing: Says("wait guest", 1, "Expects 2 arguments"),
        extra: Says("wait guest gone now", 1, "Expects 2 arguments"),
        unknown: Says("wait 4711 shutdown", 3, "Domain '4711' does not exist."),
        state: Says("wait dormant crashed", 1, "Domain 'dormant' is not started"),
        rights: Forbidden,
        value: Says(
            "wait guest happy",
            1,
            "'happy' is none of created, booted, running, paused, shutdown, crashed, gone",
        ),
        guest: Says("wait -t 0 guest gone", 1, "Domain 'guest' is not gone after 0 seconds."),
        ..alone("wait guest created")
    },
    Row {
        works: No("see migrate.rs: another xm talks to it"),
        missing: No("it takes no operands"),
        value: Says("migrate-receive --name a/b", 1, "Invalid VM Name"),
        ..alone("migrate-receive")
    },
];
