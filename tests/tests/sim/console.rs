//! Consoles, with domains at the other end of their rings.

use embedded_io::{Read, Write};
use proptest::prelude::*;
use xendless_core::abi::errno::Errno;
use xendless_core::console::{
    ConsoleId, Consoles, Limits, Lost, Notice, RateLimit, Seen, SubscribeError, TableError, TypeError,
};
use xendless_core::hyper::{
    Call, CreateFlags, DomId, Domains, EventChannels, Fault, FaultInjector, ForeignMemory, Gfn, GrantRef,
    Grants, HvError, PhysMemory, Port,
};
use xendless_core::ring::console::FrontendEnd;
use xendless_tests::sim::{SimDomain, SimHypervisor, SimMapping};

use crate::{create, destroy};

const SECOND: u64 = 1_000_000_000;

/// A domain with a console page and channel, as the builder makes it.
pub(crate) struct Guest {
    pub(crate) view: SimDomain,
    gfn: Gfn,
    pub(crate) port: Port,
    ring: FrontendEnd<SimMapping>,
}

impl Guest {
    pub(crate) fn new(control: &SimDomain) -> Self {
        let domid = create(control, CreateFlags::empty());
        let mut frame = [0];
        assert_eq!(control.populate(domid, &mut frame), Ok(1));
        let gfn = Gfn(frame[0]);
        control.seed_grant(domid, GrantRef(0), control.domid(), gfn).unwrap();
        let view = control.machine().as_domain(domid);
        let port = view.alloc_unbound(DomId::SELF, control.domid()).unwrap();
        let ring = FrontendEnd::attach(view.map_foreign(DomId::SELF, gfn).unwrap()).unwrap();
        Self { view, gfn, port, ring }
    }

    pub(crate) fn domid(&self) -> DomId {
        self.view.domid()
    }

    /// Prints what fits into the ring and signals; returns how many bytes that were.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> usize {
        let count = self.ring.write(bytes).unwrap_or(0);
        self.view.notify(self.port).unwrap();
        count
    }

    pub(crate) fn typed(&mut self) -> Vec<u8> {
        let mut out = [0; 4096];
        let count = self.ring.read(&mut out).unwrap_or(0);
        self.view.notify(self.port).unwrap();
        out[..count].to_vec()
    }

    /// The page, to write to it past the ring.
    pub(crate) fn page(&self) -> SimMapping {
        self.view.map_foreign(DomId::SELF, self.gfn).unwrap()
    }
}

/// The console service and the hypervisor below it.
struct Rig {
    sim: SimHypervisor,
    hv: FaultInjector<SimDomain>,
    consoles: Consoles<SimMapping>,
    notices: Vec<Notice>,
}

impl Rig {
    fn with(limits: Limits) -> Self {
        let sim = SimHypervisor::default();
        let hv = FaultInjector::new(sim.control(), None);
        Self { sim, hv, consoles: Consoles::new(limits), notices: Vec::new() }
    }

    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn control(&self) -> SimDomain {
        self.hv.inner().clone()
    }

    fn guest(&mut self) -> (Guest, ConsoleId) {
        let guest = Guest::new(&self.control());
        let console = self.consoles.add().unwrap();
        self.consoles.attach(&self.hv, console, guest.domid(), guest.port).unwrap();
        (guest, console)
    }

    /// Hands on what was signalled.
    fn signals(&mut self) {
        let events = self.sim.events(SimHypervisor::INITIAL);
        let mut scanner = xendless_core::events::Scanner::new();
        while let Some(port) = scanner.take(events.bits()) {
            assert!(self.consoles.signal(port), "{port:?} is no console's");
        }
    }

    fn step(&mut self) -> Option<u64> {
        self.signals();
        let notices = &mut self.notices;
        self.consoles.step(&self.hv, self.sim.now(), |notice| notices.push(notice))
    }

    /// Steps until there is nothing to do now; returns when there will be, and the number of steps.
    fn settle(&mut self) -> (Option<u64>, usize) {
        for steps in 1..20_000 {
            let next = self.step();
            if next.is_none_or(|next| next > self.sim.now()) {
                return (next, steps);
            }
        }
        panic!("the consoles never rest");
    }

