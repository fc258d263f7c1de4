//! The whole system on real Xen in QEMU. One program has all of its tests, so that as many machines run as there are CPUs
//! from the first to the last.
//!
//! They need what `ci/setup` installs, so only `ci/test` runs them by itself; by hand:
//! `cargo test -p xendless-tests --features system --test system [NAME]`.

mod boot;
mod domains;
mod management;

/// Tests begin in the order of their names, and this is the first: the longest boots begin before others.
#[test]
fn all_boots_of_parts_come_to_their_end() {
    management::carry_out_all();
}
