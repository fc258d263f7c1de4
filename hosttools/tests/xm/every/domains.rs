//! Sub-commands about domains.

use super::{Counted, Fine, Forbidden, No, NoDomain, Refused, Row, Says};
use xendless_core::protocol::{Failure, Request};

const NO_VALUE: super::Cell = No("it takes no value but a name");
const NOT_ASKED: super::Cell = No("the guest is not asked");
const TOLD: super::Cell = No("its kernel is told, and nobody waits for what it makes of that");
const ANY_STATE: super::Cell = No("it is about no domain");
const STOPPED: &str = "Domain 'dormant' is not started";
const TOO_MUCH: &str = "memory_dynamic_max must be less than or equal to memory_static_max";

/// One that takes a domain that runs, and nothing else.
const fn one(line: &'static str, dormant: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: Counted,
        extra: Counted,
        unknown: NoDomain,
        state: Says(dormant, 1, STOPPED),
        rights: Forbidden,
        value: NO_VALUE,
        guest: NOT_ASKED,
        world: |_| {},
    }
}

/// One that says what to do instead.
const fn absent(line: &'static str, instead: &'static str) -> Row {
    Row { works: Says(line, 1, instead), ..one(line, line) }
}

fn taken(request: &Request<'_>) -> Option<Failure> {
    let makes = matches!(request, Request::Create { .. } | Request::Define { .. });
    makes.then_some(Failure::NameTaken { domid: Some(7) })
}

