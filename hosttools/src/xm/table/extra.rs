//! Sub-commands beyond the classic 103.

use super::{Action, Command, JSON, Opt, scheduler};
use crate::xm::commands::{events, saved, security, wait};
use crate::xm::{complete, dispatch, manual};

const TIMEOUT: Opt = Opt::value('t', "timeout", "SECONDS", "Wait no longer than this.");

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("help", "[SubCommand]", "Print all sub-commands, or how to use one.", Action::Run(dispatch::help))
        .operands(0, usize::MAX).common(),
    Command::new("completions", "<bash|fish|zsh>", "Print what lets a shell complete the words of xm.",
        Action::Run(complete::completions)).operands(1, 1),
    Command::new("man", "<Folder>", "Write the manual pages of xm into a folder.", Action::Run(manual::run)).operands(1, 1),
    Command::new("events", "[options] [Domain ...]", "Print what happens to domains, as it happens, a line for each.",
        Action::Run(events::run)).options(&[
            Opt::flag('p', "past", "Begin with what has happened lately."),
            Opt::value('n', "count", "NUMBER", "End after so many lines."),
            TIMEOUT, JSON,
        ]),
    Command::new("wait", "[-t|--timeout SECONDS] <Domain> <created|booted|running|paused|shutdown|crashed|gone>",
        "Wait until a domain is that.", Action::Run(wait::run)).options(&[TIMEOUT]),
    Command::new("migrate-receive", "[--name NAME]", "Take a domain that comes from another host; xm migrate has this \
        started there.", Action::Run(saved::receive)).words(0, 2).options(&[
            Opt::long_value("name", "NAME", "Take it under another name and UUID."),
        ]),
    Command::gone("cfgbootpolicy", "<policy> [kernelversion]", "Add a policy to the boot loader's menu.",
        "ACM policies were removed in Xen 4.2; boot Xen with flask= and a FLASK policy as a module."),
    Command::new("loadpolicy", "<policy>", "Put a policy in force.", Action::Run(security::load)).operands(0, usize::MAX),
    Command::gone("makepolicy", "<policy>", "Translate a policy.",
        "ACM policies were removed in Xen 4.2; make FLASK policies with checkpolicy."),
    scheduler::RTDS,
];
