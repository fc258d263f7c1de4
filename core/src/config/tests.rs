//! Each type refuses nonsense when made and when decoded; every encoding comes back as it was.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::devices::*;
use super::*;
use crate::hyper::DomId;

fn text<const N: usize>(s: &str) -> Text<N> {
    Text::new("test", s).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        name: DomainName::new("web-1").unwrap(),
        uuid: "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11".parse().unwrap(),
        description: text("the front end"),
        kind: Kind::Pv,
        boot: Boot::Direct { kernel: text("/boot/vmlinuz"), ramdisk: Some(text("/boot/initrd")) },
        command_line: CommandLine {
            root: text("/dev/xvda1 ro"),
            ip: text("1.2.3.4:127.0.255.255"),
            extra: text("quiet"),
        },
        memory: Memory::new(mib(128), mib(256)).unwrap(),
        vcpus: Vcpus::new(1, 4).unwrap(),
        affinity: Affinity::Same(CpuSet::new([0, 1, 2, 7, 64]).unwrap()),
        soft_affinity: Affinity::PerVcpu(List::new("cpus", vec![CpuSet::new([3]).unwrap()]).unwrap()),
        scheduling: Scheduling { weight: Some(Weight::constant::<512>()), cap: Some(50), reservation: None },
        actions: Actions::default(),
        on_start: OnStart::Start,
        on_stop: OnStop::Shutdown,
        platform: Platform { label: Some(text("system_u:system_r:domU_t")), ..Platform::default() },
        devices: devices(),
    }
}

fn mib(mib: u64) -> MemorySize {
    MemorySize::from_mib("memory", mib).unwrap()
}

fn disk(vdev: &str) -> Disk {
    let target = text("/dev/vg/web");
    let source = DiskSource { via: DiskVia::Device, format: DiskFormat::Raw, target, script: None };
    Disk {
        vdev: vdev.parse().unwrap(),
        access: Access::ReadWrite,
        medium: Medium::Disk(source),
        backend: None,
    }
}

fn devices() -> Devices {
    let empty = Disk { medium: Medium::Cdrom(None), access: Access::ReadOnly, ..disk("hdc") };
    let mac = "00:16:3e:00:00:01".parse().unwrap();
    let vif = Vif { mac: Some(mac), rate: Some("10Mb/s".parse().unwrap()), ..Vif::default() };
    let pci = PciDevice {
        address: "03:00.1".parse().unwrap(),
        virtual_slot: Some(Ranged::constant::<5>()),
        msi_translate: true,
        power_management: false,
        permissive: false,
    };
    let usb = UsbController {
        version: UsbVersion::V2,
        ports: Ranged::constant::<8>(),
        plugged: List::new("vusb", vec![(Ranged::constant::<1>(), text("1-2"))]).unwrap(),
    };
    Devices {
        disks: List::new("disk", vec![disk("xvda"), empty]).unwrap(),
        vifs: List::new("vif", vec![vif]).unwrap(),
        framebuffers: List::new(
            "vfb",
            vec![Framebuffer { vnc: Some(Vnc::default()), ..Framebuffer::default() }],
        )
        .unwrap(),
        vtpms: List::new("vtpm", vec![Vtpm { backend: "vtpm-1".parse().unwrap(), uuid: None }]).unwrap(),
        pci: List::new("pci", vec![pci]).unwrap(),
        ioports: List::new("ioports", vec!["3f8-3ff".parse().unwrap()]).unwrap(),
        iomem: List::new("iomem", vec!["fe000,2@f0000".parse().unwrap()]).unwrap(),
        irqs: List::new("irqs", vec![5]).unwrap(),
        scsi: List::default(),
        usb: List::new("vusb", vec![usb]).unwrap(),
    }
}

/// Encodes settings without the checks of `DomainConfig::new`, as a hostile sender would.
fn encode_unchecked(settings: &Settings) -> Vec<u8> {
    postcard::to_extend(settings, SCHEMA.to_le_bytes().to_vec()).unwrap()
}

#[test]
fn comes_back_from_its_encoding() {
    let config = DomainConfig::new(settings()).unwrap();
    let bytes = config.encode().unwrap();
    assert_eq!(DomainConfig::decode(&bytes), Ok(config));
}

#[test]
fn encoding_is_pinned() {
    let bytes = DomainConfig::new(settings()).unwrap().encode().unwrap();
    let start = [1, 0, 5, b'w', b'e', b'b', b'-', b'1', 0x5e, 0x7a];
    assert_eq!(&bytes[..10], start);
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
    assert_eq!((bytes.len(), sum), (287, 3_389_781_060), "the encoding changed: raise SCHEMA");
}

