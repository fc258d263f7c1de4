//! Requests as types. The payload of each verb stands in `docs/misc/xenstore.txt`.

mod encode;
mod parse;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use super::{Kind, Perm, Strings};
use crate::hyper::{DomId, Port};

/// A well-formed request. Paths and names are as the client wrote them, without a NUL; whether a path is valid,
/// absolute or allowed is for the server to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request<'a> {
    /// Names of a node's children.
    Directory {
        /// The node.
        path: &'a [u8],
    },
    /// A part of them.
    DirectoryPart {
        /// The node.
        path: &'a [u8],
        /// Where to start, in bytes of the whole list of NUL-terminated names.
        offset: u32,
    },
    /// A node's value.
    Read {
        /// The node.
        path: &'a [u8],
    },
    /// Sets a node's value, creating it and its parents where needed.
    Write {
        /// The node.
        path: &'a [u8],
        /// Any bytes.
        value: &'a [u8],
    },
    /// Creates a node and its parents where needed.
    Mkdir {
        /// The node.
        path: &'a [u8],
    },
    /// Removes a node and all below it.
    Rm {
        /// The node.
        path: &'a [u8],
    },
    /// A node's permissions.
    GetPerms {
        /// The node.
        path: &'a [u8],
    },
    /// Sets them.
    SetPerms {
        /// The node or special watch.
        path: &'a [u8],
        /// The owner's entry and further ones; never empty.
        perms: Vec<Perm>,
    },
    /// Asks for events.
    Watch {
        /// The node or special watch.
        path: &'a [u8],
        /// What events carry, chosen by the client.
        token: &'a [u8],
        /// How many levels below the node matter, when limited.
        depth: Option<u32>,
    },
    /// Stops them.
    Unwatch {
        /// As in the watch.
        path: &'a [u8],
        /// As in the watch.
        token: &'a [u8],
    },
    /// Ends all watches and transactions of the caller.
    ResetWatches,
    /// Opens a transaction.
    TransactionStart,
    /// Ends the transaction that the header names.
    TransactionEnd {
        /// Whether its changes are to stand.
        commit: bool,
    },
    /// Connects a domain.
    Introduce {
        /// The domain.
        domid: DomId,
        /// The frame of its ring page; without meaning where the page is mapped by grant.
        gfn: i64,
        /// Its event channel, never 0.
        port: Port,
    },
    /// Disconnects a domain.
    Release {
        /// The domain.
        domid: DomId,
    },
    /// Lets a domain's next shutdown be reported again.
    Resume {
        /// The domain.
        domid: DomId,
    },
    /// Gives a domain the rights of another.
    SetTarget {
        /// Who gets them.
        domid: DomId,
        /// Whose they are.
        target: DomId,
    },
    /// Where a domain's relative paths start.
    GetDomainPath {
        /// The domain.
        domid: DomId,
    },
    /// Whether a domain is connected.
    IsDomainIntroduced {
        /// The domain.
        domid: DomId,
    },
    /// Ring features: a domain's, or those the caller may use.
    GetFeature {
        /// The domain.
        domid: Option<DomId>,
    },
    /// Chooses a domain's ring features before it is introduced.
    SetFeature {
        /// The domain.
        domid: DomId,
        /// A set of feature bits.
        features: u32,
    },
    /// The names of all quotas.
    ListQuotas,
    /// A quota.
    GetQuota {
        /// The domain, or `None` for the default of all.
        domid: Option<DomId>,
        /// The quota.
        name: &'a [u8],
    },
    /// Sets a quota.
    SetQuota {
        /// The domain, or `None` for the default of all.
        domid: Option<DomId>,
        /// The quota.
        name: &'a [u8],
        /// The limit; 0 is none.
        value: u32,
    },
    /// A command to the server itself.
    Control {
        /// Which.
        command: &'a [u8],
        /// Its arguments.
        args: Strings<'a>,
    },
}

impl Request<'_> {
    /// The type by which it travels.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Directory { .. } => Kind::DIRECTORY,
            Self::DirectoryPart { .. } => Kind::DIRECTORY_PART,
            Self::Read { .. } => Kind::READ,
            Self::Write { .. } => Kind::WRITE,
            Self::Mkdir { .. } => Kind::MKDIR,
            Self::Rm { .. } => Kind::RM,
            Self::GetPerms { .. } => Kind::GET_PERMS,
            Self::SetPerms { .. } => Kind::SET_PERMS,
            Self::Watch { .. } => Kind::WATCH,
            Self::Unwatch { .. } => Kind::UNWATCH,
            Self::ResetWatches => Kind::RESET_WATCHES,
            Self::TransactionStart => Kind::TRANSACTION_START,
            Self::TransactionEnd { .. } => Kind::TRANSACTION_END,
            Self::Introduce { .. } => Kind::INTRODUCE,
            Self::Release { .. } => Kind::RELEASE,
            Self::Resume { .. } => Kind::RESUME,
            Self::SetTarget { .. } => Kind::SET_TARGET,
            Self::GetDomainPath { .. } => Kind::GET_DOMAIN_PATH,
            Self::IsDomainIntroduced { .. } => Kind::IS_DOMAIN_INTRODUCED,
            Self::GetFeature { .. } => Kind::GET_FEATURE,
            Self::SetFeature { .. } => Kind::SET_FEATURE,
            Self::ListQuotas | Self::GetQuota { .. } => Kind::GET_QUOTA,
            Self::SetQuota { .. } => Kind::SET_QUOTA,
            Self::Control { .. } => Kind::CONTROL,
        }
    }
}
