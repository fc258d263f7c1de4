//! `shutdown` and `reboot`.

use xendless_core::hyper::DomainFlags;
use xendless_core::protocol::What;

use crate::server::{Server, run};
use crate::world::{World, config, happening, row};

fn requests(world: World, line: &str) -> (String, Vec<String>) {
    let server = Server::start(world);
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    (out, server.seen.all().into_iter().filter(|line| line != "left").collect())
}

/// The server's own idea of the client is domain 1.
fn several() -> World {
    let mut world = World::default();
    world.rows.insert(1, row(1, "admin", DomainFlags::RUNNING));
    world.rows.push(row(9, "web", DomainFlags::RUNNING));
    world
}

#[test]
fn a_domain_is_asked_once() {
    assert_eq!(
        requests(World::default(), "shutdown guest"),
        (String::new(), vec!["shutdown guest Poweroff".into()])
    );
    assert_eq!(requests(World::default(), "shutdown -H guest").1, ["shutdown guest Halt"]);
    assert_eq!(requests(World::default(), "shutdown guest -R").1, ["shutdown guest Reboot"]);
    assert_eq!(requests(World::default(), "reboot guest").1, ["shutdown guest Reboot"]);
}

#[test]
fn all_means_all_but_those_that_manage() {
    let (out, seen) = requests(several(), "shutdown -a ignored");
    assert_eq!(out, "");
    let asked: Vec<&String> = seen.iter().filter(|line| line.starts_with("shutdown")).collect();
    assert_eq!(asked, ["shutdown 7 Poweroff", "shutdown 9 Poweroff"]);
}

#[test]
fn waiting_tells_who_ended() {
    let (out, seen) = requests(World::default(), "shutdown -w guest");
    assert_eq!(out, "Domain guest terminated\nAll domains terminated\n");
    assert_eq!(seen.last().unwrap(), "wait 7 Gone");
    let (out, _) = requests(several(), "shutdown -aw");
    assert_eq!(out, "Domain guest terminated\nDomain web terminated\nAll domains terminated\n");
    let (out, _) = requests(World { rows: Vec::new(), ..World::default() }, "shutdown -aw");
    assert_eq!(out, "All domains terminated\n");
}

#[test]
fn what_is_kept_when_it_ends_is_not_waited_for_to_go() {
    let mut world = World::default();
    world.configs.insert(7, config("name = 'guest'\nkernel = '/k'\non_poweroff = 'preserve'"));
    assert_eq!(requests(world, "shutdown -w guest").1.last().unwrap(), "wait 7 Stopped");
}

#[test]
fn a_restarted_domain_is_told_from_a_destroyed_one() {
    let mut world = World::default();
    world.rows.push(row(12, "guest", DomainFlags::RUNNING));
    let (out, _) = requests(world, "reboot -w guest");
    assert_eq!(out, "Domain guest rebooted\nAll domains rebooted\n");
    let happenings = vec![happening(13, "other", What::Created), happening(12, "guest", What::Created)];
    let world = World { happenings, ..World::default() };
    let (out, _) = requests(world, "reboot -w guest");
    assert_eq!(out, "Domain guest rebooted\nAll domains rebooted\n", "as soon as it is told");
    let mut world = World::default();
    world.configs.insert(7, config("name = 'guest'\nkernel = '/k'\non_reboot = 'destroy'"));
    let (out, _) = requests(world, "reboot -w guest");
    assert_eq!(out, "Domain guest destroyed for failing to reboot\nAll domains rebooted\n");
}

#[test]
fn operands_that_contradict_each_other() {
    for (line, text) in [
        ("shutdown -H -R guest", "Can't specify halt and reboot"),
        ("shutdown -w", "No domain parameter given"),
        ("shutdown a b", "No multiple domain parameters allowed"),
    ] {
        let (status, out, err) = run(World::default(), line);
        assert_eq!((status, out.as_str(), err), (1, "", format!("Error: {text}\n")), "{line}");
    }
}
