use super::*;
use crate::store::wire::{Access, Reader, XsError};
use alloc::vec;
use proptest::prelude::*;

fn parse(kind: Kind, payload: &[u8]) -> Result<Request<'_>, XsError> {
    Request::parse(kind, payload)
}

/// Every payload is refused as malformed.
fn refused(kind: Kind, payloads: &[&[u8]]) {
    for payload in payloads {
        assert_eq!(parse(kind, payload), Err(XsError::EINVAL), "{kind} {}", payload.escape_ascii());
    }
}

/// The payload reads as the request, and the request is sent as the payload.
fn exact(payload: &[u8], request: Request<'_>) {
    assert_eq!(parse(request.kind(), payload).as_ref(), Ok(&request));
    assert_eq!(request.payload().unwrap().as_bytes(), payload);
}

const DOMAIN_7: DomId = DomId(7);

#[test]
fn verbs_of_one_path_want_one_nul_at_the_end() {
    exact(b"/a\0", Request::Directory { path: b"/a" });
    exact(b"/a\0", Request::Read { path: b"/a" });
    exact(b"data/x\0", Request::Mkdir { path: b"data/x" });
    exact(b"\0", Request::Rm { path: b"" });
    exact(b"/\0", Request::GetPerms { path: b"/" });
    for kind in [Kind::DIRECTORY, Kind::READ, Kind::MKDIR, Kind::RM, Kind::GET_PERMS] {
        refused(kind, &[b"", b"/a", b"/a\0\0", b"/a\0b", b"\0/a\0"]);
    }
}

#[test]
fn directory_part_counts_two_strings() {
    exact(b"/a\x0017\0", Request::DirectoryPart { path: b"/a", offset: 17 });
    refused(Kind::DIRECTORY_PART, &[b"", b"/a\0", b"/a\x0017", b"/a\x001\x002\0"]);
    let offset_of = |payload| match parse(Kind::DIRECTORY_PART, payload) {
        Ok(Request::DirectoryPart { offset, .. }) => offset,
        other => panic!("{other:?}"),
    };
    assert_eq!(offset_of(b"/a\0 5x\0tail"), 5);
    assert_eq!(offset_of(b"/a\0\0"), 0);
    assert_eq!(offset_of(b"/a\0-1\0"), u32::MAX);
    assert_eq!(offset_of(b"/a\x0099999999999999999999\0"), u32::MAX);
}

#[test]
fn a_value_is_what_follows_the_first_nul() {
    exact(b"/a\0value", Request::Write { path: b"/a", value: b"value" });
    exact(b"/a\0", Request::Write { path: b"/a", value: b"" });
    exact(b"/a\0\0b\0", Request::Write { path: b"/a", value: b"\0b\0" });
    refused(Kind::WRITE, &[b"", b"/a"]);
}

#[test]
fn permissions_need_an_owner() {
    let perms = vec![Perm::new(Access::None, DomId(0)), Perm::new(Access::Both, DOMAIN_7)];
    exact(b"/a\0n0\0b7\0", Request::SetPerms { path: b"/a", perms: perms.clone() });
    assert_eq!(parse(Kind::SET_PERMS, b"/a\0n0\0b07\0tail"), Ok(Request::SetPerms { path: b"/a", perms }));
    refused(
        Kind::SET_PERMS,
        &[b"", b"/a\0", b"/a\0n0", b"/a\0\0", b"/a\0n0\0x\0", b"/a\0n0\0\0", b"/a\0n0 \0"],
    );
}

#[test]
fn watches_take_two_or_three_strings() {
    exact(b"/a\0t\0", Request::Watch { path: b"/a", token: b"t", depth: None });
    exact(b"@releaseDomain\0\0", Request::Watch { path: b"@releaseDomain", token: b"", depth: None });
    exact(b"/a\0t\x002\0", Request::Watch { path: b"/a", token: b"t", depth: Some(2) });
    refused(Kind::WATCH, &[b"", b"/a\0", b"/a\0t", b"/a\0t\0-1\0", b"/a\0t\x001\x002\0"]);
    exact(b"/a\0t\0", Request::Unwatch { path: b"/a", token: b"t" });
    refused(Kind::UNWATCH, &[b"", b"/a\0", b"/a\0t", b"/a\0t\x001\0"]);
    let unwatch = parse(Kind::UNWATCH, b"/a\0t\0tail");
    assert_eq!(unwatch, Ok(Request::Unwatch { path: b"/a", token: b"t" }));
}

#[test]
fn opening_and_resetting_take_any_payload() {
    exact(b"\0", Request::TransactionStart);
    exact(b"\0", Request::ResetWatches);
    for payload in [&b""[..], b"x", b"\0\0"] {
        assert_eq!(parse(Kind::TRANSACTION_START, payload), Ok(Request::TransactionStart));
        assert_eq!(parse(Kind::RESET_WATCHES, payload), Ok(Request::ResetWatches));
    }
}

#[test]
fn a_transaction_ends_with_one_letter() {
    exact(b"T\0", Request::TransactionEnd { commit: true });
    exact(b"F\0", Request::TransactionEnd { commit: false });
    refused(Kind::TRANSACTION_END, &[b"", b"T", b"\0", b"t\0", b"TT\0", b"T\0\0"]);
}

