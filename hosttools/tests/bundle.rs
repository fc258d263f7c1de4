//! The boot bundle: what is written reads back, and whatever is damaged is noticed.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test states its expectations")]

use proptest::prelude::*;
use xendless_core::bundle::{
    Bundle, BundleError, CHECK_STEP, Entry, HEADER_LEN, Header, MAX_PAYLOADS, checksum, padding,
};
use xendless_hosttools::bundle::{MakeError, Maker};

fn bundle(payloads: &[(&str, &[u8])]) -> Vec<u8> {
    let mut maker = Maker::new();
    for (name, content) in payloads {
        maker.add(name, content.to_vec()).unwrap();
    }
    maker.make().unwrap()
}

/// A bundle with sound checksums and whatever else is wanted.
fn forged(payloads: u32, manifest: &[u8], area: &[u8]) -> Vec<u8> {
    let total = (HEADER_LEN + manifest.len() + area.len()) as u64;
    [&Header::new(payloads, manifest, total).to_bytes()[..], manifest, area].concat()
}

fn manifest(entries: &[(&str, u64)]) -> Vec<u8> {
    entries
        .iter()
        .flat_map(|(name, len)| postcard::to_allocvec(&Entry { name, len: *len, checksum: 0 }).unwrap())
        .collect()
}

/// Opens a bundle and checks all of it.
fn check(bytes: &[u8]) -> Result<usize, BundleError> {
    let bundle = Bundle::open(bytes)?;
    bundle.payloads().iter().try_for_each(|payload| payload.content().map(drop))?;
    Ok(bundle.payloads().len())
}

fn error(bytes: &[u8]) -> BundleError {
    check(bytes).expect_err("this bundle is damaged")
}

#[test]
fn an_empty_bundle_is_valid_and_looks_like_this() {
    let bytes = bundle(&[]);
    assert_eq!(bytes.len(), HEADER_LEN);
    assert_eq!(bytes[..16], *b"\x89XDLBDL\n\x02\0\0\0\0\0\0\0");
    // The checksum of nothing, as the definition of XXH64 gives it.
    assert_eq!(bytes[32..40], 0xef46_db37_51d8_e999_u64.to_le_bytes());
    assert_eq!(check(&bytes), Ok(0));
}

#[test]
fn a_payload_is_compared_in_steps() {
    let content: Vec<u8> = (0..=250).cycle().take(3 * CHECK_STEP + 1).collect();
    let mut bytes = bundle(&[("a", &content)]);
    let outcome = |bytes: &[u8]| {
        let mut check = Bundle::open(bytes).unwrap().payloads()[0].check();
        let mut steps = 1;
        loop {
            match check.step() {
                Ok(None) => steps += 1,
                Ok(Some(found)) => return (steps, found == content),
                Err(error) => return (steps, error != BundleError::BadContent),
            }
        }
    };
    assert_eq!(outcome(&bytes), (4, true));
    let first = bytes.len() - content.len();
    for at in [first, first + CHECK_STEP, first + 3 * CHECK_STEP] {
        bytes[at] ^= 1;
        assert_eq!(outcome(&bytes), (4, false), "damage at {at}");
        bytes[at] ^= 1;
    }
}

#[test]
fn the_layout_of_a_payload_is_pinned() {
    let bytes = bundle(&[("a", b"xyz")]);
    assert_eq!(bytes[HEADER_LEN..HEADER_LEN + 3], *b"\x01a\x03");
    assert_eq!(bytes.len() % 16, 3, "payloads are aligned");
    assert!(bytes.ends_with(b"\0xyz"));
}

#[test]
fn truncation_at_every_byte_is_noticed() {
    let bytes = bundle(&[("kernel", &[7; 50]), ("ramdisk", &[9; 33]), ("void", &[])]);
    for len in 0..bytes.len() {
        let expected = if len < HEADER_LEN {
            BundleError::TooShort
        } else {
            BundleError::WrongLength { stated: bytes.len() as u64, found: len as u64 }
        };
        assert_eq!(error(&bytes[..len]), expected);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = bundle(&[("kernel", &[7; 50]), ("ramdisk", &[9; 33])]);
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        assert!(check(&damaged).is_err(), "bit {} of byte {} went unnoticed", at % 8, at / 8);
    }
}

