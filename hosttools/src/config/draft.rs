//! What the variables say, gathered one by one, and made into a configuration when all are known.

use std::fmt::Display;

use xendless_core::config::devices::{
    Devices, Disk, Framebuffer, IoMemory, IoPorts, Irq, PciDevice, ScsiDevice, UsbController, Vif, Vtpm,
};
use xendless_core::config::{
    Action, Actions, Affinity, Boot, CommandLine, CrashAction, DomainConfig, DomainName, Invalid, Kind, List,
    Memory, MemorySize, OnStart, OnStop, Platform, Ranged, Reservation, Scheduling, Seconds, Settings, Text,
    Uuid, Vcpus,
};

use super::diagnostic::Complaint;
use super::specs;

/// A configuration in the making. Numbers are within the limits of their variable.
#[derive(Debug, Default)]
pub struct Draft {
    pub(super) name: Option<String>,
    pub(super) uuid: Option<Uuid>,
    pub(super) description: Option<String>,
    pub(super) label: Option<String>,
    pub(super) pvh: bool,
    pub(super) kernel: Option<String>,
    pub(super) ramdisk: Option<String>,
    pub(super) bootloader: Option<String>,
    pub(super) bootloader_args: Option<String>,
    pub(super) cmdline: Option<String>,
    pub(super) root: Option<String>,
    pub(super) extra: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) netmask: Option<String>,
    pub(super) hostname: Option<String>,
    pub(super) interface: Option<String>,
    pub(super) dhcp: Option<String>,
    pub(super) nfs_server: Option<String>,
    pub(super) nfs_root: Option<String>,
    pub(super) features: Option<String>,
    pub(super) memory_mib: Option<i64>,
    pub(super) maxmem_mib: Option<i64>,
    pub(super) vcpus: Option<i64>,
    pub(super) maxvcpus: Option<i64>,
    pub(super) cpu: Option<i64>,
    /// The texts of `cpus`, and whether they were a list.
    pub(super) cpus: Option<(Vec<String>, bool)>,
    pub(super) soft_affinity: Affinity,
    pub(super) weight: Option<i64>,
    pub(super) cap: Option<i64>,
    pub(super) period: Option<i64>,
    pub(super) budget: Option<i64>,
    pub(super) pool: Option<String>,
    pub(super) cpuid: Vec<String>,
    pub(super) grant_frames: Option<i64>,
    pub(super) maptrack_frames: Option<i64>,
    pub(super) event_channels: Option<i64>,
    pub(super) on_poweroff: Option<Action>,
    pub(super) on_reboot: Option<Action>,
    pub(super) on_crash: Option<CrashAction>,
    pub(super) on_watchdog: Option<CrashAction>,
    pub(super) restart: Option<String>,
    pub(super) min_uptime: Option<i64>,
    pub(super) on_start: OnStart,
    pub(super) on_stop: OnStop,
    pub(super) platform: Platform,
    pub(super) serial: Vec<Text<255>>,
    pub(super) disks: Vec<Disk>,
    pub(super) vifs: Vec<Vif>,
    pub(super) nics: Option<i64>,
    pub(super) framebuffers: Vec<Framebuffer>,
    pub(super) vtpms: Vec<Vtpm>,
    pub(super) pci: Vec<(PciDevice, specs::PciOptions)>,
    pub(super) pci_msi_translate: bool,
    pub(super) pci_power_management: bool,
    pub(super) pci_permissive: bool,
    pub(super) ioports: Vec<IoPorts>,
    pub(super) iomem: Vec<IoMemory>,
    pub(super) irqs: Vec<Irq>,
    pub(super) scsi: Vec<ScsiDevice>,
    pub(super) usb: Vec<UsbController>,
    /// What is worth saying about the value being taken.
    warnings: Vec<String>,
}

/// A complaint about a variable, or about the file as a whole.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) variable: &'static str,
    pub(super) complaint: Complaint,
}

impl From<Invalid> for Conflict {
    fn from(invalid: Invalid) -> Self {
        Self { variable: invalid.what, complaint: invalid.into() }
    }
}

fn conflict(variable: &'static str, message: impl Into<String>) -> Conflict {
    Conflict { variable, complaint: Complaint::new(message) }
}

/// A number of the draft as the configuration has it; it is within limits already.
fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn text<const MAX: usize>(what: &'static str, value: Option<&String>) -> Result<Text<MAX>, Invalid> {
    Text::new(what, value.map_or("", String::as_str))
}

fn optional<const MAX: usize>(
    what: &'static str,
    value: Option<&String>,
) -> Result<Option<Text<MAX>>, Invalid> {
    value.map(|value| Text::new(what, value.as_str())).transpose()
}

impl Draft {
    pub(super) fn new() -> Self {
        Self { pci_msi_translate: true, ..Self::default() }
    }

