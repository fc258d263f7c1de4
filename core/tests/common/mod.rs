//! What tests and benches of the store outside the crate share.

use xendless_core::hyper::{DomId, Port};
use xendless_core::ring::xenstore::Features;
use xendless_core::store::server::{ConnId, Platform};
use xendless_core::store::wire::XsError;

/// A machine on which every domain exists and nothing follows from anything.
pub(crate) struct Machine;

impl Platform for Machine {
    fn domain_exists(&self, _: DomId) -> bool {
        true
    }
    fn introduce(&mut self, _: DomId, _: ConnId, _: i64, _: Port, _: Features) -> Result<(), XsError> {
        Ok(())
    }
    fn reintroduce(&mut self, _: DomId, _: ConnId, _: Port) -> Result<(), XsError> {
        Ok(())
    }
    fn release(&mut self, _: DomId, _: ConnId) {}
    fn print(&mut self, _: &[u8]) {}
}
