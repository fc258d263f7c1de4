use super::*;
use proptest::prelude::*;
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Answer, CHUNK, Created, Definition, Down, Hello, Rejection, Up};
use xendless_core::rights::Rights;

const WELCOME: Welcome = Welcome { rights: Rights::Everything, domid: 3 };

/// Keeps nothing but one definition.
struct One;

impl Keeper for One {
    fn define(&mut self, _: Kept, config: &[u8]) -> Result<(), Failure> {
        if config == b"good" { Ok(()) } else { Err(Failure::Storage("disk full".into())) }
    }

    fn undefine(&mut self, _: Kept, _: &str) -> Result<(), Failure> {
        Err(Failure::NoSuchDomain)
    }

    fn after(&mut self, _: Kept, name: &str) -> Result<Option<(String, Vec<u8>)>, Failure> {
        Ok((name < "one").then(|| ("one".into(), b"good".to_vec())))
    }
}

fn framed(message: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, message).unwrap();
    bytes
}

/// The frames in `bytes`.
fn bodies(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut assembler, mut bodies) = (Assembler::default(), Vec::new());
    while !bytes.is_empty() {
        assembler.take(&mut bytes).unwrap();
        bodies.push(assembler.frame().unwrap().to_vec());
        assembler.clear();
    }
    bodies
}

/// A multiplexer whose ring is up.
fn connected() -> Mux {
    let mut mux = Mux::default();
    mux.ring_up();
    assert_eq!(to_ring(&mut mux), [framed(&Up::Hello(Hello::OURS))[4..].to_vec()]);
    ring_says(&mut mux, &Down::Welcome(WELCOME));
    assert_eq!(mux.take_own(), Some(Own::Up(WELCOME)));
    mux
}

/// What went to the ring since.
fn to_ring(mux: &mut Mux) -> Vec<Vec<u8>> {
    let sent = mux.ring_output().to_vec();
    mux.ring_wrote(sent.len());
    bodies(&sent)
}

/// What went to a client since.
fn to_client(mux: &mut Mux, id: ClientId) -> Vec<Vec<u8>> {
    let sent = mux.output(id).to_vec();
    mux.wrote(id, sent.len());
    bodies(&sent)
}

fn ring_says(mux: &mut Mux, message: &Down<'_>) {
    mux.ring_receive(&framed(message)).unwrap();
}

fn says(mux: &mut Mux, id: ClientId, message: &Up<'_>) {
    mux.receive(id, &framed(message));
    while mux.turn(&mut One, false) {}
}

fn greeted(mux: &mut Mux, peer: Peer) -> ClientId {
    let id = mux.connect(peer);
    says(mux, id, &Up::Hello(Hello::OURS));
    let domid = WELCOME.domid;
    let rights = if peer == Peer::Stranger { Rights::Nothing } else { WELCOME.rights };
    assert_eq!(to_client(mux, id), [framed(&Down::Welcome(Welcome { rights, domid }))[4..].to_vec()]);
    id
}

fn parse_up(body: &[u8]) -> Up<'_> {
    frame::parse(body).unwrap()
}

fn parse_down(body: &[u8]) -> Down<'_> {
    frame::parse(body).unwrap()
}

/// Opens a console with the client's id `id`; returns the ring's.
fn console(mux: &mut Mux, client: ClientId, id: u32) -> RequestId {
    says(mux, client, &Up::Request { id: RequestId(id), request: Request::Console { domain: "a" } });
    let sent = to_ring(mux);
    let Up::Request { id, request: Request::Console { domain: "a" } } = parse_up(&sent[0]) else { panic!() };
    id
}

