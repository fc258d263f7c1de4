//! Coming and going.

use super::*;
use embedded_io::{Read, Write};

#[test]
fn the_control_page_is_laid_out_as_documented() {
    let (control, _server, _) = serve(2, 4);
    let mut head = [0; 24];
    control.read(0, &mut head);
    assert_eq!(head[..16], [0; 16]);
    assert_eq!(head[16..], [13, 0, 14, 0, 2, 1, 1, 0]);
    let mut grants = [0; 24];
    control.read(24, &mut grants);
    let expected: Vec<u8> =
        [1000u32, 1001, 2000, 2001, 2002, 2003].iter().flat_map(|g| g.to_ne_bytes()).collect();
    assert_eq!(&grants[..], &expected);
}

#[test]
fn a_client_finds_what_is_offered() {
    let (control, mut server, mut client) = pair(2, 4);
    assert_eq!(server.client(), Client::Connected);
    assert_eq!(control.load_u8::<23>(), 1, "the client asks for a signal");
    assert_eq!((client.write(b"ask"), server.write(b"answer")), (Ok(3), Ok(6)));
    assert_eq!((control.load_u32::<4>(), control.load_u32::<12>()), (3, 6));
    let mut out = [0; 8];
    assert_eq!((server.read(&mut out), &out[..3]), (Ok(3), &b"ask"[..]));
    assert_eq!((client.read(&mut out), &out[..6]), (Ok(6), &b"answer"[..]));
    assert_eq!((control.load_u32::<0>(), control.load_u32::<8>()), (3, 6));
}

#[test]
fn rings_in_the_control_page_lie_where_libxenvchan_has_them() {
    let (control, mut server, mut client) = pair(0, 0);
    assert_eq!((client.room(), server.room()), (Ok(1024), Ok(2048)));
    assert_eq!((client.write(&[1; 1200]), server.write(&[2; 3000])), (Ok(1024), Ok(2048)));
    let mut all = [0; 4096];
    control.read(0, &mut all);
    assert!(all[24..1024].iter().all(|byte| *byte == 0));
    assert!(all[1024..2048].iter().all(|byte| *byte == 1));
    assert!(all[2048..].iter().all(|byte| *byte == 2));
}

#[test]
fn a_server_offers_only_what_fits() {
    let open = |left, right| {
        ServerEnd::open(Shared::new(8), Shared::several(1, left), Shared::several(500, right)).is_some()
    };
    assert!(open(256, 256) && open(1, 0) && open(0, 128));
    assert!(!open(3, 1), "no power of two");
    assert!(!open(512, 1), "larger than 2^20");
    assert!(!open(0, 256), "the list of grants would reach into the ring");
}

#[test]
fn a_client_that_comes_before_its_predecessor_is_seen_gone_waits_for_a_fresh_ring() {
    let (control, mut server, pages) = serve(1, 1);
    let mut killed = open(&control, &pages);
    assert_eq!(killed.connect(), Link::Up);
    killed.write(b"half a mess").unwrap();
    server.write(b"unread").unwrap();
    let mut next = open(&control, &pages);
    assert_eq!(next.connect(), Link::Waiting);
    assert_eq!((next.link(), killed.link()), (Link::Waiting, Link::Waiting));
    assert_eq!(server.client(), Client::Gone);
    assert_eq!(next.connect(), Link::Waiting, "nothing is fresh before the server made it so");
    server.reset();
    assert_eq!(server.client(), Client::Awaited);
    assert_eq!(next.connect(), Link::Up);
    assert_eq!((next.waiting(), server.waiting()), (Ok(0), Ok(0)));
    next.write(b"hello").unwrap();
    let mut out = [0; 16];
    assert_eq!((server.read(&mut out), &out[..5]), (Ok(5), &b"hello"[..]));
}

#[test]
fn a_predecessor_that_ends_late_costs_one_more_connection() {
    let (control, mut server, pages) = serve(1, 1);
    let mut late = open(&control, &pages);
    late.connect();
    let mut next = open(&control, &pages);
    next.connect();
    server.reset();
    assert_eq!(next.connect(), Link::Up);
    // What unmapping does when the killed process is cleaned up at last.
    late.close();
    assert_eq!((server.client(), next.link()), (Client::Gone, Link::Waiting));
    server.reset();
    assert_eq!(next.connect(), Link::Up);
}

#[test]
fn a_ring_that_someone_wrote_to_since_is_not_fresh() {
    let (control, mut server, pages) = serve(1, 1);
    let mut client = open(&control, &pages);
    control.store_u32::<4>(5);
    assert_eq!(client.connect(), Link::Waiting);
    assert_eq!(server.client(), Client::Gone);
    server.reset();
    assert_eq!(client.connect(), Link::Up);
}

#[test]
fn a_server_that_closes_is_gone() {
    let (control, server, mut client) = pair(1, 1);
    server.close();
    assert_eq!(client.link(), Link::Gone);
    assert_eq!(client.connect(), Link::Gone);
    assert_eq!(control.load_u8::<21>(), 0);
}

#[test]
fn a_client_that_closes_is_gone() {
    let (control, server, client) = pair(1, 1);
    client.close();
    assert_eq!((server.client(), control.load_u8::<20>()), (Client::Gone, 0));
}
