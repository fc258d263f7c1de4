//! Consoles over the channel.

use embedded_io::{Read, Write};
use xendless_core::abi::grant_table::GNTTAB_RESERVED_CONSOLE;
use xendless_core::hyper::{Access, DomId, EventChannels, GrantRef, Grants, Port};
use xendless_core::protocol::resources::Adjust;
use xendless_core::protocol::{Answer, Created, Failure, Request, Up};
use xendless_core::rights::Rights;
use xendless_core::ring::console::FrontendEnd;
use xendless_tests::sim::SimMapping;

use super::{Client, Rig};

/// The domain's end of its console.
fn guest(rig: &Rig, domid: DomId) -> FrontendEnd<SimMapping> {
    let page = rig.hv.map_grant(domid, GrantRef(GNTTAB_RESERVED_CONSOLE), Access::ReadWrite).unwrap();
    FrontendEnd::attach(page).unwrap()
}

fn print(rig: &mut Rig, domid: DomId, text: &[u8]) {
    guest(rig, domid).write_all(text).unwrap();
    // The second channel of every domain is that of its console.
    rig.sim.as_domain(domid).notify(Port(2)).unwrap();
    rig.run();
}

fn typed(rig: &mut Rig, domid: DomId) -> Vec<u8> {
    let mut buffer = [0; 1024];
    let count = guest(rig, domid).read(&mut buffer).unwrap_or(0);
    rig.sim.as_domain(domid).notify(Port(2)).unwrap();
    rig.run();
    buffer[..count].to_vec()
}

#[test]
fn a_viewer_sees_what_was_printed_before_and_what_is_printed_now() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    print(&mut rig, web, b"before\n");
    let id = client.ask(&mut rig, Request::Console { domain: "web" });
    client.credit(&mut rig, id);
    assert_eq!(client.stream(&mut rig, id), (b"before\n".to_vec(), None));
    print(&mut rig, web, b"now\n");
    assert_eq!(client.stream(&mut rig, id), (b"now\n".to_vec(), None));
    client.send(&mut rig, &Up::Data { id, bytes: b"ls\r" });
    assert_eq!(typed(&mut rig, web), b"ls\r");
    client.send(&mut rig, &Up::Cancel { id });
    assert_eq!(client.stream(&mut rig, id), (Vec::new(), Some(Err(Failure::Cancelled))));
}

#[test]
fn a_viewer_without_credit_holds_up_nobody() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let slow = client.ask(&mut rig, Request::Console { domain: "web" });
    let quick = client.ask(&mut rig, Request::Console { domain: "web" });
    client.inbox.clear();
    client.credit(&mut rig, quick);
    print(&mut rig, web, &[b'x'; 1000]);
    assert_eq!(client.stream(&mut rig, quick).0.len(), 1000);
    client.done(&mut rig, Request::Unpause { domain: "web" });
    client.credit(&mut rig, slow);
    assert_eq!(client.stream(&mut rig, slow).0.len(), 1000);
}

#[test]
fn typing_waits_for_room_and_ends_with_credit() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let id = client.ask(&mut rig, Request::Console { domain: "web" });
    client.send(&mut rig, &Up::Data { id, bytes: &[b'a'; 1024] });
    client.send(&mut rig, &Up::Data { id, bytes: &[b'b'; 1000] });
    assert_eq!(typed(&mut rig, web), [b'a'; 1024]);
    assert_eq!(typed(&mut rig, web), [b'b'; 1000]);
}

#[test]
fn a_console_ends_with_its_domain() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    let id = client.ask(&mut rig, Request::Console { domain: "web" });
    client.credit(&mut rig, id);
    client.inbox.clear();
    let other = client.ask(&mut rig, Request::Destroy { domain: "web" });
    client.signal(&mut rig);
    let ends: Vec<Vec<u8>> = client.inbox.drain(..).collect();
    assert_eq!(ends.len(), 2, "both requests have their answer: {id:?}, {other:?}");
}

#[test]
fn consoles_are_left_when_the_client_goes() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    rig.domain("web", Rights::Nothing);
    for _ in 0..3 {
        for _ in 0..100 {
            client.ask(&mut rig, Request::Console { domain: "web" });
            client.take();
        }
        client.inbox.clear();
        client.end.close();
        client.connect(&mut rig);
        client.send(&mut rig, &Up::Hello(xendless_core::protocol::Hello::OURS));
        client.receive().expect("a welcome");
    }
    let _: &Client = &client;
}

#[test]
fn a_viewer_sees_the_next_life_of_a_domain_too() {
    let (mut rig, mut client) = Rig::with(Rights::Everything);
    let web = rig.domain("web", Rights::Nothing);
    let id = client.ask(&mut rig, Request::Console { domain: "web" });
    client.credit(&mut rig, id);
    print(&mut rig, web, b"one life");
    let (seen, _) = client.stream(&mut rig, id);
    assert_eq!(seen, b"one life");
    let reset = Adjust::Reset;
    let new = client.call(&mut rig, Request::Adjust { domain: "web", what: reset }, |result| match result {
        Ok(Answer::Created(Created { domid })) => DomId(domid),
        other => panic!("{other:?}"),
    });
    assert_ne!(new, web);
    print(&mut rig, new, b", another");
    let (seen, end) = client.stream(&mut rig, id);
    assert_eq!((seen.as_slice(), end), (&b", another"[..], None));
}
