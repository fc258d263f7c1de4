//! Sub-commands of mechanisms that Xen no longer has.

use super::Command;

const NO_VNET: &str = "vnets were removed in Xen 4.2; use a Linux bridge, VLAN or Open vSwitch.";
const NO_XEND: &str =
    "This function needs xend, which Xen no longer has; networks are bridges of the host's system.";
const NO_TMEM: &str = "Transcendent memory was removed in Xen 4.13; use mem-set, or zram in the domains.";
const DOMAIN: &str = "[<Domain>|-a|--all]";

#[rustfmt::skip]
pub(super) static VNET: &[Command] = &[
    Command::gone("vnet-list", "[-l|--long] [VnetId ...]", "List vnets.", NO_VNET),
    Command::gone("vnet-create", "<ConfigFile>", "Create a vnet.", NO_VNET),
    Command::gone("vnet-delete", "<VnetId>", "Delete a vnet.", NO_VNET),
    Command::gone("network-new", "<NetworkName>", "Create a network of xend.", NO_XEND),
    Command::gone("network-del", "<NetworkName>", "Delete a network of xend.", NO_XEND),
    Command::gone("network-show", "[NetworkName]", "List the networks of xend.", NO_XEND),
];

#[rustfmt::skip]
pub(super) static TMEM: &[Command] = &[
    Command::gone("tmem-list", "[-l|--long] [<Domain>|-a|--all]", "List tmem pools.", NO_TMEM),
    Command::gone("tmem-thaw", DOMAIN, "Thaw tmem pools.", NO_TMEM),
    Command::gone("tmem-freeze", DOMAIN, "Freeze tmem pools.", NO_TMEM),
    Command::gone("tmem-flush", DOMAIN, "Flush tmem pools.", NO_TMEM),
    Command::gone("tmem-destroy", DOMAIN, "Destroy tmem pools.", NO_TMEM),
    Command::gone("tmem-set", "[<Domain>|-a|--all] [weight=N] [cap=N] [compress=N]", "Set what tmem gives domains.",
        NO_TMEM),
    Command::gone("tmem-freeable", "", "Print how much memory tmem could free.", NO_TMEM),
    Command::gone("tmem-shared-auth", "[<Domain>|-a|--all] [-u UUID] [-A 0|1]", "Let domains share tmem pools.", NO_TMEM),
];
