//! The domains in a boot bundle: what is written reads back, and what cannot be started is refused with a reason.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test states its expectations")]

use proptest::prelude::*;
use xendless_core::bundle::{
    Bundle, BundleError, Conflict, Entry, HEADER_LEN, Header, Record, Role, padding,
};
use xendless_core::config::{DecodeError, DomainConfig, Uuid};
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::{MakeError, Maker, Start};
use xendless_hosttools::config::host::Host;
use xendless_hosttools::config::{Limits, Request, evaluate};

/// The configuration of a PV domain, its UUID made of its name.
fn config(name: &str, more: &str) -> DomainConfig {
    let mut uuid = [1; 16];
    uuid.iter_mut().zip(name.bytes()).for_each(|(byte, char)| *byte = char);
    let host = Host::unknown(Uuid::from_bytes(uuid).unwrap());
    let text = format!("kernel = '/boot/vmlinuz'\nmemory = 64\n{more}");
    let request = Request { path: name, text: &text, arguments: &[], host: &host, limits: Limits::default() };
    evaluate(&request).unwrap().config
}

fn start(role: Role, config: DomainConfig) -> Start {
    Start { role, rights: Rights::Nothing, config, kernel: b"kernel".to_vec(), ramdisk: None }
}

fn guest(name: &str) -> Start {
    start(Role::Guest, config(name, ""))
}

fn made(starts: impl IntoIterator<Item = Start>) -> Result<Vec<u8>, MakeError> {
    let mut maker = Maker::new();
    starts.into_iter().try_for_each(|start| maker.start(start))?;
    maker.make()
}

fn conflict(starts: impl IntoIterator<Item = Start>) -> (String, Conflict) {
    match made(starts).expect_err("these do not go together") {
        MakeError::Unusable(BundleError::Conflict { name, conflict }) => (name.to_string(), conflict),
        other => unreachable!("{other}"),
    }
}

/// A bundle of one payload with sound checksums and whatever record is wanted.
fn forged(record: &[u8]) -> Vec<u8> {
    let entry = postcard::to_allocvec(&Entry { name: "k", len: 0, checksum: 0 }).unwrap();
    let manifest = [entry, record.to_vec()].concat();
    let area = vec![0; padding(manifest.len())];
    let total = (HEADER_LEN + manifest.len() + area.len()) as u64;
    [&Header::new(1, &manifest, total).to_bytes()[..], &manifest, &area].concat()
}

fn record(kernel: u32, ramdisk: Option<u32>, config: &[u8]) -> Vec<u8> {
    let record = Record { role: Role::Guest, rights: Rights::Nothing, kernel, ramdisk, config };
    postcard::to_allocvec(&record).unwrap()
}

fn refusal(record: &[u8]) -> BundleError {
    Bundle::open(&forged(record)).expect_err("this record is wrong")
}

#[test]
fn what_is_put_in_comes_out_in_start_order() {
    let admin = Start {
        rights: Rights::Everything,
        ramdisk: Some(b"ramdisk".to_vec()),
        ..start(Role::Admin, config("z-admin", "ramdisk = '/boot/initrd.img'\nvif = ['']"))
    };
    let other_kernel = Start { kernel: b"another".to_vec(), ..guest("a") };
    let starts = [admin, guest("m"), other_kernel];
    let bytes = made(starts.clone()).unwrap();
    let bundle = Bundle::open(&bytes).unwrap();
    let names: Vec<_> = bundle.payloads().iter().map(|payload| payload.name).collect();
    assert_eq!(names, ["initrd.img", "vmlinuz", "vmlinuz~2"], "what is the same is there once");
    for (domain, start) in bundle.domains().iter().zip(&starts) {
        assert_eq!((domain.role, domain.rights, &domain.config), (start.role, start.rights, &start.config));
        assert_eq!(domain.kernel.content().unwrap(), start.kernel);
        assert_eq!(domain.ramdisk.map(|ramdisk| ramdisk.content().unwrap()), start.ramdisk.as_deref());
    }
    assert_eq!(bundle.into_domains().len(), starts.len());
}

