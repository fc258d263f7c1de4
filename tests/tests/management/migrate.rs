//! A domain that migrates on real Xen, to the machine that it is on.

use super::part;

#[test]
fn a_guest_goes_on_at_the_other_side() {
    let part = part("migrate");
    part.step("xm migrate -l mover here").wrote("");
    part.step("xm domid mover").failed(3, "Error: Domain 'mover' does not exist.");
    assert_eq!(part.said("moved"), ["memory counts"]);
    part.step("xm migrate -c moved here").failed(1, "Error: Domain is not a managed domain\n");
    assert_eq!(part.number("memory missing:"), 0);
}

#[test]
fn attack_d03_whatever_ends_before_it_is_safe_the_guest_goes_on_and_nothing_else_is_left() {
    let part = part("migrate");
    let [taken, broken, unreachable] = part.steps("xm migrate mover here");
    taken.failed(1, "Error: Domain 'admin' already exists with ID '1' (from here)\n");
    broken
        .failed(1, "Error: The connection to here ended: the domain goes on here; here may have it as well");
    unreachable.failed(1, "Error: can't connect: there is no program no-ssh, or no xm at here\n");
    part.step("xm migrate -p 8002 mover here").failed(1, "Error: -p/-s need the removed relocation server;");
    assert_eq!(part.said("mover"), ["begun", "memory counts"]);
    part.step("timeout -s INT 2 xm migrate deaf here").failed(130, "");
    part.step("xm domstate deaf").wrote("idle\n");
}