#[test]
fn requests_of_many_clients_keep_apart_though_their_ids_are_the_same() {
    let mut mux = connected();
    let (a, b) = (greeted(&mut mux, Peer::Trusted), greeted(&mut mux, Peer::Trusted));
    let (of_a, of_b) = (console(&mut mux, a, 1), console(&mut mux, b, 1));
    assert_ne!(of_a, of_b);
    says(&mut mux, a, &Up::Credit { id: RequestId(1), bytes: 10 });
    says(&mut mux, b, &Up::Credit { id: RequestId(1), bytes: 20 });
    let credits = to_ring(&mut mux);
    assert_eq!(parse_up(&credits[0]), Up::Credit { id: of_a, bytes: 10 });
    assert_eq!(parse_up(&credits[1]), Up::Credit { id: of_b, bytes: 20 });
    ring_says(&mut mux, &Down::Data { id: of_b, bytes: b"for b" });
    ring_says(&mut mux, &Down::Answer { id: of_a, result: Ok(Answer::Done) });
    assert_eq!(parse_down(&to_client(&mut mux, b)[0]), Down::Data { id: RequestId(1), bytes: b"for b" });
    let done = Down::Answer { id: RequestId(1), result: Ok(Answer::Done) };
    assert_eq!(parse_down(&to_client(&mut mux, a)[0]), done);
    // The answered id is free again, and what still comes for it is ignored.
    ring_says(&mut mux, &Down::Data { id: of_a, bytes: b"late" });
    assert_eq!(to_client(&mut mux, a).len(), 0);
    console(&mut mux, a, 1);
}

#[test]
fn data_upwards_needs_the_credit_of_the_control_domain() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let up = console(&mut mux, client, 5);
    ring_says(&mut mux, &Down::Credit { id: up, bytes: 4 });
    let id = RequestId(5);
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), Down::Credit { id, bytes: 4 });
    says(&mut mux, client, &Up::Data { id, bytes: b"root" });
    assert_eq!(parse_up(&to_ring(&mut mux)[0]), Up::Data { id: up, bytes: b"root" });
    says(&mut mux, client, &Up::Data { id, bytes: b"x" });
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), Down::Closed(Rejection::Misuse));
    assert_eq!(parse_up(&to_ring(&mut mux)[0]), Up::Cancel { id: up }, "only its own request ends");
    assert!(mux.is_over(client) && mux.ring_is_up());
}

#[test]
fn a_client_that_goes_has_its_requests_cancelled_and_their_rest_is_ignored() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let up = console(&mut mux, client, 1);
    says(&mut mux, client, &Up::Credit { id: RequestId(1), bytes: 100 });
    to_ring(&mut mux);
    mux.disconnect(client);
    assert_eq!(parse_up(&to_ring(&mut mux)[0]), Up::Cancel { id: up });
    ring_says(&mut mux, &Down::Data { id: up, bytes: b"on its way" });
    ring_says(&mut mux, &Down::Answer { id: up, result: Err(Failure::Cancelled) });
    assert_eq!((mux.take_own(), to_ring(&mut mux).len()), (None, 0));
    assert_eq!(mux.ring.owned_by(|_| true), 0);
}

#[test]
fn cancelling_twice_asks_once() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    console(&mut mux, client, 1);
    for _ in 0..3 {
        says(&mut mux, client, &Up::Cancel { id: RequestId(1) });
    }
    says(&mut mux, client, &Up::Cancel { id: RequestId(9) });
    assert_eq!(to_ring(&mut mux).len(), 1);
}

/// However much credit a client gives, only so much comes while it reads nothing.
#[test]
fn attack_e02_a_client_that_gives_credit_and_reads_nothing_fills_nothing_up() {
    let mut mux = connected();
    let (stuck, other) = (greeted(&mut mux, Peer::Trusted), greeted(&mut mux, Peer::Trusted));
    let up = console(&mut mux, stuck, 1);
    says(&mut mux, stuck, &Up::Credit { id: RequestId(1), bytes: u32::MAX });
    says(&mut mux, stuck, &Up::Credit { id: RequestId(1), bytes: u32::MAX });
    let (mut ahead, mut sent) = (0, 0);
    loop {
        for body in to_ring(&mut mux) {
            let Up::Credit { id, bytes } = parse_up(&body) else { panic!() };
            assert_eq!(id, up);
            ahead += bytes as usize;
        }
        if ahead == 0 {
            break;
        }
        let now = ahead.min(CHUNK);
        ring_says(&mut mux, &Down::Data { id: up, bytes: &vec![0; now] });
        (ahead, sent) = (ahead - now, sent + now);
    }
    assert!(sent >= LOW && sent <= LOW + 2 * WINDOW as usize, "{sent} bytes came");
    assert!(!mux.listens(stuck) && mux.listens(other));
    console(&mut mux, other, 1);
    // When it reads again, it goes on.
    to_client(&mut mux, stuck);
    assert!(matches!(parse_up(&to_ring(&mut mux)[0]), Up::Credit { .. }));
}

