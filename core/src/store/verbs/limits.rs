//! Looking at limits and setting them.

use super::Answer;
use crate::hyper::DomId;
use crate::store::quota::Quota;
use crate::store::server::{Platform, Server};
use crate::store::wire::{Payload, XsError};

impl Server {
    pub(super) fn list_quotas() -> Answer {
        let mut names = Payload::new();
        for (index, quota) in Quota::ALL.iter().enumerate() {
            names.push(if index == 0 { b"" } else { b" " })?;
            names.push(quota.name().as_bytes())?;
        }
        names.push(&[0])?;
        Ok(Some(names))
    }

    pub(super) fn get_quota(
        &mut self,
        platform: &impl Platform,
        domid: Option<DomId>,
        name: &[u8],
    ) -> Answer {
        let quota = Quota::from_name(name).ok_or(XsError::EINVAL)?;
        let value = match domid {
            None => self.state.limits.or_default(quota),
            Some(domid) if self.ensure_domain(platform, domid) => self.state.limit(domid, quota).unwrap_or(0),
            Some(_) => return Err(XsError::ENOENT.into()),
        };
        let mut text = Payload::new();
        text.push_text(format_args!("{value}"))?;
        Ok(Some(text))
    }

    pub(super) fn set_quota(
        &mut self,
        platform: &impl Platform,
        domid: Option<DomId>,
        name: &[u8],
        value: u32,
    ) -> Answer {
        let quota = Quota::from_name(name).ok_or(XsError::EINVAL)?;
        match domid {
            None => self.state.limits.set(quota, value),
            // The store is one: no domain has a limit of its own for all of it.
            Some(_) if quota == Quota::Total => return Err(XsError::EINVAL.into()),
            Some(domid) if self.ensure_domain(platform, domid) => {
                if let Some(domain) = self.state.domains.get_mut(domid) {
                    domain.limits.set(quota, value);
                }
            }
            Some(_) => return Err(XsError::ENOENT.into()),
        }
        Ok(None)
    }
}