#[test]
fn admin_alone_guests_alone_both_and_nobody_are_fine() {
    let admin = || start(Role::Admin, config("admin", ""));
    for starts in [vec![], vec![admin()], vec![guest("a"), guest("b")], vec![guest("a"), admin(), guest("b")]]
    {
        let count = starts.len();
        assert_eq!(Bundle::open(&made(starts).unwrap()).unwrap().domains().len(), count);
    }
}

#[test]
fn domains_that_do_not_go_together_are_refused_by_name() {
    assert_eq!(conflict([guest("a"), guest("b"), guest("a")]), ("a".into(), Conflict::NameTaken));
    let same_uuid = start(Role::Guest, config("a", "name = 'other'"));
    assert_eq!(conflict([guest("a"), same_uuid]), ("other".into(), Conflict::UuidTaken));
    let admin = |name| start(Role::Admin, config(name, ""));
    assert_eq!(conflict([admin("a"), guest("b"), admin("c")]), ("c".into(), Conflict::SecondAdmin));
    let huge = |name| start(Role::Guest, config(name, &format!("memory = {}", 9 << 20)));
    assert!(made([huge("a")]).is_ok());
    assert_eq!(conflict([huge("a"), huge("b")]), ("b".into(), Conflict::Memory));
    let without_file = start(Role::Guest, config("a", "ramdisk = 'r'"));
    assert_eq!(conflict([without_file]), ("a".into(), Conflict::Ramdisk));
    let unasked = Start { ramdisk: Some(vec![]), ..guest("a") };
    assert_eq!(conflict([unasked]), ("a".into(), Conflict::Ramdisk));
}

#[test]
fn a_record_without_its_files_is_refused() {
    let config = config("a", "").encode().unwrap();
    assert!(Bundle::open(&forged(&record(0, None, &config))).is_ok());
    assert_eq!(refusal(&record(1, None, &config)), BundleError::BadDomain { index: 0 });
    assert_eq!(refusal(&record(0, Some(u32::MAX), &config)), BundleError::BadDomain { index: 0 });
}

#[test]
fn a_configuration_that_is_none_is_refused() {
    let bad = |reason| BundleError::BadConfig { index: 0, reason };
    assert_eq!(refusal(&record(0, None, &[])), bad(DecodeError::Malformed));
    assert_eq!(refusal(&record(0, None, &[0xff, 0xff, 0])), bad(DecodeError::Schema { found: 0xffff }));
    assert_eq!(refusal(&record(0, None, &vec![0; 70_000])), bad(DecodeError::TooLong));
    let whole = record(0, None, &config("a", "").encode().unwrap());
    for len in 1..whole.len() {
        assert_eq!(refusal(&whole[..len]), BundleError::BadDomain { index: 0 }, "cut to {len} bytes");
    }
    assert_eq!(refusal(&[&whole[..], &[9]].concat()), BundleError::BadDomain { index: 1 });
}

#[test]
fn there_is_a_most_of_domains() {
    let mut maker = Maker::new();
    for index in 0..1025 {
        maker.start(guest(&format!("{index:04}"))).unwrap();
        if index == 1023 {
            assert!(maker.make().is_ok());
        }
    }
    assert!(matches!(maker.make(), Err(MakeError::Unusable(BundleError::TooManyDomains))));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = made([start(Role::Admin, config("admin", "extra = 'quiet'"))]).unwrap();
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        let noticed = Bundle::open(&damaged)
            .map_or(true, |bundle| bundle.payloads().iter().any(|payload| payload.content().is_err()));
        assert!(noticed, "bit {} of byte {}", at % 8, at / 8);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn forged_records_never_panic(
        mut record in Just(record(0, None, &config("a", "vif = ['']\ndisk = ['phy:a,xvda,w']").encode().unwrap())),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for (at, byte) in changes {
            let at = at.index(record.len());
            record[at] = byte;
        }
        record.extend(tail);
        if let Err(error) = Bundle::open(&forged(&record)) {
            prop_assert!(error.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", error);
        }
    }
}
