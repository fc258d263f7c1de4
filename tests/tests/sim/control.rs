//! The control domain at work: events in, bounded work, sleep.

use xendless_core::abi::errno::Errno;
use xendless_core::boot::{self, BootFacts};
use xendless_core::config::DomainConfig;
use xendless_core::control::{Control, Event, Wake};
use xendless_core::events::Scanner;
use xendless_core::hyper::{
    Call, CreateDomain, CreateFlags, DomId, Domains, EventChannels, Fault, FaultInjector, ForeignMemory, Gfn,
    HvError, PhysMemory, Port, Scheduler, ShutdownReason, Virq,
};
use xendless_core::images::Digest;
use xendless_core::life::{Bytes, Files, News, Wish};
use xendless_core::lines::{HeapUsage, Status};
use xendless_core::rights::Rights;
use xendless_core::ring::BadIndex;
use xendless_hosttools::bundle::Maker;
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{SimDomain, SimHypervisor, SimMapping, SimOffer, SimSite};

use crate::console::Guest;
use crate::life::settings;
use crate::{create, destroy, request};

/// A control domain that has booted, and the loop around it.
struct Rig {
    sim: SimHypervisor,
    hv: FaultInjector<SimDomain>,
    site: SimSite,
    control: Control<SimMapping, SimOffer>,
    scanner: Scanner,
}

impl Rig {
    fn new(fault: Option<Fault>) -> Self {
        let sim = SimHypervisor::default();
        let hv = FaultInjector::new(sim.control(), fault);
        let site = SimSite::new(&sim);
        let facts = BootFacts {
            initial_domain: true,
            privileged: true,
            pages: 8 << 10,
            bundle: Some(Maker::new().make().unwrap().leak()),
            entered_at: 0,
            images: None,
        };
        let control = boot::start(&hv, &site, &facts).unwrap();
        site.take_events();
        let mut rig = Self { sim, hv, site, control, scanner: Scanner::new() };
        rig.run();
        rig
    }

    /// One turn of the loop: all pending channels, then one step of work.
    fn turn(&mut self) -> Wake {
        let events = self.sim.events(SimHypervisor::INITIAL);
        events.upcall_pending.store(false, std::sync::atomic::Ordering::SeqCst);
        while let Some(port) = self.scanner.take(events.bits()) {
            self.control.handle(&self.site, port);
        }
        self.control.poll(&self.hv, &self.site)
    }

    /// Turns until there is nothing to do, then sleeps. Returns the number of turns and the deadline.
    fn run(&mut self) -> (usize, Option<u64>) {
        for turns in 1..10_000 {
            let wake = self.turn();
            if !wake.is_due(self.sim.now()) {
                self.hv.block().unwrap();
                if self.sim.is_blocked(SimHypervisor::INITIAL) {
                    return (turns, wake.deadline);
                }
            }
        }
        panic!("the control domain never sleeps");
    }

    fn events(&mut self) -> Vec<Event> {
        self.run();
        self.site.take_events()
    }

    fn last_status(&self) -> Status {
        let console = self.sim.console();
        Status::parse(console.lines().last().unwrap()).expect("a status line")
    }
}

#[test]
fn a_debug_key_gets_a_status_line() {
    let mut rig = Rig::new(None);
    rig.sim.advance(12_345_000_000);
    rig.sim.raise(Virq::Debug);
    rig.run();
    assert_eq!(rig.last_status(), Status { up_ms: 12_345, wake_ups: 1, heap: rig.site.heap.get() });
    rig.sim.raise(Virq::Debug);
    rig.run();
    assert_eq!(rig.last_status().wake_ups, 2);
}

#[test]
fn idle_costs_nothing() {
    let mut rig = Rig::new(None);
    assert_eq!(rig.run().1, None, "no deadline");
    rig.sim.advance(10_000_000_000);
    assert!(rig.sim.is_blocked(SimHypervisor::INITIAL), "nothing woke it");
    assert_eq!(rig.hv.calls_of(Call::SetTimer), 0, "no timer was ever set");
    assert_eq!(rig.hv.calls_of(Call::DomainList), 0, "no domain was ever looked at");
}

