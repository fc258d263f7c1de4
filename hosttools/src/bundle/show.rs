//! A bundle as a person wants to see it.

use std::fmt::Write;

use xendless_core::bundle::{Bundle, BundleError, Domain, Role, VERSION};
use xendless_core::config::{DomainConfig, Kind};

/// Lists what is in a bundle, after checking the contents of all files. All of it is printable.
pub fn describe(bundle: &Bundle<'_>) -> Result<String, BundleError> {
    let mut text = format!(
        "boot bundle, format {VERSION}: {}, {}\n",
        count(bundle.payloads().len(), "file"),
        count(bundle.domains().len(), "domain")
    );
    for payload in bundle.payloads() {
        // Names are printable: `Bundle::open` saw to it. Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{:>12}  {}", payload.content()?.len(), payload.name);
    }
    for domain in bundle.domains() {
        let role = if domain.role == Role::Admin { ", the admin domain" } else { "" };
        let _ = writeln!(text, "\n{}{role}", domain.config.name);
        for (name, value) in settings(domain) {
            let _ = writeln!(text, "    {name:<14}{}", value.escape_debug());
        }
    }
    Ok(text)
}

fn settings(domain: &Domain<'_>) -> Vec<(&'static str, String)> {
    let config = &domain.config;
    let mut settings = vec![
        ("uuid", config.uuid.to_string()),
        ("rights", domain.rights.to_string()),
        ("kernel", domain.kernel.name.to_owned()),
    ];
    settings.extend(domain.ramdisk.map(|ramdisk| ("ramdisk", ramdisk.name.to_owned())));
    let actions = config.actions;
    let kind = match config.kind {
        Kind::Pv => "pv",
        Kind::Pvh => "pvh",
    };
    settings.extend([
        ("command line", config.command_line.render()),
        ("type", kind.into()),
        ("memory", config.memory.initial().to_string()),
        ("maxmem", config.memory.maximum().to_string()),
        ("vcpus", format!("{} of {}", config.vcpus.online(), config.vcpus.max())),
        ("on_poweroff", actions.poweroff.name().into()),
        ("on_reboot", actions.reboot.name().into()),
        ("on_crash", actions.crash.name().into()),
        ("on_watchdog", actions.watchdog.name().into()),
    ]);
    settings.extend(devices(config).map(|devices| ("devices", devices)));
    settings.retain(|(_, value)| !value.is_empty());
    settings
}

/// How many devices of each kind there are, if any.
fn devices(config: &DomainConfig) -> Option<String> {
    let devices = &config.devices;
    let kinds = [
        (devices.disks.len(), "disk"),
        (devices.vifs.len(), "network interface"),
        (devices.framebuffers.len(), "framebuffer"),
        (devices.vtpms.len(), "TPM"),
        (devices.pci.len(), "PCI device"),
        (devices.ioports.len(), "port range"),
        (devices.iomem.len(), "memory range"),
        (devices.irqs.len(), "interrupt"),
        (devices.scsi.len(), "SCSI device"),
        (devices.usb.len(), "USB controller"),
    ];
    let there: Vec<_> = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, kind)| count(*n, kind)).collect();
    (!there.is_empty()).then(|| there.join(", "))
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
