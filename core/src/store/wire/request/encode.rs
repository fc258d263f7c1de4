//! From a [`Request`] to its payload: the client's half.

use super::Request;
use crate::store::wire::{Payload, XsError};

impl Request<'_> {
    /// The payload by which it travels.
    ///
    /// # Errors
    /// [`XsError::EINVAL`] when a path, token or name holds a NUL, [`XsError::E2BIG`] when the whole does not fit
    /// into a message.
    pub fn payload(&self) -> Result<Payload, XsError> {
        let mut payload = Payload::new();
        match self {
            Self::Directory { path }
            | Self::Read { path }
            | Self::Mkdir { path }
            | Self::Rm { path }
            | Self::GetPerms { path } => string(&mut payload, path)?,
            Self::DirectoryPart { path, offset } => {
                string(&mut payload, path)?;
                payload.push_text(format_args!("{offset}"))?;
            }
            Self::Write { path, value } => {
                string(&mut payload, path)?;
                payload.push(value)?;
            }
            Self::SetPerms { path, perms } => {
                string(&mut payload, path)?;
                for perm in perms {
                    payload.push_text(format_args!("{perm}"))?;
                }
            }
            Self::Watch { path, token, depth } => {
                string(&mut payload, path)?;
                string(&mut payload, token)?;
                if let Some(depth) = depth {
                    payload.push_text(format_args!("{depth}"))?;
                }
            }
            Self::Unwatch { path, token } => {
                string(&mut payload, path)?;
                string(&mut payload, token)?;
            }
            // A payload is sent where the C library sends one.
            Self::TransactionStart | Self::ResetWatches => payload.push_string(b"")?,
            Self::TransactionEnd { commit } => payload.push_string(if *commit { b"T" } else { b"F" })?,
            _ => self.management_payload(&mut payload)?,
        }
        Ok(payload)
    }

    fn management_payload(&self, payload: &mut Payload) -> Result<(), XsError> {
        match self {
            Self::Introduce { domid, gfn, port } => {
                payload.push_text(format_args!("{domid}"))?;
                payload.push_text(format_args!("{gfn}"))?;
                payload.push_text(format_args!("{port}"))
            }
            Self::Release { domid }
            | Self::Resume { domid }
            | Self::GetDomainPath { domid }
            | Self::IsDomainIntroduced { domid }
            | Self::GetFeature { domid: Some(domid) } => payload.push_text(format_args!("{domid}")),
            Self::SetTarget { domid, target } => {
                payload.push_text(format_args!("{domid}"))?;
                payload.push_text(format_args!("{target}"))
            }
            Self::SetFeature { domid, features } => {
                payload.push_text(format_args!("{domid}"))?;
                payload.push_text(format_args!("{features}"))
            }
            Self::GetQuota { domid, name } => {
                if let Some(domid) = domid {
                    payload.push_text(format_args!("{domid}"))?;
                }
                string(payload, name)
            }
            Self::SetQuota { domid, name, value } => {
                if let Some(domid) = domid {
                    payload.push_text(format_args!("{domid}"))?;
                }
                string(payload, name)?;
                payload.push_text(format_args!("{value}"))
            }
            Self::Control { command, args } => {
                string(payload, command)?;
                args.clone().try_for_each(|arg| payload.push_string(arg))
            }
            _ => Ok(()),
        }
    }
}

fn string(payload: &mut Payload, string: &[u8]) -> Result<(), XsError> {
    if string.contains(&0) {
        return Err(XsError::EINVAL);
    }
    payload.push_string(string)
}