#[test]
fn introduction_names_domain_frame_and_channel() {
    exact(b"7\x001234\x005\0", Request::Introduce { domid: DOMAIN_7, gfn: 1234, port: Port(5) });
    exact(b"7\0-1\x005\0", Request::Introduce { domid: DOMAIN_7, gfn: -1, port: Port(5) });
    assert!(parse(Kind::INTRODUCE, b"7\x001\x005\0/old/path\0").is_ok());
    refused(
        Kind::INTRODUCE,
        &[
            b"",
            b"7\x001\0",
            b"7\x001\x005",
            b"7\x001\x000\0",
            b"7\x001\0-5\0",
            b"7x\x001\x005\0",
            b"65536\x001\x005\0",
        ],
    );
}

#[test]
fn verbs_of_one_domain_want_its_number_alone() {
    exact(b"7\0", Request::Release { domid: DOMAIN_7 });
    exact(b"7\0", Request::Resume { domid: DOMAIN_7 });
    exact(b"7\0", Request::GetDomainPath { domid: DOMAIN_7 });
    exact(b"32752\0", Request::IsDomainIntroduced { domid: DomId::SELF });
    for kind in [Kind::RELEASE, Kind::RESUME, Kind::GET_DOMAIN_PATH, Kind::IS_DOMAIN_INTRODUCED] {
        refused(kind, &[b"", b"7", b"7\0\0", b"seven\0", b"7a\0", b"-7\0", b"65536\0"]);
    }
    exact(b"7\x008\0", Request::SetTarget { domid: DOMAIN_7, target: DomId(8) });
    assert!(parse(Kind::SET_TARGET, b"7\x008\x009\0").is_ok());
    refused(Kind::SET_TARGET, &[b"", b"7\0", b"7\x008", b"7\0x\0"]);
}

#[test]
fn features_are_a_domains_or_the_callers() {
    exact(b"", Request::GetFeature { domid: None });
    exact(b"7\0", Request::GetFeature { domid: Some(DOMAIN_7) });
    refused(Kind::GET_FEATURE, &[b"x\0", b"7\x008\0"]);
    exact(b"7\x003\0", Request::SetFeature { domid: DOMAIN_7, features: 3 });
    refused(Kind::SET_FEATURE, &[b"", b"7\0", b"7\0-1\0", b"7\x003\x001\0"]);
}

#[test]
fn quotas_are_listed_read_and_set() {
    exact(b"", Request::ListQuotas);
    exact(b"nodes\0", Request::GetQuota { domid: None, name: b"nodes" });
    exact(b"7\0nodes\0", Request::GetQuota { domid: Some(DOMAIN_7), name: b"nodes" });
    refused(Kind::GET_QUOTA, &[b"x\0nodes\0", b"7\0nodes\x001\0"]);
    exact(b"nodes\x00100\0", Request::SetQuota { domid: None, name: b"nodes", value: 100 });
    exact(b"7\0nodes\x000\0", Request::SetQuota { domid: Some(DOMAIN_7), name: b"nodes", value: 0 });
    refused(Kind::SET_QUOTA, &[b"", b"nodes\0", b"nodes\0-1\0", b"7\0nodes\x001\x002\0"]);
}

#[test]
fn control_takes_a_command_and_arguments() {
    let control = |args| Request::Control { command: b"quota", args: Reader::new(args).strings() };
    exact(b"quota\0", control(b""));
    exact(b"quota\0set\0nodes\x005\0", control(b"set\0nodes\x005\0"));
    refused(Kind::CONTROL, &[b"", b"quota"]);
}

#[test]
fn what_is_no_request_is_unknown() {
    for kind in [Kind::ERROR, Kind::WATCH_EVENT, Kind(20), Kind(27), Kind(u32::MAX)] {
        assert_eq!(parse(kind, b"/a\0"), Err(XsError::ENOSYS));
    }
}

#[test]
fn what_cannot_travel_is_not_sent() {
    assert_eq!(Request::Read { path: b"/a\0b" }.payload(), Err(XsError::EINVAL));
    assert_eq!(Request::Watch { path: b"/", token: b"\0", depth: None }.payload(), Err(XsError::EINVAL));
    let long = vec![b'x'; 4096];
    assert_eq!(Request::Read { path: &long }.payload(), Err(XsError::E2BIG));
    assert_eq!(Request::Write { path: b"/a", value: &long }.payload(), Err(XsError::E2BIG));
}

proptest! {
    #[test]
    fn attack_a11_any_bytes_are_a_request_or_an_error(
        kind in 0u32..30,
        payload in proptest::collection::vec(prop_oneof![Just(0), Just(b'1'), Just(b'r'), any::<u8>()], 0..40),
    ) {
        let kind = Kind(kind);
        match Request::parse(kind, &payload) {
            Ok(request) => {
                prop_assert_eq!(request.kind(), kind);
                let sent = request.payload().unwrap();
                prop_assert_eq!(Request::parse(kind, sent.as_bytes()), Ok(request.clone()));
            }
            Err(error) => prop_assert_eq!(error == XsError::ENOSYS, !kind.is_request()),
        }
    }
}
