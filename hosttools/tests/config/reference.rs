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

/// The variables of `xl` 4.17's `xl.cfg(5)`, which all have to be known.
const XL: &str = "name type builder uuid seclabel init_seclabel max_grant_frames max_maptrack_frames max_grant_version \
    nomigrate driver_domain device_tree passthrough xend_suspend_evtchn_compat vpmu vmtrace_buf_kb pool vcpus maxvcpus cpus \
    cpus_soft cpu_weight cap memory maxmem vnuma event_channels on_poweroff on_reboot on_crash on_watchdog on_soft_reset \
    kernel ramdisk cmdline root extra bootloader bootloader_args e820_host dm_restrict firmware firmware_override bios \
    bios_path_override disk vif vtpm p9 vfb usbctrl usbdev pci pci_permissive pci_msitranslate pci_seize pci_power_mgmt \
    gfx_passthru rdm rdm_mem_boundary ioports iomem irqs channel vkb vdispl vsnd dtdev timer_mode hpet vpt_align \
    rtc_timeoffset localtime hap oos acpi acpi_s3 acpi_s4 acpi_laptop_slate apic nx pae smbios_firmware acpi_firmware \
    ms_vm_genid nestedhvm cpuid altp2m altp2mhvm mca_caps xen_platform_pci viridian tsc_mode device_model_version \
    device_model_override device_model_stubdomain_override device_model_stubdomain_seclabel stubdomain_memory \
    stubdomain_kernel stubdomain_ramdisk stubdomain_cmdline device_model_args device_model_args_pv device_model_args_hvm \
    device_model_user videoram stdvga vga vnc vnclisten vncdisplay vncunused vncpasswd keymap sdl opengl nographic spice \
    spicehost spiceport spicetls_port spicedisable_ticketing spicepasswd spiceagent_mouse spicevdagent \
    spice_clipboard_sharing spiceusbredirection spice_image_compression spice_streaming_video usb usbversion usbdevice \
    vendor_device soundhw vkb_device gic_version vuart tee static_shm hdtype boot serial shadow_memory exec_ssidref \
    blkdev_start msr_relaxed mmio_hole tmem pvshim pvshim_path pvshim_cmdline pvshim_extra pvh assisted_xapic \
    assisted_x2apic";

#[test]
fn every_variable_of_xl_is_known() {
    for name in XL.split_whitespace() {
        assert!(table::find(name).is_some(), "{name}");
    }
}