#[test]
fn attack_b05_endless_typing_starves_nobody() {
    let mut rig = Rig::new(None);
    let victim = create(rig.hv.inner(), CreateFlags::empty());
    rig.sim.crash(victim);
    rig.sim.raise(Virq::Debug);
    for _ in 0..3 {
        rig.sim.type_in(&[b'x'; 128]);
        assert!(rig.turn().is_due(rig.sim.now()), "more is typed all the time");
    }
    let crashed = Event::DomainShutdown { domid: victim, reason: ShutdownReason::Crash };
    assert!(rig.site.take_events().contains(&crashed));
    assert_eq!(rig.last_status().up_ms, 0);
    rig.run();
    assert_eq!(rig.sim.type_in(&[b'x'; 200]), 128, "everything typed so far was taken");
}

#[test]
fn the_end_of_a_domain_is_told_step_by_step() {
    let mut rig = Rig::new(None);
    let control = rig.hv.inner().clone();
    let guest = create(&control, CreateFlags::empty());
    let kept = control_page(&rig.sim, guest);
    assert_eq!(rig.events(), []);
    rig.sim.as_domain(guest).shutdown(ShutdownReason::Reboot).unwrap();
    let stopped = Event::DomainShutdown { domid: guest, reason: ShutdownReason::Reboot };
    assert_eq!(rig.events(), [stopped]);
    destroy(&control, guest);
    assert_eq!(rig.events(), [Event::DomainDying(guest)]);
    drop(kept);
    assert_eq!(rig.events(), [Event::DomainGone(guest)]);
}

/// Keeps a page of `guest` mapped, so that it cannot vanish.
fn control_page(sim: &SimHypervisor, guest: DomId) -> SimMapping {
    let mut frame = [0];
    sim.control().populate(guest, &mut frame).unwrap();
    sim.control().map_foreign(guest, Gfn(frame[0])).unwrap()
}

#[test]
fn a_domain_that_goes_on_after_suspending_can_stop_again() {
    let mut rig = Rig::new(None);
    let guest = create(rig.hv.inner(), CreateFlags::empty());
    let stop = Event::DomainShutdown { domid: guest, reason: ShutdownReason::Suspend };
    for _ in 0..2 {
        rig.sim.as_domain(guest).shutdown(ShutdownReason::Suspend).unwrap();
        assert_eq!(rig.events(), [stop]);
        rig.hv.resume_domain(guest).unwrap();
        // Somebody else's change makes the control domain look again.
        rig.sim.raise(Virq::DomainException);
        assert_eq!(rig.events(), []);
    }
}

#[test]
fn a_hundred_domains_that_die_at_once_are_told_once_each_in_bounded_steps() {
    let mut rig = Rig::new(None);
    let control = rig.hv.inner().clone();
    let guests: Vec<DomId> = (0..100).map(|_| create(&control, CreateFlags::empty())).collect();
    for guest in &guests {
        rig.sim.crash(*guest);
    }
    let (turns, _) = rig.run();
    assert!(turns >= 100 / 16, "one batch a turn, not all at once: {turns}");
    let told: Vec<Event> = rig.site.take_events();
    let expected: Vec<Event> = guests
        .iter()
        .map(|domid| Event::DomainShutdown { domid: *domid, reason: ShutdownReason::Crash })
        .collect();
    assert_eq!(told, expected);
    for guest in &guests {
        destroy(&control, *guest);
    }
    let gone: Vec<Event> = guests.iter().map(|domid| Event::DomainGone(*domid)).collect();
    assert_eq!(rig.events(), gone);
}