    /// Lets time pass, with all work done when it is due.
    fn pass(&mut self, ns: u64) {
        let end = self.sim.now() + ns;
        loop {
            let next = self.settle().0.unwrap_or(end).min(end);
            self.sim.advance(next - self.sim.now());
            if next == end {
                return;
            }
        }
    }

    /// Prints all of it, with turns in between.
    fn print(&mut self, guest: &mut Guest, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            done += guest.print(&bytes[done..]);
            if self.settle().0.is_some() {
                self.pass(SECOND / 10);
            }
        }
    }

    /// All that a new viewer sees now.
    fn screen(&mut self, console: ConsoleId) -> Vec<u8> {
        let viewer = self.consoles.subscribe(console).unwrap();
        let mut out = vec![0; 1 << 17];
        let seen = self.consoles.read(viewer, &mut out).unwrap();
        assert_eq!(seen.lost, 0);
        self.consoles.unsubscribe(viewer);
        out.truncate(seen.count);
        out
    }
}

#[test]
fn bytes_go_both_ways_and_nothing_is_left_when_all_is_over() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    assert_eq!(rig.consoles.domain(console), Some(guest.domid()));
    let viewer = rig.consoles.subscribe(console).unwrap();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.read(viewer, &mut [0; 9]), Some(Seen { lost: 0, count: 0 }));
    guest.print(b"login: ");
    assert_eq!(rig.settle().0, None);
    assert_eq!((rig.consoles.take_ready(), rig.consoles.take_ready()), (Some(viewer), None));
    let mut out = [0; 9];
    assert_eq!(rig.consoles.read(viewer, &mut out), Some(Seen { lost: 0, count: 7 }));
    assert_eq!(&out[..7], b"login: ");
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"root\r", |_| panic!()), Ok(5));
    assert_eq!(guest.typed(), b"root\r");
    rig.settle();
    rig.consoles.remove(&rig.hv, console).unwrap();
    assert_eq!(rig.consoles.take_ready(), Some(viewer), "it is told that the console is gone");
    assert_eq!(rig.consoles.read(viewer, &mut out), None);
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"x", |_| ()), Err(TypeError::NoSuchViewer));
    let domid = guest.domid();
    drop(guest);
    destroy(&rig.control(), domid);
    assert_eq!(rig.notices, []);
    rig.sim.assert_pristine();
}

#[test]
fn a_late_viewer_sees_the_last_64_kib() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let text: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    rig.print(&mut guest, &text);
    let screen = rig.screen(console);
    assert!((64 << 10..=66 << 10).contains(&screen.len()), "{}", screen.len());
    assert!(text.ends_with(&screen));
    assert_eq!(rig.consoles.dropped(console), Some((text.len() - screen.len()) as u64));
}

#[test]
fn a_slow_viewer_loses_the_oldest_and_is_told_how_much() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let slow = rig.consoles.subscribe(console).unwrap();
    rig.print(&mut guest, &[b'x'; 100_000]);
    let mut out = vec![0; 100_000];
    let seen = rig.consoles.read(slow, &mut out).unwrap();
    assert_eq!(seen.lost + seen.count as u64, 100_000);
    assert_eq!(Some(seen.lost), rig.consoles.dropped(console));
    assert_eq!(Lost(7).to_string(), "\r\n[xendless: 7 bytes of output lost]\r\n");
}

#[test]
fn who_types_more_than_fits_is_told_when_there_is_room() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let viewer = rig.consoles.subscribe(console).unwrap();
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, &[b'k'; 1500], |_| panic!()), Ok(1024));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"k", |_| panic!()), Ok(0));
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), None, "there is no room");
    assert_eq!(guest.typed().len(), 1024);
    rig.settle();
    assert_eq!(rig.consoles.take_ready(), Some(viewer));
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, &[b'k'; 476], |_| panic!()), Ok(476));
}

