//! The console, time and the host behave as Xen's do.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    Console, CreateFlags, DomId, Domains, EventChannels, Host, PhysMemory, Scheduler, SchedulerKind,
    ShutdownReason, Virq, XenVersion,
};
use xendless_tests::sim::{Config, Power, SimHypervisor};

use crate::{create, errno, machine};

#[test]
fn the_console_is_for_the_privileged() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    control.console_write(b"hello\n").unwrap();
    assert_eq!(errno(guest.console_write(b"no")), Errno::EPERM);
    assert_eq!(errno(guest.console_read(&mut [0; 8])), Errno::EPERM);
    assert_eq!(sim.console(), "hello\n");
}

#[test]
fn typed_bytes_wait_in_a_small_buffer() {
    let (sim, control) = machine();
    let port = control.bind_virq(Virq::Console).unwrap();
    assert_eq!(sim.type_in(b"abc"), 3);
    let mut scanner = xendless_core::events::Scanner::new();
    assert_eq!(scanner.take(sim.events(DomId(0)).bits()), Some(port));
    let mut buffer = [0; 2];
    assert_eq!(control.console_read(&mut buffer), Ok(2));
    assert_eq!(&buffer, b"ab");
    assert_eq!(control.console_read(&mut buffer), Ok(1));
    assert_eq!(control.console_read(&mut buffer), Ok(0));
    assert_eq!(sim.type_in(&[0; 200]), 128, "the rest is lost");
}

#[test]
fn the_console_ring_is_read_from_any_index() {
    let (sim, control) = machine();
    sim.xen_says("0123456789");
    let mut buffer = [0; 4];
    assert_eq!(control.read_console_ring(0, &mut buffer), Ok((4, 4)));
    assert_eq!(&buffer, b"0123");
    assert_eq!(control.read_console_ring(8, &mut buffer), Ok((2, 10)));
    assert_eq!(&buffer[..2], b"89");
    assert_eq!(control.read_console_ring(10, &mut buffer), Ok((0, 10)));
    sim.xen_says(&"x".repeat(16 << 10));
    assert_eq!(control.read_console_ring(3, &mut buffer), Ok((4, 14)), "what was overwritten is skipped");
    assert_eq!(control.read_console_ring(1 << 30, &mut buffer), Ok((4, 14)), "so is what never was");
    assert_eq!(&buffer, b"xxxx");
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    assert_eq!(errno(guest.read_console_ring(0, &mut buffer)), Errno::EPERM);
}

#[test]
fn timers_fire_in_order_and_once() {
    let (sim, control) = machine();
    let guest = sim.as_domain(create(&control, CreateFlags::empty()));
    control.bind_virq(Virq::Timer).unwrap();
    guest.bind_virq(Virq::Timer).unwrap();
    control.set_timer(Some(100)).unwrap();
    guest.set_timer(Some(50)).unwrap();
    control.block().unwrap();
    guest.block().unwrap();
    let blocked = || (sim.is_blocked(DomId(0)), sim.is_blocked(guest.domid()));
    sim.advance(49);
    assert_eq!(blocked(), (true, true));
    sim.advance(1);
    assert_eq!(blocked(), (true, false));
    sim.advance(1000);
    assert_eq!(blocked(), (false, false));
    assert_eq!(sim.now(), 1050);
}

#[test]
fn a_timer_can_be_stopped_and_one_in_the_past_fires_at_once() {
    let (sim, control) = machine();
    control.bind_virq(Virq::Timer).unwrap();
    control.set_timer(Some(10)).unwrap();
    control.set_timer(None).unwrap();
    control.block().unwrap();
    sim.advance(100);
    assert!(sim.is_blocked(DomId(0)));
    control.set_timer(Some(10)).unwrap();
    assert!(!sim.is_blocked(DomId(0)));
}

#[test]
fn the_machine_follows_its_initial_domain() {
    for (reason, power) in [
        (ShutdownReason::Poweroff, Power::Halted),
        (ShutdownReason::Reboot, Power::Restarted),
        (ShutdownReason::Crash, Power::Restarted),
    ] {
        let (sim, control) = machine();
        let guest = sim.as_domain(create(&control, CreateFlags::empty()));
        guest.shutdown(reason).unwrap();
        assert_eq!(sim.power(), Power::On, "a guest ends nothing but itself");
        control.shutdown(reason).unwrap();
        assert_eq!(sim.power(), power);
    }
}

#[test]
fn the_host_is_described() {
    let (sim, control) = machine();
    let guest = create(&control, CreateFlags::empty());
    assert_eq!(control.xen_version(), Ok(XenVersion { major: 4, minor: 17 }));
    assert_eq!(control.scheduler(), Ok(SchedulerKind::Credit2));
    let before = control.host_info().unwrap();
    assert_eq!(control.populate(guest, &mut [0, 1, 2]), Ok(3));
    let after = control.host_info().unwrap();
    assert_eq!(after.free_pages, before.free_pages - 3);
    assert_eq!(after.total_pages, before.total_pages);
    let guest = sim.as_domain(guest);
    assert_eq!(guest.xen_version(), Ok(XenVersion { major: 4, minor: 17 }), "everybody may know");
    assert_eq!(errno(guest.host_info()), Errno::EPERM);
    assert_eq!(errno(guest.scheduler()), Errno::EPERM);
}

#[test]
fn another_interface_is_answered_with_eacces() {
    let config = Config { version: XenVersion { major: 4, minor: 99 }, ..Config::default() };
    let control = SimHypervisor::new(config).control();
    assert_eq!(errno(control.host_info()), Errno::EACCES);
    assert_eq!(errno(control.scheduler()), Errno::EACCES);
    assert_eq!(errno(control.read_console_ring(0, &mut [])), Errno::EACCES);
    assert_eq!(errno(control.list_domains(DomId(0), &mut [])), Errno::EACCES);
    control.console_write(b"this works with every version").unwrap();
}
