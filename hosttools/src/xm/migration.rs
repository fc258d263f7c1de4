//! What two hosts between which a domain migrates tell each other, for whoever tests that with any bytes.

/// What is understood of `bytes` up to what is not, as it would be said.
#[must_use]
pub fn said(bytes: &[u8]) -> Vec<u8> {
    super::commands::saved::said(bytes)
}
