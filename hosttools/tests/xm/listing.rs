//! `list`, `info`, `uptime`, names, logs: output to the letter.

use xendless_core::hyper::DomainFlags;

use crate::server::{Server, run};
use crate::world::{World, row};

const TABLE: &str = "\
Name                                        ID   Mem VCPUs      State   Time(s)
Domain-0                                     0  1024     2     r-----   5068.6
dormant                                          256     1     ---s--      0.0
guest                                        7   512     1     -b----    123.5
";

const DORMANT: &str =
    "name = 'dormant'\nkernel = '/k'\nmemory = 256\nuuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'";

fn world() -> World {
    World::default().with_definition(DORMANT).with_definition("name = 'guest'\nkernel = '/k'")
}

fn shown(world: World, line: &str) -> String {
    let (status, out, err) = run(world, line);
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

#[test]
fn the_table_to_the_letter() {
    assert_eq!(shown(world(), "list"), TABLE);
    let lines: Vec<&str> = TABLE.lines().collect();
    let named = format!("{}\n{}\n{}\n", lines[0], lines[3], lines[2]);
    assert_eq!(shown(world(), "list guest dormant"), named, "in the order of the names");
    let by_uuid = shown(world(), "list 5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11");
    assert!(by_uuid.contains("dormant"));
}

#[test]
fn labels_have_a_column() {
    let mut world = World { labels: Some([(5, "a:b:c\u{1b}".to_owned())].into()), ..World::default() };
    world.rows[0].ssid = 5;
    let out = shown(world, "list --label");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].ends_with("   Time(s) Label     "), "{out}");
    assert!(
        lines[1].starts_with("guest ") && lines[1].ends_with("123.5           "),
        "no label comes first: {out}"
    );
    assert!(lines[2].ends_with("5068.6 a:b:c\\u{1b}"), "{out}");
}

#[test]
fn domains_are_chosen_by_state_and_pool() {
    let names = |line: &str| -> Vec<String> {
        shown(world(), line).lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names("list --state=Running"), ["Domain-0", "guest"]);
    assert_eq!(names("list --state=halted"), ["dormant"]);
    assert_eq!(names("list --state=all").len(), 3);
    assert_eq!(names("list --state=nonsense").len(), 0);
    assert_eq!(names("list --pool=Pool-0").len(), 3);
    assert_eq!(names("list --pool=other").len(), 0);
    for what in ["state", "pool"] {
        let (status, out, err) = run(world(), &format!("list --{what}=x guest"));
        let text = format!("Error: You may specify either a {what} or a particular VM, but not both\n");
        assert_eq!((status, err), (1, text));
        assert!(out.starts_with("Usage: xm list"));
    }
}

#[test]
fn many_domains_come_in_pages() {
    let rows = (0..101).map(|domid| row(domid, &format!("d{domid:03}"), DomainFlags::PAUSED)).collect();
    assert_eq!(shown(World { rows, ..World::default() }, "list").lines().count(), 102);
}

#[test]
fn the_long_form_is_an_s_expression() {
    let out = shown(world(), "list --long guest");
    assert!(out.starts_with("(domain\n    (domid 7)\n    (cpu_weight 256)\n    (cpu_cap 0)\n"), "{out}");
    for part in [
        "    (uuid 07070707-0707-0707-0707-070707070707)\n",
        "    (cpus (()))\n",
        "    (memory 512)\n",
        "    (on_xend_start ignore)\n",
        "    (cpu_time 123.5)\n",
        "    (image (linux (kernel /k) (ramdisk '') (args '')))\n",
        "    (status 2)\n    (state -b----)\n)\n",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    let dormant = shown(world(), "list -l dormant");
    assert!(!dormant.contains("domid") && dormant.contains("(status 0)\n"), "{dormant}");
    assert!(
        shown(world(), "list -l").matches("(domain\n").count() == 3,
        "also the one without configuration"
    );
}

#[test]
fn json_says_the_same() {
    let all: serde_json::Value = serde_json::from_str(&shown(world(), "list --json")).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[2]["name"], "guest");
    assert_eq!((&all[2]["id"], &all[1]["id"]), (&7.into(), &serde_json::Value::Null));
    assert_eq!(all[1]["state"], "---s--");
    let uptime: serde_json::Value = serde_json::from_str(&shown(world(), "uptime --json guest")).unwrap();
    assert_eq!(uptime[0]["uptime_seconds"], 90_061);
    let info: serde_json::Value = serde_json::from_str(&shown(world(), "info --json")).unwrap();
    assert_eq!((&info["free_memory"], &info["xendless_version"]), (&1024.into(), &"0.1.0".into()));
}