#[test]
fn what_a_client_sent_while_it_was_held_up_is_looked_at_when_it_is_not() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let up = console(&mut mux, client, 1);
    says(&mut mux, client, &Up::Credit { id: RequestId(1), bytes: u32::MAX });
    assert!(!mux.can_go_on());
    // As much comes for it as it takes to be held up.
    while mux.listens(client) {
        for body in to_ring(&mut mux) {
            let Up::Credit { bytes, .. } = parse_up(&body) else { panic!() };
            for piece in vec![0; bytes as usize].chunks(CHUNK) {
                ring_says(&mut mux, &Down::Data { id: up, bytes: piece });
            }
        }
    }
    mux.receive(client, &framed(&Up::Cancel { id: RequestId(1) }));
    assert!(!mux.turn(&mut One, false) && !mux.can_go_on(), "it is held up");
    to_ring(&mut mux);
    // It takes what was on its way: nothing else will happen, and its message is there.
    to_client(&mut mux, client);
    assert!(mux.can_go_on());
    assert!(mux.turn(&mut One, false) && !mux.can_go_on());
    let sent = to_ring(&mut mux);
    assert!(sent.iter().any(|body| parse_up(body) == Up::Cancel { id: up }), "{sent:?}");
}

#[test]
fn more_than_was_asked_for_is_the_fault_of_the_control_domain() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let up = console(&mut mux, client, 1);
    says(&mut mux, client, &Up::Credit { id: RequestId(1), bytes: 3 });
    let fault = mux.ring_receive(&framed(&Down::Data { id: up, bytes: b"four" }));
    assert_eq!(fault, Err(RingFault::Credit));
    let again = connected().ring_receive(&framed(&Down::Welcome(WELCOME)));
    assert_eq!(again, Err(RingFault::Order));
    let closed = connected().ring_receive(&framed(&Down::Closed(Rejection::TooMany)));
    assert_eq!(closed, Err(RingFault::Rejected(Rejection::TooMany)));
    assert!(matches!(connected().ring_receive(&[0xff; 8]), Err(RingFault::Frame(_))));
}

#[test]
fn a_lost_ring_answers_all_that_is_open() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    console(&mut mux, client, 1);
    let own = mux.ask(&Request::List { from: 0 }).unwrap();
    mux.ring_down();
    let lost = Down::Answer { id: RequestId(1), result: Err(Failure::Disconnected) };
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), lost);
    assert_eq!(mux.take_own(), Some(Own::Ended(own, Err(Failure::Disconnected))));
    says(&mut mux, client, &Up::Request { id: RequestId(1), request: Request::Host });
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), lost);
    assert_eq!((mux.ask(&Request::Host), to_ring(&mut mux).len()), (None, 0));
    mux.ring_up();
    ring_says(&mut mux, &Down::Welcome(WELCOME));
    to_ring(&mut mux);
    console(&mut mux, client, 1);
}

#[test]
fn what_needs_the_ring_waits_for_it_while_that_may_come() {
    let mut mux = Mux::default();
    let client = mux.connect(Peer::Trusted);
    mux.receive(client, &framed(&Up::Hello(Hello::OURS)));
    assert!(!mux.turn(&mut One, true));
    mux.ring_up();
    ring_says(&mut mux, &Down::Welcome(WELCOME));
    to_ring(&mut mux);
    assert!(mux.turn(&mut One, true));
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), Down::Welcome(WELCOME));
    mux.ring_down();
    let host = Up::Request { id: RequestId(1), request: Request::Host };
    mux.receive(client, &framed(&host));
    assert!(!mux.turn(&mut One, true));
    assert!(mux.turn(&mut One, false), "it does not wait for ever");
    let lost = Down::Answer { id: RequestId(1), result: Err(Failure::Disconnected) };
    assert_eq!(parse_down(&to_client(&mut mux, client)[0]), lost);
}

