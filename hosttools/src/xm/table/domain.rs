//! Sub-commands about domains.

use super::{Action, Command, JSON, Opt};
use crate::xm::commands::{
    absent, console, control, create, dump, list, managed, memory, names, prod, saved, shutdown, top, uptime,
    vcpu_list, vcpus,
};

const TIMEOUT: Opt = Opt::long_value("timeout", "SECONDS", "Wait no longer than this.");

/// What `create`, `new` and `start` have in common.
const PAUSED: Opt = Opt::flag('p', "paused", "Leave the domain paused before its first instruction.");
const CONSOLE: Opt = Opt::flag('c', "console_autoconnect", "Attach to the console as soon as there is one.");
const VIEWER: Opt =
    Opt::long("vncviewer", "Accepted for old scripts: there is no graphical console to view.");
const AUTOPASS: Opt = Opt::long("vncviewer-autopass", "Accepted for old scripts, like --vncviewer.");

#[rustfmt::skip]
pub(crate) static CREATE: &[Opt] = &[
    Opt::long("help_config", "List the variables of configuration files."),
    Opt::flag('q', "quiet", "Say nothing when all goes well."),
    Opt::long_value("path", "PATH", "Folders in which the configuration file is looked for, with colons between them. \
        Usually the current one, then /etc/xen."),
    Opt::value('f', "defconfig", "FILE", "Configuration file; the same as the operand."),
    Opt::value('F', "config", "FILE", "Record of a domain as -n or `xm list -l` prints it, instead of a configuration \
        file."),
    Opt::flag('n', "dryrun", "Print the record of the domain and create nothing."),
    Opt::flag('x', "xmldryrun", "The same in XML."),
    Opt::flag('s', "skipdtd", "Accepted for old scripts: XML is never checked against a DTD."),
    PAUSED, CONSOLE, VIEWER, AUTOPASS,
    Opt::long("managed", "Keep the definition, too: exactly `xm new` and then `xm start`."),
];

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("console", "[-q|--quiet] [-n|--num NUM] <Domain>", "Attach to a domain's console; Ctrl-] leaves it.",
        Action::Run(console::run)).words(1, 3).common().options(&[
            Opt::flag('q', "quiet", "Fail without a message."),
            Opt::value('n', "num", "NUM", "Which console; domains here have one, number 0."),
        ]),
    Command::new("create", "<ConfigFile> [options] [KEY=VALUE ...]", "Create a domain from a configuration file and \
        start it.", Action::Run(create::run)).config().common().options(CREATE),
    Command::new("new", "<ConfigFile> [options] [KEY=VALUE ...]", "Keep the definition of a domain without starting it.",
        Action::Run(managed::new)).config().common().options(CREATE),
    Command::new("delete", "[--force] <DomainName>", "Forget the definition of a domain; one that runs is shut down \
        first.", Action::Run(managed::delete)).words(1, 2).common().options(&[
            Opt::long("force", "Destroy a domain instead of asking it to shut down."),
            TIMEOUT,
        ]),
    Command::new("destroy", "<Domain>", "End a domain at once, as if its power were cut.",
        Action::Run(control::destroy)).operands(1, 1).common(),
    Command::new("domid", "<DomainName>", "Print the id of the domain with this name.",
        Action::Run(names::domid)).operands(1, 1),
    Command::new("domname", "<DomId>", "Print the name of the domain with this id.",
        Action::Run(names::domname)).operands(1, 1),
    Command::new("domstate", "<Domain>", "Print the state of a domain as a word.",
        Action::Run(names::domstate)).operands(1, 1).common(),
    Command::new("dump-core", "[-L|--live] [-C|--crash] [-R|--reset] <Domain> [File]", "Write a domain's memory to a \
        file.", Action::Run(dump::run)).common().options(&[
            Opt::flag('L', "live", "Do not pause the domain meanwhile."),
            Opt::flag('C', "crash", "Destroy the domain afterwards."),
            Opt::flag('R', "reset", "Reset the domain afterwards."),
        ]),
    Command::new("list", "[options] [Domain ...]", "List domains: all, or those that are named.",
        Action::Run(list::run)).common().options(&[
            Opt::flag('l', "long", "Print everything that is known, as s-expressions."),
            Opt::long("label", "Print the security labels, too."),
            Opt::long_value("state", "STATE", "Only domains in this state: halted, paused, running, suspended, crashed or \
                all."),
            Opt::long_value("pool", "POOL", "Only domains of this CPU pool."),
            Opt::flag('v', "vcpus", "Deprecated: the same as `xm vcpu-list`."),
            JSON,
        ]),
    Command::new("mem-max", "<Domain> <Mem>", "Set the most memory that a domain can have, in MiB.",
        Action::Run(memory::max)).operands(2, 2),
    Command::new("mem-set", "<Domain> <Mem>", "Ask a domain to have this much memory, in MiB.",
        Action::Run(memory::set)).operands(2, 2).common(),
    Command::new("migrate", "<Domain> <Host> [options]", "Move a domain to another host.",
        Action::Run(saved::migrate)).config().common().options(&[
        Opt::flag('l', "live", "Accepted for old scripts: the domain stands still while its memory is copied."),
        Opt::value('p', "port", "PORT", "Refused: there is no relocation server to connect to."),
        Opt::value('n', "node", "NODE", "Refused: the other host decides where the domain's memory is."),
        Opt::flag('s', "ssl", "Refused, like --port."),
        Opt::flag('c', "change_home_server", "Move the definition, too."),
        Opt::value('r', "resource", "MBIT", "Accepted for old scripts, without effect."),
    ]),
    Command::new("pause", "<Domain>", "Stop a domain where it is.", Action::Run(control::pause)).operands(1, 1).common(),
    Command::new("reboot", "<Domain> [-a|--all] [-w|--wait]", "Ask a domain to restart.",
        Action::Run(shutdown::reboot)).config().words(1, 3).common().options(&[
            Opt::flag('a', "all", "All domains but the one that manages them."),
            Opt::flag('w', "wait", "Wait until it has happened."),
            TIMEOUT,
        ]),
    Command::new("rename", "<Domain> <NewDomainName>", "Give a domain another name.",
        Action::Run(names::rename)).operands(2, 2),
    Command::new("reset", "<Domain>", "Destroy a domain and make it again.",
        Action::Run(prod::reset)).operands(1, 1).common(),
    Command::new("restore", "[-p|--paused] <CheckpointFile>", "Let a saved domain go on.",
        Action::Run(saved::restore)).words(1, 2).common().options(&[PAUSED]),
    Command::new("resume", "[-p|--paused] <DomainName>", "Let a suspended domain go on.",
        Action::Run(saved::resume)).common().options(&[PAUSED]),
    Command::new("save", "[-c|--checkpoint] <Domain> <CheckpointFile>", "Save a domain to a file.",
        Action::Run(saved::save)).words(2, 3).common()
        .options(&[Opt::flag('c', "checkpoint", "Let the domain go on afterwards.")]),
    Command::new("shutdown", "<Domain> [-a|--all] [-w|--wait] [-R|--reboot] [-H|--halt]", "Ask a domain to shut down.",
        Action::Run(shutdown::shutdown)).config().words(1, 4).common().options(&[
            Opt::flag('a', "all", "All domains but the one that manages them."),
            Opt::flag('w', "wait", "Wait until it has happened."),
            Opt::flag('H', "halt", "Ask it to halt without powering off."),
            Opt::long("on-xend-stop", "All defined domains whose on_xend_stop says so, as at the end."),
            Opt::flag('R', "reboot", "Ask it to restart."),
            TIMEOUT,
        ]),
    Command::new("start", "[options] <DomainName>", "Start a domain from its definition.",
        Action::Run(managed::start)).common().options(&[
            PAUSED, CONSOLE, VIEWER, AUTOPASS,
            Opt::long("on-xend-start", "Start all defined domains whose on_xend_start says so, as at boot."),
        ]),
    Command::new("suspend", "<DomainName>", "Save a defined domain, to be resumed later.",
        Action::Run(saved::suspend)).operands(1, 1).common(),
    Command::new("sysrq", "<Domain> <letter>", "Send a magic SysRq key to a domain.",
        Action::Run(prod::sysrq)).operands(2, 2),
    Command::new("trigger", "<Domain> <nmi|reset|init|s3resume|power|sleep> [VCPU]", "Send a trigger to a domain.",
        Action::Run(prod::trigger))
        .operands(2, 3),
    Command::new("top", "[-b|--batch] [-d|--delay SECONDS] [-i|--iterations NUMBER]", "Show what domains do, as it happens.",
        Action::Run(top::run)).common().options(&[
            Opt::flag('b', "batch", "Print it, without a terminal."),
            Opt::value('d', "delay", "SECONDS", "Seconds between two looks, usually 3."),
            Opt::value('i', "iterations", "NUMBER", "End after so many looks."),
            JSON,
        ]),
    Command::new("unpause", "<Domain>", "Let a paused domain go on.",
        Action::Run(control::unpause)).operands(1, 1).common(),
    Command::new("uptime", "[-s|--short] [Domain ...]", "Print how long domains have been running.",
        Action::Run(uptime::run)).common().options(&[
            Opt::flag('s', "short", "Print it as `uptime` does."),
            JSON,
        ]),
    Command::new("vcpu-list", "[Domain ...]", "List the virtual CPUs of domains.",
        Action::Run(vcpu_list::run)).options(&[JSON]),
    Command::new("vcpu-pin", "<Domain> <VCPU|all> <CPUs|all>", "Say on which CPUs a virtual CPU may run.",
        Action::Run(vcpus::pin)).operands(3, 3),
    Command::new("vcpu-set", "<Domain> <vCPUs>", "Set how many virtual CPUs are online.",
        Action::Run(vcpus::set)).operands(2, 2).common(),
    Command::new("vncviewer", "[--autopass|--vncviewer-autopass] <Domain>", "Show a domain's graphical console (not \
        possible here).",
        Action::Run(absent::vncviewer)).options(&[Opt::long("autopass", "Hand the password to the viewer."), AUTOPASS]),
];
