//! Broken, refused and busy rings.

use proptest::prelude::*;
use xendless_core::abi::errno::Errno;
use xendless_core::console::{ConsoleId, Limits, Notice, RateLimit, TypeError};
use xendless_core::hyper::{CreateFlags, Domains, EventChannels, Fault, FaultInjector};
use xendless_core::ring::console::FrontendEnd;
use xendless_tests::sim::SimHypervisor;

use super::{Guest, Rig, SECOND};
use crate::create;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

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
