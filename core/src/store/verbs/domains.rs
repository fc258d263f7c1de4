//! Introducing domains and letting them go.

use super::{Answer, Ask};
use crate::hyper::{DomId, Port};
use crate::rights::Rights;
use crate::ring::xenstore::Features;
use crate::store::domain::FEATURES;
use crate::store::path::{Home, Special};
use crate::store::server::{ConnId, Hold, Platform, Server};
use crate::store::state::Refusal;
use crate::store::wire::{Payload, XsError};

impl Server {
    pub(super) fn introduce(
        &mut self,
        platform: &mut impl Platform,
        domid: DomId,
        gfn: i64,
        port: Port,
    ) -> Answer {
        if domid == self.control || !domid.is_domain() {
            return Err(XsError::EINVAL.into());
        }
        if self.is_dying(domid) {
            return Err(Refusal::Wait(Hold::Chores));
        }
        if !self.ensure_domain(platform, domid) {
            return Err(XsError::ENOENT.into());
        }
        if let Ok(conn) = self.connection_of(domid) {
            self.reset(conn);
            platform.reintroduce(domid, conn, port)?;
            return Ok(None);
        }
        let conn = self.add_connection(domid);
        if let Err(error) = platform.introduce(domid, conn, gfn, port, self.features(domid)) {
            self.conns.remove(&conn);
            return Err(error.into());
        }
        if let Some(domain) = self.state.domains.get_mut(domid) {
            (domain.conn, domain.shutdown) = (Some(conn), false);
        }
        self.announce_special(Special::Introduce, domid);
        Ok(None)
    }

    /// Says what a domain may do, whatever the permissions say. It holds until the domain's end.
    ///
    /// # Errors
    /// `ENOENT` when there is no such domain, `EINVAL` for the control domain.
    pub fn grant(&mut self, platform: &impl Platform, domid: DomId, rights: Rights) -> Result<(), XsError> {
        if domid == self.control {
            return Err(XsError::EINVAL);
        }
        if !self.ensure_domain(platform, domid) {
            return Err(XsError::ENOENT);
        }
        if let Some(domain) = self.state.domains.get_mut(domid) {
            domain.rights = rights;
        }
        Ok(())
    }

    pub(super) fn release(&mut self, platform: &mut impl Platform, domid: DomId) -> Answer {
        if domid == self.control {
            return Err(XsError::EINVAL.into());
        }
        self.connection_of(domid)?;
        self.domain_died(platform, domid);
        Ok(None)
    }

    pub(super) fn resume(&mut self, domid: DomId) -> Answer {
        if domid == self.control {
            return Err(XsError::EINVAL.into());
        }
        self.connection_of(domid)?;
        if let Some(domain) = self.state.domains.get_mut(domid) {
            domain.shutdown = false;
        }
        Ok(None)
    }

    pub(super) fn set_target(&mut self, domid: DomId, target: DomId) -> Answer {
        let conn = self.connection_of(domid)?;
        self.connection_of(target)?;
        let target = self.state.domains.incarnation(target);
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.target = target;
        }
        Ok(None)
    }

    pub(super) fn domain_path(domid: DomId) -> Answer {
        let mut path = Payload::new();
        path.push_text(format_args!("{}", Home(domid)))?;
        Ok(Some(path))
    }

    pub(super) fn is_domain_introduced(&self, domid: DomId) -> Answer {
        let introduced = domid == DomId::SELF || domid == self.control || self.connection_of(domid).is_ok();
        let mut answer = Payload::new();
        answer.push_string(if introduced { b"T" } else { b"F" })?;
        Ok(Some(answer))
    }

    pub(super) fn get_feature(
        &mut self,
        platform: &impl Platform,
        ask: &Ask,
        domid: Option<DomId>,
    ) -> Answer {
        let offered = match domid {
            None => ask.features,
            Some(_) if !ask.caller.is_privileged() => return Err(XsError::EACCES.into()),
            Some(domid) if self.ensure_domain(platform, domid) => self.features(domid),
            Some(_) => return Err(XsError::ENOENT.into()),
        };
        let mut answer = Payload::new();
        answer.push_text(format_args!("{}", offered.bits()))?;
        Ok(Some(answer))
    }

    pub(super) fn set_feature(&mut self, platform: &impl Platform, domid: DomId, offered: u32) -> Answer {
        if !self.ensure_domain(platform, domid) {
            return Err(XsError::ENOENT.into());
        }
        if domid == self.control || self.connection_of(domid).is_ok() {
            return Err(XsError::EBUSY.into());
        }
        let offered = Features::from_bits_retain(offered);
        if !FEATURES.contains(offered) {
            return Err(XsError::EINVAL.into());
        }
        if let Some(domain) = self.state.domains.get_mut(domid) {
            domain.features = offered;
        }
        Ok(None)
    }

    /// Makes sure that there are books for a domain; `false` when the domain does not exist.
    pub(super) fn ensure_domain(&mut self, platform: &impl Platform, domid: DomId) -> bool {
        if self.state.domains.get(domid).is_some() {
            return true;
        }
        if !domid.is_domain() || !platform.domain_exists(domid) {
            return false;
        }
        let born = self.state.tick();
        self.state.domains.add(domid, born);
        true
    }

    fn connection_of(&self, domid: DomId) -> Result<ConnId, XsError> {
        self.state.domains.get(domid).and_then(|domain| domain.conn).ok_or(XsError::ENOENT)
    }
}
