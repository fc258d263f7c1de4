//! From verb and payload to a [`Request`].
//!
//! Verbs of one string want exactly one NUL, at the end. Verbs of several strings count NULs and pass over bytes
//! behind the last one. Opening a transaction and resetting watches take any payload.

use alloc::vec::Vec;

use super::Request;
use crate::hyper::Port;
use crate::store::wire::{Kind, Perm, Reader, XsError, number};

impl<'a> Request<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// [`XsError::ENOSYS`] when `kind` is no request, [`XsError::EINVAL`] when the payload is malformed.
    pub fn parse(kind: Kind, payload: &'a [u8]) -> Result<Self, XsError> {
        if !kind.is_request() {
            return Err(XsError::ENOSYS);
        }
        let reader = Reader::new(payload);
        node_request(kind, reader)
            .or_else(|| session_request(kind, reader))
            .or_else(|| domain_request(kind, reader))
            .or_else(|| server_request(kind, reader))
            .ok_or(XsError::EINVAL)
    }
}

fn node_request(kind: Kind, payload: Reader<'_>) -> Option<Request<'_>> {
    Some(match kind {
        Kind::DIRECTORY => Request::Directory { path: only_string(payload)? },
        Kind::DIRECTORY_PART => {
            let [path, offset] = payload.strings().exactly()?;
            // What is no offset lies behind every list, whose answer is an empty rest.
            let offset = u32::try_from(number::decimal(offset).0).unwrap_or(u32::MAX);
            Request::DirectoryPart { path, offset }
        }
        Kind::READ => Request::Read { path: only_string(payload)? },
        Kind::WRITE => {
            let mut payload = payload;
            Request::Write { path: payload.string()?, value: payload.rest() }
        }
        Kind::MKDIR => Request::Mkdir { path: only_string(payload)? },
        Kind::RM => Request::Rm { path: only_string(payload)? },
        Kind::GET_PERMS => Request::GetPerms { path: only_string(payload)? },
        Kind::SET_PERMS => {
            let mut strings = payload.strings();
            let path = strings.next()?;
            let perms = strings.map(Perm::parse).collect::<Option<Vec<_>>>()?;
            (!perms.is_empty()).then_some(Request::SetPerms { path, perms })?
        }
        _ => return None,
    })
}

fn session_request(kind: Kind, payload: Reader<'_>) -> Option<Request<'_>> {
    let strings = payload.strings();
    Some(match kind {
        Kind::WATCH => match strings.exactly() {
            Some([path, token]) => Request::Watch { path, token, depth: None },
            None => {
                let [path, token, depth] = strings.exactly()?;
                Request::Watch { path, token, depth: Some(unsigned(depth)?) }
            }
        },
        Kind::UNWATCH => {
            let [path, token] = strings.exactly()?;
            Request::Unwatch { path, token }
        }
        Kind::RESET_WATCHES => Request::ResetWatches,
        Kind::TRANSACTION_START => Request::TransactionStart,
        Kind::TRANSACTION_END => match only_string(payload)? {
            b"T" => Request::TransactionEnd { commit: true },
            b"F" => Request::TransactionEnd { commit: false },
            _ => return None,
        },
        _ => return None,
    })
}

fn domain_request(kind: Kind, payload: Reader<'_>) -> Option<Request<'_>> {
    let strings = payload.strings();
    let domid = || number::domid(only_string(payload)?);
    Some(match kind {
        Kind::INTRODUCE => {
            let [domid, gfn, port] = strings.at_least()?;
            let (gfn, port) = (number::decimal(gfn).0, unsigned(port)?);
            let domid = number::domid(domid)?;
            (port != 0).then_some(Request::Introduce { domid, gfn, port: Port(port) })?
        }
        Kind::RELEASE => Request::Release { domid: domid()? },
        Kind::RESUME => Request::Resume { domid: domid()? },
        Kind::SET_TARGET => {
            let [domid, target] = strings.at_least()?;
            Request::SetTarget { domid: number::domid(domid)?, target: number::domid(target)? }
        }
        Kind::GET_DOMAIN_PATH => Request::GetDomainPath { domid: domid()? },
        Kind::IS_DOMAIN_INTRODUCED => Request::IsDomainIntroduced { domid: domid()? },
        Kind::GET_FEATURE => match strings.exactly() {
            Some([]) => Request::GetFeature { domid: None },
            None => {
                let [domid] = strings.exactly()?;
                Request::GetFeature { domid: Some(number::domid(domid)?) }
            }
        },
        Kind::SET_FEATURE => {
            let [domid, features] = strings.exactly()?;
            Request::SetFeature { domid: number::domid(domid)?, features: unsigned(features)? }
        }
        _ => return None,
    })
}

fn server_request(kind: Kind, payload: Reader<'_>) -> Option<Request<'_>> {
    let mut strings = payload.strings();
    Some(match kind {
        Kind::GET_QUOTA => match (strings.next(), strings.next(), strings.next()) {
            (None, ..) => Request::ListQuotas,
            (Some(name), None, _) => Request::GetQuota { domid: None, name },
            (Some(domid), Some(name), None) => Request::GetQuota { domid: Some(number::domid(domid)?), name },
            _ => return None,
        },
        Kind::SET_QUOTA => match strings.exactly() {
            Some([name, value]) => Request::SetQuota { domid: None, name, value: unsigned(value)? },
            None => {
                let [domid, name, value] = strings.exactly()?;
                let domid = Some(number::domid(domid)?);
                Request::SetQuota { domid, name, value: unsigned(value)? }
            }
        },
        Kind::CONTROL => Request::Control { command: strings.next()?, args: strings },
        _ => return None,
    })
}

/// The payload when it is one string and its NUL.
fn only_string(mut payload: Reader<'_>) -> Option<&[u8]> {
    let string = payload.string()?;
    payload.end()?;
    Some(string)
}

/// A number that leads its string and is not negative.
fn unsigned(text: &[u8]) -> Option<u32> {
    u32::try_from(number::decimal(text).0).ok()
}