#[test]
fn a_console_outlives_the_domain_and_goes_to_the_next() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    let viewer = rig.consoles.subscribe(console).unwrap();
    guest.print(b"going down\r\n");
    rig.consoles.detach(&rig.hv, console).unwrap();
    assert!(!guest.ring.is_served());
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, b"x", |_| ()), Err(TypeError::NoDomain));
    let domid = guest.domid();
    drop(guest);
    destroy(&rig.control(), domid);
    rig.sim.assert_pristine();

    let mut next = Guest::new(&rig.control());
    rig.consoles.attach(&rig.hv, console, next.domid(), next.port).unwrap();
    next.print(b"hello again\r\n");
    rig.settle();
    let mut out = [0; 64];
    let seen = rig.consoles.read(viewer, &mut out).unwrap();
    assert_eq!(&out[..seen.count], b"going down\r\nhello again\r\n");
}

#[test]
fn attack_b01_console_a_broken_ring_costs_the_console_and_nothing_else() {
    for (index, value) in [(3084, 2055), (3084, u32::MAX), (3084, 0), (3072, 5), (3072, u32::MAX)] {
        let mut rig = Rig::new();
        let (mut evil, console) = rig.guest();
        let (mut good, other) = rig.guest();
        let viewer = rig.consoles.subscribe(console).unwrap();
        rig.print(&mut evil, b"before");
        evil.page().write(index, &value.to_ne_bytes());
        evil.view.notify(evil.port).unwrap();
        rig.settle();
        let mut notices = rig.notices.clone();
        // A bad index of the input ring is met when somebody types.
        let typed = rig.consoles.type_in(&rig.hv, viewer, b"x", |notice| notices.push(notice));
        assert_eq!(typed, Err(TypeError::NoDomain));
        assert!(
            matches!(notices[..], [Notice::Cut { domid, reason }] if domid == evil.domid() && reason.is == value)
        );
        assert_eq!((rig.consoles.domain(console), evil.ring.is_served()), (None, false));
        assert_eq!(rig.screen(console), b"before");
        let info = rig.hv.domain_info(evil.domid()).unwrap();
        assert_eq!(info.shutdown, None, "the domain itself is left alone");
        rig.print(&mut good, b"still here");
        assert_eq!(rig.screen(other), b"still here");
    }
}

#[test]
fn attack_b03_console_events_without_bytes_cost_their_sender() {
    let mut rig = Rig::new();
    let (evil, _) = rig.guest();
    let (mut good, other) = rig.guest();
    rig.settle();
    let mut turns = 0;
    while turns < 10_000 {
        evil.view.notify(evil.port).unwrap();
        match rig.step() {
            Some(next) if next > rig.sim.now() => break,
            _ => turns += 1,
        }
    }
    let burst = Limits::default().domain.burst / 64;
    assert!((burst - 8..=burst + 8).contains(&turns), "{turns} turns of {burst}");
    good.print(b"prompt");
    evil.view.notify(evil.port).unwrap();
    rig.step();
    assert_eq!(rig.screen(other), b"prompt", "in the very next step");
}

#[test]
fn attack_b05_console_endless_output_is_taken_at_the_rate_that_is_allowed() {
    let mut rig = Rig::new();
    let (mut evil, console) = rig.guest();
    let mut printed = 0u64;
    let end = 10 * SECOND;
    while rig.sim.now() < end {
        printed += evil.print(&[b'#'; 4096]) as u64;
        if let (Some(next), _) = rig.settle() {
            rig.sim.advance(next.saturating_sub(rig.sim.now()));
        }
    }
    let Limits { domain: RateLimit { per_second, burst }, .. } = Limits::default();
    let allowed = u64::from(burst) + u64::from(per_second) * 10;
    assert!(printed <= allowed + 4096, "{printed} of {allowed}");
    assert!(printed >= allowed * 9 / 10, "and not less: {printed} of {allowed}");
    assert!(rig.screen(console).len() <= 66 << 10);
}

#[test]
fn attack_b05_console_of_a_chatty_domain_takes_nobodys_last_screen() {
    let limits = Limits { history: 40 << 10, ..Limits::default() };
    let mut rig = Rig::with(limits);
    let mut quiet: Vec<(Guest, ConsoleId)> = (0..7).map(|_| rig.guest()).collect();
    let (mut chatty, hog) = rig.guest();
    for (guest, _) in &mut quiet[..4] {
        rig.print(guest, &[b'q'; 5000]);
    }
    rig.print(&mut chatty, &[b'!'; 60_000]);
    for (_, console) in &quiet[..4] {
        assert_eq!(rig.screen(*console), [b'q'; 5000], "within its share of 5 KiB");
    }
    assert!(rig.screen(hog).len() <= 20 << 10, "the rest of the memory");
    for (guest, _) in &mut quiet[4..] {
        rig.print(guest, &[b'l'; 5000]);
    }
    for (at, (_, console)) in quiet.iter().enumerate() {
        assert_eq!(rig.screen(*console), [if at < 4 { b'q' } else { b'l' }; 5000], "also who comes late");
    }
    assert!(rig.screen(hog).len() > 4 << 10);
}

