//! `new`, `start`, `delete`.

use crate::server::Server;
use crate::world::World;

const WEB: &str = "name = 'web'\nkernel = 'vmlinuz'\nmemory = 64\n";

fn server(world: World) -> Server {
    let server = Server::start(world);
    server.file("web", WEB);
    server.file("vmlinuz", vec![1; 1000]);
    server
}

#[test]
fn a_definition_is_kept_started_and_deleted() {
    let server = server(World::default());
    let (status, out, _) = crate::parts(&server.xm("new web"));
    assert_eq!((status, out.as_str()), (0, "Using config file \"web\".\n"));
    assert_eq!(crate::parts(&server.xm("domid web")).1, "None\n");
    assert_eq!(crate::parts(&server.xm("start -p web")), (0, String::new(), String::new()));
    assert!(server.seen.all().contains(&"create web paused=true ramdisk=false".to_owned()));
    let (status, _, err) = crate::parts(&server.xm("start web"));
    assert_eq!((status, err.as_str()), (1, "Error: Domain is already running\n"));
    let (status, _, err) = crate::parts(&server.xm("delete web"));
    assert_eq!((status, err.as_str()), (0, "Waiting for domain web to shut down ...\n"));
    let seen = server.seen.all();
    assert!(seen.contains(&"shutdown 42 Poweroff".to_owned()) && seen.contains(&"undefine web".to_owned()));
    assert_eq!(crate::parts(&server.xm("start web")).0, 3);
}

#[test]
fn create_can_keep_the_definition() {
    let server = server(World::default());
    assert_eq!(crate::parts(&server.xm("create -q --managed web")).0, 0);
    assert_eq!(server.seen.all()[1..3], ["define web", "create web paused=false ramdisk=false"]);
}

#[test]
fn force_destroys_before_it_deletes() {
    let world = World::default().with_definition("name = 'guest'\nkernel = '/k'");
    let server = server(World { stubborn: true, ..world });
    assert_eq!(crate::parts(&server.xm("delete --force guest")), (0, String::new(), String::new()));
    let seen = server.seen.all();
    assert!(
        seen.contains(&"destroy 7".to_owned()) && seen.contains(&"undefine guest".to_owned()),
        "{seen:?}"
    );
}

#[test]
fn a_domain_without_a_definition_is_not_deleted() {
    let (status, _, err) = crate::parts(&server(World::default()).xm("delete guest"));
    assert_eq!((status, err.as_str()), (1, "Error: Domain 'guest' runs without a definition.\n"));
    let (status, out, err) = crate::parts(&server(World::default()).xm("start a b"));
    assert_eq!((status, err.as_str()), (1, "Error: Expects 1 argument\n"));
    assert!(out.starts_with("Usage: xm start"));
}

#[test]
fn definitions_say_what_starts_and_ends_with_the_control_plane() {
    let kernel = "kernel = 'vmlinuz'\nmemory = 64\n";
    let starts = |name: &str| format!("name = '{name}'\n{kernel}on_xend_start = 'start'");
    let world = World::default()
        .with_definition(&starts("always"))
        .with_definition(&starts("guest"))
        .with_definition("name = 'broken'\nkernel = '/nowhere'\non_xend_start = 'start'")
        .with_definition(&format!("name = 'never'\n{kernel}"));
    let server = server(world);
    let (status, out, err) = crate::parts(&server.xm("start --on-xend-start"));
    assert_eq!((status, out.as_str()), (1, "Started domain always (id=42)\n"), "one failed, one runs: {err}");
    assert!(err.starts_with("broken: ") && err.lines().count() == 1, "{err}");
    let asked: Vec<String> =
        server.seen.all().into_iter().filter(|line| line.starts_with("create")).collect();
    assert_eq!(asked, ["create always paused=false ramdisk=false"]);
}

#[test]
fn what_ends_with_the_control_plane_is_waited_for() {
    let world = World::default()
        .with_definition("name = 'guest'\nkernel = '/k'\non_xend_stop = 'shutdown'")
        .with_definition("name = 'off'\nkernel = '/k'\non_xend_stop = 'shutdown'");
    let server = server(world);
    let (status, out, err) = crate::parts(&server.xm("shutdown -w --on-xend-stop"));
    let told = "Domain guest terminated\nAll domains terminated\n";
    assert_eq!((status, out.as_str(), err.as_str()), (0, told, ""));
    let server = self::server(World::default().with_definition("name = 'guest'\nkernel = '/k'"));
    let (status, out, _) = crate::parts(&server.xm("shutdown -w --on-xend-stop"));
    assert_eq!((status, out.as_str()), (0, "All domains terminated\n"));
}

#[test]
fn a_definition_goes_by_the_name_that_its_domain_gets() {
    let guest = "name = 'guest'\nkernel = '/k'\nuuid = '07070707-0707-0707-0707-070707070707'";
    let server =
        server(World::default().with_definition(guest).with_definition("name = 'off'\nkernel = '/k'"));
    assert_eq!(crate::parts(&server.xm("rename off out")), (0, String::new(), String::new()));
    assert_eq!(crate::parts(&server.xm("domid out")).1, "None\n");
    assert_eq!(crate::parts(&server.xm("domid off")).0, 3);
    assert_eq!(crate::parts(&server.xm("rename out out")), (0, String::new(), String::new()));
    for (line, text) in [
        ("rename out guest", "VM name 'guest' already exists"),
        ("rename guest out", "VM name 'out' already exists"),
    ] {
        let (status, _, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
    }
    assert_eq!(crate::parts(&server.xm("rename guest web")), (0, String::new(), String::new()));
    let seen: Vec<String> =
        server.seen.all().into_iter().filter(|line| line.starts_with(['d', 'u', 'r'])).collect();
    let kept = ["define out", "undefine off", "rename guest web", "define web", "undefine guest"];
    assert_eq!(seen.iter().filter(|line| kept.contains(&line.as_str())).count(), 5, "{seen:?}");
    let server = self::server(World::default().with_definition("name = 'off'\nkernel = '/k'"));
    let (_, _, err) = crate::parts(&server.xm("rename off guest"));
    assert_eq!(err, "Error: VM name 'guest' already exists as domain 7\n");
}

#[test]
fn a_definition_of_another_version_is_neither_used_nor_left_behind() {
    let text = "The definition was kept by another version of this program; use 'xm new' again.";
    for line in [
        "start old",
        "rename old new",
        "rename guest new",
        "mem-set guest 300",
        "mem-max guest 900",
        "vcpu-set guest 1",
        "vcpu-pin guest 0 1",
    ] {
        let world = World::default()
            .with_definition("name = 'old'\nkernel = '/k'")
            .with_definition("name = 'guest'\nkernel = '/k'");
        let server = server(World { foreign: vec!["old", "guest"], ..world });
        let (status, _, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
        let seen = server.seen.all();
        let done = ["rename", "adjust"];
        let halves = seen.iter().filter(|line| done.iter().any(|word| line.starts_with(word)));
        assert_eq!(halves.count(), 0, "nothing is done by half: {seen:?}");
    }
}