#[test]
fn attack_d03_other_files_are_not_taken_for_bundles() {
    assert_eq!(error(b""), BundleError::TooShort);
    assert_eq!(error(&[0; 4096]), BundleError::NotABundle);
    assert_eq!(error(&[b"\x7fELF".as_slice(), &[1; 100]].concat()), BundleError::NotABundle);
    let mut newer = bundle(&[]);
    newer[8] = 3;
    assert_eq!(error(&newer), BundleError::WrongVersion(3));
    let longer = [bundle(&[]), vec![0]].concat();
    assert_eq!(error(&longer), BundleError::WrongLength { stated: 48, found: 49 });
}

#[test]
fn huge_counts_and_lengths_are_refused_without_being_believed() {
    assert_eq!(error(&forged(u32::MAX, &[], &[])), BundleError::TooMany(u32::MAX));
    assert_eq!(error(&forged(MAX_PAYLOADS, &[], &[])), BundleError::BadEntry { index: 0 });
    assert_eq!(error(&forged(1, &manifest(&[("a", u64::MAX)]), &[])), BundleError::BadEntry { index: 0 });
    let two = manifest(&[("a", 1), ("b", u64::MAX)]);
    let area = vec![0; padding(two.len()) + 16];
    assert_eq!(error(&forged(2, &two, &area)), BundleError::BadEntry { index: 1 });
    // A name whose stated length goes far beyond the manifest.
    assert_eq!(
        error(&forged(1, &[0xff, 0xff, 0xff, 0xff, 0x0f, b'a'], &[])),
        BundleError::BadEntry { index: 0 }
    );
    let mut manifest_len = bundle(&[]);
    manifest_len[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    let fixed = checksum(&manifest_len[..40]).to_le_bytes();
    manifest_len[40..].copy_from_slice(&fixed);
    assert_eq!(error(&manifest_len), BundleError::BadManifest);
}

#[test]
fn a_manifest_that_does_not_fit_its_payloads_is_refused() {
    let one = manifest(&[("a", 0)]);
    let area = vec![0; padding(one.len())];
    assert_eq!(error(&forged(0, &one, &area)), BundleError::BadManifest, "an entry too many");
    let more = [area, vec![1]].concat();
    assert_eq!(error(&forged(1, &one, &more)), BundleError::BadManifest, "bytes that belong to nobody");
}

#[test]
fn attack_e06_names_are_printable_and_come_once() {
    for (names, index) in [(["a", "a"], 1), (["b", "a"], 1), (["a", "b\x1b[2J"], 1), (["", "a"], 0)] {
        let bytes = manifest(&names.map(|name| (name, 0)));
        let area = vec![0; padding(bytes.len())];
        assert_eq!(error(&forged(2, &bytes, &area)), BundleError::BadName { index }, "{names:?}");
    }
}

#[test]
fn the_maker_refuses_what_the_reader_would() {
    let mut maker = Maker::new();
    assert!(matches!(maker.add("two words", vec![]), Err(MakeError::BadName(_))));
    assert!(matches!(maker.add(&"x".repeat(65), vec![]), Err(MakeError::BadName(_))));
    maker.add("a", vec![]).unwrap();
    assert!(matches!(maker.add("a", vec![]), Err(MakeError::Twice(_))));
    for index in 1..MAX_PAYLOADS {
        maker.add(&index.to_string(), vec![]).unwrap();
    }
    assert!(matches!(maker.add("last", vec![]), Err(MakeError::TooMany)));
    assert_eq!(check(&maker.make().unwrap()), Ok(1024));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_put_in_comes_out(
        payloads in prop::collection::btree_map("[!-~]{1,64}", prop::collection::vec(any::<u8>(), 0..100), 0..12),
    ) {
        let payloads: Vec<(&str, &[u8])> =
            payloads.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let bytes = bundle(&payloads);
        let bundle = Bundle::open(&bytes).unwrap();
        let read: Vec<_> =
            bundle.payloads().iter().map(|payload| (payload.name, payload.content().unwrap())).collect();
        prop_assert_eq!(read, payloads);
    }

    #[test]
    fn forged_manifests_never_panic(
        count in 0u32..6,
        manifest in prop::collection::vec(any::<u8>(), 0..60),
        area in prop::collection::vec(0u8..2, 0..60),
    ) {
        let _ = check(&forged(count, &manifest, &area));
    }
}
