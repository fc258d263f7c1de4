//! Every hypercall of boot fails once: the control domain says so in one line and halts, or it gets over it. It
//! never crashes, which would make Xen reboot the machine, and it never dies without a word.

use xendless_tests::qemu::artifacts::Build;
use xendless_tests::qemu::machine::Machine;

use super::{boot, machine_with};

/// What boot cannot do without: to know Xen's version and its interface, four virtual interrupts, the ready line.
const FEWEST_REFUSALS: usize = 7;

/// The count of hypercalls in boot is not known here. After this many boots in a row that became ready, the
/// hypercalls that were to fail come after boot.
const READY_IN_A_ROW: usize = 8;

#[test]
fn each_hypercall_of_boot_may_find_no_memory() {
    refuse_each("ENOMEM");
}

#[test]
fn each_hypercall_of_boot_may_be_refused() {
    refuse_each("EPERM");
}

fn refuse_each(errno: &str) {
    let refusals = refuse_one_by_one(errno);
    assert!(refusals >= FEWEST_REFUSALS, "only {refusals} failing hypercalls ended boot");
    println!("{refusals} hypercalls, each refused with {errno}, ended boot in one line and a halt");
}

/// Boots with the first hypercall refused, the second and so on, and counts the boots that this ended.
fn refuse_one_by_one(errno: &str) -> usize {
    let machine = machine_with(Build::Faults);
    let (mut refusals, mut ready_in_a_row) = (0, 0);
    for nth in 1.. {
        if ready_in_a_row == READY_IN_A_ROW {
            break;
        }
        let boot = boot(&Machine { control_args: format!("fault={nth}:{errno}"), ..machine.clone() });
        if boot.end.is_some() {
            boot.assert_clean_refusal(errno);
            refusals += 1;
            ready_in_a_row = 0;
        } else {
            assert_eq!(boot.fatal_lines(), [""; 0], "{}", boot.story());
            ready_in_a_row += 1;
        }
    }
    refusals
}
