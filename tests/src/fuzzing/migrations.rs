//! What two hosts between which a domain migrates tell each other.

use xendless_hosttools::xm::migration;

/// What was understood is understood in the same way when it is said again.
pub fn migrations(bytes: &[u8]) {
    let said = migration::said(bytes);
    assert_eq!(migration::said(&said), said, "{}", bytes.escape_ascii());
}
