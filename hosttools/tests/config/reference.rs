//! `docs/config.md` is what the table says.

use std::path::Path;

use xendless_hosttools::config::reference::reference;
use xendless_hosttools::config::table;

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/config.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == reference(), "docs/config.md is old: run this test with BLESS=1");
}

#[test]
fn no_name_stands_twice_in_the_table() {
    let mut names: Vec<&str> = table::variables().map(|variable| variable.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// The variables of `xm` 4.1, which all have to be known.
const CLASSIC: &str = "name uuid description kernel ramdisk loader features builder bootloader bootargs bootentry \
    root extra ip gateway netmask hostname interface dhcp nfs_server nfs_root memory maxmem shadow_memory \
    memory_sharing superpages vcpus maxvcpus vcpu_avail cpu cpus cpu_cap cpu_weight pool rtc_timeoffset localtime pae \
    acpi apic hpet timer_mode tsc_mode vpt_align viridian nomigrate hap oos s3_integrity vhpt machine_address_size \
    suppress_spurious_page_faults cpuid cpuid_check xen_platform_pci xen_extended_power_mgmt target restart \
    on_poweroff on_reboot on_crash on_xend_start on_xend_stop blkif netif tpmif disk vif vif2 nics vfb vtpm pci \
    pci_msitranslate pci_power_mgmt gfx_passthru ioports irq vscsi vusb access_control device_model boot fda fdb \
    serial parallel monitor monitor_path keymap usb usbdevice guest_os_type stdvga isa nographic soundhw videoram vnc \
    vncdisplay vnclisten vncunused vncpasswd vncviewer vncconsole sdl opengl display xauthority";

#[test]
fn every_classic_variable_is_known() {
    for name in CLASSIC.split_whitespace() {
        assert!(table::find(name).is_some(), "{name}");
    }
}