#[test]
fn every_cut_and_any_extra_byte_is_refused() {
    let bytes = DomainConfig::new(settings()).unwrap().encode().unwrap();
    for len in 0..bytes.len() {
        assert_eq!(DomainConfig::decode(&bytes[..len]), Err(DecodeError::Malformed), "cut at {len}");
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(DomainConfig::decode(&longer), Err(DecodeError::Malformed));
}

#[test]
fn other_schemas_and_endless_input_are_named() {
    assert_eq!(DomainConfig::decode(&[9, 1]), Err(DecodeError::Schema { found: 0x109 }));
    assert_eq!(DomainConfig::decode(&vec![1; MAX_ENCODED + 1]), Err(DecodeError::TooLong));
}

#[test]
fn conflicts_are_refused_when_made_and_when_decoded() {
    type Spoil = fn(&mut Settings);
    let conflicts: [(&str, Spoil); 8] = [
        ("extra", |s| s.command_line.extra = text(&"x".repeat(1024))),
        ("maxvcpus", |s| {
            s.kind = Kind::Pvh;
            s.vcpus = Vcpus::new(1, 129).unwrap();
        }),
        ("cpus", |s| {
            let sets = vec![CpuSet::new([1]).unwrap(); 5];
            s.affinity = Affinity::PerVcpu(List::new("cpus", sets).unwrap());
        }),
        ("cpu_cap", |s| s.scheduling.cap = Some(401)),
        ("disk", |s| {
            s.devices.disks = List::new("disk", vec![disk("xvda"), disk("xvdb"), disk("xvda")]).unwrap()
        }),
        ("vif", |s| {
            let vif = s.devices.vifs[0].clone();
            s.devices.vifs = List::new("vif", vec![vif.clone(), vif]).unwrap();
        }),
        ("pci", |s| {
            let pci = s.devices.pci[0].clone();
            s.devices.pci = List::new("pci", vec![pci.clone(), pci]).unwrap();
        }),
        ("extra", |s| {
            s.kind = Kind::Pvh;
            s.command_line.extra = text(&"x".repeat(2048));
        }),
    ];
    for (what, spoil) in conflicts {
        let mut settings = settings();
        spoil(&mut settings);
        assert_eq!(DomainConfig::decode(&encode_unchecked(&settings)), Err(DecodeError::Malformed), "{what}");
        assert_eq!(DomainConfig::new(settings).unwrap_err().what, what);
    }
}

#[test]
fn two_interfaces_without_a_mac_are_no_conflict() {
    let mut settings = settings();
    settings.devices.vifs = List::new("vif", vec![Vif::default(), Vif::default()]).unwrap();
    assert!(DomainConfig::new(settings).is_ok());
}

#[test]
fn the_claimed_length_of_a_list_reserves_nothing() {
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2];
    assert!(postcard::from_bytes::<List<u64, { usize::MAX }>>(&claim).is_err());
    let four = postcard::to_allocvec(&vec![1_u8, 2, 3, 4]).unwrap();
    assert!(postcard::from_bytes::<List<u8, 3>>(&four).is_err());
    assert_eq!(&*postcard::from_bytes::<List<u8, 4>>(&four).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn text_has_no_control_characters_and_no_excess() {
    assert_eq!(
        Text::<3>::new("name", "abcd").unwrap_err().to_string(),
        "name: is too long, at most 3 are accepted"
    );
    assert_eq!(Text::<9>::new("root", "a\0b").unwrap_err().problem, Problem::Character('\0'));
    assert_eq!(Text::<9>::filled("root", "").unwrap_err().problem, Problem::Empty);
    assert!(postcard::from_bytes::<Text<9>>(b"\x03a\x1bb").is_err());
    assert!(postcard::from_bytes::<Text<2>>(b"\x03abc").is_err());
}

#[test]
fn names_follow_the_classic_rule() {
    for good in ["a", "7", "web_1.example:x+y-z", &"n".repeat(255)] {
        assert_eq!(DomainName::new(good).unwrap().as_str(), good);
    }
    assert_eq!(DomainName::new("").unwrap_err().problem, Problem::Empty);
    assert_eq!(DomainName::new("a b").unwrap_err().problem, Problem::Character(' '));
    assert_eq!(DomainName::new("é").unwrap_err().problem, Problem::Character('é'));
    assert_eq!(DomainName::new("n".repeat(256)).unwrap_err().problem, Problem::TooLong { max: 255 });
}

#[test]
fn uuids_read_as_they_print() {
    let text = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";
    let uuid: Uuid = text.parse().unwrap();
    assert_eq!(uuid.to_string(), text);
    assert_eq!(text.replace('-', "").to_uppercase().parse(), Ok(uuid));
    for bad in ["", "5e7a", "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a1g", &format!("{text}0"), &"0".repeat(32)] {
        assert!(bad.parse::<Uuid>().is_err(), "{bad}");
    }
}

#[test]
fn designators_tell_ids_from_names() {
    assert_eq!("7".parse(), Ok(Designator::Id(DomId(7))));
    assert_eq!("storage".parse(), Ok(Designator::Name(DomainName::new("storage").unwrap())));
    assert!("32752".parse::<Designator>().is_err(), "reserved numbers name no domain");
    assert!("a b".parse::<Designator>().is_err());
}

#[test]
fn memory_has_units_and_order() {
    assert_eq!((mib(4).pages(), mib(4).kib(), mib(4).mib()), (1024, 4096, 4));
    assert_eq!(MemorySize::from_kib("memory", 6).unwrap().kib(), 4, "whole pages");
    assert_eq!(mib(64).to_string(), "64 MiB");
    assert_eq!(MemorySize::from_kib("memory", 1028).unwrap().to_string(), "1028 KiB");
    assert!(MemorySize::from_mib("memory", 0).is_err());
    assert!(MemorySize::from_mib("memory", u64::MAX).is_err());
    assert!(MemorySize::from_kib("memory", 3).is_err());
    assert!(Memory::new(mib(2), mib(1)).is_err());
    assert!(postcard::from_bytes::<Memory>(&[2, 1]).is_err());
    assert!(postcard::from_bytes::<MemorySize>(&[0]).is_err());
}

#[test]
fn cpu_sets_print_as_ranges() {
    let set = CpuSet::new([7, 0, 1, 2, 64, 65, 1]).unwrap();
    assert_eq!(set.to_string(), "0-2,7,64-65");
    assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 2, 7, 64, 65]);
    assert_eq!(set.words(), [0b1000_0111, 0b11]);
    assert!(CpuSet::new([]).is_err());
    assert!(CpuSet::new([4096]).is_err());
    assert!(CpuSet::new([4095]).is_ok());
    assert!(postcard::from_bytes::<CpuSet>(&[2, 1, 0]).is_err(), "one encoding for each set");
}