#[test]
fn a_client_is_answered_though_the_ring_never_came() {
    let mut mux = Mux::default();
    let client = mux.connect(Peer::Trusted);
    says(&mut mux, client, &Up::Hello(Hello::OURS));
    says(&mut mux, client, &Up::Request { id: RequestId(0), request: Request::Definition { after: "" } });
    let sent = to_client(&mut mux, client);
    assert!(matches!(parse_down(&sent[0]), Down::Welcome(_)));
    let one = Answer::Definition(Some(Definition { name: "one", config: b"good" }));
    assert_eq!(parse_down(&sent[1]), Down::Answer { id: RequestId(0), result: Ok(one) });
}

#[test]
fn definitions_are_answered_here_and_need_the_rights_of_the_domain() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let ask = |mux: &mut Mux, request| {
        says(mux, client, &Up::Request { id: RequestId(1), request });
        let sent = to_client(mux, client);
        let Down::Answer { result, .. } = parse_down(&sent[0]) else { panic!() };
        assert_eq!(mux.ring_output().len(), 0);
        result.map(drop)
    };
    assert_eq!(ask(&mut mux, Request::Define { config: b"good" }), Ok(()));
    assert!(matches!(ask(&mut mux, Request::Define { config: b"bad" }), Err(Failure::Storage(_))));
    assert_eq!(ask(&mut mux, Request::Undefine { domain: "x" }), Err(Failure::NoSuchDomain));
    let fewer = Welcome { rights: Rights::Observe, ..WELCOME };
    mux.ring_up();
    ring_says(&mut mux, &Down::Welcome(fewer));
    to_ring(&mut mux);
    let forbidden = Err(Failure::Forbidden { needs: Rights::Children });
    assert_eq!(ask(&mut mux, Request::Define { config: b"good" }), forbidden);
    assert_eq!(ask(&mut mux, Request::Definition { after: "" }), Ok(()));
}

#[test]
fn attack_e03_a_stranger_is_refused_whatever_it_asks() {
    let mut mux = connected();
    let stranger = greeted(&mut mux, Peer::Stranger);
    let requests = [Request::Host, Request::Destroy { domain: "a" }, Request::Define { config: b"good" }];
    for request in requests {
        says(&mut mux, stranger, &Up::Request { id: RequestId(1), request });
        let refused =
            Down::Answer { id: RequestId(1), result: Err(Failure::Forbidden { needs: request.needs() }) };
        assert_eq!(parse_down(&to_client(&mut mux, stranger)[0]), refused);
    }
    assert_eq!(to_ring(&mut mux).len(), 0);
}

#[test]
fn attack_e02_who_breaks_the_rules_is_cut_off_alone() {
    let hello = framed(&Up::Hello(Hello::OURS));
    let host = framed(&Up::Request { id: RequestId(1), request: Request::Host });
    let old = framed(&Up::Hello(Hello { version: 0, ..Hello::OURS }));
    let long = vec![0; CHUNK + 1];
    let long = framed(&Up::Data { id: RequestId(1), bytes: &long });
    let cases: [(&[&[u8]], Rejection); 8] = [
        (&[&host], Rejection::Order),
        (&[&hello, &hello], Rejection::Order),
        (&[&old], Rejection::Version(Hello::OURS)),
        (&[&[0; 4]], Rejection::Malformed),
        (&[&[0xff; 4]], Rejection::Malformed),
        (&[&hello, &[1, 0, 0, 0, 0x7f]], Rejection::Malformed),
        (&[&hello, &host, &host], Rejection::Misuse),
        (&[&hello, &host, &long], Rejection::Misuse),
    ];
    let mut mux = connected();
    let good = greeted(&mut mux, Peer::Trusted);
    for (sent, why) in cases {
        let bad = mux.connect(Peer::Trusted);
        for bytes in sent {
            mux.receive(bad, bytes);
        }
        while mux.turn(&mut One, false) {}
        assert!(!mux.listens(bad));
        let told = to_client(&mut mux, bad);
        assert_eq!(parse_down(told.last().unwrap()), Down::Closed(why));
        assert!(mux.is_over(bad));
        mux.disconnect(bad);
        assert_eq!((mux.is_over(good), mux.listens(good)), (false, true));
    }
    to_ring(&mut mux);
    console(&mut mux, good, 1);
}

