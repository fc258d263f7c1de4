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
    assert_eq!(server.seen.all()[..2], ["define web", "create web paused=false ramdisk=false"]);
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
