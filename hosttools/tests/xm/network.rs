//! Interfaces of domains: what is asked, and output to the letter.

use xendless_core::config::List;
use xendless_core::protocol::DeviceRow;

use crate::server::{Server, run};
use crate::world::World;

const DORMANT: &str = "name = 'dormant'\nkernel = '/k'\nmemory = 256\n\
                       vif = ['mac=00:16:3e:00:00:01,bridge=a', 'mac=00:16:3e:00:00:02']\n\
                       uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'";
const GUEST: &str = "name = 'guest'\nkernel = '/k'\nmemory = 512\nvif = ['mac=00:16:3e:0a:00:01']\n\
                     uuid = '07070707-0707-0707-0707-070707070707'";

fn device(id: u32, nodes: &[(&str, &str)]) -> DeviceRow {
    let nodes = nodes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    DeviceRow { id, nodes: List::new("nodes", nodes).unwrap() }
}

fn world() -> World {
    let vifs = vec![
        device(
            0,
            &[
                ("backend", "/local/domain/1/backend/vif/7/0"),
                ("backend-id", "1"),
                ("mac", "00:16:3e:0a:00:01"),
                ("handle", "0"),
                ("state", "4"),
                ("tx-ring-ref", "768"),
                ("rx-ring-ref", "769"),
                ("event-channel-tx", "15"),
                ("event-channel-rx", "16"),
            ],
        ),
        device(2, &[("backend-id", "1"), ("mac", "00:16:3e:0a:00:02"), ("event-channel", "9")]),
        device(11, &[]),
    ];
    World { vifs, ..World::default() }.with_definition(DORMANT).with_definition(GUEST)
}

/// What changes when a command that succeeds is carried out, what it prints, and what it warns of.
fn asked(line: &str) -> (Vec<String>, String, String) {
    let server = Server::start(world());
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!(status, 0, "{line}: {err}");
    let changes = ["attach", "detach", "define "];
    let seen = server.seen.all();
    let seen = seen.into_iter().filter(|line| changes.iter().any(|word| line.starts_with(word)));
    (seen.collect(), out, err)
}

fn kept(line: &str, domain: &str) -> Vec<String> {
    let server = Server::start(world());
    let (status, _, err) = crate::parts(&server.xm(line));
    assert_eq!(status, 0, "{line}: {err}");
    let world = server.world.lock().unwrap();
    let vifs = world.definitions[domain].devices.vifs.iter();
    vifs.map(|vif| vif.mac.unwrap().to_string()).collect()
}