#[test]
fn attack_b05_console_a_domain_that_storms_delays_the_others_by_one_turn() {
    let mut rig = Rig::new();
    let mut storm: Vec<(Guest, ConsoleId)> = (0..5).map(|_| rig.guest()).collect();
    let (mut good, console) = rig.guest();
    for (guest, _) in &mut storm {
        guest.print(&[b'#'; 4096]);
    }
    good.print(b"$ ");
    for _ in 0..storm.len() + 1 {
        rig.step();
        for (guest, _) in &mut storm {
            guest.print(&[b'#'; 4096]);
        }
    }
    assert_eq!(rig.screen(console), b"$ ");
}

#[test]
fn the_machine_console_is_joined_to_one_domain_in_both_directions() {
    let mut rig = Rig::new();
    let (mut guest, console) = rig.guest();
    rig.print(&mut guest, b"booting\r\n");
    rig.consoles.join(Some(console));
    rig.print(&mut guest, b"\x1b[1m# \x1b[0m");
    rig.pass(SECOND);
    assert_eq!(rig.sim.console(), "booting\r\n\x1b[1m# \x1b[0m");
    rig.sim.type_in(b"ls\r");
    rig.consoles.typed();
    rig.settle();
    assert_eq!(guest.typed(), b"ls\r");
    assert_eq!(rig.notices, []);
}

#[test]
fn attack_e06_console_bytes_of_other_domains_never_reach_the_machine() {
    let mut rig = Rig::new();
    let (mut admin, console) = rig.guest();
    let (mut evil, _) = rig.guest();
    rig.consoles.join(Some(console));
    rig.print(&mut evil, b"\x1b]0;owned\x07\x1b[2J\x1b[6n");
    rig.print(&mut admin, b"# ");
    rig.pass(SECOND);
    assert_eq!(rig.sim.console(), "# ");
}

#[test]
fn attack_b05_console_the_machine_shows_a_storm_no_faster_than_its_line() {
    let mut rig = Rig::new();
    let (mut admin, console) = rig.guest();
    rig.consoles.join(Some(console));
    rig.print(&mut admin, &[b'#'; 30_000]);
    let before = rig.sim.now();
    rig.pass(SECOND);
    let Limits { machine: RateLimit { per_second, burst }, .. } = Limits::default();
    let allowed = u64::from(burst) + u64::from(per_second) * rig.sim.now().div_ceil(SECOND);
    assert!(rig.sim.console().len() as u64 <= allowed, "{before}");
    rig.sim.type_in(b"\x03");
    rig.consoles.typed();
    rig.step();
    assert_eq!(admin.typed(), b"\x03", "what is typed goes before what waits to be shown");
    rig.pass(3 * SECOND);
    assert_eq!(rig.sim.console().len(), 30_000, "all of it comes in the end");
    rig.print(&mut admin, &[b'+'; 200_000]);
    rig.pass(30 * SECOND);
    assert_eq!(rig.sim.console().len(), 230_000, "the domain waited for the line, and nothing is lost");
}

#[test]
fn attack_b05_console_typing_at_a_domain_that_does_not_read_is_held_back() {
    let mut rig = Rig::new();
    let (mut admin, console) = rig.guest();
    rig.consoles.join(Some(console));
    let mut typed = 0;
    for _ in 0..40 {
        typed += rig.sim.type_in(&[b't'; 100]);
        rig.consoles.typed();
        assert_eq!(rig.settle().0, None, "and nothing spins");
    }
    assert!(typed < 2000, "Xen keeps the rest: {typed}");
    let mut read = 0;
    for _ in 0..10 {
        read += admin.typed().len();
        rig.settle();
    }
    assert_eq!(read, typed, "nothing that Xen took is lost");
    rig.consoles.remove(&rig.hv, console).unwrap();
    rig.sim.type_in(b"hello?");
    rig.consoles.typed();
    rig.settle();
    assert_eq!(rig.notices, [Notice::TypedDropped(6)]);
}

