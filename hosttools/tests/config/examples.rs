//! Files as users have them, and the domains they describe.

use xendless_core::config::devices::{Access, DiskFormat, DiskVia, Medium};
use xendless_core::config::{Action, Affinity, Boot, CrashAction, DomainConfig, Kind, TscMode};

use super::{UUID, run};

const CLASSIC: &str = include_str!("files/classic.cfg");
const VMID: &str = include_str!("files/vmid.cfg");
const FLEET: &str = include_str!("files/fleet.cfg");

fn config(text: &str, arguments: &[(&str, &str)]) -> DomainConfig {
    config_with(&[], text, arguments)
}

/// The configuration, when that is what there is to warn of.
fn config_with(warnings: &[&str], text: &str, arguments: &[(&str, &str)]) -> DomainConfig {
    let evaluated = run(text, arguments).unwrap_or_else(|errors| panic!("{errors}"));
    let found: Vec<&str> = evaluated.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(found, warnings, "{text}");
    let encoded = evaluated.config.encode().unwrap();
    assert_eq!(DomainConfig::decode(&encoded).as_ref(), Ok(&evaluated.config));
    evaluated.config
}

/// Disks as `target vdev access`.
fn disks(config: &DomainConfig) -> Vec<String> {
    let disks = config.devices.disks.iter();
    disks
        .map(|disk| {
            let target = disk.medium.source().map_or("-", |source| source.target.as_str());
            let access = match disk.access {
                Access::ReadOnly => "r",
                Access::ReadWrite => "w",
                Access::ReadWriteShared => "w!",
            };
            format!("{target} {} {access}", disk.vdev)
        })
        .collect()
}

#[test]
fn the_classic_example() {
    let config = config(CLASSIC, &[]);
    assert_eq!(config.name.as_str(), "ExampleDomain");
    assert_eq!(config.uuid.to_string(), UUID);
    assert_eq!((config.kind, config.memory.initial().mib(), config.vcpus.max()), (Kind::Pv, 64, 1));
    assert_eq!(config.command_line.render(), "root=/dev/hda1 ro 4");
    assert_eq!(disks(&config), ["/dev/hda1 hda1 w"]);
    assert_eq!(config.devices.vifs.len(), 1);
    assert_eq!((config.actions.poweroff, config.actions.reboot), (Action::Destroy, Action::Restart));
    assert_eq!(config.actions.crash, CrashAction::CoredumpRestart);
    assert!(
        matches!(&config.boot, Boot::Direct { kernel, ramdisk: None } if kernel.as_str() == "/boot/vmlinuz-2.6-xenU")
    );
}

#[test]
fn the_command_line_wins_over_the_file() {
    let arguments =
        [("memory", "96"), ("disk", "file:/a,xvda,w"), ("disk", "file:/b,xvdb,r"), ("name", "other")];
    let config = config(CLASSIC, &arguments);
    assert_eq!((config.name.as_str(), config.memory.initial().mib()), ("other", 96));
    assert_eq!(disks(&config), ["/a xvda w", "/b xvdb r"], "the file's list is dropped");
}

#[test]
fn the_name_of_the_file_is_the_default_name() {
    assert_eq!(config("kernel = '/k'", &[]).name.as_str(), "web");
}

#[test]
fn many_guests_from_one_file() {
    let three = config(VMID, &[("vmid", "3")]);
    assert_eq!(three.name.as_str(), "VM3");
    assert_eq!(disks(&three), ["/dev/sda10 sda1 w", "/dev/sda6 sda6 r"]);
    assert_eq!(three.command_line.extra.as_str(), "4 VMID=3 usr=/dev/sda6");
    assert_eq!(
        three.command_line.render(),
        "ip=:127.0.255.255::::eth0:dhcp root=/dev/sda1 ro 4 VMID=3 usr=/dev/sda6"
    );
    assert_eq!(three.devices.vifs[0].mac.unwrap().to_string(), "00:16:3e:00:00:03");
    for vmid in 1..6 {
        assert_eq!(config(VMID, &[("vmid", &vmid.to_string())]).name.as_str(), format!("VM{vmid}"));
    }
}

