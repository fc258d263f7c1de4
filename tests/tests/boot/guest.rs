//! The test guest (`docs/test-guest.md`) as Xen's initial domain: it starts, does what its words say and ends so.

use xendless_tests::qemu::artifacts;
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::End;

use super::{Boot, boot};

/// The most that its image may have.
const IMAGE_LIMIT: u64 = 128 << 10;

fn guest(words: &str) -> Boot {
    let machine = Machine::new(artifacts::xen().unwrap(), artifacts::guest().unwrap());
    boot(&Machine { control_args: words.into(), xen_args: "dom0_mem=4M".into(), ..machine })
}

#[test]
fn it_does_what_its_words_say() {
    let boot = guest("say=hello tick=2 store evtchn-storm=100 poweroff");
    let said: Vec<_> = boot.transcript.iter().filter_map(|line| line.strip_prefix("guest: ")).collect();
    let expected = ["hello", "tick 0", "tick 1", "Store: no XenStore ring", "evtchn-storm: 100 rounds"];
    assert_eq!(said, expected, "{}", boot.story());
    assert_eq!(boot.end, Some(End::Halted), "{}", boot.story());
}

#[test]
fn a_crash_is_a_crash() {
    let boot = guest("crash");
    assert_eq!(boot.end, Some(End::Crashed), "{}", boot.story());
}

#[test]
fn its_image_is_tiny() {
    let bytes = artifacts::guest().unwrap().metadata().unwrap().len();
    assert!(bytes < IMAGE_LIMIT, "{bytes} bytes");
}
