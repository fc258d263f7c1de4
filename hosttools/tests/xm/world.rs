//! What the server knows, and how it misbehaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use xendless_core::config::{DomainConfig, List, PoolConfig};
use xendless_core::hyper::{DomainFlags, Promise, Share};
use xendless_core::protocol::resources::VcpuRow;
use xendless_core::protocol::{DeviceRow, Failure, Happening, Host, Pool, Request, Row, What};
use xendless_hosttools::config::{Limits, Request as Evaluation, evaluate, host::Host as EvaluationHost};

/// What there is to answer from.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) rows: Vec<Row>,
    /// The configurations of `rows` that have one.
    pub(crate) configs: BTreeMap<u16, DomainConfig>,
    pub(crate) definitions: BTreeMap<String, DomainConfig>,
    /// Those that another version of the program kept.
    pub(crate) foreign: Vec<&'static str>,
    /// The machine's CPU pools, and those that are defined.
    pub(crate) pools: Vec<Pool>,
    pub(crate) kept_pools: BTreeMap<String, PoolConfig>,
    /// Security labels by number, where there are any.
    pub(crate) labels: Option<BTreeMap<u32, String>>,
    /// Whether the policy about them is enforced.
    pub(crate) enforcing: bool,
    /// What comes for a dump, and whether its end never does.
    pub(crate) dump: Vec<u8>,
    pub(crate) dump_stalls: bool,
    /// What comes of a domain that is saved, and whether it never suspends itself.
    pub(crate) saved: Vec<u8>,
    pub(crate) stays_awake: bool,
    /// Nobody learns what became of it when it was safe, or when all of it came back.
    pub(crate) silent_when_safe: bool,
    /// No domain comes of what was saved, and that is said in the end.
    pub(crate) unrestorable: bool,
    /// Xen's scheduler.
    pub(crate) scheduler: &'static str,
    /// What those under it have that were given something.
    pub(crate) shares: BTreeMap<u16, Share>,
    pub(crate) promises: BTreeMap<(u16, u32), Promise>,
    /// What Xen's and the control domain's logs hold, and a console's history.
    pub(crate) text: Vec<u8>,
    /// Images need not be sent.
    pub(crate) has_images: bool,
    /// Credit for each part of an upload.
    pub(crate) credit: u32,
    /// Credit is held back until the test comes, too.
    pub(crate) held: Option<Arc<Barrier>>,
    /// A cancelled request was just done.
    pub(crate) too_late: bool,
    /// The virtual CPUs of every domain.
    pub(crate) vcpus: Vec<VcpuRow>,
    /// Domains take and give memory as they are told.
    pub(crate) balloons: bool,
    /// Domains do not shut down by themselves.
    pub(crate) stubborn: bool,
    /// What happens as soon as somebody listens.
    pub(crate) happenings: Vec<Happening>,
    /// What is refused, and how.
    pub(crate) refuse: fn(&Request<'_>) -> Option<Failure>,
    pub(crate) fault: Fault,
    /// The disks of every domain.
    pub(crate) disks: Vec<DeviceRow>,
    /// And its interfaces.
    pub(crate) vifs: Vec<DeviceRow>,
}

/// How the server misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    /// It closes the connection instead of a welcome.
    NoWelcome,
    /// It says that it speaks another version.
    OtherVersion,
    /// It answers with bytes that are no message.
    Garbage,
    /// It announces an answer longer than any.
    Endless,
    /// It closes in the middle of an answer.
    HalfAnswer,
    /// It closes instead of an answer.
    NoAnswer,
    /// It closes while it gets a file.
    NoUpload,
    /// It closes when it was told that all of a domain is safe.
    NotGone,
    /// It says then that the domain is not there to be taken down.
    GoesOn,
    /// It answers something that was not asked.
    WrongAnswer,
    /// Its pages of domains go round in a circle.
    Circle,
}