#[test]
fn a_fleet_with_loops_and_functions_of_modules() {
    let web = config(FLEET, &[]);
    assert_eq!((web.name.as_str(), web.memory.initial().mib()), ("web-01", 512));
    assert_eq!(disks(&web), ["/dev/vg0/web-01-root xvda w", "/dev/vg0/web-01-swap xvdb w"]);
    assert!(
        matches!(&web.boot, Boot::Direct { kernel, .. } if kernel.as_str() == "/usr/lib64/xen/boot/vmlinuz")
    );
    let database = run(FLEET, &[("role", "db"), ("number", "3")]).unwrap();
    assert_eq!(database.output, "configured db-03\n");
    let database = database.config;
    assert_eq!(database.devices.disks.len(), 3);
    assert_eq!(database.devices.vifs[1].mac.unwrap().to_string(), "00:16:3e:02:01:03");
    let Affinity::PerVcpu(sets) = &database.affinity else { panic!("one set for each") };
    assert_eq!(sets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["4", "5", "6", "7"]);
}

#[test]
fn a_plain_xl_file() {
    let display = "there is no display server; the domain's console is its text console";
    let config = config_with(&[display], include_str!("files/xl-pv.cfg"), &[]);
    assert_eq!((config.memory.initial().mib(), config.memory.maximum().mib()), (1024, 2048));
    assert_eq!((config.vcpus.online(), config.vcpus.max()), (2, 4));
    assert!(matches!(&config.affinity, Affinity::Same(set) if set.to_string() == "2,4-5"));
    assert_eq!((config.scheduling.cap, config.scheduling.weight.map(|w| w.get())), (Some(150), Some(512)));
    assert_eq!(config.platform.tsc_mode, TscMode::Native);
    assert_eq!(config.actions.watchdog, CrashAction::CoredumpDestroy);
    assert_eq!(config.platform.label.as_deref(), Some("system_u:system_r:domU_t"));
    assert_eq!(
        disks(&config),
        ["/dev/vg/guest-volume xvda w", "/srv/a,b.qcow2 xvdb r", "/srv/install.iso hdc r"]
    );
    let qcow = config.devices.disks[1].medium.source().unwrap();
    assert_eq!((qcow.format, qcow.via), (DiskFormat::Qcow2, DiskVia::File));
    assert!(matches!(config.devices.disks[2].medium, Medium::Cdrom(Some(_))));
    assert_eq!(config.devices.vifs[0].rate.unwrap().bytes(), 62_500);
    assert_eq!(config.devices.framebuffers[0].vnc.as_ref().unwrap().display.unwrap().get(), 3);
    assert_eq!(config.platform.limits.event_channels.unwrap().get(), 127);
}

#[test]
fn an_xl_file_for_pvh() {
    let config = config(include_str!("files/xl-pvh.cfg"), &[]);
    assert_eq!((config.kind, config.command_line.render().as_str()), (Kind::Pvh, "--ipv4=10.0.0.3/24"));
    let pci: Vec<String> = config.devices.pci.iter().map(|pci| pci.address.to_string()).collect();
    assert_eq!(pci, ["0000:03:00.0", "0000:03:00.1", "0000:04:00.0"]);
    let [first, .., last] = &*config.devices.pci else { panic!("three functions") };
    assert!(first.permissive && !last.permissive && !first.msi_translate);
    assert_eq!(first.virtual_slot.unwrap().get(), 5);
}

#[test]
fn an_nfs_root() {
    let text = "kernel='/k'\nip='1.2.3.4'\ngateway='1.2.3.1'\nnetmask='255.0.0.0'\nhostname='h'\nnfs_server='1.2.3.9'\nnfs_root='/srv/h'\nroot='/dev/nfs'\nextra='quiet'";
    let line = config(text, &[]).command_line.render();
    assert_eq!(
        line,
        "ip=1.2.3.4:1.2.3.9:1.2.3.1:255.0.0.0:h:eth0:off root=/dev/nfs nfsroot=1.2.3.9:/srv/h quiet"
    );
}

#[test]
fn deprecated_spellings() {
    let actions = |text: &str| {
        let actions = config(&format!("kernel='/k'\n{text}"), &[]).actions;
        [actions.poweroff.name(), actions.reboot.name(), actions.crash.name()].join(" ")
    };
    assert_eq!(actions("restart='onreboot'"), "destroy restart destroy");
    assert_eq!(actions("restart='always'"), "restart restart restart");
    assert_eq!(actions("restart='never'"), "destroy destroy destroy");
    assert_eq!(actions("restart='never'\non_reboot='preserve'"), "destroy preserve destroy");
    assert_eq!(config("kernel='/k'\nnics=2\nvif=['bridge=a']", &[]).devices.vifs.len(), 2);
    assert_eq!(config("kernel='/k'\nbuilder='linux'\npvh=1", &[]).kind, Kind::Pvh);
}

