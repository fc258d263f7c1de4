//! Sub-commands about CPU pools.

use super::{Command, Opt};

#[rustfmt::skip]
const CONFIG: &[Opt] = &[
    Opt::long("help_config", "List the variables of configuration files."),
    Opt::long_value("path", "PATH", "Folders in which the configuration file is looked for."),
    Opt::value('f', "defconfig", "FILE", "Configuration file; the same as the operand."),
    Opt::value('F', "config", "FILE", "Record of a pool instead of a configuration file."),
    Opt::flag('n', "dryrun", "Print the record of the pool and create nothing."),
];

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::later("cpupool-create", "<ConfigFile> [KEY=VALUE ...]", "Create a CPU pool.").config().options(CONFIG),
    Command::later("cpupool-new", "<ConfigFile> [KEY=VALUE ...]", "Keep the definition of a CPU pool.").config()
        .options(CONFIG),
    Command::later("cpupool-start", "<CPU Pool>", "Make a CPU pool from its definition.").operands(1, 1),
    Command::later("cpupool-list", "[-l|--long] [-c|--cpus] [CPU Pool]", "List CPU pools.").options(&[
        Opt::flag('l', "long", "Print everything that is known."),
        Opt::flag('c', "cpus", "Print which CPUs each has."),
    ]),
    Command::later("cpupool-destroy", "<CPU Pool>", "End a CPU pool.").operands(1, 1),
    Command::later("cpupool-delete", "<CPU Pool>", "Forget the definition of a CPU pool.").operands(1, 1),
    Command::later("cpupool-cpu-add", "<CPU Pool> <CPU nr>", "Give a CPU to a pool.").operands(2, 2),
    Command::later("cpupool-cpu-remove", "<CPU Pool> <CPU nr>", "Take a CPU from a pool.").operands(2, 2),
    Command::later("cpupool-migrate", "<Domain> <CPU Pool>", "Move a domain to a pool.").operands(2, 2),
];