fn error(line: &str) -> String {
    let (status, _, err) = run(world(), line);
    assert_eq!(status, 1, "{line}: {err}");
    err.strip_prefix("Error: ").unwrap_or(&err).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn interfaces_to_the_letter() {
    let wanted = "\
Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path
0   1  00:16:3e:0a:00:01    0     4      15    768  /769     /local/domain/1/backend/vif/7/0  
2   1  00:16:3e:0a:00:02    0     -1     9     -1   /-1      ??                              
11  -1 ??                   0     -1     -1    -1   /-1      ??                              
";
    for name in ["network-list", "vif-list"] {
        assert_eq!(asked(&format!("{name} guest")).1, wanted);
    }
    let (_, long, _) = asked("network-list --long guest");
    assert!(long.starts_with("(0\n    (\n        (backend /local/domain/1/backend/vif/7/0)\n"), "{long}");
    assert!(long.ends_with("(11 ())\n"), "{long}");
}

#[test]
fn a_domain_that_does_not_run_has_those_of_its_definition() {
    let (_, out, _) = asked("network-list dormant");
    assert!(out.contains("\n1   -1 00:16:3e:00:00:02    0     -1 "), "{out}");
    let (status, out, err) = run(World::default(), "network-list guest");
    assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
}

#[test]
fn how_a_list_is_not_called() {
    let (status, out, err) = run(world(), "network-list");
    let wanted = "No domain parameter given\n";
    assert!(status == 1 && out.starts_with(wanted) && out.contains("Usage: xm network-list"), "{out}{err}");
}

#[test]
fn an_interface_is_given_and_kept() {
    let line = "network-attach guest mac=00:16:3E:1:2:3 bridge=xenbr1 rate=10Mb/s backend=net";
    let (seen, out, err) = asked(line);
    assert_eq!(seen, ["attach guest 00:16:3e:01:02:03 xenbr1 Some(\"62500,50000\") net", "define guest"]);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    assert_eq!(kept(line, "guest"), ["00:16:3e:0a:00:01", "00:16:3e:01:02:03"]);
    assert_eq!(asked("network-attach dormant").0, ["define dormant"]);
}

#[test]
fn an_address_that_is_not_named_is_made_up_and_kept() {
    let (seen, ..) = asked("network-attach guest bridge=a");
    let (again, ..) = asked("network-attach guest bridge=a");
    assert!(seen[0].starts_with("attach guest 00:16:3e:") && seen[0].ends_with(" a None -"), "{seen:?}");
    assert_ne!(seen, again);
    let macs = kept("network-attach dormant", "dormant");
    assert!(macs.len() == 3 && macs[2].starts_with("00:16:3e:"), "{macs:?}");
}

#[test]
fn what_a_paravirtual_interface_has_not_is_ignored_aloud() {
    let (seen, _, err) = asked("network-attach guest model=e1000 accel=x mac=00:16:3e:00:00:09");
    assert_eq!(seen[0], "attach guest 00:16:3e:00:00:09 - None -");
    let wanted = "Warning: accel has no effect on an interface\n\
                  Warning: there is no emulator of network cards; the interface is a paravirtual one\n";
    assert_eq!(err, wanted);
}

#[test]
fn an_interface_is_taken_by_number_or_address() {
    for (words, wanted) in [
        ("0", "detach guest vif 0 force=false"),
        ("vif/2", "detach guest vif 2 force=false"),
        ("00:16:3E:0A:00:02", "detach guest vif 2 force=false"),
        ("0 -f", "detach guest vif 0 force=true"),
        ("0 --force", "detach guest vif 0 force=true"),
    ] {
        assert_eq!(asked(&format!("network-detach guest {words}")).0, [wanted, "define guest"], "{words}");
    }
    assert!(kept("network-detach guest 0", "guest").is_empty());
    assert_eq!(kept("network-detach guest 2", "guest"), ["00:16:3e:0a:00:01"]);
    for words in ["0", "00:16:3e:00:00:01"] {
        assert_eq!(kept(&format!("network-detach dormant {words}"), "dormant"), ["00:16:3e:00:00:02"]);
    }
}

/// Definitions of earlier versions have interfaces without addresses.
#[test]
fn what_has_no_address_is_taken_by_number() {
    let old = "name = 'old'\nkernel = '/k'\nmemory = 64\nvif = ['bridge=a', 'mac=00:16:3e:00:00:02']\n\
               uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a13'";
    let server = Server::start(world().with_definition(old));
    let (status, _, err) = crate::parts(&server.xm("network-detach old 0"));
    assert_eq!((status, err.as_str()), (0, ""));
    let world = server.world.lock().unwrap();
    let left: Vec<_> = world.definitions["old"].devices.vifs.iter().map(|vif| vif.mac.unwrap()).collect();
    assert_eq!(left, ["00:16:3e:00:00:02".parse().unwrap()]);
}

#[test]
fn words_that_make_no_interface_are_refused_as_ever() {
    let mac = "Cannot create a new virtual network interface - MAC address is not valid!";
    for (line, wanted) in [
        ("network-attach guest nonsense", "Invalid argument: nonsense"),
        ("network-attach guest birdge=a", "Invalid argument: birdge=a"),
        ("network-attach guest mac=1:2:3", mac),
        ("network-attach guest mac=01:00:5e:00:00:01", mac),
        ("network-attach dormant mac=00:16:3e:00:00:01", "The mac \"00:16:3e:00:00:01\" is already defined"),
        ("network-detach guest nonsense", "unknown devid nonsense"),
        ("network-detach guest 1", "Cannot find device '1' in domain 'guest'"),
        ("network-detach dormant 2", "Cannot find device '2' in domain 'dormant'"),
        (
            "network-detach guest 00:16:3e:00:00:99",
            "Cannot find device '00:16:3e:00:00:99' in domain 'guest'",
        ),
    ] {
        assert_eq!(error(line), wanted, "{line}");
    }
}

#[test]
fn a_definition_has_addresses_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.cfg");
    let text = "name = 'fresh'\nkernel = '/k'\nmemory = 64\nvif = ['', 'bridge=b']\n\
                uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a12'";
    std::fs::write(&path, text).unwrap();
    let line = format!("new {}", path.display());
    let macs = kept(&line, "fresh");
    assert!(macs.len() == 2 && macs.iter().all(|mac| mac.starts_with("00:16:3e:")), "{macs:?}");
    assert_eq!(macs, kept(&line, "fresh"), "the same each time");
}
