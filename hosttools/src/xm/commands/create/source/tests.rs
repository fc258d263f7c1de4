//! Records and the domains that they make.

use proptest::prelude::*;

use super::*;
use crate::config::sxp::Sxp;
use crate::config::table::{Kind, Status, variables};

fn evaluated(text: &str) -> Evaluated {
    let host = Host::unknown("00010203-0405-4607-8809-0a0b0c0d0e0f".parse().unwrap());
    evaluate(&Request { path: "t", text, arguments: &[], host: &host, limits: Limits::default() }).unwrap()
}

const FULL: &str = "kernel = '/k'\nramdisk = '/r'\nname = 'a'\nmemory = 64\nmaxmem = 256\nvcpus = 2\n\
    maxvcpus = 4\ncpus = ['0', '1']\ncpu_weight = 512\non_crash = 'preserve'\nlocaltime = 1\npool = 'p'\n\
    ip = '10.0.0.2'\nroot = '/dev/xvda ro'\nextra = 'a<b & \"c\"'\nblkif = 1\npci = ['03:00.1']\nirq = [5]\n\
    ioports = ['2f8-2ff']\ndisk = ['/a,raw,xvda,rw', ',hdc:cdrom,r', 'phy:vg/x,xvdb,w!,back']\n\
    vif = ['bridge=b, mac=00:16:3e:00:00:01', '']\nvfb = ['vnc=1']\nvusb = ['usbver=1']\ndescription = 'x y'";

#[test]
fn a_record_gives_the_domain_that_it_came_from() {
    for text in
        ["kernel = '/k'\nname = 'a'", "kernel = '/k'\nname = 'a'\nbuilder = 'pvh'\ncpus = '0-3'", FULL]
    {
        let first = evaluated(text);
        let shown = sxp::record(&first);
        for found in [sxp::read(&shown.pretty()).unwrap(), xml::read(&xml::write(&shown)).unwrap()] {
            let again = evaluated(&record::configuration(&found).unwrap()).config;
            assert_eq!(again.command_line.render(), first.config.command_line.render());
            // Its parts may be together in one.
            let mut settings = again.into_settings();
            settings.command_line = first.config.command_line.clone();
            assert_eq!(settings, first.config.clone().into_settings(), "{found}");
        }
    }
}

/// A value of each kind that is no variable's default.
fn usual(kind: &Kind) -> String {
    match kind {
        Kind::Text(_) | Kind::TextOrList(_) => "'some'".to_owned(),
        Kind::Int { min, max, .. } => (*min + (*max - *min).min(7)).to_string(),
        Kind::Flag(_) => "1".to_owned(),
        Kind::Choice { words, .. } => format!("'{}'", words.last().unwrap()),
        Kind::Numbered { words, .. } => format!("'{}'", words.last().unwrap()),
        Kind::List(_) => "['some']".to_owned(),
    }
}