#[test]
fn the_command_line_joins_what_is_there() {
    let line = |ip, root, extra| CommandLine { ip: text(ip), root: text(root), extra: text(extra) }.render();
    assert_eq!(line("", "", ""), "");
    assert_eq!(line("a", "/dev/hda1 ro", "4"), "ip=a root=/dev/hda1 ro 4");
    assert_eq!(line("", "", "quiet"), "quiet");
}

#[test]
fn crash_actions_have_names_and_ends() {
    assert_eq!(CrashAction::CoredumpRestart.name(), "coredump-restart");
    assert_eq!(CrashAction::CoredumpRestart.action(), Action::Restart);
    assert!(CrashAction::CoredumpDestroy.dumps_core());
    assert!(!CrashAction::Plain(Action::Preserve).dumps_core());
    assert_eq!(Action::NAMES.map(|(name, action)| name == action.name()), [true; 4]);
    assert_eq!(Actions::default().min_uptime.get(), 60);
}

#[test]
fn virtual_devices_have_the_numbers_of_the_interface() {
    let known = [
        ("xvda", 51712),
        ("xvda1", 51713),
        ("xvdp15", 51967),
        ("xvdq", 268_439_552),
        ("hda", 768),
        ("hda63", 831),
        ("hdb", 832),
        ("hdc", 5632),
        ("hdt", 23360),
        ("sda", 2048),
        ("sdp", 2288),
        ("sdaa", 16800),
    ];
    for (name, number) in known {
        let vdev: VirtualDevice = name.parse().unwrap();
        assert_eq!((vdev.number(), vdev.to_string().as_str()), (number, name));
        assert_eq!(format!("/dev/{name}").parse(), Ok(vdev));
        assert_eq!(number.to_string().parse(), Ok(vdev));
    }
    assert_eq!("0xca00".parse(), "xvda".parse::<VirtualDevice>());
    assert_eq!("d1p2".parse(), "xvdb2".parse::<VirtualDevice>());
    assert_eq!("xvda16".parse::<VirtualDevice>().unwrap().number(), 1 << 28 | 16, "more than 15 partitions");
    assert_eq!("4711".parse::<VirtualDevice>().unwrap().to_string(), "4711");
    for bad in [
        "",
        "xvd",
        "xvd1",
        "xvda0",
        "xvda01",
        "hdu",
        "hda64",
        "sda16",
        "fda",
        "0x",
        "4294967295",
        "sdzzzzzzzz",
    ] {
        assert!(bad.parse::<VirtualDevice>().is_err(), "{bad}");
    }
}

#[test]
fn macs_are_interface_addresses() {
    let mac: Mac = "0:16:3E:a:00:01".parse().unwrap();
    assert_eq!(mac.to_string(), "00:16:3e:0a:00:01");
    for bad in [
        "",
        "00:16:3e:00:00",
        "00:16:3e:00:00:01:02",
        "01:00:5e:00:00:01",
        "0:0:0:0:0:0",
        "00:16:3e:00:00:+1",
    ] {
        assert!(bad.parse::<Mac>().is_err(), "{bad}");
    }
}

