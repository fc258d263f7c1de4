//! Disks of domains: what is asked, and output to the letter.

use xendless_core::config::List;
use xendless_core::protocol::{DeviceRow, Failure, Request};

use crate::server::{Server, run};
use crate::world::World;

const DORMANT: &str = "name = 'dormant'\nkernel = '/k'\nmemory = 256\ndisk = ['file:/old.img,xvda,w']\n\
                       uuid = '5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'";
const GUEST: &str = "name = 'guest'\nkernel = '/k'\nmemory = 512\n\
                     uuid = '07070707-0707-0707-0707-070707070707'";

fn device(id: u32, nodes: &[(&str, &str)]) -> DeviceRow {
    let nodes = nodes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    DeviceRow { id, nodes: List::new("nodes", nodes).unwrap() }
}

fn world() -> World {
    let disks = vec![
        device(
            51712,
            &[
                ("backend", "/local/domain/1/backend/vbd/7/51712"),
                ("backend-id", "1"),
                ("virtual-device", "51712"),
                ("state", "4"),
                ("ring-ref", "8"),
                ("event-channel", "15"),
            ],
        ),
        device(
            51728,
            &[("backend", "/local/domain/1/backend/vbd/7/51728"), ("backend-id", "1"), ("state", "99x")],
        ),
        device(51744, &[]),
    ];
    World { disks, ..World::default() }.with_definition(DORMANT).with_definition(GUEST)
}

/// What is asked when a command that succeeds is carried out, without looking things up; and what it prints.
fn asked(line: &str) -> (Vec<String>, String) {
    let server = Server::start(world());
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    let changes = ["attach", "change", "detach", "define "];
    let seen = server.seen.all();
    (seen.into_iter().filter(|line| changes.iter().any(|word| line.starts_with(word))).collect(), out)
}

fn error(world: World, line: &str) -> String {
    let (status, _, err) = run(world, line);
    assert_eq!(status, 1, "{line}: {err}");
    err.strip_prefix("Error: ").unwrap_or(&err).trim_end().to_owned()
}

#[test]
fn disks_to_the_letter() {
    let (_, out) = asked("block-list guest");
    let wanted = "\
Vdev  BE handle state evt-ch ring-ref BE-path
51712  1    0     4      15     8     /local/domain/1/backend/vbd/7/51712  
51728  1    0     -1     -1     -1    /local/domain/1/backend/vbd/7/51728  
51744  -1   0     -1     -1     -1    ??                              
";
    assert_eq!(out, wanted);
}

#[test]
fn a_long_list_is_what_the_guest_sees() {
    let (_, out) = asked("block-list --long guest");
    let first =
        "(51712\n    (\n        (backend /local/domain/1/backend/vbd/7/51712)\n        (backend-id 1)\n";
    assert!(out.starts_with(first), "{out}");
    assert!(out.ends_with("(51744 ())\n"), "{out}");
}

#[test]
fn a_domain_without_disks_has_no_list() {
    let (status, out, err) = run(World::default(), "block-list guest");
    assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
    let (_, out) = asked("block-list dormant");
    assert!(out.contains("\n51712  -1   0     -1     -1     -1    ?? "), "{out}");
}

#[test]
fn how_a_list_is_not_called() {
    for (line, wanted) in [
        ("block-list", "No domain parameter given\n"),
        ("block-list a b", "No multiple domain parameters allowed\n"),
    ] {
        let (status, out, err) = run(world(), line);
        assert!(status == 1 && out.starts_with(wanted) && out.contains("Usage: xm block-list"), "{out}{err}");
    }
}

#[test]
fn a_disk_is_given_and_kept() {
    let wanted = |line: &str, wanted: &str| {
        let (seen, out) = asked(line);
        assert_eq!((seen, out.as_str()), (vec![wanted.to_owned(), "define guest".to_owned()], ""), "{line}");
    };
    wanted("block-attach guest file:/a.img xvdb w", "attach guest xvdb ReadWrite /a.img -");
    wanted("block-attach guest phy:vg/a /dev/xvdb1 r", "attach guest xvdb1 ReadOnly /dev/vg/a -");
    wanted(
        "block-attach guest phy:/dev/sdb 51728 w! store",
        "attach guest xvdb ReadWriteShared /dev/sdb store",
    );
    wanted("block-configure guest file:/d.iso hdc:cdrom r", "change guest hdc ReadOnly /d.iso -");
    wanted("block-detach guest xvdb", "detach guest 51728 force=false");
    wanted("block-detach guest vbd/51728 -f", "detach guest 51728 force=true");
    wanted("block-detach guest 51728 --force", "detach guest 51728 force=true");
}

#[test]
fn another_third_word_is_ignored_aloud() {
    let (seen, out) = asked("block-detach guest xvdb now");
    assert_eq!((seen[0].as_str(), out.as_str()), ("detach guest 51728 force=false", "Ignoring option now\n"));
}

#[test]
fn what_is_only_defined_gets_and_loses_disks_in_its_definition() {
    for line in ["block-attach dormant file:/b.img xvdb w", "block-detach dormant xvda"] {
        assert_eq!(asked(line).0, ["define dormant"], "{line}");
    }
    let already = error(world(), "block-attach dormant file:/b.img xvda w");
    assert!(already.starts_with("The device \"xvda\" is already defined"), "{already}");
    let absent = error(world(), "block-detach dormant xvdz");
    assert!(absent.starts_with("Device xvdz is not defined"), "{absent}");
}

#[test]
fn words_that_make_no_disk_are_refused_as_ever() {
    for (line, wanted) in [
        ("block-attach guest foo:/x xvda w", "Block device type \"foo\" is invalid."),
        ("block-attach guest file:/x xvda rx", "Invalid mode"),
        ("block-attach guest file:/x nonsense w", "Unable to find number for device (nonsense)"),
        ("block-attach guest file: xvda w", "Block device must have physical details specified"),
        ("block-attach guest tap:xyz:/x xvda w", "tap:xyz not a valid disk type"),
        ("block-detach guest nonsense", "Device nonsense not connected"),
    ] {
        assert!(error(world(), line).starts_with(wanted), "{line}: {}", error(world(), line));
    }
}

#[test]
fn what_the_control_domain_says_is_shown() {
    let refuse = |request: &Request<'_>| match request {
        Request::Devices(_) => {
            Some(Failure::Device("Device 51728 (vbd) could not be connected. \u{1b}x".into()))
        }
        _ => None,
    };
    let text = error(World { refuse, ..world() }, "block-attach guest file:/a.img xvdb w");
    assert!(text.starts_with("Device 51728 (vbd) could not be connected. \\u{1b}x"), "{text}");
}

#[test]
fn a_domain_that_is_not_there_has_its_own_status() {
    for line in ["block-list nobody", "block-attach nobody file:/a xvda w", "block-detach nobody xvda"] {
        let (status, _, err) = run(world(), line);
        assert_eq!((status, err.as_str()), (3, "Error: Domain 'nobody' does not exist.\n"), "{line}");
    }
}