#[test]
fn attack_e06_names_are_shown_escaped() {
    let mut world = World::default();
    world.rows[1].name = "gu\u{1b}[2Jest".into();
    for line in ["list", "list -l", "list --json", "uptime", "domname 7"] {
        let out = shown(world.clone(), line);
        assert!(!out.contains('\u{1b}') && out.contains("[2Jest"), "{line}: {out}");
    }
}

#[test]
fn up_times_to_the_letter() {
    let wanted = "\
Name                                ID Uptime 
Domain-0                             0  1:01:01
dormant                                 0:00:00
guest                                7 1 day,  1:01:01
";
    assert_eq!(shown(world(), "uptime"), wanted);
    let short = shown(world(), "uptime -s guest");
    assert!(short.ends_with(" up 1 day,  1:01, guest (7)\n") && short.starts_with(' '), "{short}");
}

#[test]
fn the_host_to_the_letter() {
    let out = shown(world(), "info");
    let keys: Vec<&str> = out.lines().map(|line| line.split(':').next().unwrap().trim_end()).collect();
    let wanted = "host release version machine nr_cpus nr_nodes cores_per_socket threads_per_core cpu_mhz hw_caps virt_caps \
                  total_memory free_memory free_cpus xen_major xen_minor xen_extra xen_caps xen_scheduler xen_pagesize \
                  platform_params xen_changeset xen_commandline cc_compiler cc_compile_by cc_compile_domain \
                  cc_compile_date xend_config_format";
    assert_eq!(keys.join(" "), wanted);
    for line in [
        "cpu_mhz                : 2400",
        "hw_caps                : 178bfbfd:80802001:00000000:00000000:00000000:00000000:00000000:00000001",
        "total_memory           : 2048",
        "xen_caps               : xen-3.0-x86_64 hvm-3.0-x86_64 ",
        "platform_params        : virt_start=0xffff800000000000",
        "xen_changeset          : ",
    ] {
        assert!(out.lines().any(|found| found == line), "{line} is not in\n{out}");
    }
}

#[test]
fn names_and_ids_are_translated() {
    assert_eq!(shown(world(), "domid guest"), "7\n");
    assert_eq!(shown(world(), "domname 7"), "guest\n");
    assert_eq!(shown(world(), "domid dormant"), "None\n");
    assert_eq!(shown(world(), "domstate guest"), "idle\n");
    assert_eq!(shown(world(), "domstate dormant"), "shutoff\n");
    assert_eq!(shown(world(), "domstate 0"), "running\n");
}

#[test]
fn logs_are_printed_whole_and_harmless() {
    let text = "(XEN) \u{1b}[31mgrüße\n\ttab\r\n".into();
    let server = Server::start(World { text, ..World::default() });
    let (status, out, _) = crate::parts(&server.xm("dmesg -c"));
    assert_eq!((status, out.as_str()), (0, "(XEN) \\u{1b}[31mgrüße\n\ttab\\r\n"));
    assert_eq!(server.seen.all()[0], "dmesg clear=true");
    let (status, out, _) = crate::parts(&server.xm("log"));
    assert_eq!((status, out.as_str()), (0, "(XEN) \\u{1b}[31mgrüße\n\ttab\\r\nxmd: is \\u{1b} there\n\n"));
    let (status, _, err) = crate::parts(&server.xm("dmesg now"));
    assert_eq!((status, err.as_str()), (1, "Error: No parameter required\n"));
}
