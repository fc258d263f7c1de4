//! Beginnings and ends: of the daemon, of the ring.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use xendless_core::protocol::{Failure, Request, Until};
use xendless_hosttools::config::host::Host;
use xendless_hosttools::config::{Limits, Request as Source, evaluate};

use crate::world::{Client, Seen, World};

fn config(name: &str) -> Vec<u8> {
    let text = format!("name = '{name}'\nmemory = 64\nkernel = '/k'\n");
    let host = Host::unknown("5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11".parse().unwrap());
    let source = Source { path: "x", text: &text, arguments: &[], host: &host, limits: Limits::default() };
    evaluate(&source).unwrap().config.encode().unwrap()
}

fn definitions(client: &mut Client) -> Vec<String> {
    let mut names = vec![String::new()];
    while let Some(name) = client.call(99, Request::Definition { after: names.last().unwrap() }).unwrap() {
        names.push(name);
    }
    names.split_off(1)
}

#[test]
fn it_may_start_before_there_is_a_ring() {
    let world = World::new();
    let xmd = world.xmd();
    let stream = xmd.connect();
    let client = std::thread::spawn(|| Client::greet(stream).find(1, "a"));
    let control = world.control(&[]);
    control.sees(&Seen::Connected);
    assert_eq!(client.join().unwrap(), Ok(Some("a".into())));
}

#[test]
fn without_a_ring_what_needs_it_fails_and_the_rest_works() {
    let world = World::new();
    let xmd = world.xmd();
    let mut client = xmd.client();
    assert_eq!(client.find(1, "a"), Err(Failure::Disconnected));
    assert_eq!(client.call(2, Request::Define { config: &config("web") }), Ok(None));
    assert_eq!(definitions(&mut client), ["web"]);
    let lines = world.stderr().lines().filter(|line| line.contains("no connection")).count();
    assert_eq!(lines, 1, "trouble is noted once: {}", world.stderr());
}

#[test]
fn attack_e05_a_ring_that_is_lost_comes_back() {
    let world = World::new();
    let control = world.control(&[]);
    let xmd = world.xmd();
    let mut client = xmd.client();
    for _ in 0..3 {
        control.sees(&Seen::Connected);
        client.ask(1, Request::Wait { domain: "web", until: Until::Gone });
        assert_eq!(client.find(2, "a"), Ok(Some("a".into())));
        control.cut();
        assert_eq!(client.answer(1), Err(Failure::Disconnected));
        assert_eq!(client.find(3, "b"), Ok(Some("b".into())), "it waits for the ring to come back");
    }
}

#[test]
fn attack_e05_killed_at_any_moment_it_loses_nothing_that_it_acknowledged() {
    let world = World::new();
    let control = world.control(&[]);
    let mut kept = Vec::new();
    for round in 0..8 {
        let mut xmd = world.xmd();
        let mut client = xmd.client();
        assert_eq!(definitions(&mut client), kept);
        // Some are acknowledged; how far it is with the last ones when it is killed is up to chance.
        for number in 0..=round {
            let name = format!("guest-{round}-{number}");
            assert_eq!(client.call(number, Request::Define { config: &config(&name) }), Ok(None));
            kept.push(name);
        }
        client.ask(50, Request::Define { config: &config("guest-0-0") });
        client.ask(51, Request::Define { config: &config("guest-0-0") });
        xmd.signal(Signal::KILL);
        control.cut();
    }
    let xmd = world.xmd();
    assert_eq!(definitions(&mut xmd.client()), kept);
    assert!(!world.stderr().contains("damaged"), "{}", world.stderr());
}

#[test]
fn attack_e05_killed_with_requests_open_it_starts_again_and_is_asked_again() {
    let world = World::new();
    let control = world.control(&[]);
    let mut xmd = world.xmd();
    let mut client = xmd.client();
    control.sees(&Seen::Connected);
    client.ask(1, Request::Wait { domain: "web", until: Until::Gone });
    xmd.signal(Signal::KILL);
    control.cut();
    let xmd = world.xmd();
    control.sees(&Seen::Connected);
    assert_eq!(xmd.client().find(1, "a"), Ok(Some("a".into())));
}

#[test]
fn it_ends_when_asked_and_leaves_no_socket() {
    let world = World::new();
    let mut xmd = world.xmd();
    assert!(xmd.signal(Signal::TERM).success());
    assert!(!xmd.socket.exists());
}

#[test]
fn there_is_one_at_a_time() {
    let world = World::new();
    let xmd = world.xmd();
    let second = world.command().status().unwrap();
    assert_eq!(second.code(), Some(1));
    assert!(world.stderr().contains("another xmd"), "{}", world.stderr());
    assert!(xmd.socket.exists());
}

#[test]
fn consoles_are_logged_without_anybody_who_looks() {
    let world = World::new();
    let _control = world.control(&["web"]);
    let _xmd = world.xmd();
    let log = world.path("log/console-web.log");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("web says hello")) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How often the daemon woke up.
fn wake_ups(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn idle_costs_nothing() {
    let world = World::new();
    let control = world.control(&["web"]);
    let xmd = world.xmd();
    control.sees(&Seen::Connected);
    let mut client = xmd.client();
    assert_eq!(client.find(1, "a"), Ok(Some("a".into())));
    let log = world.path("log/console-web.log");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("web says hello")) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    let before = wake_ups(xmd.child.id());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(wake_ups(xmd.child.id()), before);
}