#[test]
fn a_refused_write_to_the_machine_is_tried_again_and_nothing_is_lost() {
    let mut rig = Rig::new();
    rig.hv = FaultInjector::new(
        rig.control(),
        Some(Fault { call: Some(Call::ConsoleWrite), nth: 1, errno: Errno::EFAULT }),
    );
    let (mut guest, console) = rig.guest();
    rig.consoles.join(Some(console));
    guest.print(b"once");
    assert_eq!(rig.settle().0, Some(100_000_000));
    assert_eq!(rig.notices, [Notice::Refused(HvError::new(Call::ConsoleWrite, Errno::EFAULT))]);
    rig.pass(SECOND);
    assert_eq!(rig.sim.console(), "once");
}

#[test]
fn an_attach_that_fails_leaves_nothing_behind() {
    for nth in 1..=2 {
        let mut rig = Rig::new();
        let guest = Guest::new(&rig.control());
        let before = rig.sim.snapshot();
        let console = rig.consoles.add().unwrap();
        rig.hv = FaultInjector::new(rig.control(), Some(Fault { call: None, nth, errno: Errno::ENOMEM }));
        assert!(rig.consoles.attach(&rig.hv, console, guest.domid(), guest.port).is_err());
        assert_eq!(rig.sim.snapshot(), before);
        rig.consoles.attach(&rig.hv, console, guest.domid(), guest.port).unwrap();
        assert_eq!(rig.hv.calls() - nth, 2, "the calls that were let fail are all there are");
    }
}

#[test]
fn attack_b04_console_a_page_that_is_not_granted_is_not_attached() {
    let mut rig = Rig::new();
    let domid = create(&rig.control(), CreateFlags::empty());
    let port = rig.hv.alloc_unbound(domid, SimHypervisor::INITIAL).unwrap();
    let console = rig.consoles.add().unwrap();
    assert!(rig.consoles.attach(&rig.hv, console, domid, port).is_err());
    assert_eq!(rig.consoles.domain(console), None);
    assert_eq!(rig.settle().0, None);
}

#[test]
fn attack_a16_console_indices_wrap() {
    let mut rig = Rig::new();
    let mut guest = Guest::new(&rig.control());
    let page = guest.page();
    for index in [3072, 3076, 3080, 3084] {
        page.write(index, &(u32::MAX - 700).to_ne_bytes());
    }
    guest.ring = FrontendEnd::attach(page).unwrap();
    let console = rig.consoles.add().unwrap();
    rig.consoles.attach(&rig.hv, console, guest.domid(), guest.port).unwrap();
    let text: Vec<u8> = (0..5000u32).map(|at| (at % 251) as u8).collect();
    rig.print(&mut guest, &text);
    assert_eq!(rig.screen(console), text);
    let viewer = rig.consoles.subscribe(console).unwrap();
    assert_eq!(rig.consoles.type_in(&rig.hv, viewer, &text[..1000], |_| panic!()), Ok(1000));
    assert_eq!(guest.typed(), &text[..1000]);
}

#[test]
fn there_are_no_more_consoles_and_viewers_than_allowed_and_those_that_go_make_room() {
    let mut consoles = Consoles::<SimMapping>::new(Limits { consoles: 2, viewers: 3, ..Limits::default() });
    let (first, second) = (consoles.add().unwrap(), consoles.add().unwrap());
    assert_eq!(consoles.add(), Err(TableError::Full));
    let viewers: Vec<_> = (0..3).map(|_| consoles.subscribe(first).unwrap()).collect();
    assert_eq!(consoles.subscribe(second), Err(SubscribeError::Table(TableError::Full)));
    consoles.unsubscribe(viewers[0]);
    consoles.subscribe(second).unwrap();
    consoles.remove(&SimHypervisor::default().control(), first).unwrap();
    assert_eq!(consoles.subscribe(first), Err(SubscribeError::NoSuchConsole));
    let again = consoles.add().unwrap();
    assert_ne!(again, first, "a name is never used twice");
}