#[test]
fn there_are_only_so_many_requests_at_once() {
    let mut mux = connected();
    let limit = |id| Down::Answer { id: RequestId(id), result: Err(Failure::Limit("requests".into())) };
    for _ in 0..ALL_CLIENTS / PER_CLIENT {
        let client = greeted(&mut mux, Peer::Trusted);
        for id in 0..u32::try_from(PER_CLIENT).unwrap() {
            console(&mut mux, client, id);
        }
        says(&mut mux, client, &Up::Request { id: RequestId(99), request: Request::Host });
        assert_eq!(parse_down(&to_client(&mut mux, client)[0]), limit(99));
    }
    let late = greeted(&mut mux, Peer::Trusted);
    says(&mut mux, late, &Up::Request { id: RequestId(0), request: Request::Host });
    assert_eq!(parse_down(&to_client(&mut mux, late)[0]), limit(0));
    assert_eq!((0..200).filter(|_| mux.ask(&Request::Host).is_some()).count(), OWN);
}

#[test]
fn a_ring_that_takes_nothing_stops_the_clients_and_not_more() {
    let mut mux = connected();
    let (a, b) = (greeted(&mut mux, Peer::Trusted), greeted(&mut mux, Peer::Trusted));
    let up = console(&mut mux, a, 1);
    ring_says(&mut mux, &Down::Credit { id: up, bytes: u32::MAX });
    let data = framed(&Up::Data { id: RequestId(1), bytes: &[1; CHUNK] });
    let mut taken = 0;
    while mux.listens(a) {
        mux.receive(a, &data);
        taken += usize::from(mux.turn(&mut One, false));
    }
    assert!(mux.ring_output().len() < RING_LOW + 2 * CHUNK && taken >= 4);
    assert!(!mux.listens(b));
    let sent = mux.ring_output().len();
    mux.ring_wrote(sent);
    assert!(mux.listens(b));
}

#[test]
fn clients_have_their_turns_one_after_the_other() {
    let mut mux = connected();
    let (a, b) = (greeted(&mut mux, Peer::Trusted), greeted(&mut mux, Peer::Trusted));
    for client in [a, b] {
        for id in 0..3 {
            let request = Request::Find { domain: if client == a { "a" } else { "b" } };
            mux.receive(client, &framed(&Up::Request { id: RequestId(id), request }));
        }
    }
    while mux.turn(&mut One, false) {}
    let sent = to_ring(&mut mux);
    let asked = sent.iter().map(|body| match parse_up(body) {
        Up::Request { request: Request::Find { domain }, .. } => domain.to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(asked.collect::<String>(), "ababab");
}

#[test]
fn own_requests_are_told_apart() {
    let mut mux = connected();
    let client = greeted(&mut mux, Peer::Trusted);
    let own = mux.ask(&Request::Console { domain: "g" }).unwrap();
    mux.credit(own, 5);
    says(&mut mux, client, &Up::Request { id: RequestId(1), request: Request::Destroy { domain: "g" } });
    let sent = to_ring(&mut mux);
    assert_eq!(parse_up(&sent[1]), Up::Credit { id: own, bytes: 5 });
    let Up::Request { id: destroy, .. } = parse_up(&sent[2]) else { panic!() };
    ring_says(&mut mux, &Down::Data { id: own, bytes: b"hello" });
    ring_says(&mut mux, &Down::Answer { id: own, result: Ok(Answer::Done) });
    ring_says(&mut mux, &Down::Answer { id: destroy, result: Ok(Answer::Created(Created { domid: 1 })) });
    let events: Vec<Own> = std::iter::from_fn(|| mux.take_own()).collect();
    assert_eq!(events, [Own::Data(own, b"hello".to_vec()), Own::Ended(own, Ok(()))]);
}

proptest! {
    #[test]
    fn attack_e02_any_bytes_of_a_client_harm_only_itself(
        greets: bool,
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..12),
    ) {
        let mut mux = connected();
        let good = greeted(&mut mux, Peer::Trusted);
        let bad = if greets { greeted(&mut mux, Peer::Trusted) } else { mux.connect(Peer::Trusted) };
        for piece in &pieces {
            // In a frame that is right, so that more than lengths is tried.
            let mut bytes = u32::try_from(piece.len()).unwrap().to_le_bytes().to_vec();
            bytes.extend(piece);
            mux.receive(bad, &bytes);
            while mux.turn(&mut One, false) {}
        }
        prop_assert!(mux.listens(good) && mux.ring_is_up());
        to_ring(&mut mux);
        console(&mut mux, good, 1);
    }
}
