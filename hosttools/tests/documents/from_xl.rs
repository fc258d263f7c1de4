//! `docs/from-xl.md` names every sub-command of xl, and only sub-commands and options that xm has.

use xendless_hosttools::xm::inventory::{self, Standing};

use crate::{options, read};

/// The sub-commands of xl 4.17, and the two that became common later.
const XL: &str = "block-attach block-detach block-list button-press cd-eject cd-insert channel-list claims config-update \
    console cpupool-cpu-add cpupool-cpu-remove cpupool-create cpupool-destroy cpupool-list cpupool-migrate \
    cpupool-numa-split cpupool-rename create debug-keys destroy devd dmesg domid domname dump-core getenforce help info \
    list loadpolicy mem-max mem-set migrate migrate-receive network-attach network-detach network-list pause \
    pci-assignable-add pci-assignable-list pci-assignable-remove pci-attach pci-detach pci-list psr-cat-set psr-cat-show \
    psr-cmt-attach psr-cmt-detach psr-cmt-show psr-hwinfo psr-mba-set psr-mba-show qemu-monitor-command reboot remus \
    rename restore resume save sched-credit sched-credit2 sched-rtds set-parameters setenforce sharing shutdown suspend \
    sysrq top trigger unpause uptime usb-list usbctrl-attach usbctrl-detach usbdev-attach usbdev-detach vcpu-list \
    vcpu-pin vcpu-set vdispl-attach vdispl-detach vdispl-list vkb-attach vkb-detach vkb-list vm-list vncviewer \
    vsnd-attach vsnd-detach vsnd-list vtpm-attach vtpm-detach vtpm-list";

/// What stands in backquotes in cell `index` of the rows of all tables.
fn quoted(index: usize) -> Vec<String> {
    let text = read("docs/from-xl.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| format!("`{row}").split(" | ").nth(index).unwrap_or_default().to_owned());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_sub_command_of_xl_has_a_row() {
    let named: Vec<String> = quoted(0)
        .iter()
        .filter_map(|code| code.strip_prefix("xl ")?.split(' ').next().map(str::to_owned))
        .collect();
    for name in XL.split_whitespace() {
        assert!(named.iter().any(|other| other == name), "{name} is missing");
    }
    for name in named {
        assert!(XL.split_whitespace().any(|other| other == name), "xl has no {name}");
    }
}

#[test]
fn all_that_is_named_of_xm_is_there() {
    let all = inventory::all();
    let text = read("docs/from-xl.md");
    let everywhere = text.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("xm "));
    let mut count = 0;
    for code in everywhere {
        let (name, rest) = code.split_once(' ').unwrap_or((code, ""));
        let command = all.iter().find(|command| command.name == name);
        let command = command.unwrap_or_else(|| panic!("xm has no {name}"));
        assert!(!matches!(command.standing, Standing::Gone(_)), "{name} is no answer");
        for word in rest.split(' ').filter(|word| word.starts_with('-')) {
            assert!(!options(command, word).is_empty(), "xm {name} has no {word}");
        }
        count += 1;
    }
    assert!(count > 60, "{count}");
}