#[test]
fn attack_a17_a_new_domain_with_an_old_id_is_not_taken_for_the_old_one() {
    let mut rig = Rig::new(None);
    let control = rig.hv.inner().clone();
    let guest = create(&control, CreateFlags::empty());
    rig.sim.crash(guest);
    rig.events();
    destroy(&control, guest);
    let again = CreateDomain { domid: Some(guest), handle: [8; 16], ..request(CreateFlags::empty()) };
    assert_eq!(control.create_domain(&again), Ok(guest));
    assert_eq!(rig.events(), [Event::DomainGone(guest)]);
    rig.sim.crash(guest);
    let stopped = Event::DomainShutdown { domid: guest, reason: ShutdownReason::Crash };
    assert_eq!(rig.events(), [stopped], "the newcomer has a life of its own");
}

#[test]
fn a_refused_look_at_the_domains_is_repeated_after_a_pause() {
    let mut rig = Rig::new(Some(Fault { call: Some(Call::DomainList), nth: 1, errno: Errno::EAGAIN }));
    let guest = create(rig.hv.inner(), CreateFlags::empty());
    rig.sim.crash(guest);
    let now = rig.sim.now();
    let (_, deadline) = rig.run();
    let refused = HvError::new(Call::DomainList, Errno::EAGAIN);
    assert_eq!(rig.site.take_events(), [Event::Refused(refused)]);
    assert_eq!(deadline, Some(now + 100_000_000));
    rig.sim.advance(99_999_999);
    assert!(rig.sim.is_blocked(SimHypervisor::INITIAL), "not before its time");
    rig.sim.advance(1);
    assert!(!rig.sim.is_blocked(SimHypervisor::INITIAL), "the timer wakes it");
    let stopped = Event::DomainShutdown { domid: guest, reason: ShutdownReason::Crash };
    assert_eq!(rig.events(), [stopped]);
    assert_eq!(rig.run().1, None, "nothing is left to wait for");
    assert_eq!(rig.hv.calls_of(Call::SetTimer), 1, "a timer that fired needs no stopping");
}

#[test]
fn refusals_at_run_time_are_logged_and_end_nothing() {
    for (call, raise) in [(Call::ConsoleRead, Virq::Console), (Call::ConsoleWrite, Virq::Debug)] {
        // The ready line is the first write.
        let nth = if call == Call::ConsoleWrite { 2 } else { 1 };
        let mut rig = Rig::new(Some(Fault { call: Some(call), nth, errno: Errno::EFAULT }));
        rig.sim.raise(raise);
        assert_eq!(rig.events(), [Event::Refused(HvError::new(call, Errno::EFAULT))]);
        rig.sim.raise(Virq::Debug);
        rig.run();
        assert_eq!(rig.last_status().wake_ups, 2);
    }
}

#[test]
fn a_timer_that_xen_refuses_is_set_at_the_next_turn() {
    let mut rig = Rig::new(None);
    let fault = |call| Some(Fault { call: Some(call), nth: 1, errno: Errno::EAGAIN });
    let hv = FaultInjector::new(rig.hv.inner().clone(), fault(Call::DomainList));
    let hv = FaultInjector::new(hv, fault(Call::SetTimer));
    rig.sim.raise(Virq::DomainException);
    let sim = rig.sim.clone();
    let timer_is_set = || sim.snapshot().domains[&DomId(0)].timer;
    let port = rig.scanner.take(rig.sim.events(DomId(0)).bits()).unwrap();
    rig.control.handle(&rig.site, port);
    let wake = rig.control.poll(&hv, &rig.site);
    assert!(wake.deadline.is_some() && !timer_is_set());
    assert_eq!(rig.control.poll(&hv, &rig.site), wake);
    assert!(timer_is_set());
}

#[test]
fn an_event_on_a_channel_of_nobody_is_logged() {
    let mut rig = Rig::new(None);
    rig.control.handle(&rig.site, Port(4095));
    assert_eq!(rig.site.take_events(), [Event::StrayPort(Port(4095))]);
}

