//! Sub-commands about the host.

use super::{Action, Command, JSON, Opt};
use crate::xm::commands::{info, logs, prod};
use crate::xm::shell;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("debug-keys", "<Keys>", "Send debug keys to Xen.", Action::Run(prod::debug_keys)).operands(1, 1),
    Command::new("dmesg", "[-c|--clear]", "Print Xen's own messages.", Action::Run(logs::dmesg)).options(&[
        Opt::flag('c', "clear", "Let Xen forget them afterwards."),
    ]),
    Command::gone("event-monitor", "", "Print the events of xend.",
        "This function needs xend, which Xen no longer has; 'xm events' prints what happens to domains."),
    Command::new("info", "[-c|--config] [-n|--numa]", "Print what is known about this host and its Xen.",
        Action::Run(info::run)).words(0, 1).options(&[
            Opt::flag('c', "config", "Print the settings of xmd."),
            Opt::flag('n', "numa", "Print the host's topology, too."),
            JSON,
        ]),
    Command::new("log", "", "Print the logs of the control domain and of xmd.", Action::Run(logs::log)).operands(0, 0),
    Command::gone("serve", "", "Serve the protocol of xend on standard input and output.",
        "This function needs xend, which Xen no longer has; xmd is reached through its socket."),
];

#[rustfmt::skip]
pub(super) static SHELL: &[Command] = &[
    Command::new("shell", "", "Type sub-commands one after the other.", Action::Run(shell::run)).operands(0, 0).common(),
];
