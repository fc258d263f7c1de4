//! Amounts of memory: what Xen gives beyond what the control domain can use goes back, for guests.

use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{Running, WATCHDOG};
use xendless_tests::qemu::serial::Sight;

use super::machine;

/// The heap's limit, in MiB, of a control domain that Xen gives `given` MiB.
fn heap_limit(given: u32) -> u64 {
    let xen_args = format!("dom0_mem={given}M");
    let machine = Machine { xen_args, memory_mib: 2048, ..machine() };
    let mut running = Running::start(&machine, WATCHDOG, |_| {}).unwrap();
    let limit = running.run_until(|_, sight| match sight? {
        Sight::Ready(ready) => Some(ready.heap.limit_kib / 1024),
        _ => None,
    });
    limit.unwrap_or_else(|end| panic!("{end}:\n{}", running.transcript().join("\n")))
}

#[test]
fn all_memory_is_used() {
    // The image, its stacks and its page tables take less than 3 MiB.
    assert!((253..256).contains(&heap_limit(256)));
}

#[test]
fn more_memory_than_can_be_mapped_goes_back() {
    assert!((760..768).contains(&heap_limit(1500)));
}