#[test]
fn cpu_lists_are_read_from_left_to_right() {
    let affinity = |cpus: &str| config(&format!("kernel='/k'\nvcpus=2\n{cpus}"), &[]).affinity.clone();
    let same = |cpus: &str| match affinity(cpus) {
        Affinity::Same(set) => set.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(same("cpus='0-3,^1'"), "0,2-3");
    assert_eq!(same("cpus='0-3,^1,1'"), "0-3");
    assert_eq!(same("cpus='1'\ncpu=5"), "1,5");
    assert_eq!(same("cpus=3"), "3");
    assert_eq!(same("cpus=['0-1']"), "0-1");
    assert_eq!(same("cpus=''"), "Any");
    assert_eq!(same("cpus='all'"), "Any");
    assert_eq!(same("cpu=2"), "2");
    assert!(matches!(affinity("cpus=['2','3']"), Affinity::PerVcpu(sets) if sets.len() == 2));
    let later = affinity("maxvcpus=3\ncpus=['2','3','4']");
    assert!(
        matches!(later, Affinity::PerVcpu(sets) if sets.len() == 3),
        "also of those that come online later"
    );
}

#[test]
fn a_variable_without_a_value_can_be_added_to_as_in_xl() {
    let found = config(
        "kernel += '/k'\nextra += 'a'\nextra += ' b'\ndisk += ['phy:a,xvda,w']\ndisk += ['phy:b,xvdb,r']",
        &[],
    );
    assert_eq!(found.command_line.extra.as_str(), "a b");
    assert_eq!(disks(&found), ["/dev/a xvda w", "/dev/b xvdb r"]);
    for text in ["memroy += 1", "def f():\n    extra += 'a'\nf()", "memory -= 1"] {
        assert!(super::errors(text, &[]).contains("is not defined"), "{text}");
    }
}

#[test]
fn booleans_count_as_numbers() {
    assert!(config("kernel='/k'\nlocaltime=True", &[]).platform.local_time);
    assert!(!config("kernel='/k'\nlocaltime=False", &[]).platform.local_time);
    assert_eq!(config("kernel='/k'\nmemory='256'\nvcpus=2.0", &[]).vcpus.max(), 2);
}

#[test]
fn tapdisk_files_are_served_without_it() {
    let evaluated = run("kernel='/k'\ndisk=['tap:aio:/img,xvda,w']", &[]).unwrap();
    let source = evaluated.config.devices.disks[0].medium.source().unwrap();
    assert_eq!((source.target.as_str(), source.via), ("/img", DiskVia::File));
    assert_eq!(
        evaluated.warnings[0].message,
        "blktap was removed in Xen 4.13; tap:aio:/img is served without it"
    );
}

#[test]
fn probable_typing_mistakes_are_pointed_at() {
    let evaluated =
        run("kernel='/k'\nmemroy = 512\nhelper = 1\nused = 2\nvcpus = used", &[("vmdi", "3")]).unwrap();
    let warnings: Vec<String> = evaluated.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "memroy is not a known variable and has no effect\n\tmemroy = 512\n\t         ^\nat /etc/xen/web:2:10\nhelp: did you mean memory?",
            "vmdi is neither a known variable nor used by the file\nat vmdi=3 on the command line",
        ]
    );
}

#[test]
fn a_whole_command_line_takes_the_place_of_its_parts() {
    let evaluated = run("kernel='/k'\ncmdline='whole'\nroot='/dev/xvda'\nextra='quiet'", &[]).unwrap();
    assert_eq!(evaluated.config.command_line.render(), "whole");
    assert!(evaluated.warnings[0].to_string().contains("at /etc/xen/web:2:9"), "{:?}", evaluated.warnings);
}

#[test]
fn disks_name_their_format_in_front_too() {
    let config = config("kernel='/k'\ndisk=['qcow2:/a,xvda,w', 'raw:/b,xvdb,r']", &[]);
    let formats: Vec<DiskFormat> =
        config.devices.disks.iter().map(|disk| disk.medium.source().unwrap().format).collect();
    assert_eq!(formats, [DiskFormat::Qcow2, DiskFormat::Raw]);
    assert_eq!(disks(&config), ["/a xvda w", "/b xvdb r"]);
}
