use super::*;
use crate::hyper::DomId;
use crate::ring::RingError;
use crate::ring::xenstore::{Features, GuestEnd, ServerEnd};
use crate::shared::Page;
use crate::store::transport::{Assembler, Frame, Outbox, StreamError};
use crate::store::wire::{Access, Header, Kind, Message, Payload, Perm, Request, XsError};
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use embedded_io::{ErrorType, Read, Write};

fn reply(to: &Header, payload: &[u8]) -> Message {
    Message::reply(to, Payload::try_from(payload).unwrap())
}

/// A blocking stream to a server that answers each request as the script says, after what else is on its mind.
struct Scripted<F> {
    incoming: Assembler,
    outgoing: Vec<u8>,
    answer: F,
}

impl<F: FnMut(&Frame) -> Vec<Message>> Scripted<F> {
    fn session(answer: F) -> Session<Self> {
        Session::new(Self { incoming: Assembler::new(), outgoing: Vec::new(), answer })
    }
}

impl<F> ErrorType for Scripted<F> {
    type Error = RingError;
}

impl<F: FnMut(&Frame) -> Vec<Message>> Write for Scripted<F> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, RingError> {
        let missing = self.incoming.missing();
        let taken = missing.len().min(buf.len());
        missing[..taken].copy_from_slice(&buf[..taken]);
        if let Some(frame) = self.incoming.advance(taken).unwrap() {
            for message in (self.answer)(&frame) {
                self.outgoing.extend_from_slice(message.as_bytes());
            }
        }
        Ok(taken)
    }

    fn flush(&mut self) -> Result<(), RingError> {
        Ok(())
    }
}

impl<F> Read for Scripted<F> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, RingError> {
        let taken = buf.len().min(self.outgoing.len()).min(7);
        buf[..taken].copy_from_slice(&self.outgoing[..taken]);
        self.outgoing.drain(..taken);
        Ok(taken)
    }
}

#[test]
fn a_call_sends_exact_bytes_and_takes_its_answer() {
    let mut session = Scripted::session(|frame| {
        assert_eq!((frame.header.kind, frame.header.tx_id), (Kind::READ, 0));
        assert_eq!(frame.payload, b"/a/b\0");
        vec![reply(&frame.header, b"value")]
    });
    assert_eq!(session.nodes().read(b"/a/b").unwrap(), b"value");
}

#[test]
fn refusals_and_mistakes_are_told_apart() {
    let mut session = Scripted::session(|frame| vec![Message::error(&frame.header, XsError::EACCES)]);
    assert_eq!(session.nodes().mkdir(b"/a"), Err(ClientError::Refused(XsError::EACCES)));
    assert_eq!(session.nodes().mkdir(b"/a\0b"), Err(ClientError::Unsendable(XsError::EINVAL)));
    assert_eq!(session.nodes().write(b"/a", &[0; 4096]), Err(ClientError::Unsendable(XsError::E2BIG)));
    let mut session = Scripted::session(|_| Vec::new());
    assert_eq!(session.nodes().mkdir(b"/a"), Err(ClientError::Stream(StreamError::Closed)));
}

#[test]
fn events_between_answers_are_kept_in_order() {
    let mut session = Scripted::session(|frame| {
        let event = |path: &[u8]| Message::event(path, b"tok").unwrap();
        vec![event(b"/a"), reply(&frame.header, b"OK\0"), event(b"/a/b")]
    });
    session.watch(b"/a", b"tok").unwrap();
    let event = |path: &[u8]| WatchEvent { path: path.to_vec(), token: b"tok".to_vec() };
    assert_eq!(session.pending_event(), Some(event(b"/a")));
    assert_eq!(session.pending_event(), None);
    assert_eq!(session.next_event(), Ok(event(b"/a/b")));
}

#[test]
fn answers_match_in_any_order() {
    let mut client = Client::new();
    let first = client.ask(0, &Request::Read { path: b"/1" }).unwrap();
    let second = client.ask(0, &Request::Rm { path: b"/2" }).unwrap();
    let mut headers = Vec::new();
    while !client.output().is_empty() {
        headers.push(Header::parse(*client.output().first_chunk().unwrap()).unwrap());
        client.wrote(client.output().len());
    }
    for answer in [Message::error(&headers[1], XsError::ENOENT), reply(&headers[0], b"one")] {
        for byte in answer.as_bytes() {
            client.input()[0] = *byte;
            client.filled::<RingError>(1).unwrap();
        }
    }
    assert_eq!(client.answer(first), Some(Ok(b"one".to_vec())));
    assert_eq!(client.answer(first), None);
    assert_eq!(client.answer(second), Some(Err(XsError::ENOENT)));
}

#[test]
fn a_server_that_breaks_the_protocol_is_named() {
    let fault = |message: fn(&Header) -> Message| {
        let mut session = Scripted::session(|frame| vec![message(&frame.header)]);
        match session.nodes().perms(b"/a") {
            Err(ClientError::Server(misbehaviour)) => misbehaviour,
            other => panic!("{other:?}"),
        }
    };
    let malformed = Misbehaviour::Malformed(Kind::GET_PERMS);
    assert_eq!(fault(|to| reply(to, b"")), malformed);
    assert_eq!(fault(|to| reply(to, b"x1\0")), malformed);
    assert_eq!(fault(|to| Message::new(Kind::ERROR, to.req_id, 0, Payload::new())), malformed);
    let stray = fault(|to| Message::new(to.kind, to.req_id + 1, 0, Payload::new()));
    assert_eq!(stray, Misbehaviour::UnknownReply { req_id: 2 });
    let wrong = fault(|to| Message::new(Kind::READ, to.req_id, 0, Payload::new()));
    assert_eq!(wrong, Misbehaviour::WrongKind { asked: Kind::GET_PERMS, came: Kind::READ });
    let event = fault(|_| Message::new(Kind::WATCH_EVENT, 0, 0, Payload::new()));
    assert_eq!(event, Misbehaviour::Malformed(Kind::WATCH_EVENT));
}

