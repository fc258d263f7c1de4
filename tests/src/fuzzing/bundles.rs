//! Boot bundles, and the configurations in them.

use xendless_core::bundle::{Bundle, HEADER_LEN, Header};
use xendless_core::config::DomainConfig;

/// A bundle as it is; and what is behind its header under a header that fits, since no fuzzer guesses checksums.
pub fn bundles(input: &[u8]) {
    open(input);
    let (Some(header), Some(rest)) = (input.get(..HEADER_LEN), input.get(HEADER_LEN..)) else { return };
    let [payloads, manifest, ..] = [header[12], header[16]].map(usize::from);
    let manifest = (manifest | usize::from(header[17]) << 8).min(rest.len());
    let header = Header::new(payloads as u32, &rest[..manifest], input.len() as u64);
    open(&[&header.to_bytes(), rest].concat());
}

fn open(bytes: &[u8]) {
    let Ok(bundle) = Bundle::open(bytes) else { return };
    let content: usize =
        bundle.payloads().iter().filter_map(|payload| Some(payload.content().ok()?.len())).sum();
    assert!(content <= bytes.len());
    for domain in bundle.domains() {
        again(&domain.config);
    }
}

/// A domain's configuration.
pub fn configs(input: &[u8]) {
    if let Ok(config) = DomainConfig::decode(input) {
        again(&config);
    }
}

/// What was understood can be written, reads back the same, and passes every check once more.
fn again(config: &DomainConfig) {
    let encoded = config.encode().expect("what was decoded can be encoded");
    assert_eq!(DomainConfig::decode(&encoded).as_ref(), Ok(config));
    assert_eq!(DomainConfig::new(config.clone().into_settings()).as_ref(), Ok(config));
}
