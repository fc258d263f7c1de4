//! Sub-commands about CPU pools.

use super::{Action, Command, JSON, Opt};
use crate::xm::commands::pool;

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
    Command::new("cpupool-create", "<ConfigFile> [KEY=VALUE ...]", "Create a CPU pool.",
        Action::Run(pool::create)).config().options(CONFIG),
    Command::new("cpupool-new", "<ConfigFile> [KEY=VALUE ...]", "Keep the definition of a CPU pool.",
        Action::Run(pool::new)).config()
        .options(CONFIG),
    Command::new("cpupool-start", "<CPU Pool>", "Make a CPU pool from its definition.",
        Action::Run(pool::start)).operands(1, 1),
    Command::new("cpupool-list", "[-l|--long] [-c|--cpus] [CPU Pool]", "List CPU pools.",
        Action::Run(pool::list)).options(&[
        Opt::flag('l', "long", "Print everything that is known."),
        Opt::flag('c', "cpus", "Print which CPUs each has."),
        JSON,
    ]),
    Command::new("cpupool-destroy", "<CPU Pool>", "End a CPU pool.",
        Action::Run(pool::destroy)).operands(1, 1),
    Command::new("cpupool-delete", "<CPU Pool>", "Forget the definition of a CPU pool.",
        Action::Run(pool::delete)).operands(1, 1),
    Command::new("cpupool-cpu-add", "<CPU Pool> <CPU nr>", "Give a CPU to a pool.",
        Action::Run(pool::add)).operands(2, 2),
    Command::new("cpupool-cpu-remove", "<CPU Pool> <CPU nr>", "Take a CPU from a pool.",
        Action::Run(pool::remove)).operands(2, 2),
    Command::new("cpupool-migrate", "<Domain> <CPU Pool>", "Move a domain to a pool.",
        Action::Run(pool::migrate)).operands(2, 2),
];