#[derive(Clone, Debug)]
enum Act {
    Print(usize, usize),
    Read(usize, usize),
    Type(usize, usize),
    Drain(usize),
    Pass(u64),
    Step,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0usize..3, 0usize..5000).prop_map(|(guest, count)| Act::Print(guest, count)),
        (0usize..6, 1usize..9000).prop_map(|(viewer, count)| Act::Read(viewer, count)),
        (0usize..6, 1usize..1500).prop_map(|(viewer, count)| Act::Type(viewer, count)),
        (0usize..3).prop_map(Act::Drain),
        (0..SECOND / 10).prop_map(Act::Pass),
        Just(Act::Step),
    ]
}

/// The byte that guest `guest` prints at position `at`.
fn letter(guest: usize, at: u64) -> u8 {
    ((at * 7 + guest as u64) % 253) as u8
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order of events and however slow the viewers are, each sees every byte at its place or is told
    /// of it as lost, and every typed byte that was taken arrives once.
    #[test]
    fn viewers_see_what_was_printed_in_order(acts in prop::collection::vec(act(), 1..120)) {
        let mut rig = Rig::with(Limits { history: 24 << 10, ..Limits::default() });
        let mut guests: Vec<(Guest, ConsoleId)> = (0..3).map(|_| rig.guest()).collect();
        let viewers: Vec<_> = (0..6).map(|at| rig.consoles.subscribe(guests[at % 3].1).unwrap()).collect();
        let (mut printed, mut seen, mut typed) = ([0u64; 3], [0u64; 6], [0usize; 3]);
        let check = |rig: &mut Rig, viewer: usize, seen: &mut [u64; 6], room: usize| {
            let mut out = vec![0; room];
            let got = rig.consoles.read(viewers[viewer], &mut out).unwrap();
            let from = seen[viewer] + got.lost;
            assert!((from..).zip(&out[..got.count]).all(|(at, byte)| *byte == letter(viewer % 3, at)));
            seen[viewer] = from + got.count as u64;
        };
        for act in acts {
            match act {
                Act::Print(guest, count) => {
                    let from = printed[guest];
                    let bytes: Vec<u8> = (from..from + count as u64).map(|at| letter(guest, at)).collect();
                    printed[guest] += guests[guest].0.print(&bytes) as u64;
                }
                Act::Read(viewer, room) => check(&mut rig, viewer, &mut seen, room),
                Act::Type(viewer, count) => {
                    let bytes = vec![b'k'; count];
                    typed[viewer % 3] += rig.consoles.type_in(&rig.hv, viewers[viewer], &bytes, |_| panic!()).unwrap();
                }
                Act::Drain(guest) => typed[guest] -= guests[guest].0.typed().len(),
                Act::Pass(ns) => rig.pass(ns),
                Act::Step => drop(rig.step()),
            }
        }
        rig.pass(SECOND);
        for viewer in 0..6 {
            check(&mut rig, viewer, &mut seen, 1 << 17);
            prop_assert_eq!(seen[viewer], printed[viewer % 3]);
        }
        for (guest, left) in typed.iter().enumerate() {
            prop_assert_eq!(guests[guest].0.typed().len(), *left);
        }
        prop_assert_eq!(&rig.notices, &[]);
    }

    /// A hostile domain writes anything anywhere into its page; another one never notices.
    #[test]
    fn attack_b01_console_any_page_leaves_the_others_alone(
        writes in prop::collection::vec((prop_oneof![Just(3072usize), Just(3076), Just(3080), Just(3084), 0usize..4092], any::<u32>()), 1..40),
    ) {
        let mut rig = Rig::new();
        let (evil, console) = rig.guest();
        let (mut good, other) = rig.guest();
        let viewer = rig.consoles.subscribe(console).unwrap();
        for (at, value) in writes {
            evil.page().write(at, &value.to_ne_bytes());
            evil.view.notify(evil.port).unwrap();
            let _ = rig.consoles.type_in(&rig.hv, viewer, b"typed", |_| ());
            rig.settle();
        }
        rig.print(&mut good, b"fine");
        prop_assert_eq!(rig.screen(other), b"fine");
        rig.consoles.remove(&rig.hv, console).unwrap();
    }
}
