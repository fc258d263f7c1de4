//! What Xen no longer has.

use super::{FLAG, INT, LIST, TEXT, Variable};

#[rustfmt::skip]
pub(super) static VARIABLES: &[Variable] = &[
    Variable::refused("access_control", LIST, "ACM label.",
        "ACM security labels were removed in Xen 4.2; use a FLASK context (seclabel=) instead.").xm(),
    Variable::ignored("vif2", LIST, "Interfaces of netchannel2.",
        "netchannel2 (vif2) is not supported; use vif").xm(),
    Variable::ignored("superpages", INT, "Builds with 2 MiB pages.", "they are used whenever possible").xm(),
    Variable::ignored("s3_integrity", FLAG, "Checks memory over S3.", "Xen no longer has it").xm(),
    Variable::ignored("vhpt", INT, "Page table of Itanium.", "Xen no longer runs on Itanium").xm(),
    Variable::ignored("guest_os_type", TEXT, "Guest system on Itanium.", "Xen no longer runs on Itanium").xm(),
    Variable::ignored("machine_address_size", INT, "Width of machine addresses.",
        "Xen no longer has it since 4.13").xm(),
    Variable::ignored("suppress_spurious_page_faults", FLAG, "Hides page faults from the guest.",
        "Xen no longer has it since 4.13").xm(),
    Variable::ignored("init_seclabel", TEXT, "Label while the domain is built.", "domains are built under their label").xl(),
    Variable::ignored("exec_ssidref", INT, "Label of the device emulator.", "there is none").xl(),
    Variable::ignored("on_soft_reset", TEXT, "What happens when it asks for a soft reset.",
        "it is restarted as on reboot").xl(),
    Variable::ignored("tmem", INT, "Transcendent memory.", "Transcendent memory was removed in Xen 4.13").xl(),
];
