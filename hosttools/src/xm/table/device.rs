//! Sub-commands about devices.

use super::{Action, Command, Opt};
use crate::xm::commands::{block, network, pci, vtpm};

const LONG: Opt = Opt::flag('l', "long", "Print everything that is known.");
const VIF2: &str = "netchannel2 (vif2) is not supported; use network-attach.";

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("block-attach", "<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]", "Give a domain another disk.",
        Action::Run(block::attach)).operands(4, 5),
    Command::new("block-detach", "<Domain> <DevId> [-f|--force]", "Take a disk from a domain.", Action::Run(block::detach))
        .operands(2, 3),
    Command::new("block-list", "<Domain> [-l|--long]", "List the disks of a domain.", Action::Run(block::list))
        .options(&[LONG]),
    Command::new("block-configure", "<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]", "Put another disc into a \
        domain's drive.", Action::Run(block::configure)).operands(4, 5),
    Command::new("network-attach", "<Domain> [KEY=VALUE ...]", "Give a domain another network interface.",
        Action::Run(network::attach)).operands(1, 11),
    Command::new("network-detach", "<Domain> <DevId|mac> [-f|--force]", "Take a network interface from a domain.",
        Action::Run(network::detach)).operands(2, 3),
    Command::new("network-list", "<Domain> [-l|--long]", "List the network interfaces of a domain.",
        Action::Run(network::list)).options(&[LONG]),
    Command::gone("network2-attach", "<Domain> [KEY=VALUE ...]", "Give a domain a netchannel2 interface.", VIF2),
    Command::gone("network2-detach", "<Domain> <DevId> [-f|--force]", "Take a netchannel2 interface from a domain.", VIF2),
    Command::gone("network2-list", "<Domain> [-l|--long]", "List the netchannel2 interfaces of a domain.", VIF2),
    Command::new("vtpm-list", "<Domain> [-l|--long]", "List the virtual TPMs of a domain.",
        Action::Run(vtpm::list)).options(&[LONG]),
    Command::later("pci-attach", "[-o|--options=<opt>] <Domain> <domain:bus:slot.func> [virtual slot]", "Give a domain a \
        PCI device of the host.").options(&[Opt::value('o', "options", "OPT", "Options of the device.")]),
    Command::later("pci-detach", "<Domain> <domain:bus:slot.func>", "Take a PCI device from a domain.").operands(2, 2),
    Command::new("pci-list", "<Domain>", "List the PCI devices of a domain.", Action::Run(pci::list)).operands(1, 1),
    Command::new("pci-list-assignable-devices", "", "List the PCI devices that can be given to domains.",
        Action::Run(pci::assignable)).operands(0, 0),
    Command::later("scsi-attach", "<Domain> <PhysDevice> <VirtDevice> [BackDomain]", "Give a domain a SCSI device.")
        .operands(3, 4),
    Command::later("scsi-detach", "<Domain> <VirtDevice>", "Take a SCSI device from a domain.").operands(2, 2),
    Command::later("scsi-list", "<Domain> [-l|--long]", "List the SCSI devices of a domain.").options(&[LONG]),
    Command::later("usb-add", "<Domain> <host:bus.addr|host:vendor:product>", "Add an emulated USB device to a domain.")
        .operands(2, 2).common(),
    Command::later("usb-del", "<Domain> <host:bus.addr|host:vendor:product>", "Remove an emulated USB device from a \
        domain.").operands(2, 2).common(),
    Command::later("usb-attach", "<Domain> <DevId> <PortNumber> <BusId>", "Plug a USB device of the host into a domain.")
        .operands(4, 4),
    Command::later("usb-detach", "<Domain> <DevId> <PortNumber>", "Unplug a USB device from a domain.").operands(3, 3),
    Command::later("usb-list", "<Domain>", "List the USB controllers and devices of a domain.").operands(1, 1),
    Command::later("usb-list-assignable-devices", "", "List the USB devices that can be given to domains.").operands(0, 0),
    Command::later("usb-hc-create", "<Domain> <USBSpecVer> <NumberOfPorts>", "Give a domain a USB controller.")
        .operands(3, 3),
    Command::later("usb-hc-destroy", "<Domain> <DevId>", "Take a USB controller from a domain.").operands(2, 2),
];