pub(super) static ROWS: &[Row] = &[
    Row {
        works: No("it goes on for as long as the domain does"),
        value: Says("console -n 1 guest", 1, "Domains have one console, number 0."),
        ..one("console guest", "console dormant")
    },
    Row {
        missing: Says("create", 1, "Unable to open config file: xmdefconfig"),
        extra: Fine("create -q nothing web"),
        unknown: No("it makes the domain"),
        state: Refused("create -q web", taken, "VM name 'web' already exists as domain 7"),
        value: Says(
            "create -q web memory=0",
            1,
            "memory must be from 1 to 16777216, not 0\nat memory=0 on the command line",
        ),
        ..one("create -q web", "")
    },
    Row {
        missing: Says("new", 1, "Unable to open config file: xmdefconfig"),
        extra: Fine("new -q nothing web"),
        unknown: No("it makes the definition"),
        state: Refused("new -q web", taken, "VM name 'web' already exists as domain 7"),
        value: Says(
            "new -q web vcpus=0",
            1,
            "vcpus must be from 1 to 512, not 0\nat vcpus=0 on the command line",
        ),
        ..one("new -q web", "")
    },
    Row {
        extra: Says("delete a b", 1, "Expects 1 argument"),
        state: Says("delete bare", 1, "Domain 'bare' runs without a definition."),
        value: Says("delete --timeout=x guest", 1, "option --timeout takes a number, not 'x'"),
        guest: Says(
            "delete --timeout=0 guest",
            1,
            "Domain guest did not shut down in 0 seconds; --force destroys it.",
        ),
        works: Fine("delete --force guest"),
        world: |world| world.stubborn = true,
        ..one("delete guest", "")
    },
    one("destroy guest", "destroy dormant"),
    Row { state: Fine("domid dormant"), ..one("domid guest", "") },
    Row { state: Fine("domname dormant"), ..one("domname guest", "") },
    Row { state: Fine("domstate dormant"), ..one("domstate guest", "") },
    Row {
        missing: Says("dump-core", 1, "Expects 1 or 2 argument(s)"),
        extra: Says("dump-core a b c", 1, "Expects 1 or 2 argument(s)"),
        value: Says("dump-core -C -R guest", 1, "You may not specify more than one '-CR' option"),
        ..one("dump-core guest core", "dump-core dormant core")
    },
    Row {
        missing: Fine("list"),
        extra: Fine("list guest dormant"),
        state: Fine("list dormant"),
        value: Says(
            "list --state=paused guest",
            1,
            "You may specify either a state or a particular VM, but not both",
        ),
        ..one("list guest", "")
    },
    Row {
        state: Fine("mem-max dormant 300"),
        value: Says("mem-max guest 0", 1, "memory_dynamic_max must be greater than zero"),
        ..one("mem-max guest 900", "")
    },
    Row {
        state: Says("mem-set dormant 600", 1, TOO_MUCH),
        value: Says("mem-set guest -1", 1, "memory_dynamic_max must be greater than zero"),
        works: No("see who cooperates in resources.rs"),
        guest: Says(
            "mem-set guest 256",
            1,
            "Domain guest does not cooperate: it has 512 MiB 10 seconds after it was asked to have 256 MiB.",
        ),
        world: |world| world.balloons = false,
        ..one("mem-set guest 256", "")
    },
    Row {
        missing: Says("migrate guest", 1, "Invalid number of arguments"),
        extra: Says("migrate guest host other", 1, "Invalid number of arguments"),
        state: Says("migrate dormant host", 1, "Domain is not running"),
        works: No("see migrate.rs"),
        value: Says(
            "migrate -p x guest host",
            1,
            "-p/-s need the removed relocation server; migration runs over ssh.",
        ),
        ..one("migrate guest host", "")
    },
    one("pause guest", "pause dormant"),
    Row {
        extra: Says("reboot guest bare", 1, "No multiple domain parameters allowed"),
        state: Says("reboot dormant", 1, "Domain cannot be shutdown"),
        value: Says("reboot -w --timeout=-1 guest", 1, "option --timeout takes a number, not '-1'"),
        guest: Says(
            "reboot -w --timeout=0 guest",
            1,
            "Domain guest did not end in 0 seconds: 'xm destroy' does not ask.",
        ),
        world: |world| world.stubborn = true,
        ..one("reboot guest", "")
    },
    Row {
        state: Fine("rename dormant web"),
        value: Says("rename guest a/b", 1, "Invalid VM Name"),
        ..one("rename guest web", "")
    },
    one("reset guest", "reset dormant"),
    Row {
        extra: Says("restore a b", 1, "Wrong number of parameters"),
        unknown: No("it names a file"),
        state: ANY_STATE,
        rights: No("see saved.rs: it takes a file"),
        works: No("see saved.rs"),
        value: Says("restore web", 1, "not a valid guest state file: found 'name = 'web'\\nker'"),
        ..one("restore web", "")
    },
    Row {
        missing: Says("resume", 1, "Wrong number of parameters"),
        extra: Says("resume a b", 1, "Wrong number of parameters"),
        state: Says(
            "resume guest",
            1,
            "Error occurred when resuming: Cannot resume domain that is not suspended.",
        ),
        value: Says("resume 0", 1, "Error occurred when resuming: Cannot resume privileged domain 0"),
        rights: No("see suspended.rs: it takes a suspended domain"),
        works: No("see suspended.rs"),
        ..one("resume dormant", "")
    },
    Row {
        extra: Says("save a b c", 1, "Wrong number of parameters"),
        state: Says("save dormant file", 1, "Domain is not running"),
        guest: No("see saved.rs: it takes a minute"),
        value: No("see saved.rs: the file"),
        ..one("save guest file", "")
    },
    Row {
        extra: Says("shutdown guest bare", 1, "No multiple domain parameters allowed"),
        state: Says("shutdown -w dormant", 1, "Domain cannot be shutdown"),
        value: Says("shutdown -H -R guest", 1, "Can't specify halt and reboot"),
        guest: Says(
            "shutdown -a -w --timeout=0",
            1,
            "Domains guest, bare did not end in 0 seconds: 'xm destroy' does not ask.",
        ),
        world: |world| world.stubborn = true,
        ..one("shutdown guest", "")
    },
    Row {
        missing: Says("start", 1, "Expects 1 argument"),
        extra: Says("start a b", 1, "Expects 1 argument"),
        state: Says("start guest", 1, "Domain is already running"),
        works: No("see managed.rs: its kernel is not there"),
        ..one("start dormant", "")
    },
    Row {
        state: Says("suspend dormant", 1, "Domain is not running"),
        value: Says("suspend bare", 1, "Domain is not managed by Xend lifecycle support."),
        guest: No("see saved.rs: it takes a minute"),
        ..one("suspend guest", "")
    },
    Row {
        guest: TOLD,
        value: Says("sysrq guest help", 1, "help is not convertible to a character"),
        ..one("sysrq guest h", "sysrq dormant h")
    },
    Row {
        guest: TOLD,
        value: Says("trigger guest nmi -1", 1, "Invalid argument."),
        ..one("trigger guest nmi", "trigger dormant nmi")
    },
    Row {
        missing: Fine("top -b -i 1"),
        extra: Says("top guest", 1, "'xm top' requires 0 arguments."),
        unknown: No("it is about all domains"),
        state: ANY_STATE,
        value: Says("top -b -d 0", 1, "Invalid argument."),
        ..one("top -b -i 1", "")
    },
    one("unpause guest", "unpause dormant"),
    Row {
        missing: Fine("uptime"),
        extra: Fine("uptime guest dormant"),
        state: Fine("uptime dormant"),
        ..one("uptime guest", "")
    },
    Row {
        missing: Fine("vcpu-list"),
        extra: Fine("vcpu-list guest dormant"),
        state: Fine("vcpu-list dormant"),
        ..one("vcpu-list guest", "")
    },
    Row {
        state: Fine("vcpu-pin dormant 0 1"),
        value: Says("vcpu-pin guest 0 4096", 1, "Invalid argument."),
        ..one("vcpu-pin guest 0 1", "")
    },
    Row {
        state: Fine("vcpu-set dormant 2"),
        value: Says("vcpu-set guest 0", 1, "Zero or less VCPUs is invalid"),
        guest: No("it is asked, and when it follows is seen in vcpu-list"),
        ..one("vcpu-set guest 1", "")
    },
    Row {
        missing: Says("vncviewer", 1, "No domain given (or several parameters specified)"),
        extra: Says("vncviewer a b", 1, "No domain given (or several parameters specified)"),
        state: Says("vncviewer dormant", 1, STOPPED),
        ..absent(
            "vncviewer guest",
            "Domain 'guest' has no graphical console: 'xm console guest' is its text console.",
        )
    },
];
