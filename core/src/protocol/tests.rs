use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::frame::{self, Assembler, FrameError, HEADER, MAX_MESSAGE};
use super::resources::{Adjust, Machine};
use super::*;
use crate::life::Wish;
use crate::rights::Rights;

fn framed(message: &impl serde::Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    frame::append(&mut out, message).unwrap();
    out
}

/// Takes all frames out of `bytes`, given in pieces.
fn frames(pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>, FrameError> {
    let (mut assembler, mut found) = (Assembler::default(), Vec::new());
    for piece in pieces {
        let mut input = *piece;
        while !input.is_empty() {
            assembler.take(&mut input)?;
            if let Some(body) = assembler.frame() {
                found.push(body.to_vec());
                assembler.clear();
            }
        }
    }
    Ok(found)
}

#[test]
fn the_hello_is_encoded_as_ever() {
    let hello = Up::Hello(Hello { version: 1, fingerprint: 0x0102 });
    assert_eq!(framed(&hello), [4, 0, 0, 0, 0, 1, 0x82, 2]);
    let closed = Down::Closed(Rejection::Version(Hello { version: 2, fingerprint: 3 }));
    assert_eq!(framed(&closed), [4, 0, 0, 0, 1, 0, 2, 3]);
}

#[test]
fn another_version_or_encoding_is_told_apart() {
    assert_eq!(Hello::OURS.check(), Ok(()));
    let other = Hello { fingerprint: FINGERPRINT ^ 1, ..Hello::OURS };
    let rejection = other.check().unwrap_err();
    assert!(rejection.to_string().contains("same release"), "{rejection}");
    assert!(Hello { version: 0, ..Hello::OURS }.check().is_err());
}

/// When this fails, messages changed: old clients are then told so. Put the new number here.
#[test]
fn the_fingerprint_is_that_of_the_messages() {
    assert_eq!(FINGERPRINT, 0xcf0f_1dfa_5458_c808, "{FINGERPRINT:#018x}");
}

#[test]
fn what_is_asked_takes_the_rights_it_should() {
    let destroy = Request::Destroy { domain: "1" };
    assert_eq!(Request::Host.needs(), Rights::Observe);
    assert_eq!(destroy.needs(), Rights::Children);
    assert_eq!(Request::Dmesg { clear: false }.needs(), Rights::Everything);
    for keys in ["", "R"] {
        assert_eq!(Request::Machine(Machine::Keys { keys }).needs(), Rights::Everything);
    }
    assert_eq!(Request::Machine(Machine::Cpus { from: 0 }).needs(), Rights::Observe);
    let reset = Request::Adjust { domain: "1", what: Adjust::Reset };
    assert_eq!((reset.needs(), reset.domain()), (Rights::Children, Some("1")));
    assert_eq!(Request::Labels(Labels::Policy).needs(), Rights::Observe);
    let relabel = Labels::Domain { domain: "1", label: None };
    for labels in [relabel, Labels::Load { size: 1 }, Labels::Enforce { enforcing: false }] {
        assert_eq!(Request::Labels(labels).needs(), Rights::Everything);
    }
    assert_eq!(Request::Labels(relabel).domain(), Some("1"));
    assert_eq!(destroy.domain(), Some("1"));
    assert_eq!(Request::Log.domain(), None);
}

#[test]
fn attack_e02_lengths_that_frames_do_not_have_are_refused() {
    for length in [0, u32::try_from(MAX_MESSAGE).unwrap() + 1, u32::MAX] {
        assert_eq!(frames(&[&length.to_le_bytes()]), Err(FrameError::Length));
    }
    let long = vec![0; MAX_MESSAGE];
    let mut out = vec![7];
    let data = Up::Data { id: RequestId(1), bytes: &long };
    assert_eq!(frame::append(&mut out, &data), Err(FrameError::Length));
    assert_eq!(out, [7]);
}

#[test]
fn attack_e02_a_message_with_something_behind_it_is_none() {
    let cancel = framed(&Up::Cancel { id: RequestId(300) });
    let body = &cancel[HEADER..];
    assert_eq!(frame::parse::<Up<'_>>(body), Ok(Up::Cancel { id: RequestId(300) }));
    assert_eq!(frame::parse::<Up<'_>>(&body[..body.len() - 1]), Err(FrameError::Message));
    assert_eq!(frame::parse::<Up<'_>>(&[body, &[0]].concat()), Err(FrameError::Message));
}

#[test]
fn a_configuration_of_the_greatest_length_can_be_sent() {
    let config = vec![1; crate::config::MAX_ENCODED];
    let image = Image { digest: [9; 32], size: u64::MAX };
    let request =
        Request::Create { config: &config, kernel: image, ramdisk: Some(image), paused: true, saved: true };
    let bytes = framed(&Up::Request { id: RequestId(u32::MAX), request });
    let found = frames(&[&bytes]).unwrap();
    assert_eq!(frame::parse(&found[0]), Ok(Up::Request { id: RequestId(u32::MAX), request }));
}

fn up() -> impl Strategy<Value = Vec<u8>> {
    let id = any::<u32>().prop_map(RequestId);
    prop_oneof![
        Just(framed(&Up::Hello(Hello::OURS))),
        (id.clone(), ".{0,40}").prop_map(|(id, domain)| {
            let wish = Wish::Reboot;
            framed(&Up::Request { id, request: Request::Shutdown { domain: &domain, wish } })
        }),
        (id.clone(), prop::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(id, bytes)| framed(&Up::Data { id, bytes: &bytes })),
        (id, any::<u32>()).prop_map(|(id, bytes)| framed(&Up::Credit { id, bytes })),
    ]
}

proptest! {
    #[test]
    fn frames_come_whole_however_they_are_cut(messages in prop::collection::vec(up(), 0..6), cut in 1usize..40) {
        let stream = messages.concat();
        let pieces: Vec<&[u8]> = stream.chunks(cut).collect();
        let bodies: Vec<Vec<u8>> = messages.iter().map(|message| message[HEADER..].to_vec()).collect();
        prop_assert!(bodies.iter().all(|body| frame::parse::<Up<'_>>(body).is_ok()));
        prop_assert_eq!(frames(&pieces).unwrap(), bodies);
    }

    #[test]
    fn attack_e02_any_bytes_are_messages_or_an_error(bytes: Vec<u8>) {
        if let Ok(message) = frame::parse::<Up<'_>>(&bytes) {
            // What is understood says the same again; numbers may have been written with more bytes than they need.
            prop_assert!(framed(&message).len() <= bytes.len() + HEADER);
        }
        let _ = frame::parse::<Down<'_>>(&bytes);
    }
}
