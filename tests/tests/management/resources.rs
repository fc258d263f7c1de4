//! Memory, virtual CPUs, keys and another life of domains that run.

use super::part;
use super::transcript::Part;

/// What is said when a domain would get more than it may have.
const TOO_MUCH: &str = "memory_dynamic_max must be less than or equal to memory_static_max";

/// What Debian said, in the order in which it was asked.
fn said(part: &Part) -> Vec<&str> {
    part.text().lines().filter_map(|line| line.strip_prefix("debian says: ")).collect()
}

/// The memory of the domain that was listed, in MiB.
fn memory(list: &str) -> u64 {
    list.lines().nth(1).unwrap().split_whitespace().nth(2).unwrap().parse().unwrap()
}

#[test]
fn debian_gives_memory_and_takes_it_again() {
    let part = part("resources");
    let [there, back] = [part.step("xm mem-set deb 96"), part.step("xm mem-set deb 128")];
    there.wrote("Domain deb has 96 MiB.\n");
    back.wrote("Domain deb has 128 MiB.\n");
    assert!(part.number("memory given:") >= 31, "{}", part.text());
    assert!(part.number("memory taken again:").abs() <= 1, "{}", part.text());
    let total: u64 = said(&part)[1].split(' ').next().unwrap().parse().unwrap();
    assert!(total < 96 << 10, "Debian itself says so: {total} kB");
    let [small, large] = part.steps("xm list deb");
    assert_eq!((memory(&small.output), memory(&large.output)), (96, 134));
}

#[test]
fn memory_has_limits_that_can_be_moved() {
    let part = part("resources");
    part.step("xm mem-set deb 129").failed(1, TOO_MUCH);
    part.step("xm mem-max deb 200").wrote("");
    part.step("xm mem-max deb 100").failed(1, TOO_MUCH);
    part.step("xm mem-set deb 134").wrote("Domain deb has 134 MiB.\n");
}

#[test]
fn attack_c03_a_guest_that_keeps_its_memory_is_named_and_not_waited_for_for_ever() {
    let part = part("resources");
    let text =
        "Error: Domain tiny does not cooperate: it has 4 MiB 10 seconds after it was asked to have 2 MiB.\n";
    let step = part.step("xm mem-set tiny 2");
    assert_eq!((step.status, step.output.as_str()), (1, text));
    part.step("xm mem-set tiny 5").failed(1, TOO_MUCH);
    part.step("xm mem-set 0 64")
        .failed(1, "Error: Domain-0 is the control domain; its memory does not change.");
}

#[test]
fn debian_plugs_a_virtual_cpu_out() {
    let part = part("resources");
    let before = part.step("xm vcpu-list deb");
    let rows = before.lines();
    assert_eq!(rows.len(), 3, "{before:?}");
    for (number, row) in rows[1..].iter().enumerate() {
        assert_eq!((row[2], row[3]), (number.to_string().as_str(), "0"), "{before:?}");
        assert!(before.output.lines().all(|line| line.ends_with("any cpu") || line.ends_with("Affinity")));
    }
    let json = &part.step("xm vcpu-list --json deb").output;
    let online: Vec<&str> =
        json.lines().filter_map(|line| line.trim().strip_prefix("\"online\": ")).collect();
    assert_eq!(online, ["true,", "false,"], "{json}");
    assert_eq!([said(&part)[0], said(&part)[2]], ["0-1", "0"]);
    part.step("xm vcpu-set deb 3").failed(1, "Cannot set vcpus greater than max vcpus on running domain");
    part.step("xm vcpu-set deb 0").failed(1, "Zero or less VCPUs is invalid");
}

#[test]
fn virtual_cpus_are_pinned_where_there_are_cpus() {
    let part = part("resources");
    part.step("xm vcpu-pin deb 0 0").wrote("");
    part.step("xm vcpu-pin deb 0 7").failed(1, "Cannot pin vcpu: 0 to cpu: [7] - (22, 'Invalid argument')");
    part.step("xm vcpu-pin deb 9 0").failed(1, "Cannot pin vcpu: 9 to cpu: [0] - (22, 'Invalid argument')");
    part.step("xm vcpu-pin deb all all").wrote("");
}

#[test]
fn debian_says_what_its_magic_keys_are_and_feels_triggers() {
    let part = part("resources");
    part.step("xm sysrq deb h").wrote("");
    part.step("xm sysrq deb help").failed(1, "help is not convertible to a character");
    part.step("xm trigger deb reset").failed(1, "(38, 'Function not implemented')");
    part.step("xm trigger deb power").failed(1, "(22, 'Invalid argument')");
    part.step("xm trigger deb nmi").wrote("");
    // What Debian printed was waited for.
    part.step("xm destroy deb").wrote("");
}

#[test]
fn a_reset_domain_is_another_one() {
    let part = part("resources");
    part.step("xm reset tiny").wrote("");
    assert!(part.says("another domid"), "{}", part.text());
    part.step("xm reset 0").failed(1, "Cannot reset privileged domain 0");
    part.step("xm reset admin").failed(1, "domain 1 cannot reset itself: reboot it");
    part.step("xm reset nobody").failed(3, "Error: Domain 'nobody' does not exist.");
}

#[test]
fn what_is_only_defined_keeps_what_it_is_told() {
    let part = part("resources");
    for command in ["xm sysrq kept h", "xm trigger kept nmi", "xm reset kept"] {
        part.step(command).failed(1, "Domain 'kept' is not started");
    }
    part.step("xm mem-max kept 6").wrote("");
    part.step("xm mem-max kept 8").wrote("");
    assert!(part.text().contains("(maxmem 8)"), "{}", part.text());
}

#[test]
fn the_machine_is_described_and_its_keys_pressed() {
    let part = part("resources");
    part.step("xm debug-keys h").wrote("");
    let dmesg = &part.step("xm dmesg").output;
    assert!(dmesg.contains("'h' pressed -> showing installed handlers"), "{dmesg}");
    assert!(!dmesg.contains("Xen version"), "it was cleared: {dmesg}");
    let info = &part.step("xm info -n").output;
    assert!(info.contains(
        "\nfree_cpus              : 0\ncpu_topology           : \ncpu:    core    socket     node\n"
    ));
    // Xen says nothing of the core of the only CPU.
    assert!(info.contains("\n  0:      -1        0        0\n"), "{info}");
    let nodes =
        "\nnuma_info              : \nnode: TotalMemory FreeMemory dma32Memory NodeDist:   0 \n   0:  ";
    assert!(info.contains(nodes), "{info}");
    let settings = &part.step("xm info -c").output;
    assert!(
        settings.contains("socket                                : /run/xendless/xmd.sock\n"),
        "{settings}"
    );
    let top = &part.step("xm top -b -i 1").output;
    assert!(top.starts_with("      NAME  STATE   CPU(sec)") && top.contains("\n     admin "), "{top}");
}