impl Default for World {
    fn default() -> Self {
        let mut guest = row(7, "guest", DomainFlags::BLOCKED);
        guest.cpu_ns = 123_500_000_000;
        let mut control = row(0, "Domain-0", DomainFlags::RUNNING);
        (control.memory_kib, control.vcpus, control.uuid) = (1024 << 10, 2, [0; 16]);
        (control.cpu_ns, control.age_ns) = (5_068_600_000_000, None);
        let configs = [(
            7,
            config(
                "name = 'guest'\nkernel = '/k'\nmemory = 512\nuuid = '07070707-0707-0707-0707-070707070707'",
            ),
        )];
        Self {
            rows: vec![control, guest],
            configs: configs.into(),
            definitions: BTreeMap::new(),
            foreign: Vec::new(),
            pools: vec![crate::pool::pool(0, "Pool-0", "credit2", 1)],
            kept_pools: BTreeMap::new(),
            labels: None,
            enforcing: true,
            dump: Vec::new(),
            dump_stalls: false,
            saved: Vec::new(),
            stays_awake: false,
            silent_when_safe: false,
            unrestorable: false,
            scheduler: "credit2",
            shares: BTreeMap::new(),
            promises: BTreeMap::new(),
            text: b"(XEN) hello\n".to_vec(),
            has_images: false,
            credit: 20_000,
            held: None,
            too_late: false,
            vcpus: vec![vcpu(0, true, &[0xff; 32]), vcpu(1, true, &[0b1101]), vcpu(2, false, &[])],
            balloons: true,
            stubborn: false,
            happenings: Vec::new(),
            refuse: |_| None,
            fault: Fault::None,
            disks: Vec::new(),
            vifs: Vec::new(),
        }
    }
}

impl World {
    /// With a definition besides.
    pub(crate) fn with_definition(mut self, text: &str) -> Self {
        let config = config(text);
        self.definitions.insert(config.name.to_string(), config);
        self
    }
}

pub(crate) fn row(domid: u16, name: &str, flags: DomainFlags) -> Row {
    Row {
        domid,
        uuid: [u8::try_from(domid).unwrap(); 16],
        name: name.into(),
        flags: flags.bits(),
        shutdown: flags.contains(DomainFlags::SHUTDOWN).then_some(0),
        memory_kib: 512 << 10,
        max_kib: 512 << 10,
        cpu_ns: 0,
        vcpus: 1,
        max_vcpus: 1,
        cpupool: 0,
        ssid: 0,
        age_ns: Some(90_061_000_000_000),
        restarts: 0,
        booted: true,
    }
}

/// Something that happened to a domain, five seconds ago.
pub(crate) fn happening(domid: u16, name: &str, what: What) -> Happening {
    let uuid = [u8::try_from(domid).unwrap(); 16];
    Happening {
        serial: 17,
        ago_ns: 5_000_000_000,
        domid: Some(domid).filter(|domid| *domid > 0),
        name: name.into(),
        uuid,
        what,
    }
}

pub(crate) fn vcpu(number: u32, online: bool, affinity: &[u8]) -> VcpuRow {
    VcpuRow {
        vcpu: number,
        online,
        blocked: number == 0,
        running: number == 1,
        cpu: number + 1,
        cpu_ns: 61_250_000_000,
        affinity: List::new("affinity", affinity.to_vec()).unwrap(),
    }
}

/// The configuration that a file gives.
pub(crate) fn config(text: &str) -> DomainConfig {
    let host = EvaluationHost::unknown("00010203-0405-4607-8809-0a0b0c0d0e0f".parse().unwrap());
    let request = Evaluation { path: "test", text, arguments: &[], host: &host, limits: Limits::default() };
    evaluate(&request).unwrap().config
}

pub(crate) fn host() -> Host {
    let text = str::to_owned;
    Host {
        xen_major: 4,
        xen_minor: 17,
        xen_extra: text(".7"),
        xen_caps: text("xen-3.0-x86_64 hvm-3.0-x86_64 "),
        virt_start: 0xffff_8000_0000_0000,
        xen_changeset: text(""),
        xen_command_line: text("com1=115200,8n1 console=com1"),
        cc_compiler: text("gcc (Debian 12.2.0) 12.2.0"),
        cc_compile_by: text("pkg-xen-devel"),
        cc_compile_domain: text("lists.example.org"),
        cc_compile_date: text("Mon Jan  1 00:00:00 UTC 2024"),
        scheduler: text("credit2"),
        xendless: text("0.1.0"),
        up_ns: 3_661_000_000_000,
        heap_used_kib: 100,
        heap_limit_kib: 32_448,
        cpus: 4,
        free_cpus: 1,
        nodes: 1,
        cores_per_socket: 1,
        threads_per_core: 1,
        cpu_khz: 2_400_123,
        hw_cap: [0x178b_fbfd, 0x8080_2001, 0, 0, 0, 0, 0, 1],
        total_kib: 2 << 20,
        free_kib: 1 << 20,
        scrub_kib: 0,
        hvm: true,
        pv: true,
        hap: true,
    }
}
