//! Boot bundles for tests: domains from configurations that are text, and files that are in memory.

use anyhow::{Result, anyhow};
use xendless_core::bundle::{Role, checksum};
use xendless_core::config::Uuid;
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::{Maker, Start};
use xendless_hosttools::config::host::Host;
use xendless_hosttools::config::{Limits, Request, evaluate};

/// A domain as `text` configures it, with the contents of the files that it names.
pub fn domain(role: Role, text: &str, kernel: Vec<u8>, ramdisk: Option<Vec<u8>>) -> Result<Start> {
    let host = Host::unknown(uuid(text)?);
    let request =
        Request { path: "domain.cfg", text, arguments: &[], host: &host, limits: Limits::default() };
    let config = evaluate(&request).map_err(|errors| anyhow!("{errors}"))?.config;
    let rights = if role == Role::Admin { Rights::Everything } else { Rights::Nothing };
    Ok(Start { role, rights, config, kernel, ramdisk })
}

/// A bundle that starts these domains, in this order.
pub fn bundle(domains: impl IntoIterator<Item = Start>) -> Result<Vec<u8>> {
    let mut maker = Maker::new();
    for domain in domains {
        maker.start(domain)?;
    }
    Ok(maker.make()?)
}

/// The same text always gives the same UUID.
fn uuid(text: &str) -> Result<Uuid> {
    let [high, low] = [text.as_bytes(), &text.as_bytes()[1..]].map(|part| format!("{:016x}", checksum(part)));
    let digits = high + &low;
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(parts.join("-").parse::<Uuid>()?)
}