    /// Something worth saying about the value being taken.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Something worth saying about `cmdline`, which takes the place of other variables.
    pub(super) fn overridden(&self) -> Option<&'static str> {
        let others = [&self.root, &self.extra, &self.ip, &self.dhcp, &self.nfs_root];
        let overridden = self.cmdline.is_some() && others.into_iter().any(Option::is_some);
        overridden.then_some(
            "cmdline is the whole command line: root, extra and the network variables have no effect",
        )
    }

    /// The configuration of a domain that is called `name` and has this UUID if nothing else was said.
    pub(super) fn finish(self, name: &str, uuid: Uuid) -> Result<DomainConfig, Conflict> {
        let name = DomainName::new(self.name.as_deref().unwrap_or(name)).map_err(|invalid| {
            let help = "give the domain a name of letters, digits and _-.:+, as in name = 'web'";
            Conflict {
                variable: "name",
                complaint: Complaint::new("Invalid VM Name").help(format!("{invalid}; {help}")),
            }
        })?;
        let settings = Settings {
            name,
            uuid: self.uuid.unwrap_or(uuid),
            description: text("description", self.description.as_ref())?,
            kind: if self.pvh { Kind::Pvh } else { Kind::Pv },
            boot: self.boot()?,
            command_line: self.command_line()?,
            memory: self.memory()?,
            vcpus: self.vcpus()?,
            affinity: self.affinity()?,
            soft_affinity: self.soft_affinity.clone(),
            scheduling: self.scheduling()?,
            actions: self.actions(),
            on_start: self.on_start,
            on_stop: self.on_stop,
            platform: self.platform()?,
            devices: self.devices()?,
        };
        Ok(DomainConfig::new(settings)?)
    }

    fn boot(&self) -> Result<Boot, Conflict> {
        if let Some(program) = &self.bootloader {
            let program = Text::filled("bootloader", program.as_str())?;
            return Ok(Boot::Bootloader {
                program,
                arguments: text("bootloader_args", self.bootloader_args.as_ref())?,
            });
        }
        let Some(kernel) = &self.kernel else {
            let complaint = Complaint::new("the domain has no kernel")
                .help("set kernel = '/boot/…', or bootloader = 'pygrub'");
            return Err(Conflict { variable: "kernel", complaint });
        };
        let (kernel, ramdisk) =
            (Text::filled("kernel", kernel.as_str())?, optional("ramdisk", self.ramdisk.as_ref())?);
        Ok(Boot::Direct { kernel, ramdisk })
    }

    fn command_line(&self) -> Result<CommandLine, Conflict> {
        let ip = self.ip_argument();
        let nfs = match (&self.nfs_server, &self.nfs_root) {
            (Some(server), Some(path)) => format!("nfsroot={server}:{path} "),
            (None, Some(_)) => return Err(conflict("nfs_root", "Must set nfs root and nfs server")),
            _ => String::new(),
        };
        let extra = nfs + self.extra.as_deref().unwrap_or("");
        if let Some(all) = &self.cmdline {
            return Ok(CommandLine { extra: Text::new("cmdline", all.as_str())?, ..CommandLine::default() });
        }
        let root = text("root", self.root.as_ref())?;
        Ok(CommandLine { root, ip: text("ip", ip.as_ref())?, extra: Text::new("extra", extra.trim_end())? })
    }

    /// The value of `ip=`, when the guest is told its network at all.
    fn ip_argument(&self) -> Option<String> {
        let part =
            |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
        let dhcp = part(&self.dhcp, "off");
        if self.ip.is_none() && dhcp == "off" {
            return None;
        }
        let (ip, server) = (part(&self.ip, ""), part(&self.nfs_server, "127.0.255.255"));
        let (gateway, mask) = (part(&self.gateway, ""), part(&self.netmask, ""));
        let (host, interface) = (part(&self.hostname, ""), part(&self.interface, "eth0"));
        Some(format!("{ip}:{server}:{gateway}:{mask}:{host}:{interface}:{dhcp}"))
    }

    fn memory(&self) -> Result<Memory, Invalid> {
        let initial = self.memory_mib.unwrap_or(128);
        let maximum = self.maxmem_mib.unwrap_or(initial);
        let size = |what, mib: i64| MemorySize::from_mib(what, u64::try_from(mib).unwrap_or(0));
        Memory::new(size("memory", initial)?, size("maxmem", maximum)?)
    }

    fn vcpus(&self) -> Result<Vcpus, Invalid> {
        let online = self.vcpus.or(self.maxvcpus).unwrap_or(1);
        Vcpus::new(number(online), number(self.maxvcpus.unwrap_or(online)))
    }

    fn affinity(&self) -> Result<Affinity, Conflict> {
        let (texts, list) =
            self.cpus.as_ref().map_or((&[][..], false), |(texts, list)| (texts.as_slice(), *list));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vcpus = usize::try_from(self.vcpus.or(self.maxvcpus).unwrap_or(1)).unwrap_or(0);
        // Those that come online later may have theirs, too.
        let most = self.maxvcpus.and_then(|max| usize::try_from(max).ok());
        if list && texts.len() > 1 && texts.len() != vcpus && Some(texts.len()) != most {
            let complaint = Complaint::new("vcpus and the item number of cpus are not same");
            let help = format!("cpus has {} items, vcpus is {vcpus}; one text is for all vcpus", texts.len());
            return Err(Conflict { variable: "cpus", complaint: complaint.help(help) });
        }
        let affinity = specs::affinity(self.cpu, &texts, list);
        affinity.map_err(|complaint| Conflict { variable: "cpus", complaint })
    }

    fn scheduling(&self) -> Result<Scheduling, Conflict> {
        let max = self.maxvcpus.or(self.vcpus).unwrap_or(1);
        if self.cap.is_some_and(|cap| cap > max * 100) {
            let message = format!(
                "Cpu cap out of range, valid range is from 0 to {} for specified number of vcpus",
                max * 100
            );
            return Err(conflict("cpu_cap", message));
        }
        let reservation = match (self.period, self.budget) {
            (Some(period), Some(budget)) => Some(Reservation::new(number(period), number(budget))?),
            (None, None) => None,
            (Some(_), None) => return Err(conflict("period", "period needs budget")),
            (None, Some(_)) => return Err(conflict("budget", "budget needs period")),
        };
        let weight = self.weight.map(|weight| Ranged::new("cpu_weight", number(weight))).transpose()?;
        Ok(Scheduling { weight, cap: self.cap.map(number), reservation })
    }

    fn actions(&self) -> Actions {
        let default = Actions::default();
        let (poweroff, reboot, crash) = match self.restart.as_deref() {
            Some("onreboot") => (Action::Destroy, Action::Restart, CrashAction::Plain(Action::Destroy)),
            Some("always") => (Action::Restart, Action::Restart, CrashAction::Plain(Action::Restart)),
            Some("never") => (Action::Destroy, Action::Destroy, CrashAction::Plain(Action::Destroy)),
            _ => (default.poweroff, default.reboot, default.crash),
        };
        let min_uptime = self.min_uptime.and_then(|seconds| Seconds::new("min_uptime", number(seconds)).ok());
        Actions {
            poweroff: self.on_poweroff.unwrap_or(poweroff),
            reboot: self.on_reboot.unwrap_or(reboot),
            crash: self.on_crash.unwrap_or(crash),
            watchdog: self.on_watchdog.unwrap_or(default.watchdog),
            min_uptime: min_uptime.unwrap_or(default.min_uptime),
        }
    }

    fn platform(&self) -> Result<Platform, Invalid> {
        let mut platform = self.platform.clone();
        platform.features = text("features", self.features.as_ref())?;
        platform.pool = optional("pool", self.pool.as_ref())?;
        platform.label = optional("seclabel", self.label.as_ref())?;
        let cpuid = self.cpuid.iter().map(|line| Text::new("cpuid", line.as_str()));
        platform.cpuid = List::new("cpuid", cpuid.collect::<Result<_, _>>()?)?;
        platform.serial = List::new("serial", self.serial.clone())?;
        let limit = |value: Option<i64>| value.map(number);
        platform.limits.grant_frames =
            limit(self.grant_frames).map(|n| Ranged::new("max_grant_frames", n)).transpose()?;
        platform.limits.maptrack_frames =
            limit(self.maptrack_frames).map(|n| Ranged::new("max_maptrack_frames", n)).transpose()?;
        platform.limits.event_channels =
            limit(self.event_channels).map(|n| Ranged::new("event_channels", n)).transpose()?;
        Ok(platform)
    }

    fn devices(self) -> Result<Devices, Invalid> {
        let mut vifs = self.vifs;
        let wanted = usize::try_from(self.nics.unwrap_or(0)).unwrap_or(0);
        vifs.resize(wanted.max(vifs.len()), Vif::default());
        let defaults = (self.pci_msi_translate, self.pci_power_management, self.pci_permissive);
        let pci = self.pci.into_iter().map(|(mut device, given)| {
            device.msi_translate = given.msi_translate.unwrap_or(defaults.0);
            device.power_management = given.power_management.unwrap_or(defaults.1);
            device.permissive = given.permissive.unwrap_or(defaults.2);
            device
        });
        Ok(Devices {
            disks: List::new("disk", self.disks)?,
            vifs: List::new("vif", vifs)?,
            framebuffers: List::new("vfb", self.framebuffers)?,
            vtpms: List::new("vtpm", self.vtpms)?,
            pci: List::new("pci", pci.collect())?,
            ioports: List::new("ioports", self.ioports)?,
            iomem: List::new("iomem", self.iomem)?,
            irqs: List::new("irqs", self.irqs)?,
            scsi: List::new("vscsi", self.scsi)?,
            usb: List::new("vusb", self.usb)?,
        })
    }
}

/// The complaint that a value is outside of what its variable accepts.
pub(super) fn out_of_range(name: &str, value: impl Display, min: i64, max: i64) -> Complaint {
    Complaint::new(format!("{name} must be from {min} to {max}, not {value}"))
}