#[test]
fn permissions_are_lists() {
    let mut session = Scripted::session(|frame| vec![reply(&frame.header, b"n0\0b5\0")]);
    let perms = [Perm::new(Access::None, DomId(0)), Perm::new(Access::Both, DomId(5))];
    assert_eq!(session.nodes().perms(b"/a").unwrap(), perms);
    let mut session = Scripted::session(|frame| {
        assert_eq!(frame.payload, b"/a\0n0\0b5\0");
        vec![Message::ok(&frame.header)]
    });
    session.nodes().set_perms(b"/a", &perms).unwrap();
}

/// A server of one long directory, whose generation changes while `changes` says so.
fn directory(names: Vec<u8>, mut changes: u32) -> impl FnMut(&Frame) -> Vec<Message> {
    move |frame| {
        let header = &frame.header;
        let Ok(Request::DirectoryPart { offset, .. }) = Request::parse(header.kind, &frame.payload) else {
            return vec![Message::error(header, XsError::E2BIG)];
        };
        if offset != 0 && changes > 0 {
            changes -= 1;
        }
        let rest = &names[(offset as usize).min(names.len())..];
        let end = rest[..rest.len().min(10)].iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
        let mut part = alloc::format!("{changes}\0").into_bytes();
        part.extend_from_slice(&rest[..end]);
        if end == rest.len() {
            part.push(0);
        }
        vec![reply(header, &part)]
    }
}

#[test]
fn a_long_listing_is_put_together_from_parts_of_one_generation() {
    let names = [&b"one"[..], b"two", b"three", b"four", b"five"];
    let list: Vec<u8> = names.iter().flat_map(|name| [name, &b"\0"[..]].concat()).collect();
    for changes in [0, 1, 3] {
        let mut session = Scripted::session(directory(list.clone(), changes));
        assert_eq!(session.nodes().list(b"/dir").unwrap(), names);
    }
    let mut session = Scripted::session(directory(Vec::new(), 0));
    assert_eq!(session.nodes().list(b"/dir").unwrap(), Vec::<Vec<u8>>::new());
    let mut session = Scripted::session(directory(list, 1000));
    assert_eq!(session.nodes().list(b"/dir"), Err(ClientError::Refused(XsError::EAGAIN)));
}

#[test]
fn a_transaction_is_tried_again_only_for_conflicts() {
    let script = |ends: Vec<Result<(), XsError>>| {
        let (mut ends, mut tx_id) = (VecDeque::from(ends), 40u32);
        move |frame: &Frame| {
            let header = &frame.header;
            vec![match header.kind {
                Kind::TRANSACTION_START => {
                    tx_id += 1;
                    reply(header, alloc::format!("{tx_id}\0").as_bytes())
                }
                Kind::READ => reply(header, alloc::format!("{}", header.tx_id).as_bytes()),
                _ => match ends.pop_front().unwrap() {
                    Ok(()) => Message::ok(header),
                    Err(error) => Message::error(header, error),
                },
            }]
        }
    };
    let read = |nodes: &mut Nodes<'_, _>| nodes.read(b"/a");
    let mut session = Scripted::session(script(vec![Err(XsError::EAGAIN), Err(XsError::EAGAIN), Ok(())]));
    assert_eq!(session.transaction(read).unwrap(), b"43");
    let mut session = Scripted::session(script(vec![Err(XsError::ENOSPC)]));
    assert_eq!(session.transaction(read), Err(ClientError::Refused(XsError::ENOSPC)));
    let mut session = Scripted::session(script(vec![Err(XsError::EAGAIN); 200]));
    assert_eq!(session.transaction(read), Err(ClientError::Refused(XsError::EAGAIN)));
    let mut session = Scripted::session(script(vec![Ok(())]));
    let failed = session.transaction(|_| Err::<(), _>(ClientError::Refused(XsError::ENOENT)));
    assert_eq!(failed, Err(ClientError::Refused(XsError::ENOENT)));
}

#[test]
fn attack_a16_request_ids_wrap_and_pass_over_those_under_way() {
    let mut client = Client::new();
    let ids = |client: &mut Client| {
        client.ask(0, &Request::TransactionStart).unwrap();
        let header = Header::parse(*client.output().first_chunk().unwrap()).unwrap();
        client.wrote(client.output().len());
        header.req_id
    };
    assert_eq!(ids(&mut client), 1);
    client.last_id = u32::MAX - 1;
    assert_eq!([ids(&mut client), ids(&mut client)], [u32::MAX, 2]);
}

#[test]
fn a_client_talks_over_a_ring_without_waiting() {
    let page = Page::new();
    let mut server = ServerEnd::introduce(&page, Features::empty());
    let mut guest = GuestEnd::attach(&page).unwrap();
    let (mut client, mut input, mut output) = (Client::new(), Assembler::new(), Outbox::new());
    let value = vec![b'v'; 4000];
    let ticket = client.ask(0, &Request::Write { path: b"/a", value: &value }).unwrap();
    let mut turns = 0;
    let answer = loop {
        client.pump(&mut guest).unwrap();
        if let Some(answer) = client.answer(ticket) {
            break answer;
        }
        if let Some(frame) = input.pull(&mut server).unwrap() {
            assert_eq!(frame.payload, [&b"/a\0"[..], &value].concat());
            output.push(reply(&frame.header, &value));
        }
        output.flush(&mut server).unwrap();
        turns += 1;
        assert!(turns < 20, "a message of four rings takes a few turns each way");
    };
    assert_eq!(answer, Ok(value));
}