#[test]
fn a_record_keeps_every_variable_that_has_an_effect() {
    let own = [
        ("period", "1000\nbudget = 100"),
        ("cpus_soft", "'0-3,^1'"),
        ("cpuid", "['1:eax=0x1', '2:ebx=0x2']"),
        ("iomem", "['fe000,2', 'fe100,1@0']"),
        ("usbctrl", "['version=3,ports=4']"),
        ("pci_permissive", "1\npci = ['03:00.0']"),
        ("pci_msitranslate", "0\npci = ['03:00.0@5']"),
        ("pci", "['0000:03:00.0-1@5,permissive=1,power_mgmt=1']"),
        ("vtpm", "['backend=tpm,uuid=5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11']"),
        ("disk", "['format=qcow2, vdev=xvdb, access=ro, backendtype=qdisk, target=/srv/a,b.qcow2']"),
        ("vif", "['rate=10Mb/s', 'script=vif-route,ip=10.0.0.2', 'type=netfront,vifname=x']"),
        ("vfb", "['type=vnc,vncdisplay=3,keymap=de,vncpasswd=a b']"),
        ("bootloader_args", "['-q', 'x']\nbootloader = 'pygrub'"),
        ("maxvcpus", "4\nvcpus = 2"),
        ("maxmem", "512"),
        ("uuid", "'5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'"),
        ("type", "'pvh'"),
        ("builder", "'pvh'"),
        ("nfs_root", "'/srv'\nnfs_server = '10.0.0.1'"),
        ("cpus", "['0']"),
        ("budget", "100\nperiod = 1000"),
        ("ioports", "['2f8-2ff', '60']"),
        ("irq", "[5]"),
        ("irqs", "[5, 7]"),
        ("vscsi", "['/dev/sdb,0:0:0:0']"),
        ("vusb", "['usbver=1,numports=2,port_1=1-2']"),
        ("vcpus", "3\ncpus = ['0', '1', '2-3']"),
    ];
    let (mut left_out, mut lost) = (Vec::new(), Vec::new());
    for variable in variables().filter(|variable| matches!(variable.status, Status::Sets(_))) {
        let known = own.iter().find(|(name, _)| *name == variable.name);
        let value = known.map_or_else(|| usual(&variable.kind), |(_, value)| (*value).to_owned());
        let kernel = if matches!(variable.name, "kernel" | "bootloader") { "" } else { "kernel = '/k'\n" };
        let text = format!("{kernel}{} = {value}", variable.name);
        let host = Host::unknown("00010203-0405-4607-8809-0a0b0c0d0e0f".parse().unwrap());
        let request =
            Request { path: "t", text: &text, arguments: &[], host: &host, limits: Limits::default() };
        let Ok(first) = evaluate(&request) else {
            left_out.push(variable.name);
            continue;
        };
        let shown = sxp::record(&first);
        for found in [sxp::read(&shown.pretty()).unwrap(), xml::read(&xml::write(&shown)).unwrap()] {
            let text_again = record::configuration(&found).unwrap();
            let again = Request { text: &text_again, ..request };
            let same = evaluate(&again).is_ok_and(|again| {
                let same_line = again.config.command_line.render() == first.config.command_line.render();
                let mut settings = again.config.into_settings();
                settings.command_line = first.config.command_line.clone();
                same_line && settings == first.config.clone().into_settings()
            });
            if !same {
                lost.push(format!("{text} is lost in {found}, which is\n{text_again}"));
                break;
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert_eq!(left_out, [""; 0], "they need a form of their own");
}

/// As xend kept it, in `/var/lib/xend/domains/UUID/config.sxp`; shortened.
const KEPT: &str = "(domain\n    (on_crash restart)\n    (uuid 5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11)\n    \
    (bootloader_args '')\n    (pool_name Pool-0)\n    (vcpus 2)\n    (name_label web)\n    (name web)\n    \
    (cpus ((0 1) ()))\n    (description '')\n    (bootloader '')\n    (maxmem 256)\n    (memory 128)\n    \
    (shadow_memory 0)\n    (vcpu_avail 1)\n    (features '')\n    (on_xend_start start)\n    \
    (on_xend_stop shutdown)\n    (memory_static_max 268435456)\n    (vcpus_params ((weight 256) (cap 0)))\n    \
    (image (linux (kernel /k) (ramdisk /r) (args 'root=/dev/xvda ro') (superpages 0) (notes (FEATURES x))))\n    \
    (status 0)\n    (device (vif (bridge b) (mac 00:16:3e:00:00:01) (script /etc/xen/scripts/vif-bridge) \
    (uuid 01020304-0000-4000-8000-000000000000) (backend 0)))\n    (device (vbd (uuid \
    01020304-0000-4000-8000-000000000001) (bootable 1) (dev xvda:disk) (uname phy:vg/web) (mode w) (VDI '') \
    (backend 0)))\n    (device (console (protocol vt100) (location 2)))\n)";

#[test]
fn what_xend_kept_makes_the_domain_again() {
    let text = record::configuration(&sxp::read(KEPT).unwrap()).unwrap();
    let wanted = "on_crash = 'restart'\nuuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'\nbootargs = ''\n\
        pool = 'Pool-0'\nvcpus = '1'\nmaxvcpus = '2'\nname = 'web'\ncpus = ['0,1', 'all']\ndescription = ''\n\
        bootloader = ''\nmaxmem = '256'\nmemory = '128'\nshadow_memory = '0'\nfeatures = ''\n\
        on_xend_start = 'start'\non_xend_stop = 'shutdown'\nbuilder = 'linux'\n\
        extra = 'root=/dev/xvda ro'\nkernel = '/k'\nramdisk = '/r'\n\
        vif = ['bridge=b,mac=00:16:3e:00:00:01,script=/etc/xen/scripts/vif-bridge,backend=0']\n\
        disk = ['phy:vg/web,xvda:disk,w,0']\n";
    assert_eq!(text, wanted);
    let found = evaluated(&text);
    assert_eq!((found.warnings.len(), found.config.vcpus.online(), found.config.vcpus.max()), (0, 1, 2));
    assert_eq!(found.config.command_line.render(), "root=/dev/xvda ro");
}

#[test]
fn attack_records_that_are_none_are_refused() {
    for text in [
        "",
        "<vm>",
        "<vm></x>",
        "</vm>",
        "<vm>&nothing;</vm>",
        "<vm",
        "<!-- ",
        "<a>&#0",
        "<![CDATA[a]]><vm></vm>",
        "<vm><![CDATA[a</vm>",
        &"<a>".repeat(99),
    ] {
        assert!(xml::read(text).is_err(), "{text:?}");
    }
    assert!(xml::read("<?xml?><!DOCTYPE vm SYSTEM 'http://x'><vm a='b'><name>a&#7;</name></vm>").is_ok());
    let entity = "<!DOCTYPE vm [<!ENTITY x \"y\"> <!ENTITY f SYSTEM \"file:///etc/passwd\">]><vm><name>&x;</name></vm>";
    assert_eq!(xml::read(entity), Err("'&x;' is no entity".to_owned()), "declarations declare nothing");
    let section = xml::read("<vm><name><![CDATA[<a>&amp;b]]></name></vm>").unwrap();
    assert_eq!(section, Sxp::named("vm", [Sxp::pair("name", "<a>&amp;b")]));
    assert!(record::configuration(&sxp::read("(pool (name a))").unwrap()).is_err());
    assert!(record::configuration(&sxp::read("x").unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn attack_any_text_is_a_record_or_an_error(
        xml in "(<|>|/|!|\\?|--|!\\[CDATA\\[|\\]\\]>|&|;|#1|vm|name|cpus|item|device|vbd|image| |a|\\PC){0,40}",
        sxp in "(\\(|\\)|'|\"| |vm|domain|name|cpus|device|vbd|uname|pci|dev|image|linux|vcpus|vcpu_avail|[0-9]{1,3}|\\PC){0,40}",
    ) {
        let read = [xml::read(&xml).ok(), xml::read(&format!("<vm>{xml}</vm>")).ok(), sxp::read(&sxp).ok()];
        for record in read.into_iter().flatten().chain(sxp::read(&format!("(vm {sxp})")).ok()) {
            if let Ok(text) = record::configuration(&record) {
                let host = Host::unknown("00010203-0405-4607-8809-0a0b0c0d0e0f".parse().unwrap());
                let request =
                    Request { path: "t", text: &text, arguments: &[], host: &host, limits: Limits::default() };
                if let Err(errors) = evaluate(&request) {
                    // What it says is about values: the text itself is always a program.
                    prop_assert!(!errors.to_string().starts_with("Errors were found"), "{errors}");
                }
            }
        }
    }
}
