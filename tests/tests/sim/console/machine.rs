//! The machine's own console, and the domain that is joined to it.

use xendless_core::abi::errno::Errno;
use xendless_core::console::{Limits, Notice, RateLimit};
use xendless_core::hyper::{Call, Fault, FaultInjector, HvError};

use super::{Rig, SECOND};

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
