//! What clients do, and what that does to others.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::{fs, thread};

use rustix::process::{Gid, Uid, getuid};
use xendless_core::life::Wish;
use xendless_core::protocol::frame;
use xendless_core::protocol::{Down, Failure, Hello, Rejection, Request, RequestId, Until, Up};
use xendless_core::rights::Rights;

use crate::world::{Client, Seen, WELCOME, Wire, World};

#[test]
fn many_clients_get_their_own_answers() {
    let world = World::new();
    let _control = world.control(&[]);
    let xmd = world.xmd();
    thread::scope(|scope| {
        for number in 0..24 {
            let xmd = &xmd;
            scope.spawn(move || {
                let mut client = xmd.client();
                assert_eq!(client.welcome, WELCOME);
                for id in 0..40 {
                    let name = format!("of-{number}-{id}");
                    assert_eq!(client.find(id, &name), Ok(Some(name)));
                }
            });
        }
    });
}

#[test]
fn a_console_is_a_stream_both_ways() {
    let world = World::new();
    let _control = world.control(&[]);
    let xmd = world.xmd();
    let mut client = xmd.client();
    client.ask(1, Request::Console { domain: "web" });
    let id = RequestId(1);
    client.wire.send(&Up::Credit { id, bytes: 1000 });
    let body = client.wire.next().unwrap();
    assert_eq!(frame::parse(&body), Ok(Down::Credit { id, bytes: 100 }));
    let body = client.wire.next().unwrap();
    assert_eq!(frame::parse(&body), Ok(Down::Data { id, bytes: b"web says hello\r\n" }));
    client.wire.send(&Up::Data { id, bytes: b"root\r" });
    let body = client.wire.next().unwrap();
    assert_eq!(frame::parse(&body), Ok(Down::Data { id, bytes: b"root\r" }));
    client.wire.send(&Up::Cancel { id });
    assert_eq!(client.answer(1), Err(Failure::Cancelled));
}

#[test]
fn attack_e02_a_client_that_reads_nothing_holds_nobody_up() {
    let world = World::new();
    let control = world.control(&[]);
    let xmd = world.xmd();
    let (mut slow, mut other) = (xmd.client(), xmd.client());
    slow.ask(1, Request::Console { domain: "flood" });
    slow.wire.send(&Up::Credit { id: RequestId(1), bytes: u32::MAX });
    for id in 0..200 {
        assert_eq!(other.find(id, "a"), Ok(Some("a".into())));
    }
    drop(slow);
    control.sees(&Seen::Cancelled("flood".into()));
    assert_eq!(other.find(0, "b"), Ok(Some("b".into())));
}

#[test]
fn what_a_client_sends_before_it_goes_is_done_though_it_read_nothing() {
    let world = World::new();
    let control = world.control(&[]);
    let xmd = world.xmd();
    let (mut going, mut other) = (xmd.client(), xmd.client());
    going.ask(1, Request::Console { domain: "flood" });
    going.wire.send(&Up::Credit { id: RequestId(1), bytes: u32::MAX });
    for id in 0..200 {
        assert_eq!(other.find(id, "a"), Ok(Some("a".into())), "more is on its way than fits");
    }
    going.ask(2, Request::Wait { domain: "late", until: Until::Gone });
    drop(going);
    control.sees(&Seen::Cancelled("flood".into()));
    // Whatever else it asked was cancelled with that, so before this.
    other.ask(201, Request::Wait { domain: "mark", until: Until::Gone });
    other.wire.send(&Up::Cancel { id: RequestId(201) });
    let seen: Vec<Seen> =
        control.seen.iter().take_while(|seen| *seen != Seen::Cancelled("mark".into())).collect();
    assert_eq!(seen, [Seen::Cancelled("late".into())]);
}

#[test]
fn a_client_that_goes_has_its_requests_cancelled() {
    let world = World::new();
    let control = world.control(&[]);
    let xmd = world.xmd();
    let mut gone = xmd.client();
    gone.ask(1, Request::Wait { domain: "web", until: Until::Gone });
    assert_eq!(gone.find(2, "a"), Ok(Some("a".into())));
    drop(gone);
    control.sees(&Seen::Cancelled("web".into()));
}

