//! Sub-commands about security labels and the policy about them, on a Xen that has them.

use super::{Cell, Fine, Forbidden, No, NoDomain, Row, Says};
use crate::world::World;

const NOBODY: Cell = No("it is about no domain");
const NOT_ASKED: Cell = No("the guest is not asked");
const POLICY: &str = "Could not read policy file: /nonexistent (No such file or directory)";

fn labelled(world: &mut World) {
    world.labels = Some([(12, "system_u:system_r:domU_t".to_owned())].into());
    world.rows.iter_mut().for_each(|row| row.ssid = 12);
}

/// One about the labels of something.
const fn label(line: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: NOBODY,
        extra: NOBODY,
        unknown: NoDomain,
        state: NOBODY,
        rights: Forbidden,
        value: NOBODY,
        guest: NOT_ASKED,
        world: labelled,
    }
}

/// One about the policy.
const fn policy(line: &'static str) -> Row {
    Row { unknown: NOBODY, ..label(line) }
}

pub(super) static ROWS: &[Row] = &[
    Row {
        missing: Says("addlabel x", 1, "Needs either 2 or 3 arguments"),
        extra: Says("addlabel x mgt guest p q", 1, "Needs either 2 or 3 arguments"),
        state: Fine("addlabel x mgt dormant"),
        value: Says("addlabel x mgt guest", 1, "The policy that is in force has no label 'x'."),
        ..label("addlabel system_u:system_r:domU_t mgt guest")
    },
    Row {
        missing: Says("rmlabel mgt", 1, "Requires 2 arguments"),
        extra: Says("rmlabel mgt guest x", 1, "Requires 2 arguments"),
        state: Says("rmlabel mgt dormant", 1, "'Domain not labeled'"),
        value: Says("rmlabel foo guest", 1, "Unrecognised type argument: foo"),
        ..label("rmlabel mgt guest")
    },
    Row {
        missing: Says("getlabel mgt", 1, "Requires 2 arguments"),
        extra: Says("getlabel mgt guest x", 1, "Requires 2 arguments"),
        state: Says("getlabel mgt dormant", 1, "'Domain not labeled'"),
        value: Says("getlabel foo guest", 1, "First subcommand argument must be \"dom\", \"mgt\" or \"res\""),
        ..label("getlabel mgt guest")
    },
    Row {
        missing: Says("dry-run", 1, "Invalid number of arguments"),
        extra: Says("dry-run web web", 1, "Invalid number of arguments"),
        rights: No("what the control domain says of the label is a part of what is printed"),
        value: No("what is wrong with the configuration is a part of what is printed"),
        ..policy("dry-run -q web")
    },
    Row {
        missing: Says("setpolicy FLASK", 1, "Need at least 3 arguments."),
        extra: Says("setpolicy FLASK vmlinuz x", 1, "Need at least 3 arguments."),
        value: Says("setpolicy FLASK /nonexistent", 1, POLICY),
        ..policy("setpolicy FLASK vmlinuz")
    },
    Row {
        missing: Says("loadpolicy", 1, "No policy defined"),
        extra: Says("loadpolicy vmlinuz x", 1, "No policy defined"),
        value: Says("loadpolicy /nonexistent", 1, POLICY),
        ..policy("loadpolicy vmlinuz")
    },
    Row { missing: No("it takes no operand"), extra: Fine("getpolicy x"), ..policy("getpolicy") },
    Row {
        missing: No("it takes no operand"),
        extra: Says("getenforce x", 1, "No arguments expected."),
        ..policy("getenforce")
    },
    Row {
        missing: Says("setenforce", 1, "Invalid arguments"),
        extra: Says("setenforce 1 2", 1, "Invalid arguments"),
        value: Says("setenforce maybe", 1, "maybe is an unsupported mode"),
        ..policy("setenforce 1")
    },
];