#[test]
fn interfaces_without_an_address_get_the_same_one_each_time_and_never_one_that_is_used() {
    let uuid = |byte| Uuid::from_bytes([byte; 16]).unwrap();
    let given = |byte, used: &[Mac]| {
        let named = Vif { mac: Some("00:16:3e:01:02:03".parse().unwrap()), ..Vif::default() };
        let vifs = List::new("vif", vec![Vif::default(), named, Vif::default()]).unwrap();
        let mut devices = Devices { vifs, ..Devices::default() };
        devices.address_all(uuid(byte), |mac| used.contains(&mac));
        devices.vifs.iter().map(|vif| vif.mac.unwrap()).collect::<Vec<_>>()
    };
    let first = given(1, &[]);
    assert_eq!(first, given(1, &[]));
    assert_eq!(first[1].to_string(), "00:16:3e:01:02:03");
    assert!(first.iter().all(|mac| mac.to_string().starts_with("00:16:3e:") && mac.bytes()[3] < 0x80));
    let all: alloc::collections::BTreeSet<Mac> = (1..=200).flat_map(|byte| given(byte, &[])).collect();
    assert_eq!(all.len(), 401, "two of each, and the one that all have");
    let others = given(1, &first);
    assert!(others[0] != first[0] && others[0] != first[2] && others[2] != first[2], "{others:?}");
}

#[test]
fn rates_become_bytes_per_interval() {
    let cases = [
        ("10Mb/s", (62_500, 50_000)),
        ("250KB/s", (12_500, 50_000)),
        ("1MB/s@20ms", (20_000, 20_000)),
        ("1GB/s@100us", (100_000, 100)),
        ("100B/s@1s", (100, 1_000_000)),
    ];
    for (written, (bytes, interval)) in cases {
        let rate: Rate = written.parse().unwrap();
        assert_eq!((rate.bytes(), rate.interval_us()), (bytes, interval), "{written}");
    }
    for bad in ["", "10", "10Mb", "b/s", "1b/s", "9999999GB/s@9s", "1MB/s@", "1MB/s@20", "-1MB/s", "+1MB/s"] {
        assert!(bad.parse::<Rate>().is_err(), "{bad}");
    }
}

#[test]
fn passthrough_is_read_and_bounded() {
    let pci: PciAddress = "0001:03:1f.7".parse().unwrap();
    assert_eq!((pci.parts(), pci.to_string().as_str()), ((1, 3, 31, 7), "0001:03:1f.7"));
    for bad in ["", "03:00", "03:20.0", "03:00.8", "00001:03:00.0", "03:00.+", "3:+0.0"] {
        assert!(bad.parse::<PciAddress>().is_err(), "{bad}");
    }
    assert_eq!("3f8".parse::<IoPorts>().unwrap().ends(), (0x3f8, 0x3f8));
    assert!("3ff-3f8".parse::<IoPorts>().is_err());
    assert!("g".parse::<IoPorts>().is_err());
    assert_eq!("fe000,2".parse::<IoMemory>().unwrap().parts(), (0xfe000, 2, 0xfe000));
    for bad in ["fe000", "fe000,0", "ffffffffffffffff,2", "fe000,2@ffffffffff"] {
        assert!(bad.parse::<IoMemory>().is_err(), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn decoding_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let bytes = [SCHEMA.to_le_bytes().to_vec(), bytes].concat();
        if let Ok(config) = DomainConfig::decode(&bytes) {
            prop_assert_eq!(DomainConfig::new(config.into_settings()).err(), None);
        }
    }

    #[test]
    fn what_survives_a_flipped_byte_is_valid(at in 2_usize..287, value: u8) {
        let mut bytes = DomainConfig::new(settings()).unwrap().encode().unwrap();
        bytes[at] = value;
        if let Ok(config) = DomainConfig::decode(&bytes) {
            let again = config.encode().unwrap();
            prop_assert_eq!(DomainConfig::decode(&again), Ok(config));
        }
    }

    #[test]
    fn parsers_take_any_text(text: String) {
        let _ = (text.parse::<VirtualDevice>(), text.parse::<Mac>(), text.parse::<Rate>(), text.parse::<Uuid>());
        let _ = (text.parse::<PciAddress>(), text.parse::<IoPorts>(), text.parse::<IoMemory>());
        let _ = text.parse::<Designator>();
    }

    #[test]
    fn virtual_devices_read_as_they_print(number in 0_u32..1 << 29) {
        let vdev = VirtualDevice::from_number(number).unwrap();
        prop_assert_eq!(vdev.to_string().parse(), Ok(vdev));
    }
}
