//! What the control domain cannot work with: one plain line that says so, then the machine halts. Never a reboot,
//! which would fail the same way for ever.

use xendless_hosttools::bundle::Maker;
use xendless_tests::qemu::machine::Machine;

use super::{boot, machine, scratch_file};

fn boot_with_bundle(name: &str, content: &[u8]) -> super::Boot {
    let bundle = scratch_file(name, content);
    boot(&Machine { bundle: Some(bundle), ..machine() })
}

#[test]
fn no_bundle() {
    boot(&Machine { bundle: None, ..machine() }).assert_clean_refusal("no boot bundle");
}

#[test]
fn a_bundle_that_is_none() {
    let garbage: Vec<u8> = (0..20_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    boot_with_bundle("garbage.bundle", &garbage).assert_clean_refusal("not a bundle");
}

#[test]
fn a_bundle_that_is_cut_off() {
    let whole = Maker::new().make().unwrap();
    boot_with_bundle("short.bundle", &whole[..20]).assert_clean_refusal("shorter than a bundle's header");
}

#[test]
fn an_unknown_word_on_the_command_line() {
    let machine = Machine { control_args: "colour=blue".into(), ..machine() };
    boot(&machine).assert_clean_refusal("colour=blue");
}

#[test]
fn the_word_for_tests_in_the_build_for_people() {
    let machine = Machine { control_args: "fault=1:EINVAL".into(), ..machine() };
    boot(&machine).assert_clean_refusal("fault=1:EINVAL");
}

#[test]
fn too_little_memory() {
    let machine = Machine { xen_args: "dom0_mem=6M".into(), ..machine() };
    boot(&machine).assert_clean_refusal("memory");
}