#[test]
fn the_machine_console_talks_with_the_joined_domain() {
    let mut rig = Rig::new(None);
    let mut guest = Guest::new(rig.hv.inner());
    let console = rig.control.consoles().add().unwrap();
    rig.control.consoles().attach(&rig.hv, console, guest.domid(), guest.port).unwrap();
    rig.control.consoles().join(Some(console));
    guest.print(b"login: ");
    rig.sim.type_in(b"root\r");
    assert_eq!(rig.events(), []);
    assert!(rig.sim.console().ends_with("login: "));
    assert_eq!(guest.typed(), b"root\r");
    rig.control.consoles().detach(&rig.hv, console).unwrap();
    rig.sim.type_in(b"x");
    assert_eq!(rig.events(), [Event::TypedDropped(1)]);
    assert_eq!(rig.run().1, None, "nothing is left to wait for");
}

#[test]
fn attack_b01_console_that_is_cut_is_logged_with_its_reason() {
    let mut rig = Rig::new(None);
    let guest = Guest::new(rig.hv.inner());
    let console = rig.control.consoles().add().unwrap();
    rig.control.consoles().attach(&rig.hv, console, guest.domid(), guest.port).unwrap();
    rig.run();
    guest.page().write(3084, &3000u32.to_ne_bytes());
    guest.view.notify(guest.port).unwrap();
    let reason = BadIndex { ours: 0, was: 0, is: 3000 };
    assert_eq!(rig.events(), [Event::ConsoleCut { domid: guest.domid(), reason }]);
}

#[test]
fn kept_images_give_way_when_the_heap_runs_full() {
    let mut rig = Rig::new(None);
    let images = rig.control.images();
    let [old, new] = [&[1; 3000], &[2; 3000]].map(|bytes| {
        let mut receiving = images.begin(Digest::of(bytes), bytes.len()).unwrap();
        receiving.append(bytes).unwrap();
        drop(receiving.finish(images).unwrap());
        Digest::of(bytes)
    });
    let mut kept_at = |used_kib| {
        rig.site.heap.set(HeapUsage { used_kib, ..rig.site.heap.get() });
        rig.sim.raise(Virq::Debug);
        rig.run();
        [old, new].map(|digest| rig.control.images().get(&digest).is_some())
    };
    let spare = 24_576 / 8;
    assert_eq!(kept_at(24_576 - spare), [true, true]);
    assert_eq!(kept_at(24_576 - spare + 1), [false, true], "as much as is missing goes");
    assert_eq!(kept_at(24_576), [false, false]);
}

#[test]
fn a_managed_domain_lives_stops_and_starts_anew() {
    let mut rig = Rig::new(None);
    let config = DomainConfig::new(settings()).unwrap();
    let files = Files { kernel: Bytes::Static(Elf::pv().build().leak()), ramdisk: Bytes::Static(b"ramdisk") };
    let id = rig.control.create(config, Rights::Observe, files).unwrap();
    let [Event::Life(News::Started { domid: first, .. })] = rig.events()[..] else {
        panic!("it did not start")
    };
    rig.control.ask_shutdown(&rig.hv, &rig.site, id, Wish::Reboot).unwrap();
    rig.sim.advance(61_000_000_000);
    rig.sim.as_domain(first).shutdown(ShutdownReason::Reboot).unwrap();
    let events = rig.events();
    let stopped = Event::DomainShutdown { domid: first, reason: ShutdownReason::Reboot };
    assert!(events.contains(&stopped), "{events:?}");
    let second = rig.control.managed().status(id).unwrap().domid.unwrap();
    let rights = |domid| rig.control.managed().rights(domid);
    assert_eq!((rights(first), rights(second)), (Rights::Nothing, Rights::Observe));
    assert!(
        events.contains(&Event::Life(News::Started { id, domid: second, paused: false })) && second != first,
        "{events:?}"
    );
    rig.control.destroy(id);
    let events = rig.events();
    assert!(events.contains(&Event::Life(News::Gone(id))), "{events:?}");
    assert_eq!(rig.run().1, None, "nothing is left to wait for");
    assert_eq!(rig.sim.snapshot().domains.len(), 1);
    assert_eq!(rig.sim.snapshot().mappings.values().sum::<usize>(), 0);
}