#[test]
fn attack_e02_malformed_frames_cut_off_only_their_sender() {
    let world = World::new();
    let _control = world.control(&[]);
    let xmd = world.xmd();
    let mut good = xmd.client();
    good.ask(7, Request::Wait { domain: "web", until: Until::Gone });
    let hello = |wire: &mut Wire| wire.send(&Up::Hello(Hello::OURS));
    type Misdeed = fn(&mut Wire);
    let cases: [(Misdeed, Rejection); 5] = [
        (|wire| wire.send_raw(&[0; 4]), Rejection::Malformed),
        (|wire| wire.send_raw(&u32::MAX.to_le_bytes()), Rejection::Malformed),
        (|wire| wire.send_raw(&[1, 0, 0, 0, 0x7f]), Rejection::Malformed),
        (|wire| wire.send(&Up::Hello(Hello::OURS)), Rejection::Order),
        (
            |wire| {
                [1, 1].iter().for_each(|id| {
                    let shutdown = Request::Wait { domain: "a", until: Until::Gone };
                    wire.send(&Up::Request { id: RequestId(*id), request: shutdown });
                })
            },
            Rejection::Misuse,
        ),
    ];
    for (misdeed, why) in cases {
        let mut bad = xmd.client();
        misdeed(&mut bad.wire);
        assert_eq!(bad.rejection(), why);
    }
    let mut early = Client { wire: Wire::new(xmd.connect()), welcome: WELCOME };
    early.ask(1, Request::Shutdown { domain: "a", wish: Wish::Reboot });
    assert_eq!(early.rejection(), Rejection::Order);
    // Half a message, and the other half never.
    let mut half = Wire::new(xmd.connect());
    hello(&mut half);
    half.send_raw(&[200, 0, 0, 0, 1]);
    good.wire.send(&Up::Cancel { id: RequestId(7) });
    assert_eq!(good.answer(7), Err(Failure::Cancelled));
    assert_eq!(good.find(8, "a"), Ok(Some("a".into())));
}

/// Connects as a user who may nothing. Only this thread changes its user.
fn as_nobody(socket: &std::path::Path) -> std::io::Result<UnixStream> {
    thread::scope(|scope| {
        scope
            .spawn(|| {
                rustix::thread::set_thread_groups(&[]).unwrap();
                rustix::thread::set_thread_gid(Gid::from_raw(65534)).unwrap();
                rustix::thread::set_thread_uid(Uid::from_raw(65534)).unwrap();
                UnixStream::connect(socket)
            })
            .join()
            .unwrap()
    })
}

#[test]
fn attack_e03_an_unprivileged_user_is_refused() {
    if !getuid().is_root() {
        println!("only root can try to be somebody else");
        return;
    }
    let world = World::new();
    let _control = world.control(&[]);
    fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let xmd = world.xmd();
    assert_eq!(as_nobody(&xmd.socket).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    // Though someone opened the socket to all.
    fs::set_permissions(&xmd.socket, fs::Permissions::from_mode(0o666)).unwrap();
    let mut stranger = Client::greet(as_nobody(&xmd.socket).unwrap());
    assert_eq!(stranger.welcome.rights, Rights::Nothing);
    for (id, request) in [Request::Host, Request::Destroy { domain: "a" }, Request::Undefine { domain: "a" }]
        .into_iter()
        .enumerate()
    {
        let needs = request.needs();
        assert_eq!(stranger.call(u32::try_from(id).unwrap(), request), Err(Failure::Forbidden { needs }));
    }
    // Strangers do not keep others out, however many they are.
    let _many: Vec<_> = (0..200).map(|_| as_nobody(&xmd.socket)).collect();
    assert_eq!(xmd.client().find(1, "a"), Ok(Some("a".into())));
    assert!(world.stderr().contains("user 65534"), "{}", world.stderr());
}
