//! Reading and changing nodes, in a transaction or outside of one.

use alloc::vec::Vec;

use embedded_io::{Read, Write};

use super::{ClientError, Misbehaviour, Session};
use crate::store::wire::{Kind, Perm, Reader, Request, XsError};

/// How often a long listing is begun again because the node changed in between.
const LISTING_ATTEMPTS: u32 = 100;

/// Bytes of names that a listing may have; no server holds as many.
const LISTING_MAX: usize = 16 << 20;

/// The nodes as one transaction, or as everyone outside of one, sees them.
#[derive(Debug)]
pub struct Nodes<'a, S> {
    session: &'a mut Session<S>,
    tx_id: u32,
}

impl<'a, S: Read + Write> Nodes<'a, S> {
    pub(super) fn new(session: &'a mut Session<S>, tx_id: u32) -> Self {
        Self { session, tx_id }
    }

    /// A node's value.
    ///
    /// # Errors
    /// As the server decides.
    pub fn read(&mut self, path: &[u8]) -> Result<Vec<u8>, ClientError<S::Error>> {
        self.session.call(self.tx_id, &Request::Read { path })
    }

    /// Sets a node's value; creates it and its parents where needed.
    ///
    /// # Errors
    /// As the server decides.
    pub fn write(&mut self, path: &[u8], value: &[u8]) -> Result<(), ClientError<S::Error>> {
        self.session.acknowledged(self.tx_id, &Request::Write { path, value })
    }

    /// Creates a node and its parents where needed.
    ///
    /// # Errors
    /// As the server decides.
    pub fn mkdir(&mut self, path: &[u8]) -> Result<(), ClientError<S::Error>> {
        self.session.acknowledged(self.tx_id, &Request::Mkdir { path })
    }

    /// Removes a node and all below it.
    ///
    /// # Errors
    /// As the server decides.
    pub fn remove(&mut self, path: &[u8]) -> Result<(), ClientError<S::Error>> {
        self.session.acknowledged(self.tx_id, &Request::Rm { path })
    }

    /// A node's permissions, its owner's first.
    ///
    /// # Errors
    /// As the server decides.
    pub fn perms(&mut self, path: &[u8]) -> Result<Vec<Perm>, ClientError<S::Error>> {
        let payload = self.session.call(self.tx_id, &Request::GetPerms { path })?;
        let perms = Reader::new(&payload).strings().map(Perm::parse).collect::<Option<Vec<_>>>();
        Ok(perms.filter(|perms| !perms.is_empty()).ok_or(Misbehaviour::Malformed(Kind::GET_PERMS))?)
    }

    /// Sets a node's permissions, its owner's first.
    ///
    /// # Errors
    /// As the server decides.
    pub fn set_perms(&mut self, path: &[u8], perms: &[Perm]) -> Result<(), ClientError<S::Error>> {
        self.session.acknowledged(self.tx_id, &Request::SetPerms { path, perms: perms.into() })
    }

    /// The names of a node's children, however many they are.
    ///
    /// # Errors
    /// As the server decides; [`XsError::EAGAIN`] when the node changes faster than it can be listed.
    pub fn list(&mut self, path: &[u8]) -> Result<Vec<Vec<u8>>, ClientError<S::Error>> {
        let names = match self.session.call(self.tx_id, &Request::Directory { path }) {
            Err(ClientError::Refused(XsError::E2BIG)) => self.list_in_parts(path)?,
            answer => answer?,
        };
        Ok(Reader::new(&names).strings().map(<[u8]>::to_vec).collect())
    }

    /// Parts of one listing belong together when the node's generation is the same in all of them. An empty name
    /// ends the last part.
    fn list_in_parts(&mut self, path: &[u8]) -> Result<Vec<u8>, ClientError<S::Error>> {
        let malformed = Misbehaviour::Malformed(Kind::DIRECTORY_PART);
        let (mut names, mut generation) = (Vec::new(), Vec::new());
        let mut attempts = 0;
        loop {
            let offset = u32::try_from(names.len()).map_err(|_| malformed)?;
            let payload = self.session.call(self.tx_id, &Request::DirectoryPart { path, offset })?;
            let mut part = Reader::new(&payload);
            let now = part.string().ok_or(malformed)?;
            if offset != 0 && now != generation {
                attempts += 1;
                if attempts == LISTING_ATTEMPTS {
                    return Err(ClientError::Refused(XsError::EAGAIN));
                }
                names.clear();
                continue;
            }
            generation = now.to_vec();
            match part.rest() {
                [] => return Err(malformed.into()),
                _ if names.len() > LISTING_MAX => return Err(malformed.into()),
                [0] => return Ok(names),
                [whole @ .., 0, 0] => {
                    names.extend_from_slice(whole);
                    names.push(0);
                    return Ok(names);
                }
                more => names.extend_from_slice(more),
            }
        }
    }
}
